/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself, one at a time.
 *
 * O_NONBLOCK belongs to what all copies of a descriptor share.  It is off while
 * a handler has the socket, and on while a frontend has.
 */

#include "main/waiter.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/transport.h"
#include "main/listenlog.h"
#include "main/serve.h"
#include "main/tell.h"
#include "main/unixqueue.h"

enum {
	NULL_FD = 0,		/* main's own standard input */
};

/* What a handler with activation = systemd gets. */
struct activation {
	struct listener **listeners;
	int *fds;
	int count;
	char *fds_var;		/* LISTEN_FDS=… */
	char *names_var;	/* LISTEN_FDNAMES=… */
	char pid_var[32];	/* LISTEN_PID=…; the child writes the number */
	const char *vars[3];
};

static const char pid_name[] = "LISTEN_PID=";

static void
blocking_set(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags != -1)
		fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK :
		    flags | O_NONBLOCK);
}

static void
number_set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* As a new socket is, but for what is configured. */
static void
socket_prepare(struct listener *lst)
{
	blocking_set(lst->fd, true);
	lst->in_front = 0;
	if (transport_is_unix(lst->transport) &&
	    !transport_is_dgram(lst->transport))
		lst->in_front = unixqueue_front(lst->fd);
	if (!transport_is_dgram(lst->transport))
		return;
	number_set(lst->fd, SOL_SOCKET, SO_TIMESTAMPNS, 0);
	if (lst->transport != CONF_UDP)
		return;
	number_set(lst->fd, IPPROTO_IP, IP_PKTINFO, 0);
	number_set(lst->fd, IPPROTO_IP, IP_RECVTTL, 0);
	if (lst->local.family != ADDR_IP6)
		return;
	number_set(lst->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 0);
	number_set(lst->fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 0);
}

static void
activation_fini(struct activation *act)
{
	free(act->listeners);
	free(act->fds);
	free(act->fds_var);
	free(act->names_var);
}

/* The sockets of the service that are open and that no handler has. */
static int
activation_gather(struct activation *act, const struct edition *ed,
    uint32_t service)
{
	act->listeners = calloc(ed->listener_count + 1,
	    sizeof(*act->listeners));
	act->fds = calloc(ed->listener_count + 1, sizeof(*act->fds));
	if (act->listeners == NULL || act->fds == NULL)
		return -1;
	for (uint32_t i = 0; i < ed->listener_count; i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (ed->listeners[i].service != service || !lst->listening ||
		    lst->waiter != 0)
			continue;
		act->listeners[act->count] = lst;
		act->fds[act->count++] = lst->fd;
	}
	return 0;
}

/* sd_listen_fds(3) */
static int
activation_name(struct activation *act, const char *service)
{
	size_t len = 0;
	char *at;

	if (asprintf(&act->fds_var, "LISTEN_FDS=%d", act->count) == -1) {
		act->fds_var = NULL;
		return -1;
	}
	len = strlen("LISTEN_FDNAMES=") +
	    (size_t)act->count * (strlen(service) + 1) + 1;
	act->names_var = malloc(len);
	if (act->names_var == NULL)
		return -1;
	at = stpcpy(act->names_var, "LISTEN_FDNAMES=");
	for (int i = 0; i < act->count; i++)
		at = stpcpy(stpcpy(at, i > 0 ? ":" : ""), service);
	strlcpy(act->pid_var, pid_name, sizeof(act->pid_var));
	act->vars[0] = act->fds_var;
	act->vars[1] = act->names_var;
	act->vars[2] = act->pid_var;
	return 0;
}

static void
sockets_give(struct listener *const *listeners, int count,
    const struct proc *proc)
{
	for (int i = 0; i < count; i++)
		listeners[i]->waiter = proc->conn.id;
}

/* All sockets of the service from fd 3 on; nothing on fd 0 and 1. */
static struct proc *
activation_start(struct minetd *mi, struct arrival *arrival,
    struct monotime now)
{
	struct activation act = { .count = 0 };
	struct proc *proc = NULL;

	arrival->files.socket = fcntl(NULL_FD, F_DUPFD_CLOEXEC, 3);
	if (arrival->files.socket == -1 ||
	    activation_gather(&act, arrival->front->edition,
	    arrival->at->service) == -1 ||
	    activation_name(&act, arrival->entry->service->name) == -1) {
		log_message(LOG_LEVEL_ERROR, "failed", "%s", strerror(errno));
	} else {
		arrival->files.fds = act.fds;
		arrival->files.fd_count = act.count;
		arrival->files.vars = act.vars;
		arrival->files.var_count = 3;
		arrival->files.listen_pid = act.pid_var + strlen(pid_name);
		for (int i = 0; i < act.count; i++)
			socket_prepare(act.listeners[i]);
		proc = serve_arrival(mi, arrival, now);
	}
	if (proc != NULL)
		sockets_give(act.listeners, act.count, proc);
	if (arrival->files.socket != -1)
		close(arrival->files.socket);
	activation_fini(&act);
	return proc;
}

/* Whether the handler has taken who was there when it was started. */
static enum channel_took
socket_took(const struct listener *lst)
{
	uint32_t front;

	if (lst->in_front == 0)
		return CHANNEL_TOOK_UNKNOWN;
	front = unixqueue_front(lst->fd);
	if (front == 0)
		return CHANNEL_TOOK_UNKNOWN;
	return front == lst->in_front ? CHANNEL_TOOK_NOTHING :
	    CHANNEL_TOOK_SOME;
}

/*
 * The frontend may poll it again, when there is one that knows it.  started:
 * the handler's program ran.
 */
static void
socket_return(struct minetd *mi, struct listener *lst, bool started)
{
	lst->waiter = 0;
	if (lst->fd == -1)
		return;
	lst->took = started ? socket_took(lst) : CHANNEL_TOOK_NOTHING;
	blocking_set(lst->fd, false);
	if (lst->index != LISTENER_NO_INDEX)
		tell_listener(mi, lst->index);
}

/* No handler: what was meant for it is lent again. */
static void
sockets_return(struct minetd *mi, const struct front *front,
    const struct edition_listener *at, bool all)
{
	const struct edition *ed = front->edition;

	if (!all)
		socket_return(mi, at->listener, false);
	for (uint32_t i = 0; all && i < ed->listener_count; i++)
		if (ed->listeners[i].service == at->service &&
		    ed->listeners[i].listener->waiter == 0)
			socket_return(mi, ed->listeners[i].listener, false);
}

/*
 * Of sockets that one handler gets together, the frontend is lent one after the
 * other, and may have asked at one while another was still under way.
 */
static bool
asked_already(struct minetd *mi, const struct arrival *arrival)
{
	const struct edition_service *entry = arrival->entry;

	if (entry->conf->activation != CONF_ACTIVATION_SYSTEMD ||
	    arrival->at->listener->waiter == 0)
		return false;
	entry->service->told++;	/* It has counted another handler. */
	tell_count(mi, entry->service);
	return true;
}

int
waiter_ready(struct minetd *mi, struct front *front, uint32_t listener,
    struct monotime now)
{
	struct arrival arrival = {
		.front = front,
		.at = serve_listener(front, listener),
		.files = { .stderr_fd = -1 },
		.master = -1,
	};
	struct listener *lst;
	struct proc *proc;
	bool all;

	if (arrival.at == NULL)
		return -1;
	lst = arrival.at->listener;
	arrival.entry = &front->edition->services[arrival.at->service];
	if (arrival.entry->conf == NULL || !arrival.entry->conf->wait ||
	    !lst->listening)
		return -1;
	if (asked_already(mi, &arrival))
		return 0;
	if (lst->waiter != 0 ||
	    !serve_has_room(mi, front, arrival.entry))
		return -1;
	arrival.conn.local = lst->local;
	arrival.conn.datagrams = lst->transport == CONF_UDP;
	all = arrival.entry->conf->activation == CONF_ACTIVATION_SYSTEMD;
	if (all) {
		proc = activation_start(mi, &arrival, now);
	} else {
		arrival.files.socket = lst->fd;
		socket_prepare(lst);
		proc = serve_arrival(mi, &arrival, now);
		if (proc != NULL)
			sockets_give(&lst, 1, proc);
	}
	if (proc != NULL)
		proc->waits = true;
	else
		sockets_return(mi, front, arrival.at, all);
	return 0;
}

void
waiter_reaped(struct minetd *mi, const struct proc *proc, bool started)
{
	const struct edition *ed = mi->edition;

	if (proc->listener->waiter == proc->conn.id)
		socket_return(mi, proc->listener, started);
	for (uint32_t i = 0; i < ed->listener_count; i++)
		if (ed->listeners[i].listener->waiter == proc->conn.id)
			socket_return(mi, ed->listeners[i].listener, started);
}

int
waiter_throttled(const struct front *front, const struct channel_msg *msg,
    struct monotime now)
{
	const struct edition_listener *at = serve_listener(front,
	    msg->listener);
	struct service *svc;
	unsigned long left_out = 0;
	struct log_line line;
	bool rests = msg->throttled.on != 0;

	if (at == NULL || msg->throttled.on > 1)
		return -1;
	svc = front->edition->services[at->service].service;
	if (rests && !log_limit_pass(&svc->throttle_limit, now, &left_out))
		return 0;
	log_begin(&line, rests ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
	    rests ? "throttle" : "resume");
	listenlog_fields(&line, front->edition, msg->listener);
	if (rests) {
		log_str(&line, "reason", "not_consumed");
		log_uint(&line, "msec", msg->throttled.msec);
	}
	if (msg->throttled.discarded != 0)
		log_uint(&line, "discarded", msg->throttled.discarded);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
	return 0;
}
