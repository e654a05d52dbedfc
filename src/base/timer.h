/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One-shot timers in a balanced tree.
 *
 * The caller owns the storage of each timer, so arming one allocates nothing
 * and cannot fail.  Time is passed in and never read here.
 */

#ifndef MINETD_TIMER_H
#define MINETD_TIMER_H

#include <sys/cdefs.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/monotime.h"

typedef void timer_fn(void *arg, struct monotime now);

struct timer {
	RB_ENTRY(timer) entry;	/* in the set, while armed */
	struct monotime due;	/* when fn is called, at the earliest */
	timer_fn *fn;
	void *arg;		/* first argument of fn, not owned */
	uint64_t order;		/* of this arming among all of the set */
	bool armed;
};

RB_HEAD(timer_tree, timer);

struct timer_set {
	struct timer_tree tree;
	uint64_t armings;	/* counted since timer_set_init() */
};

void	timer_set_init(struct timer_set *set);

/* Prepare storage once; the timer is then disarmed. */
void	timer_init(struct timer *timer, timer_fn *fn, void *arg);

/*
 * Call fn once at due, in place of any earlier appointment.  Equal times run
 * in the order of arming.
 */
void	timer_arm(struct timer_set *set, struct timer *timer,
	    struct monotime due);

/* Forget the appointment; nothing happens when there is none. */
void	timer_disarm(struct timer_set *set, struct timer *timer);

/*
 * Call and disarm every timer that is due.  A callback may arm and disarm any
 * timer; one armed for now or earlier runs at the next call, so that no
 * callback can keep the loop here.
 */
void	timer_run(struct timer_set *set, struct monotime now);

/*
 * Milliseconds until the next timer is due, 0 when one is overdue, -1 when
 * none is armed: the timeout argument of epoll_wait(2).
 */
int	timer_timeout(const struct timer_set *set, struct monotime now);

#endif
