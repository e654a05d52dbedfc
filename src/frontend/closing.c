/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners that a reload has removed.
 */

#include "frontend/closing.h"

#include <poll.h>

enum {
	CLOSING_MSEC = 500,	/* time for handshakes that are under way */
	LEAVING_TURNS = 10,	/* of that, for handlers to be started */
};

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
	bool empty = false;

	/* While a handler has the socket, main does not lend it. */
	if (!in->gone && in->watch.fd != -1)
		empty = in->holds == 0 ? in->serve(in, now) :
		    queue_empty(in);
	if (!in->gone && ((in->holds & HOLD_WAIT) != 0 || !empty) && !overdue)
		return false;
	if (!in->gone && !peers_leave(&acc->peers, in, overdue ||
	    in->leaving++ >= LEAVING_TURNS))
		return false;
	if (!in->gone) {
		inlet_close(in);
		in->gone = true;
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

void
closing_init(struct acceptor *acc)
{
	timer_init(&acc->closing, closing_due, acc);
}

void
closing_begin(struct acceptor *acc, struct monotime now)
{
	if (acc->adm->closing > 0)
		timer_arm(loop_timers(acc->loop), &acc->closing,
		    monotime_add_msec(now, CLOSING_MSEC));
}
