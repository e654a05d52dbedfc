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

#include "conf/transport.h"

enum {
	LISTENERS = 8,
	ROUNDS = 40000,
};

static bool
is_wildcard(const struct conf_listen *listen)
{
	return addr_is_any(&listen->addr) ||
	    (listen->transport == CONF_VSOCK &&
	    addr_vsock(&listen->addr).cid == UINT32_MAX);
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

/* One path is one file; of abstract names each type has its own. */
static bool
same_path(const struct listener *a, const struct listener *b)
{
	return a->listen.path.offset == b->listen.path.offset &&
	    a->abstract == b->abstract &&
	    (!a->abstract || a->listen.transport == b->listen.transport);
}

static bool
covers_port(const struct listener *a, const struct listener *b)
{
	const struct conf_listen *x = &a->listen;
	const struct conf_listen *y = &b->listen;

	if (x->transport == CONF_VSOCK)
		return addr_vsock(&x->addr).port == addr_vsock(&y->addr).port;
	return x->addr.port == y->addr.port && x->addr.port != 0 &&
	    a->interface.offset == b->interface.offset &&
	    !(a->reuse_port && b->reuse_port);
}

static bool
conflict(const struct listener *a, const struct listener *b)
{
	if (transport_is_unix(a->listen.transport) &&
	    transport_is_unix(b->listen.transport))
		return same_path(a, b);
	if (a->listen.transport != b->listen.transport)
		return false;
	if (a->listen.transport == CONF_FD)
		return a->listen.path.offset == b->listen.path.offset &&
		    a->listen.addr.port == b->listen.addr.port;
	return covers_port(a, b) && (covers(&a->listen, &b->listen) ||
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

static void
choose_ip(struct listener *listener)
{
	static const char *const hosts[] = { "0.0.0.0", "127.0.0.1",
		"127.0.0.2", "::", "::1" };
	const char *host = hosts[rand() % 5];

	addr_parse(&listener->listen.addr, host, strlen(host));
	listener->listen.addr.port = (uint16_t)(rand() % 3);
	if (strcmp(host, "::") == 0)
		listener->listen.v6 =
		    rand() % 2 == 0 ? CONF_V6_DUAL : CONF_V6_ONLY;
}

static void
choose_vsock(struct listener *listener)
{
	static const uint32_t cids[] = { 1, 2, UINT32_MAX };

	listener->listen.addr = addr_from_vsock(cids[rand() % 3],
	    (uint32_t)(rand() % 2));
}

/* Offset 8 is a path or name, 16 an abstract name or another name. */
static struct listener
random_listener(void)
{
	static const uint8_t transports[] = { CONF_TCP, CONF_TCP, CONF_UDP,
		CONF_UNIX, CONF_UNIX_DGRAM, CONF_UNIX_SEQPACKET, CONF_VSOCK,
		CONF_FD };
	struct listener listener = {
		.listen.transport = transports[rand() % 8],
		.reuse_port = rand() % 2 == 0,
		.interface.offset = rand() % 4 == 0 ? 8 : 0,
	};

	if (listener.listen.transport == CONF_VSOCK) {
		choose_vsock(&listener);
	} else if (transport_is_ip(listener.listen.transport)) {
		choose_ip(&listener);
	} else {
		bool second = rand() % 2 == 0;

		listener.listen.path.offset = second ? 16 : 8;
		listener.abstract = second &&
		    transport_is_unix(listener.listen.transport);
	}
	if (listener.listen.transport == CONF_FD)
		listener.listen.addr.port = (uint16_t)(rand() % 2);
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
