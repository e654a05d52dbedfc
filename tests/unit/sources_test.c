/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of sources against one that does the same the slow way, over
 * sequences of operations that are made up from fixed seeds.
 */

#include "frontend/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	CAPACITY = 16,
	ORIGINS = 40,		/* that take part, of two services */
	STEPS = 20000,
	CROWD = 1 << 12,
	CHAIN_MAX = 16,		/* with as many sources as chains */
};

static const uint64_t secrets[][SOURCES_SECRET] = {
	{ 0 },			/* all in one chain */
	{ UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xbf58476d1ce4e5b9),
	    UINT64_C(0x94d049bb133111eb), UINT64_C(0xd6e8feb86659fd93),
	    UINT64_C(0xff51afd7ed558ccd), UINT64_C(0xc4ceb9fe1a85ec53),
	    UINT64_C(0xa0761d6478bd642f), UINT64_C(0xe7037ed1a0b428db) },
	{ UINT64_C(0x8ebc6af09c88c6e3), UINT64_C(0x589965cc75374cc3),
	    UINT64_C(0x1d8e4e27c47d124f), UINT64_C(0xeb44accab455d165),
	    UINT64_C(0x2127599bf4325c37), UINT64_C(0x880355f21e6d1965),
	    UINT64_C(0x7fb5d329728ea185), UINT64_C(0x81dadef4bc2dd44d) },
};

enum {
	SECRETS = sizeof(secrets) / sizeof(secrets[0]),
};

/* What is known of an origin; seen orders those without a conversation. */
struct known {
	bool here;
	uint32_t active;
	uint64_t seen;
};

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* Of both families, in networks of which many share most bytes. */
static struct addr
origin(uint32_t i)
{
	struct addr addr = {
		.family = i % 3 == 0 ? ADDR_IP4 : ADDR_IP6,
	};

	addr.bytes[0] = 0x20;
	addr.bytes[3] = (uint8_t)i;
	if (addr.family == ADDR_IP6)
		addr.bytes[7] = (uint8_t)(i / 5);
	return addr;
}

static uint32_t
service(uint32_t i)
{
	return i % 2;
}

static struct source *
find(struct sources *sources, uint32_t i)
{
	const struct addr addr = origin(i);

	return sources_find(sources, service(i), &addr);
}

static struct source *
get(struct sources *sources, uint32_t i)
{
	const struct addr addr = origin(i);

	return sources_get(sources, service(i), &addr);
}

static uint32_t
count_here(const struct known *all)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ORIGINS; i++)
		count += all[i].here;
	return count;
}

/* The one that has to go first; NULL when all have conversations. */
static struct known *
oldest(struct known *all)
{
	struct known *found = NULL;

	for (uint32_t i = 0; i < ORIGINS; i++)
		if (all[i].here && all[i].active == 0 &&
		    (found == NULL || all[i].seen < found->seen))
			found = &all[i];
	return found;
}

static bool
model_get(struct known *all, uint32_t i, uint64_t now)
{
	if (!all[i].here && count_here(all) == CAPACITY) {
		struct known *victim = oldest(all);

		if (victim == NULL)
			return false;
		victim->here = false;
	}
	if (!all[i].here)
		all[i] = (struct known){ .here = true };
	all[i].seen = now;
	return true;
}

static void
compare(struct sources *sources, struct known *all, uint64_t step)
{
	for (uint32_t i = 0; i < ORIGINS; i++) {
		const struct source *source = find(sources, i);

		if ((source != NULL) != all[i].here ||
		    (source != NULL && source->active != all[i].active))
			fail_msg("step %llu, origin %u",
			    (unsigned long long)step, i);
	}
	if (sources_full(sources) !=
	    (count_here(all) == CAPACITY && oldest(all) == NULL))
		fail_msg("step %llu: full", (unsigned long long)step);
}

/* holds: how many of 8 operations begin a conversation. */
static void
step_do(struct sources *sources, struct known *all, uint64_t *random,
    uint64_t step, uint32_t holds)
{
	uint32_t i = next_random(random) % ORIGINS;
	uint32_t what = next_random(random) % 8;
	struct source *source;

	if (what < holds || what >= 6) {
		source = get(sources, i);
		assert_int_equal(source != NULL, model_get(all, i, step));
		if (source == NULL || what >= holds)
			return;
		sources_hold(sources, source);
		all[i].active++;
		return;
	}
	source = find(sources, i);
	assert_int_equal(source != NULL, all[i].here);
	if (source == NULL)
		return;
	/* Also of one that has none, which must change nothing. */
	sources_release(sources, source);
	if (all[i].active > 0 && --all[i].active == 0)
		all[i].seen = step;
}

static void
it_is_the_same_as_the_naive_one(void **state)
{
	(void)state;
	for (uint32_t s = 0; s < SECRETS; s++) {
		for (uint32_t holds = 0; holds < 6; holds++) {
			struct known all[ORIGINS] = { 0 };
			struct sources sources;
			uint64_t random = s * 100 + holds + 1;

			assert_int_equal(sources_init(&sources, CAPACITY,
			    secrets[s]), 0);
			for (uint64_t step = 1; step <= STEPS; step++) {
				step_do(&sources, all, &random, step, holds);
				compare(&sources, all, step);
			}
			sources_fini(&sources);
		}
	}
}

static void
who_has_a_conversation_is_never_forgotten(void **state)
{
	struct sources sources;

	(void)state;
	assert_int_equal(sources_init(&sources, CAPACITY, secrets[1]), 0);
	for (uint32_t i = 0; i < CAPACITY; i++)
		sources_hold(&sources, get(&sources, i));
	assert_true(sources_full(&sources));
	assert_null(get(&sources, CAPACITY));
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_int_equal(find(&sources, i)->active, 1);
	/* One ends: it is the only one that makes room. */
	sources_release(&sources, find(&sources, 5));
	assert_false(sources_full(&sources));
	assert_non_null(get(&sources, CAPACITY));
	assert_null(find(&sources, 5));
	sources_fini(&sources);
}

static void
one_that_is_new_has_nothing_of_the_one_before(void **state)
{
	const struct bucket_rate rate = bucket_rate(1, 1000, 1);
	struct sources sources;
	struct source *source;

	(void)state;
	assert_int_equal(sources_init(&sources, 2, secrets[1]), 0);
	source = get(&sources, 1);
	assert_true(bucket_take(&source->bucket, &rate,
	    (struct monotime){ 1000 }));
	get(&sources, 2);
	get(&sources, 3);
	assert_null(find(&sources, 1));
	source = get(&sources, 1);
	assert_int_equal(source->bucket.settled.nsec, 0);
	assert_int_equal(source->active, 0);
	sources_fini(&sources);
}

static void
a_source_of_one_service_is_none_of_another(void **state)
{
	const struct addr addr = origin(1);
	struct sources sources;
	struct source *source;

	(void)state;
	assert_int_equal(sources_init(&sources, CAPACITY, secrets[1]), 0);
	source = sources_get(&sources, 0, &addr);
	assert_null(sources_find(&sources, 1, &addr));
	assert_ptr_not_equal(sources_get(&sources, 1, &addr), source);
	assert_ptr_equal(sources_find(&sources, 0, &addr), source);
	sources_fini(&sources);
}

static uint32_t
longest_chain(const struct sources *sources)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < sources->capacity; i++) {
		uint32_t len = 0;

		for (uint32_t at = sources->chains[i]; at != 0;
		    at = sources->all[at].next)
			len++;
		if (len > longest)
			longest = len;
	}
	return longest;
}

/* Addresses whose bytes repeat the number, with these factors, in 32 bits. */
static struct addr
related(uint32_t number, const uint32_t factors[4])
{
	struct addr addr = { .family = ADDR_IP6 };

	for (size_t i = 0; i < 4; i++) {
		uint32_t word = number * factors[i];

		memcpy(&addr.bytes[i * sizeof(word)], &word, sizeof(word));
	}
	return addr;
}

static void
nobody_finds_a_long_chain_without_the_secret(void **state)
{
	/* Single bits of the number change several bytes at once. */
	static const uint32_t factors[][4] = {
		{ 1, 0, 0, 0 },
		{ 1u << 20, 0, 0, 0 },
		{ 0, 0, 1u << 20, 1u << 20 },
		{ 1u << 19, 1u << 19, 0, 0 },
		{ 1u << 17, 1u << 17, 1u << 17, 1u << 17 },
		{ 0, 0, 1, UINT32_MAX },
		{ 0, 0, 1, 65537 },
		{ 0, 0, 65536, 1 },
	};

	(void)state;
	for (size_t f = 0; f < sizeof(factors) / sizeof(factors[0]); f++) {
		for (size_t s = 1; s < SECRETS; s++) {
			struct sources sources;

			assert_int_equal(sources_init(&sources, CROWD,
			    secrets[s]), 0);
			for (uint32_t i = 0; i < CROWD; i++) {
				const struct addr addr = related(i,
				    factors[f]);

				sources_get(&sources, 0, &addr);
			}
			if (longest_chain(&sources) > CHAIN_MAX)
				fail_msg("family %zu: %u", f,
				    longest_chain(&sources));
			sources_fini(&sources);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_same_as_the_naive_one),
		cmocka_unit_test(who_has_a_conversation_is_never_forgotten),
		cmocka_unit_test(one_that_is_new_has_nothing_of_the_one_before),
		cmocka_unit_test(a_source_of_one_service_is_none_of_another),
		cmocka_unit_test(nobody_finds_a_long_chain_without_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
