/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself.
 */

#include "frontend/wait.h"

#include <sys/socket.h>

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/transport.h"
#include "frontend/rest.h"

static bool
readable(const struct inlet *in)
{
	struct pollfd pfd = { .fd = in->watch.fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

/* All listeners that the handler gets are held. */
static void
service_hold(struct inlet *in)
{
	struct acceptor *acc = in->acceptor;
	uint32_t service;
	const struct admission_service *svc = inlet_service(in, &service);

	inlet_hold(in, HOLD_WAIT);
	for (uint32_t i = 0; svc->shares && i < svc->listeners; i++)
		inlet_hold(&acc->inlets[svc->first_listener + i], HOLD_WAIT);
}

static bool
throttle_tell(struct inlet *in, const struct rest *rest, bool on)
{
	struct channel_msg *msg = outbox_add(in->acceptor->outbox,
	    CHANNEL_THROTTLED, in->index, -1);

	if (msg == NULL)
		return false;
	msg->throttled.on = on;
	msg->throttled.discarded = rest->discarded;
	msg->throttled.msec = on ? rest_msec(rest->left, in->transport) : 0;
	return true;
}

/* Throw away what handlers do not want, so that the next one has its turn. */
static void
front_discard(struct inlet *in)
{
	char byte;
	int fd;

	if (transport_is_dgram(in->transport)) {
		recv(in->watch.fd, &byte, sizeof(byte),
		    MSG_DONTWAIT | MSG_TRUNC);
		return;
	}
	fd = accept4(in->watch.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1)
		close(fd);
}

static void
rest_due(void *arg, struct monotime now)
{
	(void)now;
	inlet_release(arg, HOLD_REST);
}

/*
 * What is there was there when the last handler was started: wait, or throw it
 * away.  Returns whether a handler may be started now.
 */
static bool
left_again(struct inlet *in, struct rest *rest, struct monotime now)
{
	uint32_t msec;

	if (rest->rested) {
		rest->rested = false;
		return true;
	}
	rest->left++;
	if (rest_is_over(rest->left, in->transport)) {
		front_discard(in);
		rest->discarded++;
		throttle_tell(in, rest, true);
		rest->left = 0;
		rest->asked = false;
		return false;
	}
	msec = rest_msec(rest->left, in->transport);
	if (msec == 0)
		return true;
	if (!rest->throttled)
		rest->throttled = throttle_tell(in, rest, true);
	rest->rested = true;
	inlet_hold(in, HOLD_REST);
	timer_arm(loop_timers(in->acceptor->loop), &rest->due,
	    monotime_add_msec(now, msec));
	return false;
}

/* A handler has taken what it was started for. */
static void
taken(struct inlet *in, struct rest *rest)
{
	rest->left = 0;
	rest->rested = false;
	if (rest->throttled && throttle_tell(in, rest, false)) {
		rest->throttled = false;
		rest->discarded = 0;
	}
}

/* The account of the listener; NULL for want of memory. */
static struct rest *
rest_get(struct inlet *in)
{
	if (in->rest == NULL) {
		in->rest = calloc(1, sizeof(*in->rest));
		if (in->rest != NULL)
			timer_init(&in->rest->due, rest_due, in);
	}
	return in->rest;
}

static void
handler_ask(struct inlet *in, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	struct rest *rest = rest_get(in);
	uint32_t service;

	inlet_service(in, &service);
	if (rest != NULL)
		rest_begin(rest, in->watch.fd, in->transport, now);
	outbox_add(acc->outbox, CHANNEL_WAIT_READY, in->index, -1);
	acceptor_take(acc, service);
	service_hold(in);
	inlet_watch_held(in, rest != NULL && rest_counts(in->transport));
}

bool
wait_serve(struct inlet *in, struct monotime now)
{
	uint32_t lacks;

	/* A client has come while the handler has the socket. */
	if (in->holds != 0) {
		if (in->rest != NULL)
			rest_arrival(in->rest, in->watch.fd);
		return false;
	}
	if (!readable(in))
		return true;
	lacks = acceptor_lacks(in);
	if (lacks != 0) {
		inlet_hold(in, lacks);
		return false;
	}
	if (!outbox_has_room(in->acceptor->outbox)) {
		inlet_hold(in, HOLD_CHANNEL);
		return false;
	}
	if (in->rest != NULL && in->rest->asked) {
		if (!rest_same(in->rest, in->watch.fd, in->transport, now))
			taken(in, in->rest);
		else if (!left_again(in, in->rest, now))
			return false;
	}
	handler_ask(in, now);
	return false;
}

void
wait_returned(struct inlet *in, struct monotime now)
{
	(void)now;
	inlet_watch_held(in, false);
	/* Nobody waits: what there was, the handler has taken. */
	if (in->rest != NULL && in->rest->asked && !readable(in)) {
		in->rest->asked = false;
		taken(in, in->rest);
	}
}
