/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether handlers of a service are worth starting.
 */

#include "main/breaker.h"

/* Whether as many as open it fall into the while that ends now. */
static bool
too_many(const struct breaker *breaker, struct monotime now)
{
	struct monotime first;

	if (breaker->count < BREAKER_FAILURES)
		return false;
	first = breaker->failures[breaker->count % BREAKER_FAILURES];
	return !monotime_before(monotime_add_msec(first, BREAKER_WHILE_MSEC),
	    now);
}

static uint32_t
next_pause(const struct breaker *breaker, bool grows)
{
	if (breaker->state == BREAKER_CLOSED || !grows)
		return BREAKER_FIRST_MSEC;
	return breaker->msec < BREAKER_LAST_MSEC / 2 ? breaker->msec * 2 :
	    BREAKER_LAST_MSEC;
}

uint32_t
breaker_fail(struct breaker *breaker, bool grows, struct monotime now)
{
	/* Of what was started before it opened. */
	if (breaker->state == BREAKER_OPEN)
		return 0;
	breaker->failures[breaker->count++ % BREAKER_FAILURES] = now;
	if (breaker->state == BREAKER_CLOSED && !too_many(breaker, now))
		return 0;
	breaker->msec = next_pause(breaker, grows);
	breaker->state = BREAKER_OPEN;
	return breaker->msec;
}

void
breaker_succeed(struct breaker *breaker)
{
	breaker->count = 0;
	if (breaker->state == BREAKER_HALF_OPEN)
		breaker->state = BREAKER_CLOSED;
}

void
breaker_try(struct breaker *breaker)
{
	if (breaker->state == BREAKER_OPEN)
		breaker->state = BREAKER_HALF_OPEN;
}
