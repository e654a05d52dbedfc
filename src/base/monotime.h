/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Monotonic time as a type of its own, so that it is never added to a number
 * of seconds, or to the time of day, by accident.
 *
 * Only monotime_now() reads the clock; everything else takes the time as a
 * parameter, so that tests own it.
 */

#ifndef MINETD_MONOTIME_H
#define MINETD_MONOTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct monotime {
	int64_t nsec;		/* nanoseconds of CLOCK_MONOTONIC */
};

static inline struct monotime
monotime_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct monotime){ ts.tv_sec * INT64_C(1000000000) +
	    ts.tv_nsec };
}

static inline struct monotime
monotime_add_msec(struct monotime t, int64_t msec)
{
	return (struct monotime){ t.nsec + msec * INT64_C(1000000) };
}

/* Whether a is earlier than b. */
static inline bool
monotime_before(struct monotime a, struct monotime b)
{
	return a.nsec < b.nsec;
}

/* Milliseconds from a to b, rounded up; negative when b is the earlier. */
static inline int64_t
monotime_msec_until(struct monotime a, struct monotime b)
{
	int64_t nsec = b.nsec - a.nsec;

	return nsec > 0 ? (nsec + 999999) / 1000000 : nsec / 1000000;
}

/* Seconds from a to b with a fraction, for people and log lines. */
static inline double
monotime_secs(struct monotime a, struct monotime b)
{
	return (double)(b.nsec - a.nsec) / 1e9;
}

#endif
