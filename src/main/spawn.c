/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The spawn engine.
 *
 * The fast way is clone(CLONE_VM | CLONE_CHILD_CLEARTID): the child runs in
 * main's memory on the stack of a slot, main goes on at once, and the kernel
 * clears the slot's tid when the child leaves the shared memory, by execve or
 * exit.  No page table is copied and nobody waits.  The request, the
 * environment and the report lie in the slot and stay until then; a slot with
 * a report is freed when its child is reaped, since exit clears the tid too.
 *
 * Why a handler's user can neither freeze nor read main through its child:
 *
 * - It can stop the child once that has its user id (kill(2) allows it).  A
 *   stopped child holds its slot and nothing else: main never waits for one,
 *   every descriptor was closed before the change of identity, one user may
 *   hold only a part of the slots, and a child that has not called execve
 *   after 5 s is killed.  While no slot is free, handlers are forked.
 * - It cannot trace the child, read its memory or change its limits: the saved
 *   ids are 0 until execve (see cred.c).
 * - It cannot make the child dump core, or run a handler in it: all signals
 *   are blocked until just before execve, and no signal has a handler.  Before
 *   Linux 5.16 a core dump killed every process that shared the memory, so
 *   there all handlers are forked.
 *
 * The other way, fork, is for a plan that says so (the child changes what it
 * would share with main, like oom_score_adj), for more descriptors or variables
 * than a slot holds, for want of a slot, and for builds that tools look into.
 * Its report comes through a pipe that closes on execve.
 */

#include "main/spawn.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/utsname.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/sys.h"

#if defined(MINETD_SPAWN_FORK) || !SYS_RAW
static const bool always_fork = true;
#else
static const bool always_fork = false;
#endif

enum {
	SLOTS = 128,
	SLOTS_PER_USER = 96,	/* so that one user cannot take them all */
	SLOT_SIZE = 8192,
	SLOT_VARS = 64,		/* variables that a slot has room for */
	OVERDUE_TICKS = 5,
	FORKED_MAX = SPAWN_DESCRIPTORS, /* each holds a pipe */
};

/* What a child uses while it shares our memory. */
struct workspace {
	struct child_request request;
	const char *envp[SLOT_VARS + ENVIRONMENT_VARS + 1];
	char text[ENVIRONMENT_TEXT];
};

/* The stack grows down from the workspace, so both share a page. */
struct slot_memory {
	char stack[SLOT_SIZE - sizeof(struct workspace)]
	    __attribute__((aligned(64)));
	struct workspace workspace;
};

static_assert(sizeof(struct slot_memory) == SLOT_SIZE, "two pages");
static_assert(sizeof(struct workspace) < SLOT_SIZE / 2, "most is stack");

/* A slot's account, apart from its memory, which is touched by use only. */
struct slot {
	TAILQ_ENTRY(slot) entry; /* among the free or the busy ones */
	pid_t tid;		/* not 0 while the child shares our memory */
	pid_t pid;		/* whose slot this is; 0: free */
	uint32_t uid;		/* whom the child becomes */
	struct spawn_plan *plan; /* that it reads */
	struct child_report report; /* written by the child */
	unsigned ticks;		/* seconds that the child was seen here */
};

TAILQ_HEAD(slot_list, slot);

/* A forked child that has not been seen to call execve. */
struct forked {
	TAILQ_ENTRY(forked) entry;
	struct watch pipe;
	struct spawner *spawner;
	unsigned ticks;		/* seconds without execve */
	pid_t pid;
};

TAILQ_HEAD(forked_list, forked);

struct spawner {
	struct loop *loop;
	struct slot slots[SLOTS];
	struct slot_memory *memory; /* of each slot; mapped */
	struct slot_list free;	/* last used first: its memory is warm */
	struct slot_list busy;	/* oldest first */
	struct forked_list forked; /* oldest first */
	unsigned forked_count;
	bool always_fork;
};

/* Whether a core dump of one process leaves alone those that share memory. */
static bool
kernel_dumps_alone(void)
{
	struct utsname name;
	int major, minor;

	return uname(&name) == 0 &&
	    sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	    (major > 5 || (major == 5 && minor >= 16));
}

/* What the child changes behind the compiler's back. */
static pid_t
slot_tid(const struct slot *slot)
{
	return __atomic_load_n(&slot->tid, __ATOMIC_ACQUIRE);
}

static void
slot_free(struct spawner *sp, struct slot *slot)
{
	slot->pid = 0;
	slot->plan->users--;
	TAILQ_REMOVE(&sp->busy, slot, entry);
	TAILQ_INSERT_HEAD(&sp->free, slot, entry);
}

/* Free the slots whose children have executed their programs. */
static void
slots_collect(struct spawner *sp)
{
	struct slot *slot, *next;

	TAILQ_FOREACH_SAFE(slot, &sp->busy, entry, next)
		if (slot_tid(slot) == 0 && slot->report.step == CHILD_DONE)
			slot_free(sp, slot);
}

static struct slot *
slot_take(struct spawner *sp, struct spawn_plan *plan)
{
	uint32_t uid = plan->child.cred.uid;
	struct slot *slot;
	int taken = 0;

	slots_collect(sp);
	TAILQ_FOREACH(slot, &sp->busy, entry)
		taken += slot->uid == uid;
	slot = TAILQ_FIRST(&sp->free);
	if (slot == NULL || taken >= SLOTS_PER_USER)
		return NULL;
	TAILQ_REMOVE(&sp->free, slot, entry);
	TAILQ_INSERT_TAIL(&sp->busy, slot, entry);
	slot->uid = uid;
	slot->plan = plan;
	plan->users++;
	slot->report = (struct child_report){ CHILD_DONE, 0 };
	return slot;
}

/* Fill envp (of the right size) with both kinds of variables. */
static void
environment_join(const struct spawn_plan *plan, const struct connection *conn,
    const char **envp, char *text)
{
	size_t n = environment_format(conn, text, envp);

	memcpy(envp + n, plan->env, plan->env_count * sizeof(*envp));
	envp[n + plan->env_count] = NULL;
}

static int
child_entry(void *arg)
{
	child_run(arg);
}

static int
start_shared(struct spawner *sp, struct slot *slot,
    const struct spawn_plan *plan, const struct connection *conn,
    const struct spawn_files *files)
{
	struct slot_memory *memory = &sp->memory[slot - sp->slots];
	struct workspace *work = &memory->workspace;

	environment_join(plan, conn, work->envp, work->text);
	work->request = (struct child_request){
		.plan = &plan->child,
		.envp = work->envp,
		.report = &slot->report,
		.socket = files->socket,
		.stderr_fd = files->stderr_fd,
		.terminal = conn->terminal,
		.report_fd = -1,
	};
	slot->ticks = 0;
	slot->pid = clone(child_entry, memory->stack + sizeof(memory->stack),
	    CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
	    &work->request, &slot->tid, NULL, &slot->tid);
	if (slot->pid == -1) {
		int saved = errno;

		slot->tid = 0;
		slot_free(sp, slot);
		errno = saved;
		return -1;
	}
	return 0;
}

static void
forked_free(struct forked *child)
{
	loop_disarm(child->spawner->loop, &child->pipe);
	close(child->pipe.fd);
	TAILQ_REMOVE(&child->spawner->forked, child, entry);
	child->spawner->forked_count--;
	free(child);
}

/* execve closed the pipe, or it holds the report until the child is reaped. */
static void
report_ready(void *arg, uint32_t events, struct monotime now)
{
	struct forked *child = arg;

	(void)now;
	if ((events & EPOLLIN) != 0)
		loop_disarm(child->spawner->loop, &child->pipe);
	else
		forked_free(child);
}

static struct forked *
forked_new(struct spawner *sp, int *write_end)
{
	struct forked *child;
	int ends[2];

	if (sp->forked_count >= FORKED_MAX) {
		errno = EAGAIN;
		return NULL;
	}
	child = calloc(1, sizeof(*child));
	if (child == NULL)
		return NULL;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) {
		int saved = errno;

		free(child);
		errno = saved;
		return NULL;
	}
	watch_init(&child->pipe, ends[0], report_ready, child);
	child->spawner = sp;
	TAILQ_INSERT_TAIL(&sp->forked, child, entry);
	sp->forked_count++;
	*write_end = ends[1];
	return child;
}

static int
start_forked(struct spawner *sp, const struct spawn_plan *plan,
    const struct connection *conn, const struct spawn_files *files,
    pid_t *pid)
{
	size_t room = files->var_count + plan->env_count + ENVIRONMENT_VARS +
	    1;
	const char **envp = reallocarray(NULL, room, sizeof(*envp));
	int write_end = -1;
	struct forked *child = envp == NULL ? NULL :
	    forked_new(sp, &write_end);
	struct child_report report = { CHILD_DONE, 0 };
	char text[ENVIRONMENT_TEXT];
	int error = errno;

	*pid = -1;
	if (child != NULL) {
		if (files->var_count > 0)
			memcpy(envp, files->vars,
			    files->var_count * sizeof(*envp));
		environment_join(plan, conn, envp + files->var_count, text);
		*pid = fork();
		error = errno;
	}
	if (*pid == 0)
		child_run(&(struct child_request){ &plan->child, envp, &report,
		    files->socket, files->stderr_fd, conn->terminal, write_end,
		    files->fds, files->fd_count, files->listen_pid });
	if (write_end != -1)
		close(write_end);
	free(envp);
	if (*pid == -1) {
		if (child != NULL)
			forked_free(child);
		errno = error;
		return -1;
	}
	child->pid = *pid;
	/* Without events the pipe is read when the child is reaped. */
	loop_arm(sp->loop, &child->pipe, EPOLLIN);
	return 0;
}

struct spawner *
spawner_new(struct loop *loop)
{
	struct spawner *sp = calloc(1, sizeof(*sp));

	if (sp == NULL)
		return NULL;
	sp->loop = loop;
	sp->always_fork = always_fork || !kernel_dumps_alone();
	TAILQ_INIT(&sp->free);
	TAILQ_INIT(&sp->busy);
	TAILQ_INIT(&sp->forked);
	sp->memory = mmap(NULL, SLOTS * sizeof(*sp->memory),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sp->memory == MAP_FAILED) {
		free(sp);
		return NULL;
	}
	for (int i = 0; i < SLOTS; i++)
		TAILQ_INSERT_TAIL(&sp->free, &sp->slots[i], entry);
	return sp;
}

void
spawner_free(struct spawner *sp)
{
	struct forked *child;

	if (sp == NULL)
		return;
	while ((child = TAILQ_FIRST(&sp->forked)) != NULL)
		forked_free(child);
	munmap(sp->memory, SLOTS * sizeof(*sp->memory));
	free(sp);
}

bool
spawner_busy(struct spawner *sp)
{
	slots_collect(sp);
	return !TAILQ_EMPTY(&sp->busy);
}

unsigned
spawner_count_unreported(struct spawner *sp)
{
	unsigned count = sp->forked_count;
	struct slot *slot;

	slots_collect(sp);
	TAILQ_FOREACH(slot, &sp->busy, entry)
		count++;
	return count;
}

void
spawner_kill_unreported(struct spawner *sp)
{
	struct forked *child;
	struct slot *slot;

	TAILQ_FOREACH(slot, &sp->busy, entry)
		kill(slot->pid, SIGKILL);
	TAILQ_FOREACH(child, &sp->forked, entry)
		kill(child->pid, SIGKILL);
}

int
spawn_start(struct spawner *sp, struct spawn_plan *plan,
    const struct connection *conn, const struct spawn_files *files,
    struct spawn_handle *handle)
{
	struct slot *slot = NULL;

	if (!sp->always_fork && !plan->fork && files->fd_count == 0 &&
	    plan->env_count <= SLOT_VARS)
		slot = slot_take(sp, plan);
	if (slot == NULL) {
		handle->slot = -1;
		return start_forked(sp, plan, conn, files, &handle->pid);
	}
	if (start_shared(sp, slot, plan, conn, files) == -1)
		return -1;
	handle->slot = (int)(slot - sp->slots);
	handle->pid = slot->pid;
	return 0;
}

static struct child_report
forked_reaped(struct spawner *sp, pid_t pid)
{
	struct child_report report = { CHILD_DONE, 0 };
	struct forked *child;

	TAILQ_FOREACH(child, &sp->forked, entry)
		if (child->pid == pid)
			break;
	if (child == NULL)
		return report;
	if (read(child->pipe.fd, &report, sizeof(report)) !=
	    (ssize_t)sizeof(report))
		report = (struct child_report){ CHILD_DONE, 0 };
	forked_free(child);
	return report;
}

struct child_report
spawn_reaped(struct spawner *sp, const struct spawn_handle *handle)
{
	struct child_report report = { CHILD_DONE, 0 };

	if (handle->slot == -1)
		return forked_reaped(sp, handle->pid);

	struct slot *slot = &sp->slots[handle->slot];
	if (slot->pid == handle->pid) {
		report = slot->report;
		slot_free(sp, slot);
	}
	return report;
}

/*
 * Kill the child, unless execve has closed its end of the pipe and no event
 * said so.  Returns whether it was killed.
 */
static bool
forked_overdue(struct forked *child)
{
	struct pollfd pfd = { .fd = child->pipe.fd, .events = POLLIN };

	if (poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN) == 0) {
		forked_free(child);
		return false;
	}
	return kill(child->pid, SIGKILL) == 0;
}

unsigned
spawn_overdue(struct spawner *sp)
{
	struct slot *slot;
	struct forked *child, *next;
	unsigned killed = 0;

	slots_collect(sp);
	TAILQ_FOREACH(slot, &sp->busy, entry)
		if (slot_tid(slot) != 0 && ++slot->ticks > OVERDUE_TICKS)
			killed += kill(slot->pid, SIGKILL) == 0;
	TAILQ_FOREACH_SAFE(child, &sp->forked, entry, next)
		if (++child->ticks > OVERDUE_TICKS)
			killed += forked_overdue(child);
	return killed;
}
