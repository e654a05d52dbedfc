/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write down what the daemon is, and become another image of it.
 */

#include "main/handover.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sealed.h"

static void
services_write(struct minetd *mi, struct state *state)
{
	struct service *svc;

	for (svc = service_first(&mi->services); svc != NULL;
	    svc = service_next(svc)) {
		svc->next_index = state->service_count;
		state->services[state->service_count++] =
		    (struct state_service){
			.name = svc->name,
			.kill_grace_msec = svc->kill_grace_msec,
			.stop_signal = svc->stop_signal,
			.log_connections = svc->log_connections,
		};
	}
}

static struct state_listener
listener_record(const struct listener *lst, uint32_t service)
{
	/* One that is not served any more need not be open. */
	bool open = lst->fd != -1 && service != STATE_NONE;

	return (struct state_listener){
		.service = open ? service : STATE_NONE,
		.fd = open ? lst->fd : -1,
		.transport = lst->id.transport,
		.v6 = lst->id.v6,
		.mptcp = lst->id.mptcp,
		.shares_port = lst->shares_port,
		.closing = lst->closing,
		.addr = lst->id.addr,
		.path = lst->id.path,
		.interface = lst->id.interface,
		.dev = lst->file.dev,
		.ino = lst->file.ino,
		.waiter = lst->waiter,
	};
}

/* Those of the edition come first, under their indexes. */
static void
listeners_write(const struct minetd *mi, struct state *state)
{
	const struct edition *ed = mi->edition;

	for (uint32_t i = 0; i < ed->listener_count; i++) {
		const struct edition_listener *entry = &ed->listeners[i];

		state->listeners[state->listener_count++] = listener_record(
		    entry->listener,
		    ed->services[entry->service].service->next_index);
	}
}

/* A listener that is no more is written for each handler that remembers it. */
static uint32_t
listener_number(struct state *state, const struct listener *lst)
{
	if (lst->index != LISTENER_NO_INDEX)
		return lst->index;
	state->listeners[state->listener_count] = listener_record(lst,
	    STATE_NONE);
	return state->listener_count++;
}

static void
procs_write(struct minetd *mi, struct state *state)
{
	for (struct proc *proc = proc_first(mi->procs); proc != NULL;
	    proc = proc_next(proc))
		state->procs[state->proc_count++] = (struct state_proc){
			.id = proc->conn.id,
			.started_nsec = proc->started.nsec,
			.pid = proc->handle.pid,
			.service = proc->service->next_index,
			.listener = listener_number(state, proc->listener),
			.peer = proc->conn.peer,
			.local = proc->conn.local,
			.via = proc->conn.via,
			.asked = proc->conn.asked,
			.touched_nsec = proc->deadline.touched.nsec,
			.kill_nsec = proc->deadline.kill.nsec,
			.moved = proc->deadline.moved,
			.max_runtime_msec = proc->deadline.max_runtime_msec,
			.first_byte_msec = proc->deadline.first_byte_msec,
			.idle_msec = proc->deadline.idle_msec,
			.preface = proc->deadline.preface,
			.seen = proc->deadline.seen,
			.reason = proc->deadline.reason,
			.waits = proc->waits,
		};
}

/* What could not be started is of no interest to anybody any more. */
static void
loans_write(struct minetd *mi, struct state *state)
{
	for (struct loan *loan = loan_first(mi); loan != NULL;
	    loan = loan_next(loan)) {
		if (loan->fd == -1)
			continue;
		state->loans[state->loan_count++] = (struct state_loan){
			.id = loan->conn.id,
			.pid = loan->pid,
			.service = loan->service->next_index,
			.listener = loan->listener == NULL ? STATE_NONE :
			    listener_number(state, loan->listener),
			.fd = loan->fd,
			.other_fd = loan->other_fd,
			.kind = loan->kind,
			.ended = loan->ended,
			.peer = loan->conn.peer,
			.local = loan->conn.local,
		};
	}
}

static void
bans_write(const struct minetd *mi, struct state *state)
{
	for (struct ban *ban = bantable_first(&mi->bans); ban != NULL;
	    ban = bantable_next(ban))
		state->bans[state->ban_count++] = (struct state_ban){
			.net = ban->net,
			.until_nsec = ban->until.nsec,
			.bits = ban->bits,
			.cause = ban->cause,
			.service = ban->name,
		};
}

static void
fronts_write(const struct minetd *mi, struct state *state)
{
	const struct front *front;

	TAILQ_FOREACH(front, &mi->fronts, entry)
		if (front->state == FRONT_DRAINING && !front->killed)
			state->fronts[state->front_count++] =
			    (struct state_front){ front->pid,
				front->channel.fd };
}

static void
inherited_write(const struct minetd *mi, struct state *state)
{
	const struct inherited *in = &mi->starter.inherited;

	for (uint32_t i = 0; i < in->count; i++)
		state->inherited[state->inherited_count++] =
		    (struct state_inherited){ in->items[i].fd,
			in->items[i].name };
}

static struct state_options
options_record(const struct minetd *mi)
{
	return (struct state_options){
		.conf_file = mi->options->conf_file,
		.log = mi->options->log,
		.pid_file = mi->options->pid_file,
		.pid_path = mi->pid_path,
		.binary = mi->options->binary,
		.foreground = mi->options->foreground,
		.debug = mi->options->debug,
	};
}

static struct state_starter
starter_record(const struct starter *starter)
{
	return (struct state_starter){
		.nofile_soft = starter->nofile.rlim_cur,
		.nofile_hard = starter->nofile.rlim_max,
		.nice = starter->nice,
		.oom_score_adj = starter->oom_score_adj,
		.nofile_raised = starter->nofile_raised,
		.may_change_user = starter->may_change_user,
		.may_lower_oom = starter->may_lower_oom,
		.real_time = starter->real_time,
	};
}

/* Room for all that may be written; false for want of memory. */
static bool
state_allocate(struct minetd *mi, struct state *state)
{
	size_t services = 0, fronts = 0, loans = 0;
	size_t procs = proc_count(mi->procs);
	const struct front *front;
	struct service *svc;

	for (svc = service_first(&mi->services); svc != NULL;
	    svc = service_next(svc))
		services++;
	TAILQ_FOREACH(front, &mi->fronts, entry)
		fronts++;
	for (struct loan *loan = loan_first(mi); loan != NULL;
	    loan = loan_next(loan))
		loans++;
	state->services = calloc(services + 1, sizeof(*state->services));
	state->listeners = calloc(mi->edition->listener_count + procs +
	    loans + 1, sizeof(*state->listeners));
	state->procs = calloc(procs + 1, sizeof(*state->procs));
	state->fronts = calloc(fronts + 1, sizeof(*state->fronts));
	state->inherited = calloc(mi->starter.inherited.count + 1,
	    sizeof(*state->inherited));
	state->loans = calloc(loans + 1, sizeof(*state->loans));
	state->bans = calloc(mi->bans.count + 1, sizeof(*state->bans));
	return state->services != NULL && state->listeners != NULL &&
	    state->procs != NULL && state->fronts != NULL &&
	    state->inherited != NULL && state->loans != NULL &&
	    state->bans != NULL;
}

int
handover_write(struct minetd *mi, int conf_fd)
{
	struct state state = {
		.next_id = mi->next_id,
		.log_lost = log_waiting(),
		.began_nsec = mi->upgrade.began.nsec,
		.conf_fd = conf_fd,
		.pid_fd = mi->pid_fd,
		.log_fd = log_fd(),
		.reload_wanted = mi->reload.wanted,
		.options = options_record(mi),
		.starter = starter_record(&mi->starter),
	};
	uint8_t *bytes = NULL;
	size_t len = 0;
	int fd = -1;

	if (state_allocate(mi, &state)) {
		services_write(mi, &state);
		listeners_write(mi, &state);
		procs_write(mi, &state);
		fronts_write(mi, &state);
		inherited_write(mi, &state);
		loans_write(mi, &state);
		bans_write(mi, &state);
		bytes = state_encode(&state, &len);
	}
	if (bytes != NULL)
		fd = sealed_new("minetd-state", bytes, len);
	int saved = errno;
	free(bytes);
	state_fini(&state);
	errno = saved;
	return fd;
}

const char *
handover_read(int state_fd, struct state *state)
{
	struct stat st;
	uint8_t *bytes;

	*state = (struct state){ 0 };
	if (fstat(state_fd, &st) == -1 || st.st_size == 0)
		return "there is no state";
	/* It stays mapped, since the texts of the state lie in it. */
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, state_fd,
	    0);
	if (bytes == MAP_FAILED)
		return "the state cannot be mapped";
	return state_decode(state, bytes, (size_t)st.st_size);
}

static void
fd_keep(int fd, bool keep)
{
	if (fd > STDERR_FILENO)
		fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

void
handover_keep(const struct state *state, bool keep)
{
	fd_keep(state->conf_fd, keep);
	fd_keep(state->pid_fd, keep);
	fd_keep(state->log_fd, keep);
	for (uint32_t i = 0; i < state->listener_count; i++)
		fd_keep(state->listeners[i].fd, keep);
	for (uint32_t i = 0; i < state->front_count; i++)
		fd_keep(state->fronts[i].channel, keep);
	for (uint32_t i = 0; i < state->inherited_count; i++)
		fd_keep(state->inherited[i].fd, keep);
	for (uint32_t i = 0; i < state->loan_count; i++) {
		fd_keep(state->loans[i].fd, keep);
		fd_keep(state->loans[i].other_fd, keep);
	}
}

static void
all_keep(const struct handover *ho, const struct state *state, bool keep)
{
	handover_keep(state, keep);
	fd_keep(ho->state_fd, keep);
	fd_keep(ho->exe_fd, keep);
	fd_keep(ho->back_conf_fd, keep);
}

static int
argument_parse(const char *text, int *fd)
{
	const char *error;

	*fd = (int)strtonum(text, -1, INT_MAX, &error);
	return error == NULL ? 0 : -1;
}

int
handover_parse(struct handover *ho, int argc, char **argv)
{
	*ho = (struct handover){ -1, -1, -1, -1 };
	if (argc != 5)
		return -1;
	if (argument_parse(argv[2], &ho->state_fd) == -1 ||
	    argument_parse(argv[3], &ho->exe_fd) == -1)
		return -1;
	return argument_parse(argv[4], &ho->back_conf_fd);
}

static int
ints_compare(const void *left, const void *right)
{
	int a = *(const int *)left;
	int b = *(const int *)right;

	return (a > b) - (a < b);
}

int
handover_close_others(const struct handover *ho, const struct state *state)
{
	size_t room = (size_t)state->listener_count + state->front_count +
	    state->inherited_count + (size_t)state->loan_count * 2 + 6;
	int *kept = calloc(room, sizeof(*kept));
	int next = STDERR_FILENO + 1;
	size_t n = 0;

	if (kept == NULL)
		return -1;
	kept[n++] = ho->state_fd;
	kept[n++] = ho->exe_fd;
	kept[n++] = ho->back_conf_fd;
	kept[n++] = state->conf_fd;
	kept[n++] = state->pid_fd;
	kept[n++] = state->log_fd;
	for (uint32_t i = 0; i < state->listener_count; i++)
		kept[n++] = state->listeners[i].fd;
	for (uint32_t i = 0; i < state->front_count; i++)
		kept[n++] = state->fronts[i].channel;
	for (uint32_t i = 0; i < state->inherited_count; i++)
		kept[n++] = state->inherited[i].fd;
	for (uint32_t i = 0; i < state->loan_count; i++) {
		kept[n++] = state->loans[i].fd;
		kept[n++] = state->loans[i].other_fd;
	}
	qsort(kept, n, sizeof(*kept), ints_compare);
	for (size_t i = 0; i < n; i++) {
		if (kept[i] < next)
			continue;
		if (kept[i] > next)
			close_range((unsigned)next, (unsigned)kept[i] - 1, 0);
		next = kept[i] + 1;
	}
	free(kept);
	close_range((unsigned)next, ~0U, 0);
	all_keep(ho, state, false);
	return 0;
}

void
handover_exec(const struct handover *ho, const struct state *state,
    const char *path, const char *mode, char *const *env)
{
	char name[] = "minetd";
	char role[24], numbers[3][16];
	char *argv[] = { name, role, numbers[0], numbers[1], numbers[2],
		NULL };

	strlcpy(role, mode, sizeof(role));
	snprintf(numbers[0], sizeof(numbers[0]), "%d", ho->state_fd);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", ho->exe_fd);
	snprintf(numbers[2], sizeof(numbers[2]), "%d", ho->back_conf_fd);
	all_keep(ho, state, true);
	if (path != NULL)
		execve(path, argv, env);
	else
		execveat(ho->exe_fd, "", argv, env, AT_EMPTY_PATH);
	int saved = errno;
	all_keep(ho, state, false);
	errno = saved;
}
