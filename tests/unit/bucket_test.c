/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/* How many of many attempts succeed, at which times. */

#include "base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Try so often at one time; how often it works. */
static unsigned
taken(struct bucket *bucket, const struct bucket_rate *rate, int64_t msec,
    unsigned times)
{
	const struct monotime now = { msec * 1000000 };
	unsigned count = 0;

	while (times-- > 0)
		count += bucket_take(bucket, rate, now);
	return count;
}

static void
a_burst_is_allowed_and_no_more(void **state)
{
	const struct bucket_rate rate = bucket_rate(100, 1000, 200);
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(taken(&bucket, &rate, 5000, 1000), 200);
	assert_int_equal(taken(&bucket, &rate, 5000, 1000), 0);
}

static void
it_fills_at_the_rate(void **state)
{
	const struct bucket_rate rate = bucket_rate(100, 1000, 200);
	struct bucket bucket = { 0 };

	(void)state;
	taken(&bucket, &rate, 5000, 1000);
	assert_int_equal(taken(&bucket, &rate, 5009, 1000), 0);
	assert_int_equal(taken(&bucket, &rate, 5010, 1000), 1);
	assert_int_equal(taken(&bucket, &rate, 5510, 1000), 50);
	assert_int_equal(taken(&bucket, &rate, 9000, 1000), 200);
}

static void
who_stays_below_the_rate_is_never_refused(void **state)
{
	const struct bucket_rate rate = bucket_rate(10, 1000, 1);
	struct bucket bucket = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(taken(&bucket, &rate, 1000 + i * 100, 1), 1);
}

static void
the_first_second_of_a_machine_has_a_burst(void **state)
{
	const struct bucket_rate rate = bucket_rate(1, 1000, 3);
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(taken(&bucket, &rate, 0, 10), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_allowed_and_no_more),
		cmocka_unit_test(it_fills_at_the_rate),
		cmocka_unit_test(who_stays_below_the_rate_is_never_refused),
		cmocka_unit_test(the_first_second_of_a_machine_has_a_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
