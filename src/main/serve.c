/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a connection takes is taken in one function here and given back in
 * another: a place in the count of its service, an entry in the table of
 * handlers, a child.
 *
 * Everything that a frontend says is checked against what main knows before it
 * is believed, since the frontend is the part that can be captured.
 */

#include "main/serve.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "conf/transport.h"
#include "main/accepted.h"
#include "main/connlog.h"
#include "main/deadline.h"
#include "main/launch.h"
#include "main/loan.h"
#include "main/refused.h"
#include "main/sourcetell.h"
#include "main/tell.h"
#include "main/terminal.h"
#include "main/trouble.h"
#include "main/waiter.h"

static void
service_take(struct minetd *mi, struct service *svc, const struct front *front,
    const struct addr *peer, struct monotime now)
{
	service_ref(svc);
	svc->active++;
	mi->children++;
	if (front->state != FRONT_DRAINING) {
		svc->told++;	/* It counted it before it told us. */
		return;
	}
	/* The one that serves has not. */
	mi->late = now;
	tell_count(mi, svc);
	sourcetell_note(mi, svc, peer, 1);
}

static void
service_give(struct minetd *mi, struct service *svc, const struct addr *peer)
{
	svc->active--;
	mi->children--;
	tell_count(mi, svc);
	sourcetell_note(mi, svc, peer, -1);
	/* Nobody will ask for one of a service that was removed. */
	if (svc->active == 0 && svc->index == SERVICE_NO_INDEX) {
		handler_plan_retire(svc->plan, &mi->retired);
		svc->plan = NULL;
	}
	service_unref(&mi->services, svc);
}

bool
serve_has_room(const struct minetd *mi, const struct front *front,
    const struct edition_service *entry)
{
	uint32_t instances = entry->conf->instances;
	uint32_t max = front->edition->conf->max_children;

	return (instances == 0 || entry->service->active < instances) &&
	    (max == 0 || mi->children < max);
}

static struct loan_datagrams
datagrams_of(const struct arrival *arrival, const struct connection *conn)
{
	return (struct loan_datagrams){
		.service = arrival->entry->service,
		.listener = arrival->at->listener,
		.conn = conn,
		.tag = arrival->tag,
	};
}

/* On one end of a socketpair, the other end of which the frontend gets. */
static int
datagrams_start(struct minetd *mi, struct proc *proc, struct spawn_plan *plan,
    const struct arrival *arrival)
{
	const struct loan_datagrams of = datagrams_of(arrival, &proc->conn);
	struct spawn_files files = arrival->files;

	files.socket = loan_datagrams_new(mi, &of);
	if (files.socket == -1)
		return -1;
	return launch(mi, proc, plan, &files);
}

/* Start a child for the entry; on failure errno says why. */
static int
handler_start(struct minetd *mi, struct proc *proc, struct arrival *arrival)
{
	struct spawn_plan *plan = launch_plan(mi, proc->service,
	    arrival->front->edition, arrival->entry, proc->started);
	int slave, rc, saved;

	if (plan == NULL)
		return -1;
	if (arrival->tag != 0)
		return datagrams_start(mi, proc, plan, arrival);
	if (!arrival->conn.terminal)
		return launch(mi, proc, plan, &arrival->files);
	if (terminal_open(plan->child.cred.uid, &arrival->master, &slave) ==
	    -1)
		return -1;
	struct spawn_files files = arrival->files;
	files.socket = slave;
	rc = launch(mi, proc, plan, &files);
	saved = errno;
	close(slave);
	if (rc == -1) {
		close(arrival->master);
		arrival->master = -1;
	}
	errno = saved;
	return rc;
}

void
serve_started(struct minetd *mi, struct proc *proc,
    const struct conf_service *svc, uint32_t preface)
{
	proc_add(mi->procs, proc);
	deadline_begin(mi, proc, svc, preface);
	if (proc->service->log_connections == CONF_LOG_VERBOSE)
		connlog_start(proc);
}

void
serve_give_up(struct minetd *mi, struct proc *proc, int error,
    struct monotime now)
{
	const struct child_report report = { CHILD_CLONE, error };
	const struct addr peer = proc->conn.peer;
	struct service *svc = proc->service;

	listener_unref(proc->listener);
	proc_free(mi->procs, proc);
	connlog_spawn_failed(svc, &report, now, now);
	service_give(mi, svc, &peer);
}

struct proc *
serve_arrival(struct minetd *mi, struct arrival *arrival, struct monotime now)
{
	struct service *svc = arrival->entry->service;
	struct proc *proc = proc_new(mi->procs);
	struct child_report report = { CHILD_CLONE, ENOMEM };

	arrival->conn.id = mi->next_id++;
	service_take(mi, svc, arrival->front, &arrival->conn.peer, now);
	if (proc == NULL) {
		connlog_spawn_failed(svc, &report, now, now);
		service_give(mi, svc, &arrival->conn.peer);
		arrival->error = ENOMEM;
		return NULL;
	}
	proc->service = svc;
	proc->listener = listener_ref(arrival->at->listener);
	proc->conn = arrival->conn;
	proc->started = now;
	if (handler_start(mi, proc, arrival) == 0) {
		serve_started(mi, proc, arrival->entry->conf,
		    arrival->preface);
		trouble_started(mi, svc, now);
		return proc;
	}
	arrival->error = errno;
	arrival->kept = trouble_no_process(mi, arrival, proc, arrival->error,
	    now);
	if (!arrival->kept)
		serve_give_up(mi, proc, arrival->error, now);
	return NULL;
}

const struct edition_listener *
serve_listener(const struct front *front, uint32_t index)
{
	const struct edition *ed = front->edition;

	return index < ed->listener_count ? &ed->listeners[index] : NULL;
}

/*
 * The service that a connection at the listener is for: its own, or one behind
 * tcpmux; NULL when it cannot be that.  Only one with a program has handlers.
 */
static const struct edition_service *
service_check(const struct front *front, const struct channel_msg *msg)
{
	const struct edition_service *entry = edition_reached(front->edition,
	    msg->listener, msg->start.service);

	if (entry == NULL || entry->conf->exec.count == 0 || entry->conf->wait)
		return NULL;
	if (entry->conf->pty && msg->start.tag == 0)
		return NULL;
	/* One that drains has no listeners any more: only who had to say
	 * something first comes as late as that. */
	if (front->state == FRONT_DRAINING &&
	    entry->conf->proxy_protocol == CONF_PROXY_NO &&
	    msg->start.service ==
	    front->edition->listeners[msg->listener].service)
		return NULL;
	return entry;
}

/* A connection whose descriptor found no place here is lost. */
static void
connection_lost(struct minetd *mi, const struct front *front,
    struct service *svc, const struct addr *peer, struct monotime now)
{
	const struct child_report report = { CHILD_CLONE, EMFILE };

	service_take(mi, svc, front, peer, now);
	connlog_spawn_failed(svc, &report, now, now);
	service_give(mi, svc, peer);
}

/* What the frontend that relays a terminal waits for; -1 when it cannot. */
static int
terminal_answer(const struct arrival *arrival, const struct channel_msg *msg,
    int error)
{
	if (!arrival->conn.terminal)
		return 0;
	return answers_add(&arrival->front->answers, msg->start.tag,
	    arrival->master, error);
}

/* Whether the addresses of a datagram can be those of the listener. */
static bool
datagrams_check(const struct listener *lst, const struct connection *conn)
{
	uint16_t family = conn->local.family;

	return lst->listening && lst->waiter == 0 &&
	    (family == ADDR_IP4 || family == ADDR_IP6) &&
	    conn->peer.family == family &&
	    conn->local.port == lst->local.port &&
	    (addr_is_any(&lst->local) || addr_is_any(&conn->local) ||
	    lst->options.transparent || addr_equal(&conn->local, &lst->local));
}

/* The frontend is told that there is no handler; arrival has its number. */
static void
datagrams_refuse(struct minetd *mi, const struct arrival *arrival)
{
	const struct connection *conn = &arrival->conn;
	struct loan *loan = loan_add(mi, CHANNEL_LOAN_DATAGRAMS, conn,
	    arrival->entry->service, arrival->at->listener);

	/* For want of memory it is its patience that ends. */
	if (loan != NULL)
		loan->tag = arrival->tag;
	loan_failed(mi, conn->id);
}

/* A peer has sent a datagram: there is no connection, and no descriptor. */
static int
serve_datagrams(struct minetd *mi, struct arrival *arrival,
    const struct channel_item *item, struct monotime now)
{
	arrival->conn.local = item->msg.start.local;
	arrival->conn.datagrams = true;
	arrival->tag = item->msg.start.tag;
	if (item->fd != -1 || arrival->tag == 0 || arrival->entry == NULL ||
	    !datagrams_check(arrival->at->listener, &arrival->conn)) {
		channel_discard(item->fd);
		return -1;
	}
	if (!serve_has_room(mi, arrival->front, arrival->entry)) {
		if (!refused_connection(mi, arrival->front,
		    arrival->entry->service, &item->msg, now))
			return -1;
		arrival->conn.id = mi->next_id++;
		datagrams_refuse(mi, arrival);
	} else if (serve_arrival(mi, arrival, now) == NULL &&
	    loan_find(mi, CHANNEL_LOAN_DATAGRAMS, arrival->conn.id) == NULL) {
		datagrams_refuse(mi, arrival);
	}
	return 0;
}

/*
 * Take over what a proxy has said of a connection; only where the service has
 * one is there anything to take over.
 */
static int
proxy_check(const struct arrival *arrival, const struct channel_start *start,
    struct connection *conn)
{
	const struct edition *ed = arrival->front->edition;
	const struct conf_service *svc =
	    ed->services[arrival->at->service].conf;

	if (start->via.family == ADDR_NONE)
		return start->local.family == ADDR_NONE ? 0 : -1;
	if (svc->proxy_protocol == CONF_PROXY_NO ||
	    start->via.family > ADDR_VSOCK ||
	    (start->peer.family != ADDR_IP4 &&
	    start->peer.family != ADDR_IP6) ||
	    (start->local.family != ADDR_NONE &&
	    start->local.family != ADDR_IP4 &&
	    start->local.family != ADDR_IP6))
		return -1;
	conn->peer = start->peer;
	conn->via = start->via;
	conn->asked = conn->local;
	if (start->local.family != ADDR_NONE)
		conn->local = start->local;
	return 0;
}

/*
 * Whether the descriptor is a connection of the listener; *conn is filled with
 * what it is.
 */
static bool
stream_check(struct arrival *arrival, const struct channel_item *item)
{
	const struct channel_start *start = &item->msg.start;
	struct connection *conn = &arrival->conn;

	/* What the socket says is compared with who holds it. */
	if (start->via.family != ADDR_NONE)
		conn->peer = start->via;
	return item->fd >= 0 && accepted_check(arrival->at->listener,
	    item->fd, conn) && proxy_check(arrival, start, conn) == 0;
}

int
serve_connection(struct minetd *mi, struct front *front,
    const struct channel_item *item, struct monotime now)
{
	struct arrival arrival = {
		.front = front,
		.at = serve_listener(front, item->msg.listener),
		.conn.peer = item->msg.start.peer,
		.files = { .socket = item->fd, .stderr_fd = -1 },
		.master = -1,
		.preface = item->msg.start.preface,
	};
	const struct linger off = { 0, 0 };
	bool wanted = false;

	if (arrival.at != NULL)
		arrival.entry = service_check(front, &item->msg);
	if (arrival.at != NULL &&
	    transport_is_dgram(arrival.at->listener->transport))
		return serve_datagrams(mi, &arrival, item, now);
	if (arrival.entry != NULL) {
		arrival.conn.terminal = arrival.entry->conf->pty;
		wanted = serve_has_room(mi, front, arrival.entry);
		if (!wanted && refused_connection(mi, front,
		    arrival.entry->service, &item->msg, now)) {
			channel_discard(item->fd);
			return terminal_answer(&arrival, &item->msg, EAGAIN);
		}
	}
	if (wanted && item->fd == CHANNEL_FD_LOST) {
		connection_lost(mi, front, arrival.entry->service,
		    &arrival.conn.peer, now);
		return terminal_answer(&arrival, &item->msg, EMFILE);
	}
	if (!wanted || !stream_check(&arrival, item)) {
		channel_discard(item->fd);
		return -1;
	}
	/* Before the handler, which may want it, and before any close. */
	setsockopt(item->fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	if (arrival.at->listener->shares_port)
		sockopt_share_port(item->fd,
		    arrival.at->listener->options.reuse_port);
	serve_arrival(mi, &arrival, now);
	if (!arrival.kept)
		close(item->fd);
	return terminal_answer(&arrival, &item->msg, arrival.error);
}

void
serve_reaped(struct minetd *mi, struct proc *proc, int status,
    const struct rusage *usage, struct monotime now)
{
	struct service *svc = proc->service;
	struct listener *lst = proc->listener;
	const struct addr peer = proc->conn.peer;
	struct child_report report = spawn_reaped(mi->spawner, &proc->handle);

	if (report.step != CHILD_DONE)
		connlog_spawn_failed(svc, &report, proc->started, now);
	if (svc->log_connections != CONF_LOG_NO)
		connlog_exit(proc, status, usage, now);
	loan_reaped(mi, proc->conn.id);
	if (proc->waits)
		waiter_reaped(mi, proc, report.step == CHILD_DONE);
	trouble_reaped(mi, proc, &report, status, now);
	deadline_cancel(proc);
	proc_remove(mi->procs, proc);
	proc_free(mi->procs, proc);
	listener_unref(lst);
	service_give(mi, svc, &peer);
}

void
serve_kill(const struct proc *proc, int signal_number)
{
	/* Not reaped, so the pid is its own; without a session yet it has no
	 * group of that number. */
	if (kill(-proc->handle.pid, signal_number) == -1 && errno == ESRCH)
		kill(proc->handle.pid, signal_number);
}

void
serve_stop(const struct proc *proc)
{
	static const int numbers[] = {
		[CONF_STOP_TERM] = SIGTERM, [CONF_STOP_INT] = SIGINT,
		[CONF_STOP_HUP] = SIGHUP, [CONF_STOP_QUIT] = SIGQUIT,
		[CONF_STOP_USR1] = SIGUSR1, [CONF_STOP_USR2] = SIGUSR2,
		[CONF_STOP_KILL] = SIGKILL,
	};

	serve_kill(proc, numbers[proc->service->stop_signal]);
	/* A stopped one would only find it when it goes on. */
	serve_kill(proc, SIGCONT);
}
