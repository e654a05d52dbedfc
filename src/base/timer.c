/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One-shot timers in a balanced tree.
 *
 * The key is (due, order), and order counts the armings of the set.  So it is
 * unique, equal times run in the order in which they were armed, and it also
 * tells the timers armed during a run from those armed before: timer_run()
 * leaves alone whatever has an order at or above the count it began with.
 */

#include "base/timer.h"

#include <limits.h>
#include <stddef.h>

static int
compare_timers(const struct timer *a, const struct timer *b)
{
	if (a->due.nsec != b->due.nsec)
		return a->due.nsec < b->due.nsec ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(timer_tree, timer, entry, compare_timers,
    __attribute__((unused)) static)

/*
 * The first timer after the given key that is due and older than the run.
 * The search is by key because a callback may have freed every timer seen so
 * far; and nothing before the key is left to run.
 */
static struct timer *
next_due(struct timer_set *set, struct timer *key, uint64_t limit,
    struct monotime now)
{
	struct timer *timer = RB_NFIND(timer_tree, &set->tree, key);

	while (timer != NULL && timer->order >= limit)
		timer = RB_NEXT(timer_tree, &set->tree, timer);
	if (timer == NULL || monotime_before(now, timer->due))
		return NULL;
	return timer;
}

void
timer_set_init(struct timer_set *set)
{
	RB_INIT(&set->tree);
	set->armings = 0;
}

void
timer_init(struct timer *timer, timer_fn *fn, void *arg)
{
	*timer = (struct timer){ .fn = fn, .arg = arg };
}

void
timer_arm(struct timer_set *set, struct timer *timer, struct monotime due)
{
	timer_disarm(set, timer);
	timer->due = due;
	timer->order = set->armings++;
	timer->armed = true;
	RB_INSERT(timer_tree, &set->tree, timer);
}

void
timer_disarm(struct timer_set *set, struct timer *timer)
{
	if (!timer->armed)
		return;
	RB_REMOVE(timer_tree, &set->tree, timer);
	timer->armed = false;
}

void
timer_run(struct timer_set *set, struct monotime now)
{
	struct timer key = { .due = { INT64_MIN } };
	uint64_t limit = set->armings;
	struct timer *timer;

	while ((timer = next_due(set, &key, limit, now)) != NULL) {
		key.due = timer->due;
		key.order = timer->order;
		timer_disarm(set, timer);
		/* The callback may free the timer. */
		timer->fn(timer->arg, now);
	}
}

int
timer_timeout(const struct timer_set *set, struct monotime now)
{
	const struct timer *first = RB_ROOT(&set->tree);

	if (first == NULL)
		return -1;
	while (RB_LEFT(first, entry) != NULL)
		first = RB_LEFT(first, entry);

	int64_t msec = monotime_msec_until(now, first->due);

	if (msec <= 0)
		return 0;
	return msec < INT_MAX ? (int)msec : INT_MAX;
}
