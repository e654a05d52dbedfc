/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether handlers of a service are worth starting.
 *
 * When FAILURES in a row fall into a short while the breaker opens, and nothing
 * is to be started until a pause is over.  Then it is half open: the first
 * failure opens it again, for longer, and the first success closes it.  Pure:
 * time is an argument.
 */

#ifndef MINETD_BREAKER_H
#define MINETD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/monotime.h"

enum {
	BREAKER_FAILURES = 5,	/* that open it, */
	BREAKER_WHILE_MSEC = 10000, /*   within this */
	BREAKER_FIRST_MSEC = 1000, /* the first pause; each is twice as long, */
	BREAKER_LAST_MSEC = 60000, /*   up to this */
};

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN,
};

/* All 0 is closed, with no failure. */
struct breaker {
	struct monotime failures[BREAKER_FAILURES]; /* the last ones, a ring */
	uint32_t count;		/* of them since the last success */
	uint32_t msec;		/* of the last pause */
	uint8_t state;		/* enum breaker_state */
};

/*
 * A failure.  It must not grow beyond the first pause when clients can cause
 * it.  Returns for how many milliseconds the breaker is open from now on, or 0
 * when it was not opened by this.
 */
uint32_t breaker_fail(struct breaker *breaker, bool grows,
	    struct monotime now);

/* A success. */
void	breaker_succeed(struct breaker *breaker);

/* The pause is over. */
void	breaker_try(struct breaker *breaker);

#endif
