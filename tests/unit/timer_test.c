/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Timers: order, what callbacks may do, and a naive model.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"

#define COUNT(rows)	(sizeof(rows) / sizeof(*(rows)))
#define MSEC		INT64_C(1000000)

enum {
	TIMERS = 12,
	CALLS_MAX = 256,
};

/* What a timer does when it is due, besides being noted. */
struct action {
	struct clockwork *owner;
	int disarm;		/* index of a timer, -1: none */
	int arm;		/* the same */
	struct monotime arm_due;
};

struct clockwork {
	struct timer_set set;
	struct timer timers[TIMERS];
	struct action actions[TIMERS];
	int called[CALLS_MAX];	/* indices in order of calls */
	int calls;
};

static struct monotime
at(int64_t nsec)
{
	return (struct monotime){ nsec };
}

static void
noted_due(void *arg, struct monotime now)
{
	struct action *action = arg;
	struct clockwork *clockwork = action->owner;

	(void)now;
	assert_true(clockwork->calls < CALLS_MAX);
	clockwork->called[clockwork->calls++] =
	    (int)(action - clockwork->actions);
	if (action->disarm >= 0)
		timer_disarm(&clockwork->set,
		    &clockwork->timers[action->disarm]);
	if (action->arm >= 0)
		timer_arm(&clockwork->set, &clockwork->timers[action->arm],
		    action->arm_due);
}

static void
clockwork_init(struct clockwork *clockwork)
{
	memset(clockwork, 0, sizeof(*clockwork));
	timer_set_init(&clockwork->set);
	for (int i = 0; i < TIMERS; i++) {
		clockwork->actions[i] = (struct action){ .owner = clockwork,
		    .disarm = -1, .arm = -1 };
		timer_init(&clockwork->timers[i], noted_due,
		    &clockwork->actions[i]);
	}
}

/* Run and compare the calls with a list like "2 0 1". */
static void
assert_calls(struct clockwork *clockwork, int64_t now, const char *wanted)
{
	char text[CALLS_MAX * 4] = "";

	clockwork->calls = 0;
	timer_run(&clockwork->set, at(now));
	for (int i = 0; i < clockwork->calls; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, i > 0 ? " %d" : "%d",
		    clockwork->called[i]);
	}
	assert_string_equal(text, wanted);
}

static void
test_runs_in_order_of_time(void **state)
{
	struct clockwork c;

	(void)state;
	clockwork_init(&c);
	timer_arm(&c.set, &c.timers[0], at(30));
	timer_arm(&c.set, &c.timers[1], at(10));
	timer_arm(&c.set, &c.timers[2], at(20));
	timer_arm(&c.set, &c.timers[3], at(40));
	assert_calls(&c, 9, "");
	assert_calls(&c, 30, "1 2 0");
	assert_false(c.timers[0].armed);
	assert_true(c.timers[3].armed);
	assert_calls(&c, 39, "");
	assert_calls(&c, 1000, "3");
	assert_calls(&c, 2000, "");
}

static void
test_equal_times_run_in_order_of_arming(void **state)
{
	struct clockwork c;

	(void)state;
	clockwork_init(&c);
	timer_arm(&c.set, &c.timers[2], at(5));
	timer_arm(&c.set, &c.timers[0], at(5));
	timer_arm(&c.set, &c.timers[1], at(5));
	/* To arm again is to forget the first appointment. */
	timer_arm(&c.set, &c.timers[2], at(5));
	assert_calls(&c, 5, "0 1 2");
}

static void
test_arm_again_moves(void **state)
{
	struct clockwork c;

	(void)state;
	clockwork_init(&c);
	timer_arm(&c.set, &c.timers[0], at(10));
	timer_arm(&c.set, &c.timers[0], at(50));
	assert_calls(&c, 49, "");
	timer_arm(&c.set, &c.timers[0], at(20));
	assert_calls(&c, 49, "0");
	assert_calls(&c, 50, "");
}

static void
test_disarm(void **state)
{
	struct clockwork c;

	(void)state;
	clockwork_init(&c);
	timer_disarm(&c.set, &c.timers[0]);
	timer_arm(&c.set, &c.timers[0], at(10));
	timer_arm(&c.set, &c.timers[1], at(10));
	timer_disarm(&c.set, &c.timers[0]);
	timer_disarm(&c.set, &c.timers[0]);
	assert_calls(&c, 10, "1");
}

static void
test_callback_disarms_the_next(void **state)
{
	struct clockwork c;

	(void)state;
	clockwork_init(&c);
	for (int i = 0; i < 4; i++)
		timer_arm(&c.set, &c.timers[i], at(10));
	c.actions[0].disarm = 1;
	c.actions[2].disarm = 2;
	assert_calls(&c, 10, "0 2 3");
	assert_int_equal(timer_timeout(&c.set, at(10)), -1);
}

static void
test_armed_during_the_run_waits_for_the_next(void **state)
{
	static const int64_t dues[] = { -100, 0, 9, 10, 15, 20 };

	(void)state;
	for (size_t i = 0; i < COUNT(dues); i++) {
		struct clockwork c;

		clockwork_init(&c);
		timer_arm(&c.set, &c.timers[0], at(10));
		timer_arm(&c.set, &c.timers[1], at(20));
		/* Itself, and one that is armed already. */
		c.actions[0].arm = 0;
		c.actions[0].arm_due = at(dues[i]);
		assert_calls(&c, 20, "0 1");
		assert_int_equal(timer_timeout(&c.set, at(20)), 0);
		c.actions[0].arm = 1;
		timer_arm(&c.set, &c.timers[1], at(20));
		timer_arm(&c.set, &c.timers[0], at(1));
		assert_calls(&c, 20, "0");
		assert_calls(&c, 20, "1");
	}
}

static void
freed_due(void *arg, struct monotime now)
{
	(void)now;
	free(arg);
}

static void
test_callback_frees_its_timer(void **state)
{
	struct timer_set set;

	(void)state;
	timer_set_init(&set);
	for (int i = 0; i < 10; i++) {
		struct timer *timer = malloc(sizeof(*timer));

		assert_non_null(timer);
		timer_init(timer, freed_due, timer);
		timer_arm(&set, timer, at(i / 2));
	}
	timer_run(&set, at(100));
	assert_int_equal(timer_timeout(&set, at(0)), -1);
}

static const struct {
	int64_t due;
	int64_t now;
	int wanted;
} timeout_rows[] = {
	{ 0, 0, 0 },
	{ 0, 5, 0 },
	{ 0, 5000 * MSEC, 0 },
	{ 1, 0, 1 },
	{ MSEC, 0, 1 },
	{ MSEC + 1, 0, 2 },
	{ 7000 * MSEC, 1000 * MSEC, 6000 },
	{ INT_MAX * MSEC, 0, INT_MAX },
	{ INT64_MAX - MSEC, 0, INT_MAX },
};

static void
test_timeout(void **state)
{
	struct clockwork c;

	(void)state;
	clockwork_init(&c);
	assert_int_equal(timer_timeout(&c.set, at(0)), -1);
	for (size_t i = 0; i < COUNT(timeout_rows); i++) {
		timer_arm(&c.set, &c.timers[0], at(timeout_rows[i].due));
		assert_int_equal(
		    timer_timeout(&c.set, at(timeout_rows[i].now)),
		    timeout_rows[i].wanted);
	}
	timer_arm(&c.set, &c.timers[1], at(3 * MSEC));
	timer_arm(&c.set, &c.timers[2], at(9 * MSEC));
	assert_int_equal(timer_timeout(&c.set, at(0)), 3);
}

/* The naive model: a list without order, searched for each step. */
struct model {
	bool armed[TIMERS];
	int64_t due[TIMERS];
	uint64_t order[TIMERS];
	uint64_t armings;
};

static void
model_arm(struct model *model, int i, int64_t due)
{
	model->armed[i] = true;
	model->due[i] = due;
	model->order[i] = model->armings++;
}

static int
model_first(const struct model *model, int64_t now, uint64_t limit)
{
	int first = -1;

	for (int i = 0; i < TIMERS; i++) {
		if (!model->armed[i] || model->due[i] > now ||
		    model->order[i] >= limit)
			continue;
		if (first == -1 || model->due[i] < model->due[first] ||
		    (model->due[i] == model->due[first] &&
		    model->order[i] < model->order[first]))
			first = i;
	}
	return first;
}

static int
model_run(struct model *model, const struct action *actions, int64_t now,
    int *called)
{
	uint64_t limit = model->armings;
	int calls = 0;
	int i;

	while ((i = model_first(model, now, limit)) != -1) {
		model->armed[i] = false;
		called[calls++] = i;
		if (actions[i].disarm >= 0)
			model->armed[actions[i].disarm] = false;
		if (actions[i].arm >= 0)
			model_arm(model, actions[i].arm,
			    actions[i].arm_due.nsec);
	}
	return calls;
}

static void
random_step(struct clockwork *c, struct model *model, int64_t now)
{
	int i = (int)(random() % TIMERS);
	int64_t due = now + random() % 40 - 10;
	struct action *action = &c->actions[i];

	switch (random() % 4) {
	case 0:
		timer_disarm(&c->set, &c->timers[i]);
		model->armed[i] = false;
		break;
	case 1:
		action->disarm = (int)(random() % (TIMERS + 6)) - 6;
		action->arm = (int)(random() % (TIMERS + 6)) - 6;
		action->arm_due = at(due);
		break;
	default:
		timer_arm(&c->set, &c->timers[i], at(due));
		model_arm(model, i, due);
		break;
	}
}

static void
test_against_the_model(void **state)
{
	struct model model = { 0 };
	struct clockwork c;
	int64_t now = 0;

	(void)state;
	srandom(4711);
	clockwork_init(&c);
	for (int round = 0; round < 20000; round++) {
		int called[CALLS_MAX];

		for (long n = random() % 6; n > 0; n--)
			random_step(&c, &model, now);
		now += random() % 12;
		c.calls = 0;
		timer_run(&c.set, at(now));
		assert_int_equal(c.calls,
		    model_run(&model, c.actions, now, called));
		assert_memory_equal(c.called, called,
		    (size_t)c.calls * sizeof(*called));
		for (int i = 0; i < TIMERS; i++)
			assert_int_equal(c.timers[i].armed, model.armed[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_in_order_of_time),
		cmocka_unit_test(test_equal_times_run_in_order_of_arming),
		cmocka_unit_test(test_arm_again_moves),
		cmocka_unit_test(test_disarm),
		cmocka_unit_test(test_callback_disarms_the_next),
		cmocka_unit_test(test_armed_during_the_run_waits_for_the_next),
		cmocka_unit_test(test_callback_frees_its_timer),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_against_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
