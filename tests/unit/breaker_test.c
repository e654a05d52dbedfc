/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/* When the breaker opens, for how long, and what closes it. */

#include "main/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct monotime
at(int64_t msec)
{
	return monotime_add_msec((struct monotime){ 1 }, msec);
}

/* So many failures, each so much later; what the last one opens it for. */
static uint32_t
fail_often(struct breaker *breaker, int count, int64_t apart)
{
	uint32_t msec = 0;

	for (int i = 0; i < count; i++) {
		assert_int_equal(msec, 0);
		msec = breaker_fail(breaker, true, at(i * apart));
	}
	return msec;
}

static void
five_in_ten_seconds_open_it(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	assert_int_equal(fail_often(&breaker, 5, 2500), 1000);
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void
fewer_or_slower_ones_do_not(void **state)
{
	struct breaker few = { 0 };
	struct breaker slow = { 0 };

	(void)state;
	assert_int_equal(fail_often(&few, 4, 0), 0);
	assert_int_equal(few.state, BREAKER_CLOSED);
	assert_int_equal(fail_often(&slow, 100, 2501), 0);
	assert_int_equal(slow.state, BREAKER_CLOSED);
}

static void
it_is_the_last_five_that_count(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	assert_int_equal(fail_often(&breaker, 3, 9000), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(breaker_fail(&breaker, true, at(40000 + i)),
		    0);
	assert_int_equal(breaker_fail(&breaker, true, at(40010)), 1000);
}

static void
a_success_begins_the_count_anew(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(fail_often(&breaker, 4, 0), 0);
		breaker_succeed(&breaker);
	}
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void
each_pause_is_twice_as_long(void **state)
{
	static const uint32_t pauses[] = { 2000, 4000, 8000, 16000, 32000,
	    60000, 60000, 60000 };
	struct breaker breaker = { 0 };

	(void)state;
	fail_often(&breaker, 5, 0);
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		breaker_try(&breaker);
		assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
		assert_int_equal(breaker_fail(&breaker, true, at(0)),
		    pauses[i]);
		assert_int_equal(breaker.state, BREAKER_OPEN);
	}
}

static void
it_does_not_grow_by_what_clients_cause(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	fail_often(&breaker, 5, 0);
	for (int i = 0; i < 10; i++) {
		breaker_try(&breaker);
		assert_int_equal(breaker_fail(&breaker, false, at(0)), 1000);
	}
}

static void
failures_while_it_is_open_are_old(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	fail_often(&breaker, 5, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(breaker_fail(&breaker, true, at(i)), 0);
	breaker_succeed(&breaker);
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void
a_success_closes_it_when_it_is_half_open(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	fail_often(&breaker, 5, 0);
	breaker_try(&breaker);
	breaker_succeed(&breaker);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	/* The next trouble begins at the beginning. */
	assert_int_equal(fail_often(&breaker, 5, 0), 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_in_ten_seconds_open_it),
		cmocka_unit_test(fewer_or_slower_ones_do_not),
		cmocka_unit_test(it_is_the_last_five_that_count),
		cmocka_unit_test(a_success_begins_the_count_anew),
		cmocka_unit_test(each_pause_is_twice_as_long),
		cmocka_unit_test(it_does_not_grow_by_what_clients_cause),
		cmocka_unit_test(failures_while_it_is_open_are_old),
		cmocka_unit_test(a_success_closes_it_when_it_is_half_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
