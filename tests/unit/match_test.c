/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Which listener goes on as which: a table, and a comparison with a search of
 * all pairs over generated listeners.
 */

#include "main/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	ITEMS = 6,
	GENERATED = 14,
	ROUNDS = 20000,
	MANY = 10000,
	NONE = -1,
};

#define ID(fam, p, host, ...)						\
	.id = { .addr = { .family = fam, .port = p, .bytes = { host } }, \
	    .path = "", __VA_ARGS__ }
/* A socket of a service on address n and a port; present: as bound. */
#define TCP(svc, n, port) TCP_ON("", svc, n, port)
#define TCP_ON(lo, svc, n, port)					\
	{ ID(ADDR_IP4, port, n, .interface = lo), .service = svc,	\
	    .bound_port = port }
/* One whose port the kernel chose. */
#define CHOSEN(svc, n, port)						\
	{ ID(ADDR_IP4, 0, n, .interface = ""), .service = svc,		\
	    .bound_port = port }
#define MPTCP(svc, n, port)						\
	{ ID(ADDR_IP4, port, n, .interface = "", .mptcp = true),	\
	    .service = svc, .bound_port = port }
/* One with something special about it. */
#define TCP6(svc, n, port, ...)						\
	{ ID(ADDR_IP6, port, n, .interface = "", __VA_ARGS__),		\
	    .service = svc, .bound_port = port }
#define UNIX(svc, p)							\
	{ .id = { .transport = CONF_UNIX, .path = p, .interface = "" },	\
	    .service = svc }

struct row {
	const char *name;
	struct match_item wanted[ITEMS]; /* up to one without a service */
	struct match_item present[ITEMS];
	int other[ITEMS];	/* of those wanted */
};

static const struct row rows[] = {
	{ "nothing", { { .service = NULL } }, { { .service = NULL } }, { 0 } },
	{ "all is new", { TCP("a", 1, 80), UNIX("a", "/x") },
	    { { .service = NULL } }, { NONE, NONE } },
	{ "all is old", { { .service = NULL } },
	    { TCP("a", 1, 80), UNIX("a", "/x") }, { 0 } },
	{ "the same in another order",
	    { TCP("a", 1, 80), UNIX("a", "/x"), TCP("a", 2, 80) },
	    { TCP("a", 2, 80), TCP("a", 1, 80), UNIX("a", "/x") },
	    { 1, 2, 0 } },
	{ "from one service to another", { TCP("b", 1, 80), UNIX("b", "/x") },
	    { UNIX("a", "/x"), TCP("a", 1, 80) }, { 1, 0 } },
	{ "two services change places", { TCP("b", 1, 80), TCP("a", 2, 80) },
	    { TCP("a", 1, 80), TCP("b", 2, 80) }, { 0, 1 } },
	{ "another port", { TCP("a", 1, 80) }, { TCP("a", 1, 81) }, { NONE } },
	{ "another address", { TCP("a", 1, 80) }, { TCP("a", 2, 80) },
	    { NONE } },
	{ "another path", { UNIX("a", "/x") }, { UNIX("a", "/y") }, { NONE } },
	{ "another family", { TCP("a", 0, 80) },
	    { TCP6("a", 0, 80, .v6 = CONF_V6_NONE) }, { NONE } },
	{ "both families and one", { TCP6("a", 0, 80, .v6 = CONF_V6_DUAL) },
	    { TCP6("a", 0, 80, .v6 = CONF_V6_ONLY) }, { NONE } },
	{ "another protocol", { MPTCP("a", 1, 80) },
	    { TCP("a", 1, 80) }, { NONE } },
	{ "the same protocol", { MPTCP("a", 1, 80) },
	    { MPTCP("a", 1, 80) }, { 0 } },
	{ "another interface", { TCP_ON("lo", "a", 1, 80) },
	    { TCP("a", 1, 80), TCP_ON("eth0", "a", 1, 80) },
	    { NONE } },
	{ "the same interface", { TCP_ON("lo", "a", 1, 80) },
	    { TCP("a", 1, 80), TCP_ON("lo", "a", 1, 80) },
	    { 1 } },
	{ "another scope", { TCP6("a", 0xfe, 80, .addr.scope = 1) },
	    { TCP6("a", 0xfe, 80, .addr.scope = 2) }, { NONE } },
	{ "a path and a port", { UNIX("a", "") }, { TCP("a", 0, 0) },
	    { NONE } },

	{ "a chosen port stays", { CHOSEN("a", 1, 0) },
	    { CHOSEN("a", 1, 5000) }, { 0 } },
	{ "a chosen port stays with its service",
	    { CHOSEN("b", 1, 0), CHOSEN("a", 1, 0) },
	    { CHOSEN("a", 1, 5000), CHOSEN("b", 1, 5001) }, { 1, 0 } },
	{ "a chosen port goes to no other service", { CHOSEN("b", 1, 0) },
	    { CHOSEN("a", 1, 5000) }, { NONE } },
	{ "a chosen port that could not be bound", { CHOSEN("a", 1, 0) },
	    { CHOSEN("a", 1, 0) }, { 0 } },
	{ "a port is not chosen any more", { TCP("a", 1, 5000) },
	    { CHOSEN("a", 1, 5000) }, { 0 } },
	{ "nor is it by another service", { TCP("b", 1, 5000) },
	    { CHOSEN("a", 1, 5000) }, { 0 } },
	{ "another one was chosen", { TCP("a", 1, 5001) },
	    { CHOSEN("a", 1, 5000) }, { NONE } },
	{ "it was chosen on another address", { TCP("a", 2, 5000) },
	    { CHOSEN("a", 1, 5000) }, { NONE } },
	{ "who has it stays before who knows its number",
	    { TCP("a", 1, 5000), CHOSEN("a", 1, 0) },
	    { CHOSEN("a", 1, 5000) }, { NONE, 0 } },
	{ "the number finds it when nobody stays",
	    { CHOSEN("b", 1, 0), TCP("b", 1, 5000) },
	    { CHOSEN("a", 1, 5000) }, { NONE, 0 } },
	{ "any port is not any port", { CHOSEN("a", 1, 0) },
	    { TCP("a", 1, 5000) }, { NONE } },
	{ "several chosen ones", { CHOSEN("a", 1, 0), CHOSEN("a", 1, 0) },
	    { CHOSEN("a", 1, 5000), CHOSEN("a", 1, 5001) }, { 0, 1 } },

	{ "several on one port", { TCP("a", 1, 80), TCP("b", 1, 80) },
	    { TCP("b", 1, 80), TCP("a", 1, 80) }, { 1, 0 } },
	{ "several of one service", { TCP("a", 1, 80), TCP("a", 1, 80) },
	    { TCP("a", 1, 80), TCP("a", 1, 80) }, { 0, 1 } },
	{ "one more", { TCP("a", 1, 80), TCP("a", 1, 80) },
	    { TCP("a", 1, 80) }, { 0, NONE } },
	{ "one less", { TCP("b", 1, 80) },
	    { TCP("a", 1, 80), TCP("b", 1, 80) }, { 1 } },
	{ "the service keeps its own", { TCP("c", 1, 80), TCP("a", 1, 80) },
	    { TCP("a", 1, 80), TCP("b", 1, 80) }, { 1, 0 } },
};

static uint32_t
items_count(const struct match_item *items)
{
	uint32_t n = 0;

	while (n < ITEMS && items[n].service != NULL)
		n++;
	return n;
}

/* Both sides say the same, and nothing is there twice. */
static void
check_symmetry(const struct match_item *wanted, uint32_t wanted_count,
    const struct match_item *present, uint32_t present_count)
{
	uint32_t pairs = 0;

	for (uint32_t i = 0; i < wanted_count; i++) {
		if (wanted[i].other == MATCH_NONE)
			continue;
		assert_true(wanted[i].other < present_count);
		assert_int_equal(present[wanted[i].other].other, i);
		pairs++;
	}
	for (uint32_t i = 0; i < present_count; i++)
		pairs -= present[i].other != MATCH_NONE;
	assert_int_equal(pairs, 0);
}

static void
the_table_holds(void **state)
{
	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct row row = rows[r];
		uint32_t wanted = items_count(row.wanted);
		uint32_t present = items_count(row.present);

		/* What is wanted is not bound. */
		for (uint32_t i = 0; i < wanted; i++)
			row.wanted[i].bound_port = 0;
		assert_int_equal(match_listeners(row.wanted, wanted,
		    row.present, present), 0);
		check_symmetry(row.wanted, wanted, row.present, present);
		for (uint32_t i = 0; i < wanted; i++)
			if (row.wanted[i].other != (uint32_t)row.other[i])
				fail_msg("%s: %u is %d, not %d", row.name, i,
				    (int)row.wanted[i].other, row.other[i]);
	}
}

static bool
ids_equal(const struct listener_id *a, const struct listener_id *b)
{
	return a->transport == b->transport && a->v6 == b->v6 &&
	    a->mptcp == b->mptcp && a->addr.family == b->addr.family &&
	    a->addr.scope == b->addr.scope &&
	    memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes)) == 0 &&
	    strcmp(a->path, b->path) == 0 &&
	    strcmp(a->interface, b->interface) == 0;
}

/* How well two fit each other; each step is tried before the next. */
enum fit {
	FIT_SERVICE,		/* the same socket of the same service */
	FIT_SOCKET,
	FIT_NUMBER,		/* the kernel has chosen that port */
	FIT_NONE,
};

static enum fit
fit_of(const struct match_item *want, const struct match_item *have)
{
	uint16_t port = want->id.addr.port;

	if (!ids_equal(&want->id, &have->id))
		return FIT_NONE;
	if (port == have->id.addr.port &&
	    strcmp(want->service, have->service) == 0)
		return FIT_SERVICE;
	if (want->id.transport == CONF_TCP && port == 0)
		return FIT_NONE;
	if (port == have->id.addr.port)
		return FIT_SOCKET;
	return have->id.addr.port == 0 && port == have->bound_port ?
	    FIT_NUMBER : FIT_NONE;
}

static void
match_all_pairs(struct match_item *wanted, struct match_item *present,
    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		wanted[i].other = present[i].other = MATCH_NONE;
	for (enum fit fit = FIT_SERVICE; fit < FIT_NONE; fit++)
		for (uint32_t i = 0; i < count; i++)
			for (uint32_t k = 0; k < count &&
			    wanted[i].other == MATCH_NONE; k++)
				if (present[k].other == MATCH_NONE &&
				    fit_of(&wanted[i], &present[k]) == fit) {
					wanted[i].other = k;
					present[k].other = i;
				}
}

static struct match_item
random_item(bool present)
{
	static const char *const services[] = { "a", "b", "c" };
	static const char *const paths[] = { "", "/x", "/y" };
	struct match_item item = {
		.id = { .path = "", .interface = "" },
		.service = services[rand() % 3],
	};
	struct addr *addr = &item.id.addr;

	if (rand() % 5 == 0) {
		item.id.transport = CONF_UNIX;
		item.id.path = paths[1 + rand() % 2];
		/* One that was lost is nobody's. */
		if (present && rand() % 8 == 0)
			item.id.path = "";
		return item;
	}
	addr->family = rand() % 4 == 0 ? ADDR_IP6 : ADDR_IP4;
	addr->bytes[15 * (rand() % 2)] = (uint8_t)(rand() % 2);
	addr->port = (uint16_t)(rand() % 4);
	if (addr->family == ADDR_IP6)
		item.id.v6 = (uint8_t)(rand() % 3);
	item.id.mptcp = rand() % 10 == 0;
	if (rand() % 10 == 0)
		item.id.interface = "lo";
	if (present)
		item.bound_port = addr->port != 0 ? addr->port :
		    (uint16_t)(rand() % 4);
	return item;
}

/* How many pairs fit so well. */
static uint32_t
pairs_count(const struct match_item *wanted, const struct match_item *present,
    uint32_t count, enum fit fit)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		n += wanted[i].other != MATCH_NONE &&
		    fit_of(&wanted[i], &present[wanted[i].other]) == fit;
	return n;
}

static void
agrees_with_all_pairs(void **state)
{
	struct match_item wanted[GENERATED], present[GENERATED];
	struct match_item slow_wanted[GENERATED], slow_present[GENERATED];

	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < GENERATED; i++) {
			wanted[i] = random_item(false);
			present[i] = random_item(true);
		}
		memcpy(slow_wanted, wanted, sizeof(wanted));
		memcpy(slow_present, present, sizeof(present));
		match_all_pairs(slow_wanted, slow_present, GENERATED);
		assert_int_equal(match_listeners(wanted, GENERATED, present,
		    GENERATED), 0);
		check_symmetry(wanted, GENERATED, present, GENERATED);
		for (uint32_t i = 0; i < GENERATED; i++)
			if ((wanted[i].other == MATCH_NONE) !=
			    (slow_wanted[i].other == MATCH_NONE))
				fail_msg("round %d: item %u", round, i);
		for (enum fit fit = FIT_SERVICE; fit <= FIT_NONE; fit++)
			assert_int_equal(pairs_count(wanted, present,
			    GENERATED, fit), pairs_count(slow_wanted,
			    slow_present, GENERATED, fit));
		assert_int_equal(pairs_count(wanted, present, GENERATED,
		    FIT_NONE), 0);
	}
}

static void
many_are_matched(void **state)
{
	struct match_item *wanted = calloc(MANY, sizeof(*wanted));
	struct match_item *present = calloc(MANY, sizeof(*present));
	static char names[MANY][8];

	(void)state;
	assert_non_null(wanted);
	assert_non_null(present);
	/* Half of them on ports of their own, half on the same one. */
	for (uint32_t i = 0; i < MANY; i++) {
		uint16_t port = (uint16_t)(i % 2 == 0 ? i + 2 : 1);

		snprintf(names[i], sizeof(names[i]), "s%u", i);
		wanted[i] = (struct match_item)TCP(names[i], 1, port);
		present[MANY - 1 - i] = wanted[i];
	}
	assert_int_equal(match_listeners(wanted, MANY, present, MANY), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(wanted[i].other, MANY - 1 - i);
	/* None of the services is there any more. */
	for (uint32_t i = 0; i < MANY; i++)
		present[i].service = "old";
	assert_int_equal(match_listeners(wanted, MANY, present, MANY), 0);
	check_symmetry(wanted, MANY, present, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_not_equal(wanted[i].other, MATCH_NONE);
	free(wanted);
	free(present);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds),
		cmocka_unit_test(agrees_with_all_pairs),
		cmocka_unit_test(many_are_matched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
