/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How many of many attempts succeed, at which times; and what holds for all
 * sequences of attempts, over those made up from fixed seeds.
 */

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

static void
days_of_rest_are_worth_one_burst(void **state)
{
	const struct bucket_rate rate = bucket_rate(1, 1000, 3);
	const int64_t msec_max = INT64_MAX / 4 / 1000000;
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(taken(&bucket, &rate, 0, 10), 3);
	assert_int_equal(taken(&bucket, &rate, msec_max, 10), 3);
	assert_int_equal(taken(&bucket, &rate, msec_max + 999, 10), 0);
	assert_int_equal(taken(&bucket, &rate, msec_max + 1000, 10), 1);
}

static void
the_largest_bucket_overflows_nothing(void **state)
{
	/* As large as a configuration can have it. */
	const struct bucket_rate rate = { .nsec = INT64_MAX / 4 / 1000000,
		.burst = 1000000 };
	struct bucket bucket = { 0 };
	const struct monotime late = { INT64_MAX / 4 };

	(void)state;
	for (uint32_t i = 0; i < rate.burst; i++)
		assert_true(bucket_take(&bucket, &rate, late));
	assert_false(bucket_take(&bucket, &rate, late));
	assert_int_equal(bucket_when(&bucket, &rate).nsec,
	    late.nsec + rate.nsec);
}

enum {
	SEQUENCES = 300,
	ATTEMPTS = 400,
};

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* Most at once, some about as far apart as the rate has them, few far away. */
static int64_t
next_pause(uint64_t *random, int64_t nsec)
{
	switch (next_random(random) % 8) {
	case 0:
		return nsec * (next_random(random) % 50);
	case 1:
		return nsec;
	case 2:
		return nsec - 1;
	case 3:
	case 4:
		return next_random(random) % (nsec + 1);
	default:
		return 0;
	}
}

struct sequence {
	struct bucket_rate rate;
	int64_t taken[ATTEMPTS]; /* the times of those that succeeded */
	uint32_t count;
};

/* Tokens are counted, in as many parts as a token takes nanoseconds. */
static bool
model_take(int64_t *parts, int64_t passed, const struct bucket_rate *rate)
{
	int64_t full = rate->burst * rate->nsec;

	*parts += passed < full - *parts ? passed : full - *parts;
	if (*parts < rate->nsec)
		return false;
	*parts -= rate->nsec;
	return true;
}

static struct sequence
sequence_make(uint64_t seed)
{
	uint64_t random = seed;
	struct sequence seq = { .rate = bucket_rate(
	    1 + next_random(&random) % 1000, 1 + next_random(&random) % 100000,
	    1 + next_random(&random) % 20) };
	int64_t parts = seq.rate.burst * seq.rate.nsec;
	struct bucket bucket = { 0 };
	/* From the first moment of the machine, and later. */
	int64_t now = seed % 2 == 0 ? 0 : next_random(&random);
	int64_t pause = 0;

	for (int i = 0; i < ATTEMPTS; i++) {
		const struct bucket before = bucket;
		bool ready = bucket_when(&bucket, &seq.rate).nsec <= now;
		bool took = bucket_take(&bucket, &seq.rate,
		    (struct monotime){ now });

		assert_int_equal(took, ready);
		assert_int_equal(took, model_take(&parts, pause, &seq.rate));
		if (took)
			seq.taken[seq.count++] = now;
		else
			assert_int_equal(bucket.settled.nsec,
			    before.settled.nsec);
		pause = next_pause(&random, seq.rate.nsec);
		now += pause;
	}
	return seq;
}

static void
it_is_the_same_as_a_count_of_tokens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEQUENCES; seed++)
		assert_true(sequence_make(seed).count > 0);
}

static void
no_window_has_more_than_burst_and_rate(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
		const struct sequence seq = sequence_make(seed);

		for (uint32_t i = 0; i < seq.count; i++)
			for (uint32_t j = i; j < seq.count; j++)
				assert_true(j - i + 1 <= seq.rate.burst +
				    (seq.taken[j] - seq.taken[i]) /
				    seq.rate.nsec);
	}
}

static void
a_rate_is_never_exceeded_by_rounding(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint32_t msec = 1 + next_random(&random) % 1000000;
		uint32_t count = 1 + next_random(&random) % 1000000;
		const struct bucket_rate rate = bucket_rate(count, msec, 1);
		int64_t interval = (int64_t)msec * 1000000;

		assert_true(rate.nsec * count >= interval);
		assert_true((rate.nsec - 1) * count < interval);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_allowed_and_no_more),
		cmocka_unit_test(it_fills_at_the_rate),
		cmocka_unit_test(who_stays_below_the_rate_is_never_refused),
		cmocka_unit_test(the_first_second_of_a_machine_has_a_burst),
		cmocka_unit_test(days_of_rest_are_worth_one_burst),
		cmocka_unit_test(the_largest_bucket_overflows_nothing),
		cmocka_unit_test(it_is_the_same_as_a_count_of_tokens),
		cmocka_unit_test(no_window_has_more_than_burst_and_rate),
		cmocka_unit_test(a_rate_is_never_exceeded_by_rounding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
