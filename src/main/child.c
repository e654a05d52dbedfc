/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From a copy of main to a handler, step by step.
 *
 * The child may share main's memory, so every local lives on a small stack of
 * its own, and every call goes to the kernel directly.
 *
 * The order: descriptors are closed before the identity changes, since the new
 * user may stop the child at any moment after that and would keep every
 * listener busy; limits and chroot need privilege; the directory is entered as
 * the user, and its files are opened as the user; all signals stay blocked
 * until the last moment.
 */

#include "main/child.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "main/sys.h"

enum {
	FIRST_FD = 3,		/* behind the standard descriptors */
	BUSY_TRIES = 5,		/* while the program is being replaced */
	BUSY_WAIT_NSEC = 20 * 1000 * 1000,
	CROWDED_TRIES = 6,	/* while the user has too many processes; */
	CROWDED_WAIT_NSEC = 50 * 1000 * 1000, /* each wait is twice as long */
	SECOND_NSEC = 1000 * 1000 * 1000,
	TIMER_SLACK_NSEC = 50000, /* of every process that did not change it */
};

static const char *const step_names[] = {
	[CHILD_DONE] = "done",
	[CHILD_CLONE] = "clone",
	[CHILD_SESSION] = "session",
	[CHILD_DESCRIPTORS] = "descriptors",
	[CHILD_TERMINAL] = "terminal",
	[CHILD_OOM_SCORE_ADJ] = "oom_score_adj",
	[CHILD_NICE] = "nice",
	[CHILD_LIMITS] = "limits",
	[CHILD_CHROOT] = "chroot",
	[CHILD_GROUPS] = "groups",
	[CHILD_GROUP] = "group",
	[CHILD_USER] = "user",
	[CHILD_IDENTITY] = "identity",
	[CHILD_DIRECTORY] = "directory",
	[CHILD_STDERR] = "stderr",
	[CHILD_SIGNALS] = "signals",
	[CHILD_EXEC] = "exec",
};

const char *
child_step_name(uint32_t step)
{
	size_t n = sizeof(step_names) / sizeof(step_names[0]);

	return step < n ? step_names[step] : "unknown";
}

/* The report pipe, if there is one, lies behind what the handler gets. */
static int
report_place(const struct child_request *req)
{
	return FIRST_FD + req->fd_count;
}

static void __attribute__((noreturn))
child_fail(const struct child_request *req, enum child_step step, int error,
    int status)
{
	struct child_report report = { step, error };
	int place = step <= CHILD_DESCRIPTORS ? req->report_fd :
	    report_place(req);

	*req->report = report;
	if (req->report_fd != -1)
		sys_call(SYS_write, place, (long)&report, sizeof(report),
		    0);
	for (;;)
		sys_call(SYS_exit_group, status, 0, 0, 0);
}

/* Go on when the call succeeded. */
static void
require(const struct child_request *req, enum child_step step, long result)
{
	if (result < 0)
		child_fail(req, step, (int)-result, CHILD_EXIT_FAILED);
}

/*
 * What lies from fd 3 on comes from anywhere in the table, also from there:
 * first everything goes out of the way, above all of them.
 */
static long
extras_set(const struct child_request *req)
{
	int above = report_place(req) + 1;
	long rc = 0;

	for (int i = 0; i < req->fd_count; i++)
		if (req->fds[i] >= above)
			above = req->fds[i] + 1;
	if (req->report_fd >= above)
		above = req->report_fd + 1;
	for (int i = 0; rc >= 0 && i < req->fd_count; i++)
		rc = sys_call(SYS_dup3, req->fds[i], above + i, O_CLOEXEC, 0);
	if (rc >= 0 && req->report_fd != -1)
		rc = sys_call(SYS_dup3, req->report_fd, above + req->fd_count,
		    O_CLOEXEC, 0);
	for (int i = 0; rc >= 0 && i < req->fd_count; i++)
		rc = sys_call(SYS_dup3, above + i, FIRST_FD + i, 0, 0);
	if (rc >= 0 && req->report_fd != -1)
		rc = sys_call(SYS_dup3, above + req->fd_count,
		    report_place(req), O_CLOEXEC, 0);
	return rc;
}

/*
 * 0, 1 and 2 from the socket, then what is configured, and nothing above; 2
 * first, since it may be made of main's 0.  The report pipe is close-on-exec
 * and closes by itself.
 */
static long
descriptors_set(const struct child_request *req)
{
	int stderr_fd = req->stderr_fd;
	long rc;

	if (stderr_fd == -1)
		stderr_fd = req->plan->stderr_fd;
	if (stderr_fd == -1)
		stderr_fd = req->socket;
	rc = sys_call(SYS_dup3, stderr_fd, 2, 0, 0);

	if (rc >= 0)
		rc = sys_call(SYS_dup3, req->socket, 0, 0, 0);
	if (rc >= 0)
		rc = sys_call(SYS_dup3, req->socket, 1, 0, 0);
	if (rc >= 0 && (req->fd_count > 0 || req->report_fd != -1))
		rc = extras_set(req);
	if (rc < 0)
		return rc;
	return sys_call(SYS_close_range, report_place(req) +
	    (req->report_fd != -1), ~0U, 0, 0);
}

/* Decimal without the C library; returns the start within buf. */
static const char *
number_format(int value, char *buf, size_t size, size_t *len)
{
	unsigned rest = value < 0 ? -(unsigned)value : (unsigned)value;
	size_t at = size;

	do {
		buf[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		buf[--at] = '-';
	*len = size - at;
	return buf + at;
}

/* Its own number, which nobody else knows before it runs. */
static void
listen_pid_set(const struct child_request *req)
{
	char buf[16];
	size_t len;
	const char *text;

	if (req->listen_pid == NULL)
		return;
	text = number_format((int)sys_call(SYS_getpid, 0, 0, 0, 0), buf,
	    sizeof(buf), &len);
	for (size_t i = 0; i < len; i++)
		req->listen_pid[i] = text[i];
	req->listen_pid[len] = '\0';
}

static long
oom_score_adj_set(int value)
{
	char buf[16];
	size_t len;
	const char *text = number_format(value, buf, sizeof(buf), &len);
	long fd = sys_call(SYS_openat, AT_FDCWD,
	    (long)"/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0);
	long rc;

	if (fd < 0)
		return fd;
	rc = sys_call(SYS_write, fd, (long)text, (long)len, 0);
	sys_call(SYS_close, fd, 0, 0, 0);
	return rc;
}

static long
limits_set(const struct child_plan *plan)
{
	for (size_t i = 0; i < plan->limit_count; i++) {
		const struct conf_limit *limit = &plan->limits[i];
		uint64_t pair[2] = { limit->soft, limit->hard };
		long rc = sys_call(SYS_prlimit64, 0, limit->resource,
		    (long)pair, 0);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static long
root_change(const char *path)
{
	long rc = sys_call(SYS_chroot, (long)path, 0, 0, 0);

	return rc < 0 ? rc : sys_call(SYS_chdir, (long)"/", 0, 0, 0);
}

/* A regular file only: a fifo or a device could make the open wait. */
static long
stderr_open(const char *path)
{
	struct stat st = { 0 };
	long fd = sys_call(SYS_openat, AT_FDCWD, (long)path, O_WRONLY |
	    O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC, 0640);
	long rc;

	if (fd < 0)
		return fd;
	rc = sys_call(SYS_fstat, fd, (long)&st, 0, 0);
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc == 0)
		rc = sys_call(SYS_fcntl, fd, F_SETFL, O_APPEND, 0);
	if (rc == 0)
		rc = sys_call(SYS_dup3, fd, 2, 0, 0);
	sys_call(SYS_close, fd, 0, 0, 0);
	return rc < 0 ? rc : 0;
}

static void
identity_change(const struct child_request *req)
{
	static const enum child_step steps[] = {
		[CRED_GROUPS] = CHILD_GROUPS,
		[CRED_GID] = CHILD_GROUP,
		[CRED_UID] = CHILD_USER,
		[CRED_VERIFY] = CHILD_IDENTITY,
	};
	int error = 0;
	enum cred_step failed = cred_become(&req->plan->cred, &error);

	if (failed != CRED_DONE)
		child_fail(req, steps[failed], error, CHILD_EXIT_FAILED);
}

static void
signals_unblock(const struct child_request *req)
{
	uint64_t none = 0;

	require(req, CHILD_SIGNALS, sys_call(SYS_rt_sigprocmask, SIG_SETMASK,
	    (long)&none, 0, sizeof(none)));
}

static void __attribute__((noreturn))
program_exec(const struct child_request *req)
{
	const struct child_plan *plan = req->plan;
	int busy = 0, crowded = 0;
	long rc;

	for (;;) {
		struct timespec wait = { 0, BUSY_WAIT_NSEC };

		rc = sys_call(SYS_execve, (long)plan->path, (long)plan->argv,
		    (long)req->envp, 0);
		if (rc == -EAGAIN && crowded < CROWDED_TRIES) {
			long nsec = (long)CROWDED_WAIT_NSEC << crowded++;

			wait.tv_sec = nsec / SECOND_NSEC;
			wait.tv_nsec = nsec % SECOND_NSEC;
		} else if (rc != -ETXTBSY || busy++ == BUSY_TRIES) {
			break;
		}
		sys_call(SYS_nanosleep, (long)&wait, 0, 0, 0);
	}
	child_fail(req, CHILD_EXEC, (int)-rc,
	    rc == -ENOENT || rc == -ENOTDIR ? CHILD_EXIT_NOT_FOUND :
	    CHILD_EXIT_NOT_EXECUTABLE);
}

void
child_run(const struct child_request *req)
{
	const struct child_plan *plan = req->plan;

	require(req, CHILD_SESSION, sys_call(SYS_setsid, 0, 0, 0, 0));
	require(req, CHILD_DESCRIPTORS, descriptors_set(req));
	if (req->terminal)
		require(req, CHILD_TERMINAL, sys_call(SYS_ioctl, 0, TIOCSCTTY,
		    0, 0));
	if (plan->set_oom_score_adj)
		require(req, CHILD_OOM_SCORE_ADJ,
		    oom_score_adj_set(plan->oom_score_adj));
	if (plan->set_nice)
		require(req, CHILD_NICE, sys_call(SYS_setpriority,
		    PRIO_PROCESS, 0, plan->nice, 0));
	if (plan->set_timer_slack)
		sys_call(SYS_prctl, PR_SET_TIMERSLACK, TIMER_SLACK_NSEC, 0, 0);
	require(req, CHILD_LIMITS, limits_set(plan));
	if (plan->set_umask)
		sys_call(SYS_umask, plan->umask, 0, 0, 0);
	if (plan->chroot != NULL)
		require(req, CHILD_CHROOT, root_change(plan->chroot));
	identity_change(req);
	if (plan->directory != NULL)
		require(req, CHILD_DIRECTORY, sys_call(SYS_chdir,
		    (long)plan->directory, 0, 0, 0));
	if (plan->stderr_path != NULL)
		require(req, CHILD_STDERR, stderr_open(plan->stderr_path));
	listen_pid_set(req);
	signals_unblock(req);
	program_exec(req);
}
