/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/* Datagrams that wait: their order, and how many there may be. */

#include "frontend/packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t zeroes[65507];

static void
add(struct packets *pk, const char *text)
{
	assert_true(packets_add(pk, (const uint8_t *)text, strlen(text)));
}

static void
take(struct packets *pk, const char *text)
{
	const struct packet *first = packets_first(pk);

	assert_non_null(first);
	assert_int_equal(first->len, strlen(text));
	assert_memory_equal(first->bytes, text, first->len);
	packets_drop(pk);
}

static void
come_out_as_they_went_in(void **state)
{
	size_t total = 0;
	struct packets pk;

	(void)state;
	packets_init(&pk, &total);
	assert_null(packets_first(&pk));
	add(&pk, "one");
	add(&pk, "");
	add(&pk, "three");
	take(&pk, "one");
	take(&pk, "");
	take(&pk, "three");
	assert_null(packets_first(&pk));
	assert_int_equal(total, 0);
}

static void
a_queue_has_so_many(void **state)
{
	size_t total = 0;
	struct packets pk;

	(void)state;
	packets_init(&pk, &total);
	for (int i = 0; i < PACKETS_MAX; i++)
		add(&pk, "x");
	assert_false(packets_add(&pk, zeroes, 0));
	packets_drop(&pk);
	add(&pk, "y");
	packets_clear(&pk);
	assert_int_equal(total, 0);
}

static void
a_queue_has_so_many_bytes(void **state)
{
	size_t total = 0;
	struct packets pk;

	(void)state;
	packets_init(&pk, &total);
	for (int i = 0; i < 4; i++)
		assert_true(packets_add(&pk, zeroes, sizeof(zeroes)));
	assert_false(packets_add(&pk, zeroes,
	    PACKETS_BYTES_MAX - 4 * sizeof(zeroes) + 1));
	assert_true(packets_add(&pk, zeroes,
	    PACKETS_BYTES_MAX - 4 * sizeof(zeroes)));
	packets_clear(&pk);
}

/* Those without bytes take memory, too. */
static void
all_queues_have_so_many_bytes(void **state)
{
	enum { QUEUES = 200 };
	static struct packets pk[QUEUES];
	size_t total = 0;
	bool refused = false;

	(void)state;
	for (int i = 0; i < QUEUES; i++) {
		packets_init(&pk[i], &total);
		for (int j = 0; j < 4; j++)
			if (!packets_add(&pk[i], zeroes, sizeof(zeroes)))
				refused = true;
	}
	assert_true(refused);
	assert_true(total <= PACKETS_ALL_MAX);
	assert_true(total > PACKETS_ALL_MAX - 2 * sizeof(zeroes));
	for (int i = 0; i < QUEUES; i++)
		packets_clear(&pk[i]);
	assert_int_equal(total, 0);
}

static void
what_is_kept_may_be_more(void **state)
{
	size_t total = 0;
	struct packets pk;

	(void)state;
	packets_init(&pk, &total);
	for (int i = 0; i < 3 * PACKETS_MAX; i++)
		assert_true(packets_keep(&pk, zeroes, 1));
	assert_false(packets_add(&pk, zeroes, 1));
	packets_clear(&pk);
}

static void
joined_queues_keep_their_order(void **state)
{
	size_t total = 0;
	struct packets first, later;

	(void)state;
	packets_init(&first, &total);
	packets_init(&later, &total);
	add(&first, "a");
	add(&later, "b");
	packets_join(&first, &later);
	assert_null(packets_first(&later));
	assert_int_equal(first.count, 2);
	packets_join(&later, &first);
	add(&later, "c");
	take(&later, "a");
	take(&later, "b");
	take(&later, "c");
	assert_int_equal(later.bytes, 0);
	assert_int_equal(total, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_out_as_they_went_in),
		cmocka_unit_test(a_queue_has_so_many),
		cmocka_unit_test(a_queue_has_so_many_bytes),
		cmocka_unit_test(all_queues_have_so_many_bytes),
		cmocka_unit_test(what_is_kept_may_be_more),
		cmocka_unit_test(joined_queues_keep_their_order),
	};

	return cmocka_run_group_tests_name("packets", tests, NULL, NULL);
}
