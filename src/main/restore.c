/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From a state to a daemon that serves.
 *
 * What was served becomes an edition of an empty configuration, all of whose
 * listeners are left over; from there to the present configuration it is an
 * ordinary plan, which finds the sockets that there are and keeps them.  Until
 * that plan is committed nothing is changed that the image before would miss.
 */

#include "main/restore.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/transport.h"
#include "main/adopt.h"
#include "main/banlist.h"
#include "main/deadline.h"
#include "main/front.h"
#include "main/handover.h"
#include "main/logging.h"
#include "main/plan.h"
#include "main/run.h"
#include "main/upgrade.h"

struct restore {
	struct minetd mi;
	struct options options;
	struct state state;
	struct handover ho;
	const struct conf *conf; /* until a plan has it */
	bool back;
};

static char *
text_copy(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static void
options_restore(struct restore *re)
{
	const struct state_options *from = &re->state.options;

	re->options = (struct options){
		.conf_file = text_copy(from->conf_file),
		.log = text_copy(from->log),
		.pid_file = text_copy(from->pid_file),
		.binary = text_copy(from->binary),
		.ready_fd = -1,
		.foreground = from->foreground,
		.debug = from->debug,
	};
	re->mi.options = &re->options;
	re->mi.pid_path = text_copy(from->pid_path);
}

static int
inherited_restore(struct restore *re)
{
	const struct state *state = &re->state;

	for (uint32_t i = 0; i < state->inherited_count; i++)
		if (inherited_add(&re->mi.starter.inherited,
		    state->inherited[i].fd, state->inherited[i].name) == -1)
			return -1;
	return 0;
}

static void
starter_restore(struct restore *re)
{
	const struct state_starter *from = &re->state.starter;

	re->mi.starter = (struct starter){
		.nofile = { from->nofile_soft, from->nofile_hard },
		.nofile_raised = from->nofile_raised,
		.nice = from->nice,
		.oom_score_adj = from->oom_score_adj,
		.may_change_user = from->may_change_user,
		.may_lower_oom = from->may_lower_oom,
		.real_time = from->real_time,
	};
	starter_resume(&re->mi.starter);
}

/* The log goes on where it was; where it cannot, there is a new one. */
static void
log_restore(struct restore *re)
{
	logging_set_style(&re->options, re->conf);
	log_adopt(logging_destination(&re->options, re->conf),
	    re->state.log_fd, re->state.log_lost);
}

/* What it says of itself is asked again; here, whether it is one. */
static bool
socket_listens(const struct state_listener *from)
{
	bool dgram = transport_is_dgram(from->transport);
	int value = 0;
	socklen_t len = sizeof(value);

	if (from->transport == CONF_FD)
		return true;
	return getsockopt(from->fd, SOL_SOCKET,
	    dgram ? SO_TYPE : SO_ACCEPTCONN, &value, &len) == 0 &&
	    value == (dgram ? SOCK_DGRAM : 1);
}

/* Of a socket that is open; -1 when it is none that can be served. */
static int
address_restore(struct listener *lst)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const char *step;

	lst->transport = lst->id.transport;
	if (lst->id.transport == CONF_FD)
		return adopt_look(lst, lst->fd, &step);
	if (getsockname(lst->fd, (struct sockaddr *)&ss, &len) == -1)
		return -1;
	addr_from_sockaddr(&lst->local, (struct sockaddr *)&ss, len);
	return 0;
}

/* The listener of a record; NULL for want of memory. */
static struct listener *
listener_restore(const struct state_listener *from)
{
	const struct listener_id id = {
		.transport = from->transport,
		.v6 = from->v6,
		.mptcp = from->mptcp,
		.addr = from->addr,
		.path = from->path,
		.interface = from->interface,
	};
	/* None that were configured: the plan sets them again. */
	const struct conf_socket options = {
		.dscp = CONF_KEEP, .uid = UINT32_MAX, .gid = UINT32_MAX,
	};
	struct listener *lst = listener_new(&id, &options);

	if (lst == NULL || from->fd == -1)
		return lst;
	lst->fd = from->fd;
	lst->listening = true;
	lst->shares_port = from->shares_port;
	lst->closing = from->closing;
	lst->waiter = from->waiter;
	lst->file = (struct sockpath_file){ from->dev, from->ino };
	if (address_restore(lst) == 0)
		return lst;
	lst->fd = -1;	/* for the image before */
	listener_unref(lst);
	return NULL;
}

/* The edition that was served, and all listeners under their numbers. */
static int
edition_restore(struct restore *re, struct listener **listeners)
{
	const struct state *state = &re->state;
	struct minetd *mi = &re->mi;
	struct edition *ed = edition_new_bare(&mi->services,
	    state->service_count, state->listener_count);
	uint32_t n = 0;

	if (ed == NULL)
		return -1;
	edition_unref(mi->edition);
	mi->edition = ed;
	for (uint32_t i = 0; i < state->service_count; i++) {
		struct service *svc = service_get(&mi->services,
		    state->services[i].name);

		if (svc == NULL)
			return -1;
		ed->services[i].service = svc;
		svc->kill_grace_msec = state->services[i].kill_grace_msec;
		svc->stop_signal = state->services[i].stop_signal;
		svc->log_connections = state->services[i].log_connections;
	}
	ed->listener_count = 0;
	for (uint32_t i = 0; i < state->listener_count; i++) {
		listeners[i] = listener_restore(&state->listeners[i]);
		if (listeners[i] == NULL)
			return -1;
		if (listeners[i]->fd == -1)
			continue;
		ed->listeners[n++] = (struct edition_listener){
			.listener = listener_ref(listeners[i]),
			.service = state->listeners[i].service,
		};
		ed->listener_count = n;
	}
	return 0;
}

/* One that is no child of ours was reaped by an image in between. */
static bool
is_our_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    0;
}

static struct deadline
deadline_restored(const struct state_proc *from)
{
	return (struct deadline){
		.touched = { from->touched_nsec },
		.kill = { from->kill_nsec },
		.moved = from->moved,
		.max_runtime_msec = from->max_runtime_msec,
		.first_byte_msec = from->first_byte_msec,
		.idle_msec = from->idle_msec,
		.preface = from->preface,
		.seen = from->seen,
		.reason = from->reason,
	};
}

static int
procs_restore(struct restore *re, struct listener **listeners)
{
	const struct state *state = &re->state;
	struct minetd *mi = &re->mi;

	/* The table has the newest first. */
	for (uint32_t i = state->proc_count; i-- > 0;) {
		const struct state_proc *from = &state->procs[i];
		struct proc *proc;

		if (!is_our_child(from->pid))
			continue;
		proc = proc_new(mi->procs);
		if (proc == NULL)
			return -1;
		proc->handle = (struct spawn_handle){ from->pid, -1 };
		proc->conn = (struct connection){
			.id = from->id, .peer = from->peer,
			.local = from->local,
			.via = from->via,
			.asked = from->asked,
		};
		proc->started = (struct monotime){ from->started_nsec };
		proc->deadline = deadline_restored(from);
		proc->waits = from->waits;
		proc->service = service_ref(
		    mi->edition->services[from->service].service);
		proc->listener = listener_ref(listeners[from->listener]);
		proc_add(mi->procs, proc);
		deadline_resume(mi, proc);
		proc->service->active++;
		mi->children++;
	}
	/* Who is not there any more has nothing. */
	for (uint32_t i = 0; i < mi->edition->listener_count; i++) {
		struct listener *lst = mi->edition->listeners[i].listener;

		if (proc_find_id(mi->procs, lst->waiter) == NULL)
			lst->waiter = 0;
	}
	return 0;
}

/* A handler that was reaped by an image in between has ended. */
static int
loans_restore(struct restore *re, struct listener **listeners)
{
	const struct state *state = &re->state;
	struct minetd *mi = &re->mi;

	for (uint32_t i = 0; i < state->loan_count; i++) {
		const struct state_loan *from = &state->loans[i];
		const struct connection conn = {
			.id = from->id, .peer = from->peer,
			.local = from->local,
		};
		struct loan *loan = loan_add(mi, from->kind, &conn,
		    mi->edition->services[from->service].service,
		    from->listener != STATE_NONE ?
		    listeners[from->listener] : NULL);

		if (loan == NULL)
			return -1;
		loan->pid = from->pid;
		loan->fd = from->fd;
		loan->other_fd = from->other_fd;
		loan->ended = proc_find_id(mi->procs, from->id) == NULL;
	}
	return 0;
}

static int
bans_restore_all(struct restore *re)
{
	for (uint32_t i = 0; i < re->state.ban_count; i++) {
		const struct state_ban *from = &re->state.bans[i];
		struct ban ban = {
			.net = from->net,
			.until = { from->until_nsec },
			.bits = from->bits,
			.cause = from->cause,
		};

		strlcpy(ban.name, from->service, sizeof(ban.name));
		if (banlist_restore(&re->mi, &ban) == -1)
			return -1;
	}
	return 0;
}

/* Everything that can fail; afterwards the plan can be committed. */
static const char *
daemon_restore(struct restore *re)
{
	const struct state *state = &re->state;
	struct minetd *mi = &re->mi;
	struct listener **listeners = calloc(state->listener_count + 1,
	    sizeof(*listeners));
	int rc = -1;

	for (uint32_t i = 0; i < state->listener_count; i++)
		if (state->listeners[i].fd != -1 &&
		    !socket_listens(&state->listeners[i]))
			return "a descriptor of the state is no listener";
	if (listeners == NULL || run_init(mi) == -1)
		return strerror(errno);
	mi->phase = RUN_RESTORING;
	mi->next_id = state->next_id;
	mi->pid_fd = state->pid_fd;
	mi->reload.wanted = state->reload_wanted;
	rc = edition_restore(re, listeners);
	if (rc == 0)
		rc = procs_restore(re, listeners);
	if (rc == 0)
		rc = loans_restore(re, listeners);
	if (rc == 0)
		rc = bans_restore_all(re);
	for (uint32_t i = 0; i < state->listener_count; i++)
		if (listeners[i] != NULL && rc == 0)
			listener_unref(listeners[i]);
	free(listeners);
	if (rc == 0)
		rc = plan_make(mi, re->conf, &mi->reload.plan);
	return rc == 0 ? NULL : "there is not enough memory";
}

/* Nothing can fail any more: serve. */
static void
restored_start(struct restore *re)
{
	struct minetd *mi = &re->mi;
	struct upgrade *up = &mi->upgrade;
	struct monotime now = monotime_now();

	plan_commit(mi, &mi->reload.plan, now);
	for (uint32_t i = 0; i < re->state.front_count; i++) {
		const struct state_front *from = &re->state.fronts[i];

		/* Without its channel it ends by itself. */
		if (!is_our_child(from->pid) ||
		    front_adopt(mi, from->pid, from->channel, now) == NULL)
			close(from->channel);
	}
	mi->phase = RUN_SERVING;
	up->began = (struct monotime){ re->state.began_nsec };
	if (re->back) {
		upgrade_log_failure(mi, "the new binary could not serve");
		close(re->ho.exe_fd);
		close(re->ho.back_conf_fd);
	} else {
		up->phase = UPGRADE_RESTORING;
		up->undo_exe_fd = re->ho.exe_fd;
		up->undo_conf_fd = re->ho.back_conf_fd;
	}
	front_respawn(mi, now);
}

/* Take what the arguments name; NULL, or why it cannot be taken. */
static const char *
state_take(struct restore *re)
{
	const char *why = handover_read(re->ho.state_fd, &re->state);
	int conf_fd;

	if (why != NULL)
		return why;
	conf_fd = re->state.conf_fd;
	/* The state may have the configuration as our successor wanted it. */
	if (re->back && re->ho.back_conf_fd != -1)
		conf_fd = re->ho.back_conf_fd;
	re->conf = conf_import(conf_fd);
	if (re->conf == NULL)
		return "the configuration cannot be mapped";
	if (handover_close_others(&re->ho, &re->state) == -1)
		return "there is not enough memory";
	options_restore(re);
	starter_restore(re);
	if (inherited_restore(re) == -1)
		return "there is not enough memory";
	log_restore(re);
	return daemon_restore(re);
}

/* This image is none that can serve: become the one before. */
static int
image_return(struct restore *re, const char *why)
{
	log_message(LOG_LEVEL_ERROR, "failed", "%s", why);
	log_flush();
	if (re->back)
		return EX_SOFTWARE;
	starter_keep_capabilities(&re->mi.starter);
	handover_exec(&re->ho, &re->state, NULL, HANDOVER_BACK, environ);
	return EX_SOFTWARE;
}

static void
restore_free(struct restore *re)
{
	inherited_fini(&re->mi.starter.inherited);
	options_fini(&re->options);
	state_fini(&re->state);
	free(re);
}

int
restore_run(const struct handover *ho, bool back)
{
	struct restore *re = calloc(1, sizeof(*re));
	const char *why;
	int status;

	if (re == NULL)
		return EX_SOFTWARE;
	re->ho = *ho;
	re->back = back;
	re->mi.pid_fd = -1;
	re->mi.notify = (struct notify){ getenv("NOTIFY_SOCKET"), -1, -1 };
	why = state_take(re);
	if (why != NULL)
		return image_return(re, why);
	restored_start(re);
	close(re->ho.state_fd);
	close(re->state.conf_fd);
	status = run_loop(&re->mi);
	log_flush();
	restore_free(re);
	return status;
}
