/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The accept path: wake up, look at the limits, accept, hand over.
 *
 * The limits are asked before accept(2), so that a connection which would have
 * to wait stays in the backlog, where it costs nothing.  The count of a
 * service goes up here and down when main says that a handler has ended; main
 * keeps the same count and has the last word.
 *
 * Holds that concern all listeners (no room in the channel, max_children) are
 * not set on all of them, but on each that wakes up while the reason lasts:
 * the work is bounded by the listeners that have clients.
 */

#include "frontend/accept.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "frontend/admit.h"

enum {
	ACCEPTS_PER_WAKEUP = 64, /* of one listener; then others get a turn */
	RETRY_MSEC = 100,	/* after accept found no descriptor or memory */
	CLOSING_MSEC = 500,	/* time for handshakes that are under way */
};

/* What came of an attempt to accept. */
enum accepted {
	ACCEPTED_ONE,
	ACCEPTED_NONE,		/* nobody is in the queue */
	ACCEPTED_FAILED,	/* the listener is held, and tried again */
};

static void
retry_arm(struct acceptor *acc, struct monotime now)
{
	if (!acc->retry.armed)
		timer_arm(loop_timers(acc->loop), &acc->retry,
		    monotime_add_msec(now, RETRY_MSEC));
}

/* Poll the listener if, and only if, nothing holds it. */
static void
inlet_update(struct inlet *in)
{
	struct acceptor *acc = in->acceptor;

	if (in->holds != 0 || in->watch.fd == -1) {
		loop_disarm(acc->loop, &in->watch);
	} else if (loop_arm(acc->loop, &in->watch, EPOLLIN) == -1) {
		/* No memory in the kernel: as if accept had found none.  At
		 * the head, where no walk over the list meets it again. */
		in->holds = HOLD_FAILED;
		TAILQ_INSERT_HEAD(&acc->held, in, entry);
		retry_arm(acc, monotime_now());
	}
}

static void
inlet_hold(struct inlet *in, enum hold reason)
{
	if (in->holds == 0)
		TAILQ_INSERT_TAIL(&in->acceptor->held, in, entry);
	in->holds |= reason;
	inlet_update(in);
}

static void
inlet_release(struct inlet *in, enum hold reason)
{
	if ((in->holds & reason) == 0)
		return;
	in->holds &= ~(uint32_t)reason;
	if (in->holds == 0)
		TAILQ_REMOVE(&in->acceptor->held, in, entry);
	inlet_update(in);
}

static void
acceptor_release(struct acceptor *acc, enum hold reason)
{
	struct inlet *in, *next;

	/* epoll serves in the order of release: first who had no turn. */
	TAILQ_FOREACH_SAFE(in, &acc->held, entry, next)
		if (!in->had_turn)
			inlet_release(in, reason);
	TAILQ_FOREACH_SAFE(in, &acc->held, entry, next)
		inlet_release(in, reason);
}

/* Its listeners have room again; the same order. */
static void
service_release(struct acceptor *acc, uint32_t service)
{
	const struct admission *adm = acc->adm;
	const struct admission_service *svc = &admission_services(adm)[service];
	struct inlet *first = &acc->inlets[svc->first_listener];

	for (uint32_t i = 0; i < svc->listeners; i++)
		if (!first[i].had_turn)
			inlet_release(&first[i], HOLD_FULL);
	for (uint32_t i = 0; i < svc->listeners; i++)
		inlet_release(&first[i], HOLD_FULL);
	for (uint32_t i = adm->listeners - adm->closing; i < adm->listeners;
	    i++)
		if (admission_listeners(adm)[i].service == service)
			inlet_release(&acc->inlets[i], HOLD_FULL);
}

static const struct admission_service *
inlet_service(const struct inlet *in, uint32_t *index)
{
	const struct admission *adm = in->acceptor->adm;

	*index = admission_listeners(adm)[in->index].service;
	return &admission_services(adm)[*index];
}

/*
 * Try again later.  Main is told at once of the first failure, and with the
 * next message of how many followed.
 */
static void
failure_note(struct inlet *in, int error, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	struct channel_msg *msg;

	acc->failures++;
	in->errors = 0;
	inlet_hold(in, HOLD_FAILED);
	retry_arm(acc, now);
	msg = outbox_add(acc->outbox, CHANNEL_ACCEPT_FAILED, in->index, -1);
	if (msg == NULL)
		return;
	msg->failed.error = error;
	msg->failed.count = acc->failures;
	acc->failures = 0;
}

static void
retry_due(void *arg, struct monotime now)
{
	struct acceptor *acc = arg;

	(void)now;
	acceptor_release(acc, HOLD_FAILED);
}

/* The pid, uid and gid of whoever connected to a unix socket. */
static struct addr
unix_peer(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return (struct addr){ .family = ADDR_NONE };
	return addr_from_cred((uint32_t)cred.pid, cred.uid, cred.gid);
}

/*
 * What accept(2) says about one connection is no reason to stop; the kernel
 * reports errors of a new connection this way, and lists them in the manual.
 */
static bool
error_of_connection(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case ECONNRESET:
	case EPROTO:
	case ETIMEDOUT:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EPERM:
		return true;
	default:
		return false;
	}
}

/* The hold for a service that may start no more handlers; 0 for none. */
static uint32_t
inlet_lacks(const struct inlet *in)
{
	const struct acceptor *acc = in->acceptor;
	uint32_t index;
	const struct admission_service *svc = inlet_service(in, &index);
	const struct admit_load load = {
		.active = acc->active[index],
		.instances = svc->instances,
		.children = acc->children,
		.max_children = acc->adm->max_children,
	};

	if (admit_check(&load) == VERDICT_SERVE)
		return 0;
	if (svc->instances != 0 && load.active >= svc->instances)
		return HOLD_FULL;
	return HOLD_CHILDREN;
}

static void
connection_send(struct inlet *in, int fd, const struct addr *peer)
{
	struct acceptor *acc = in->acceptor;
	struct channel_msg *msg = outbox_add(acc->outbox, CHANNEL_START,
	    in->index, fd);
	uint32_t service;

	inlet_service(in, &service);
	msg->start.peer = *peer;
	acc->active[service]++;
	acc->children++;
}

/*
 * Accept one connection.  Errors of single connections become one of the
 * listener when nothing else comes.
 */
static enum accepted
accept_one(struct inlet *in, bool refuse, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct addr peer;
	int fd = accept4(in->watch.fd, (struct sockaddr *)&ss, &len,
	    SOCK_CLOEXEC);

	if (fd == -1) {
		if (error_of_connection(errno) &&
		    ++in->errors < ACCEPTS_PER_WAKEUP)
			return ACCEPTED_ONE;
		if (errno == EAGAIN)
			return ACCEPTED_NONE;
		failure_note(in, errno, now);
		return ACCEPTED_FAILED;
	}
	in->errors = 0;
	if (admission_listeners(acc->adm)[in->index].transport == CONF_UNIX)
		peer = unix_peer(fd);
	else
		addr_from_sockaddr(&peer, (struct sockaddr *)&ss, len);
	if (refuse) {
		close(fd);
		refusal_note(&acc->refusals, admission_listeners(acc->adm)[
		    in->index].service, in->index, &peer, now);
	} else {
		connection_send(in, fd, &peer);
	}
	return ACCEPTED_ONE;
}

/* One turn of a listener; true when it has found the queue empty. */
static bool
inlet_serve(struct inlet *in, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	uint32_t service;
	bool queues = inlet_service(in, &service)->on_full ==
	    CONF_ON_FULL_QUEUE;

	for (int i = 0; i < ACCEPTS_PER_WAKEUP; i++) {
		uint32_t lacks = inlet_lacks(in);
		enum accepted accepted;

		if (lacks != 0 && queues) {
			in->had_turn = i > 0;
			inlet_hold(in, lacks);
			return false;
		}
		if (lacks == 0 && !outbox_has_room(acc->outbox)) {
			in->had_turn = i > 0;
			inlet_hold(in, HOLD_CHANNEL);
			return false;
		}
		accepted = accept_one(in, lacks != 0, now);
		if (accepted != ACCEPTED_ONE)
			return accepted == ACCEPTED_NONE;
	}
	return false;
}

static void
inlet_ready(void *arg, uint32_t events, struct monotime now)
{
	(void)events;
	inlet_serve(arg, now);
}

/* Let go of the socket, which main may keep. */
static void
inlet_close(struct inlet *in)
{
	loop_disarm(in->acceptor->loop, &in->watch);
	if (in->watch.fd != -1)
		close(in->watch.fd);
	in->watch.fd = -1;
}

/* Whether nobody waits; asked without letting anybody in. */
static bool
queue_empty(const struct inlet *in)
{
	struct pollfd pfd = { .fd = in->watch.fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 0;
}

/*
 * Serve a listener that is closing; its socket is let go of when nobody waits
 * in its queue, or when the time for that is over.  Returns whether main knows.
 */
static bool
closing_serve(struct inlet *in, bool overdue, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	bool empty;

	if (in->watch.fd != -1) {
		empty = in->holds == 0 ? inlet_serve(in, now) :
		    queue_empty(in);
		if (!empty && !overdue)
			return false;
		inlet_close(in);
		in->empty_due = true;
	}
	if (in->empty_due &&
	    outbox_add(acc->outbox, CHANNEL_EMPTY, in->index, -1) != NULL)
		in->empty_due = false;
	return !in->empty_due;
}

static void
closing_due(void *arg, struct monotime now)
{
	struct acceptor *acc = arg;
	const struct admission *adm = acc->adm;
	bool overdue = adm->drain_timeout_msec != 0 &&
	    !monotime_before(now, monotime_add_msec(acc->started,
	    adm->drain_timeout_msec));
	bool done = true;

	for (uint32_t i = adm->listeners - adm->closing; i < adm->listeners;
	    i++)
		if (!closing_serve(&acc->inlets[i], overdue, now))
			done = false;
	if (!done)
		timer_arm(loop_timers(acc->loop), &acc->closing,
		    monotime_add_msec(now, CLOSING_MSEC));
}

int
acceptor_init(struct acceptor *acc, struct loop *loop,
    const struct admission *adm, struct outbox *outbox)
{
	*acc = (struct acceptor){
		.loop = loop,
		.adm = adm,
		.outbox = outbox,
		.inlets = calloc(adm->listeners + 1,
		    sizeof(*acc->inlets)),
		.active = calloc(adm->services + 1, sizeof(*acc->active)),
	};
	TAILQ_INIT(&acc->held);
	timer_init(&acc->retry, retry_due, acc);
	timer_init(&acc->closing, closing_due, acc);
	if (acc->inlets == NULL || acc->active == NULL ||
	    refusal_init(&acc->refusals, loop, outbox, adm->services) == -1)
		return -1;	/* The process ends, and its memory with it. */
	for (uint32_t i = 0; i < adm->listeners; i++) {
		struct inlet *in = &acc->inlets[i];

		watch_init(&in->watch, -1, inlet_ready, in);
		in->acceptor = acc;
		in->index = i;
		inlet_hold(in, HOLD_START);
	}
	return 0;
}

int
acceptor_listen(struct acceptor *acc, uint32_t listener, int fd)
{
	struct inlet *in = &acc->inlets[listener];

	inlet_close(in);
	in->watch.fd = fd;
	if (in->holds != 0)
		return 0;
	return loop_arm(acc->loop, &in->watch, EPOLLIN);
}

void
acceptor_start(struct acceptor *acc, struct monotime now)
{
	acc->started = now;
	if (acc->adm->closing > 0)
		timer_arm(loop_timers(acc->loop), &acc->closing,
		    monotime_add_msec(now, CLOSING_MSEC));
	acceptor_release(acc, HOLD_START);
}

void
acceptor_stop(struct acceptor *acc)
{
	timer_disarm(loop_timers(acc->loop), &acc->closing);
	for (uint32_t i = 0; i < acc->adm->listeners; i++)
		inlet_close(&acc->inlets[i]);
}

bool
acceptor_report(struct acceptor *acc, struct monotime now)
{
	return refusal_report(&acc->refusals, now);
}

void
acceptor_add_active(struct acceptor *acc, uint32_t service, uint32_t count)
{
	acc->active[service] += count;
	acc->children += count;
}

void
acceptor_remove_active(struct acceptor *acc, uint32_t service, uint32_t count)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[service];
	uint32_t max = acc->adm->max_children;

	acc->active[service] -= count;
	acc->children -= count;
	if (svc->instances != 0 && acc->active[service] < svc->instances)
		service_release(acc, service);
	if (max != 0 && acc->children < max)
		acceptor_release(acc, HOLD_CHILDREN);
}

void
acceptor_resume(struct acceptor *acc)
{
	acceptor_release(acc, HOLD_CHANNEL);
}
