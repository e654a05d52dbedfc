/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners as the frontend has them, and the reasons not to poll them.
 *
 * Holds that concern all listeners (no room in the channel, max_children) are
 * not set on all of them, but on each that wakes up while the reason lasts:
 * the work is bounded by the listeners that have clients.
 */

#include "frontend/inlet.h"

#include <sys/epoll.h>

#include <unistd.h>

#include "frontend/accept.h"

enum {
	NO_MEMORY_MSEC = 100,	/* for a watch, until the next attempt */
};

/* Come back at that time, or earlier. */
static void
retry_arm(struct acceptor *acc, struct monotime due)
{
	if (!acc->retry.armed || monotime_before(due, acc->retry.due))
		timer_arm(loop_timers(acc->loop), &acc->retry, due);
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
		in->retry = monotime_add_msec(monotime_now(), NO_MEMORY_MSEC);
		TAILQ_INSERT_HEAD(&acc->held, in, entry);
		retry_arm(acc, in->retry);
	}
}

void
inlet_hold(struct inlet *in, enum hold reason)
{
	if (in->holds == 0)
		TAILQ_INSERT_TAIL(&in->acceptor->held, in, entry);
	in->holds |= reason;
	inlet_update(in);
}

void
inlet_pause(struct inlet *in, int64_t msec, struct monotime now)
{
	in->retry = monotime_add_msec(now, msec);
	inlet_hold(in, HOLD_FAILED);
	retry_arm(in->acceptor, in->retry);
}

void
inlets_retry(struct acceptor *acc, struct monotime now)
{
	struct inlet *in, *next;

	TAILQ_FOREACH_SAFE(in, &acc->held, entry, next) {
		if ((in->holds & HOLD_FAILED) == 0)
			continue;
		if (monotime_before(now, in->retry))
			retry_arm(acc, in->retry);
		else
			inlet_release(in, HOLD_FAILED);
	}
}

void
inlet_release(struct inlet *in, enum hold reason)
{
	if ((in->holds & reason) == 0)
		return;
	in->holds &= ~(uint32_t)reason;
	if (in->holds == 0)
		TAILQ_REMOVE(&in->acceptor->held, in, entry);
	inlet_update(in);
}

void
inlets_release(struct acceptor *acc, enum hold reason)
{
	struct inlet *in, *next;

	/* epoll serves in the order of release: first who had no turn. */
	TAILQ_FOREACH_SAFE(in, &acc->held, entry, next)
		if (!in->had_turn)
			inlet_release(in, reason);
	TAILQ_FOREACH_SAFE(in, &acc->held, entry, next)
		inlet_release(in, reason);
}

/* The same order. */
void
inlets_release_service(struct acceptor *acc, uint32_t service,
    enum hold reason)
{
	const struct admission *adm = acc->adm;
	const struct admission_service *svc = &admission_services(adm)[service];
	struct inlet *first = &acc->inlets[svc->first_listener];

	for (uint32_t i = 0; i < svc->listeners; i++)
		if (!first[i].had_turn)
			inlet_release(&first[i], reason);
	for (uint32_t i = 0; i < svc->listeners; i++)
		inlet_release(&first[i], reason);
	for (uint32_t i = adm->listeners - adm->closing; i < adm->listeners;
	    i++)
		if (admission_listeners(adm)[i].service == service)
			inlet_release(&acc->inlets[i], reason);
}

struct inlet *
inlet_next_of(struct acceptor *acc, uint32_t service, const struct inlet *last)
{
	const struct admission *adm = acc->adm;
	const struct admission_service *svc = &admission_services(adm)[service];
	uint32_t end = svc->first_listener + svc->listeners;
	uint32_t closing = adm->listeners - adm->closing;
	uint32_t i = last == NULL ? svc->first_listener : last->index + 1;

	if (i >= end && i < closing)
		i = closing;
	while (i < adm->listeners &&
	    admission_listeners(adm)[i].service != service)
		i++;
	return i < adm->listeners ? &acc->inlets[i] : NULL;
}

const struct admission_service *
inlet_service(const struct inlet *in, uint32_t *index)
{
	const struct admission *adm = in->acceptor->adm;

	*index = admission_listeners(adm)[in->index].service;
	return &admission_services(adm)[*index];
}

void
inlet_close(struct inlet *in)
{
	loop_disarm(in->acceptor->loop, &in->watch);
	if (in->watch.fd != -1)
		close(in->watch.fd);
	in->watch.fd = -1;
}
