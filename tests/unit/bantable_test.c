/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of bans against one that does the same the slow way, over
 * sequences of operations that are made up from fixed seeds.
 */

#include "base/bantable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/origin.h"

enum {
	SEEDS = 40,
	STEPS = 1500,
	MODEL_MAX = 512,
	NEWS_MAX = 8,		/* as many are told at a time */
	PEERS = 48,
};

/* One ban, as the model has it. */
struct known {
	struct addr net;
	unsigned bits;
	int64_t until;
	bool untold;
	uint64_t noted;		/* when that was, to order the news */
};

struct model {
	struct known all[MODEL_MAX];
	size_t count;
	uint64_t notes;
};

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/*
 * Of every family, of few networks, so that lengths meet: the bytes that differ
 * are both near the beginning and at the end.
 */
static struct addr
peer_make(uint32_t i)
{
	struct addr peer = { .family = ADDR_IP4 };

	switch (i % 8) {
	case 0:
		return addr_from_cred(100 + i, i / 16, i);
	case 1:
		return addr_from_vsock(i / 16, 1000 + i);
	case 2:
	case 3:
	case 4:
		peer.family = ADDR_IP6;
		peer.bytes[0] = 0x20;
		peer.bytes[7] = (uint8_t)(i / 12);
		peer.bytes[15] = (uint8_t)i;
		break;
	default:
		peer.bytes[0] = 10;
		peer.bytes[1] = (uint8_t)(i / 24);
		peer.bytes[3] = (uint8_t)(i * 37);
	}
	peer.port = (uint16_t)(1024 + i);
	return peer;
}

static unsigned
bits_make(const struct addr *peer, uint32_t random)
{
	static const unsigned bits4[] = { 0, 8, 9, 16, 24, 25, 30, 31, 32 };
	static const unsigned bits6[] = { 0, 8, 48, 56, 63, 64, 65, 127, 128 };
	const size_t count = sizeof(bits4) / sizeof(bits4[0]);

	switch (peer->family) {
	case ADDR_IP4:
		return bits4[random % count];
	case ADDR_IP6:
		return bits6[random % count];
	default:
		return BAN_BITS - 1;
	}
}

/* Bit by bit, or user by user. */
static bool
is_in(const struct known *known, const struct addr *peer)
{
	const struct addr *net = &known->net;

	if (peer->family != net->family)
		return false;
	if (peer->family == ADDR_UNIX)
		return addr_cred(peer).uid == addr_cred(net).uid;
	if (peer->family == ADDR_VSOCK)
		return addr_vsock(peer).cid == addr_vsock(net).cid;
	for (unsigned bit = 0; bit < known->bits; bit++) {
		unsigned differ = peer->bytes[bit / 8] ^ net->bytes[bit / 8];

		if ((differ & 0x80u >> bit % 8) != 0)
			return false;
	}
	return true;
}

static bool
is_same(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static struct known *
model_find(struct model *model, const struct addr *net, unsigned bits)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->all[i].bits == bits &&
		    is_same(&model->all[i].net, net))
			return &model->all[i];
	return NULL;
}

static void
model_remove(struct model *model, struct known *known)
{
	*known = model->all[--model->count];
}

/* How long a peer is banned; 0: it is not. */
static int64_t
model_match(const struct model *model, const struct addr *peer, int64_t now)
{
	int64_t until = 0;

	for (size_t i = 0; i < model->count; i++)
		if (is_in(&model->all[i], peer) &&
		    model->all[i].until > now && model->all[i].until > until)
			until = model->all[i].until;
	return until;
}

static struct known *
model_first(struct model *model)
{
	struct known *first = NULL;

	for (size_t i = 0; i < model->count; i++)
		if (first == NULL || model->all[i].until < first->until)
			first = &model->all[i];
	return first;
}

static struct known *
model_news(struct model *model)
{
	struct known *first = NULL;

	for (size_t i = 0; i < model->count; i++)
		if (model->all[i].untold && (first == NULL ||
		    model->all[i].noted < first->noted))
			first = &model->all[i];
	return first;
}

/* Both have the same, in the order of their ends. */
static void
compare(struct bantable *table, struct model *model, int64_t now)
{
	size_t count = 0;
	int64_t before = 0;

	for (struct ban *ban = bantable_first(table); ban != NULL;
	    ban = bantable_next(ban)) {
		const struct known *known = model_find(model, &ban->net,
		    ban->bits);

		assert_non_null(known);
		assert_int_equal(ban->until.nsec, known->until);
		assert_int_equal(ban->untold, known->untold);
		assert_true(before <= ban->until.nsec);
		before = ban->until.nsec;
		count++;
	}
	assert_int_equal(count, model->count);
	assert_int_equal(table->count, model->count);
	for (uint32_t i = 0; i < PEERS; i++) {
		const struct addr peer = peer_make(i);
		const struct ban *ban = bantable_match(table, &peer,
		    (struct monotime){ now });

		assert_int_equal(ban != NULL ? ban->until.nsec : 0,
		    model_match(model, &peer, now));
	}
}

static void
step_add(struct bantable *table, struct model *model, uint64_t *random,
    int64_t now)
{
	const struct addr peer = peer_make(next_random(random) % PEERS);
	unsigned bits = bits_make(&peer, next_random(random));
	const struct addr net = origin_of(&peer, bits, bits);
	/* Some end together, some are over. */
	int64_t until = now + 1 + next_random(random) % 60 * 10 - 50;
	struct known *known = model_find(model, &net, bits);
	struct ban *ban = bantable_add(table, &net, bits,
	    (struct monotime){ until });

	assert_non_null(ban);
	if (known == NULL) {
		known = &model->all[model->count++];
		*known = (struct known){ net, bits, until, false, 0 };
	} else if (until > known->until) {
		known->until = until;
	}
	if (next_random(random) % 2 == 0)
		return;
	bantable_note(table, ban);
	if (!known->untold)
		known->noted = ++model->notes;
	known->untold = true;
}

static void
step_remove(struct bantable *table, struct model *model, uint64_t *random)
{
	const struct addr peer = peer_make(next_random(random) % PEERS);
	unsigned bits = bits_make(&peer, next_random(random));
	const struct addr net = origin_of(&peer, bits, bits);
	struct known *known = model_find(model, &net, bits);
	struct ban *ban = bantable_find(table, &net, bits);

	assert_int_equal(ban != NULL, known != NULL);
	if (known == NULL)
		return;
	bantable_remove(table, ban);
	model_remove(model, known);
}

/* In the order in which they were noted. */
static void
step_tell(struct bantable *table, struct model *model)
{
	for (int i = 0; i < NEWS_MAX; i++) {
		struct known *known = model_news(model);
		struct ban *ban = TAILQ_FIRST(&table->news);

		assert_int_equal(ban != NULL, known != NULL);
		if (known == NULL)
			return;
		assert_true(is_same(&ban->net, &known->net));
		assert_int_equal(ban->bits, known->bits);
		bantable_told(table, ban);
		known->untold = false;
	}
}

static void
step_expire(struct bantable *table, struct model *model, int64_t now)
{
	struct known *known;

	while ((known = model_first(model)) != NULL && known->until <= now) {
		struct ban *ban = bantable_first(table);

		assert_int_equal(ban->until.nsec, known->until);
		/* Of several that end together it may be any. */
		model_remove(model, model_find(model, &ban->net, ban->bits));
		bantable_remove(table, ban);
	}
}

static void
it_is_the_same_as_the_naive_one(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct model model = { .count = 0 };
		struct bantable table;
		uint64_t random = seed;
		int64_t now = 100;

		bantable_init(&table);
		for (int step = 0; step < STEPS; step++) {
			uint32_t what = next_random(&random) % 8;

			if (what < 4)
				step_add(&table, &model, &random, now);
			else if (what == 4)
				step_remove(&table, &model, &random);
			else if (what == 5)
				step_tell(&table, &model);
			else if (what == 6)
				step_expire(&table, &model, now);
			else
				now += next_random(&random) % 30;
			compare(&table, &model, now);
		}
		bantable_fini(&table);
	}
}

/* The i-th of many single addresses. */
static struct addr
single(uint32_t i)
{
	struct addr net = { .family = ADDR_IP4 };

	for (int byte = 0; byte < 4; byte++)
		net.bytes[byte] = (uint8_t)(i >> (24 - 8 * byte));
	return net;
}

static struct ban *
single_add(struct bantable *table, uint32_t i, int64_t until)
{
	const struct addr net = single(i);

	return bantable_add(table, &net, 32, (struct monotime){ until });
}

static bool
single_is_in(const struct bantable *table, uint32_t i)
{
	const struct addr net = single(i);

	return bantable_match(table, &net, (struct monotime){ 0 }) != NULL;
}

static void
in_a_full_one_those_that_would_end_first_make_room(void **state)
{
	/* No order of addresses is that of the ends. */
	const uint32_t stride = 40503;
	struct bantable table;

	(void)state;
	bantable_init(&table);
	for (uint32_t i = 0; i < BANS_MAX; i++)
		bantable_note(&table, single_add(&table, i * stride % BANS_MAX,
		    1000 + i));
	assert_int_equal(table.count, BANS_MAX);
	/* One that is there already takes no room. */
	single_add(&table, 0, 500000);
	assert_int_equal(table.count, BANS_MAX);
	for (uint32_t i = 1; i <= 1000; i++) {
		assert_true(single_is_in(&table, i * stride % BANS_MAX));
		assert_non_null(single_add(&table, BANS_MAX + i, 600000 + i));
		assert_false(single_is_in(&table, i * stride % BANS_MAX));
		assert_true(single_is_in(&table, BANS_MAX + i));
	}
	assert_true(single_is_in(&table, 0));
	assert_true(single_is_in(&table, 1001 * stride % BANS_MAX));
	assert_int_equal(table.count, BANS_MAX);
	bantable_fini(&table);
}

static void
a_ban_is_over_at_its_end_and_not_before(void **state)
{
	const struct addr net = single(7);
	struct bantable table;

	(void)state;
	bantable_init(&table);
	single_add(&table, 7, 5000);
	assert_non_null(bantable_match(&table, &net,
	    (struct monotime){ 4999 }));
	assert_null(bantable_match(&table, &net, (struct monotime){ 5000 }));
	/* It can be longer, and is not made shorter. */
	single_add(&table, 7, 4000);
	assert_int_equal(bantable_find(&table, &net, 32)->until.nsec, 5000);
	single_add(&table, 7, 6000);
	assert_int_equal(bantable_find(&table, &net, 32)->until.nsec, 6000);
	assert_int_equal(table.count, 1);
	bantable_fini(&table);
}

static void
of_several_the_one_that_ends_last_counts(void **state)
{
	const struct addr peer = single(0x0a000001);
	struct bantable table;

	(void)state;
	bantable_init(&table);
	for (unsigned bits = 8; bits <= 32; bits += 8) {
		const struct addr net = origin_of(&peer, bits, bits);

		/* The middle ones last. */
		bantable_add(&table, &net, bits, (struct monotime){
			bits == 16 ? 900 : 100 + bits });
	}
	assert_int_equal(bantable_match(&table, &peer,
	    (struct monotime){ 1 })->bits, 16);
	assert_null(bantable_match(&table, &peer, (struct monotime){ 900 }));
	bantable_fini(&table);
}

static void
a_family_is_not_another_one(void **state)
{
	const struct addr all4 = { .family = ADDR_IP4 };
	const struct addr one6 = { .family = ADDR_IP6, .bytes = { 1 } };
	const struct addr user = addr_from_cred(1, 0, 1);
	struct bantable table;

	(void)state;
	bantable_init(&table);
	/* Everybody, of one family. */
	bantable_add(&table, &all4, 0, (struct monotime){ 100 });
	assert_true(single_is_in(&table, UINT32_MAX));
	assert_null(bantable_match(&table, &one6, (struct monotime){ 1 }));
	assert_null(bantable_match(&table, &user, (struct monotime){ 1 }));
	bantable_fini(&table);
}

static void
each_cause_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(ban_cause_name(BAN_TRAP), "trap");
	assert_string_equal(ban_cause_name(BAN_PER_SOURCE), "per_source");
	assert_string_equal(ban_cause_name(BAN_PER_SOURCE_RATE),
	    "per_source_rate");
	assert_string_equal(ban_cause_name(BAN_OPERATOR), "operator");
	assert_null(ban_cause_name(BAN_CAUSES));
	assert_null(ban_cause_name(UINT32_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_same_as_the_naive_one),
		cmocka_unit_test(
		    in_a_full_one_those_that_would_end_first_make_room),
		cmocka_unit_test(a_ban_is_over_at_its_end_and_not_before),
		cmocka_unit_test(of_several_the_one_that_ends_last_counts),
		cmocka_unit_test(a_family_is_not_another_one),
		cmocka_unit_test(each_cause_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
