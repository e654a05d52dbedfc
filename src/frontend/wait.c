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
#include "frontend/active.h"
#include "frontend/rest.h"

enum {
	DISCARDS_PER_WAKEUP = 64, /* of one listener; then others get a turn */
};

/* Whether somebody waits.  What the kernel finds to be damaged is nobody. */
static bool
somebody(const struct inlet *in)
{
	struct pollfd pfd = { .fd = in->watch.fd, .events = POLLIN };
	char byte;

	if (transport_is_dgram(in->transport))
		return recv(in->watch.fd, &byte, sizeof(byte), MSG_PEEK |
		    MSG_DONTWAIT | MSG_TRUNC) != -1;
	return poll(&pfd, 1, 0) > 0;
}

/*
 * The listeners whose sockets one handler gets: that one, or all of its
 * service.  last is NULL at first.
 */
static struct inlet *
group_next(struct inlet *in, const struct inlet *last)
{
	uint32_t service;

	if (inlet_service(in, &service)->shares)
		return inlet_next_of(in->acceptor, service, last);
	return last == NULL ? in : NULL;
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
	msg->throttled.msec = on ? rest_msec(rest) : 0;
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
 * The last handler has not taken what is there: wait, or throw it away.
 * Returns whether another one may be started now.
 */
static bool
next_permitted(struct inlet *in, struct rest *rest, struct monotime now)
{
	uint32_t msec = rest_msec(rest);

	if (rest->rested || (msec == 0 && !rest_is_over(rest))) {
		rest->rested = false;
		return true;
	}
	if (rest_is_over(rest)) {
		front_discard(in);
		rest->discarded++;
		throttle_tell(in, rest, true);
		rest_reset(rest);
		return false;
	}
	if (!rest->throttled && rest->left > 1)
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
	rest_reset(rest);
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
	struct client client = { .fd = -1, .listener = in->index };
	struct inlet *each = NULL;

	inlet_service(in, &client.service);
	outbox_add(acc->outbox, CHANNEL_WAIT_READY, in->index, -1);
	active_take(acc, &client, now);
	while ((each = group_next(in, each)) != NULL) {
		struct rest *rest = each->watch.fd != -1 ? rest_get(each) :
		    NULL;

		if (rest != NULL && !rest->asked)
			rest_begin(rest, acc->arrivals, each->watch.fd,
			    each->transport, each == in || somebody(each));
		inlet_hold(each, HOLD_WAIT);
	}
}

/* Who is in front of the queue of datagrams; false when nobody is. */
static bool
sender_peek(struct inlet *in, struct client *client)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char byte;

	if (recvfrom(in->watch.fd, &byte, sizeof(byte), MSG_PEEK |
	    MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&ss, &len) == -1)
		return false;
	/* Who sends to a unix socket is not known. */
	if (in->transport == CONF_UDP)
		addr_from_sockaddr(&client->peer, (struct sockaddr *)&ss, len);
	return true;
}

/*
 * A datagram says who has sent it: no handler is started for one whose sender
 * is refused.  Returns whether another one is in front; otherwise *empty is
 * whether none is.
 */
static bool
senders_admit(struct inlet *in, struct monotime now, bool *empty)
{
	struct acceptor *acc = in->acceptor;
	struct client client = { .fd = -1, .listener = in->index };

	inlet_service(in, &client.service);
	*empty = false;
	for (int i = 0; i < DISCARDS_PER_WAKEUP; i++) {
		enum verdict verdict;

		if (!sender_peek(in, &client)) {
			*empty = true;
			return false;
		}
		verdict = acceptor_admit(acc, &client, now);
		/* For what is ours a handler waits as it does without. */
		if (verdict == VERDICT_SERVE || verdict_is_ours(verdict))
			return true;
		front_discard(in);
		acceptor_refuse(acc, &client, verdict, now);
		/* What the last handler left, it was. */
		if (in->rest != NULL)
			rest_reset(in->rest);
	}
	return false;
}

bool
wait_serve(struct inlet *in, struct monotime now)
{
	uint32_t lacks;
	bool empty;

	if (!somebody(in))
		return true;
	lacks = acceptor_lacks(in, now);
	if (lacks != 0) {
		inlet_hold(in, lacks);
		return false;
	}
	if (!outbox_has_room(in->acceptor->outbox)) {
		inlet_hold(in, HOLD_CHANNEL);
		return false;
	}
	if (transport_is_dgram(in->transport) &&
	    !senders_admit(in, now, &empty))
		return empty;
	if (in->rest == NULL || !in->rest->again ||
	    next_permitted(in, in->rest, now))
		handler_ask(in, now);
	return false;
}

/*
 * Otherwise the handler may have served another socket, and somebody there who
 * came after it was started, of which nothing is to be seen.
 */
static bool
is_alone(struct inlet *in)
{
	return group_next(in, group_next(in, NULL)) == NULL;
}

/* One handler has them all: that it took something of one is good enough. */
static void
group_taken(struct inlet *in)
{
	struct inlet *each = NULL;

	while ((each = group_next(in, each)) != NULL)
		if (each->rest != NULL)
			taken(each, each->rest);
}

/* It may have taken something of this one, so others prove nothing. */
static void
group_doubt(struct inlet *in)
{
	struct inlet *each = NULL;

	while ((each = group_next(in, each)) != NULL)
		if (each != in && each->rest != NULL)
			rest_doubt(each->rest);
}

void
wait_returned(struct inlet *in, enum channel_took took)
{
	struct rest *rest = in->rest;
	enum rest_outcome outcome;

	if (rest == NULL || !rest->asked || in->watch.fd == -1)
		return;
	outcome = rest_end(rest, in->acceptor->arrivals, in->watch.fd,
	    in->transport, took);
	if (outcome == REST_TAKEN ||
	    (outcome != REST_IDLE && !somebody(in)))
		group_taken(in);
	else if (outcome == REST_UNSURE)
		group_doubt(in);
	else if (outcome == REST_LEFT && rest->doubts <= REST_DOUBTS &&
	    !is_alone(in))
		rest_doubt(rest);
}
