/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners in each other's way, compared with a check of all pairs.
 *
 * The check under test need not name every pair: it must find something wrong
 * with exactly those sets in which there is a conflict, and complain about
 * the later listener of a pair that conflicts.
 */

#include "conf/overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	LISTENERS = 6,
	ROUNDS = 20000,
};

static bool
is_wildcard(const struct conf_listen *listen)
{
	return listen->transport == CONF_TCP && addr_is_any(&listen->addr);
}

/* Whether what a serves includes an address of b. */
static bool
covers(const struct conf_listen *a, const struct conf_listen *b)
{
	if (a->v6 == CONF_V6_DUAL)
		return true;
	if (is_wildcard(a))
		return a->addr.family == b->addr.family;
	return addr_equal(&a->addr, &b->addr);
}

static bool
conflict(const struct listener *a, const struct listener *b)
{
	if (a->listen.transport != b->listen.transport)
		return false;
	if (a->listen.transport == CONF_UNIX)
		return a->listen.path.offset == b->listen.path.offset;
	if (a->listen.addr.port != b->listen.addr.port ||
	    a->listen.addr.port == 0 ||
	    a->interface.offset != b->interface.offset)
		return false;
	return !(a->reuse_port && b->reuse_port) &&
	    (covers(&a->listen, &b->listen) ||
	    covers(&b->listen, &a->listen));
}

/* Whether a listener before this one conflicts with it. */
static bool
conflicts_before(const struct listener *items, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (conflict(&items[k], &items[i]))
			return true;
	return false;
}

static struct listener
random_listener(void)
{
	static const char *const hosts[] = { "0.0.0.0", "127.0.0.1",
		"127.0.0.2", "::", "::1" };
	struct listener listener = {
		.reuse_port = rand() % 2 == 0,
		.interface.offset = rand() % 4 == 0 ? 8 : 0,
	};

	if (rand() % 6 == 0) {
		listener.listen.transport = CONF_UNIX;
		listener.listen.path.offset = 8 + 8 * (uint32_t)(rand() % 2);
		return listener;
	}
	const char *host = hosts[rand() % 5];
	addr_parse(&listener.listen.addr, host, strlen(host));
	listener.listen.addr.port = (uint16_t)(rand() % 3);
	if (strcmp(host, "::") == 0)
		listener.listen.v6 =
		    rand() % 2 == 0 ? CONF_V6_DUAL : CONF_V6_ONLY;
	return listener;
}

/* Whether there is a complaint about listener i, which stands on line i+1. */
static bool
complained(const char *text, size_t i)
{
	char head[48];

	snprintf(head, sizeof(head), "f:%zu: listen: ", i + 1);
	return strstr(text, head) != NULL;
}

static void
check_round(const struct listeners *listeners, const struct conf *conf)
{
	static const struct conf_service service;
	struct complaints *complaints = complaints_new();
	bool wanted = false;

	complaints_add_file(complaints, "f");
	overlap_check(listeners, conf, &service, complaints);
	char *text = complaints_text(complaints);
	for (size_t i = 0; i < listeners->count; i++) {
		bool bad = conflicts_before(listeners->items, i);

		wanted = wanted || bad;
		if (complained(text, i) && !bad)
			fail_msg("listener %zu: %s", i, text);
	}
	assert_int_equal(complaints_errors(complaints) > 0, wanted);
	free(text);
	complaints_free(complaints);
}

static void
agrees_with_all_pairs(void **state)
{
	struct listener items[LISTENERS];
	struct listeners listeners = { items, LISTENERS, NULL };
	struct block *block = block_new();

	(void)state;
	srand(1);
	block_add_string(block, "some bytes that offsets may point to");
	for (int round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < LISTENERS; i++) {
			items[i] = random_listener();
			items[i].place.line = i + 1;
		}
		check_round(&listeners, block_conf(block));
	}
	block_free(block);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_all_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
