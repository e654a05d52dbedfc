/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tables of access rules, compared with a look at every entry.
 */

#include "base/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/rule.h"

#define COUNT(rows)	(sizeof(rows) / sizeof(*(rows)))

enum {
	ROUNDS = 3000,
	PEERS = 60,		/* of a round */
	NETS_MAX = 40,
	IDS_MAX = 8,
	GROUPS = 3,
	MANY = 50000,
	FEW = 200,
};

/* What a table is made of, in the order of a configuration. */
struct entries {
	struct acl_net *nets4;
	struct acl_net *nets6;
	size_t count4, count6;
	uint32_t uids[IDS_MAX];
	uint32_t gids[IDS_MAX];
	size_t uid_count, gid_count;
};

static void *
copied(const void *items, size_t size)
{
	void *copy = malloc(size + 1);

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, items, size);
	return copy;
}

/* The table, at an address of its own; the entries stay as they are. */
static void *
table_of(const struct entries *of, size_t *size)
{
	struct acl_source source = {
		.nets4 = copied(of->nets4, of->count4 * sizeof(*of->nets4)),
		.nets6 = copied(of->nets6, of->count6 * sizeof(*of->nets6)),
		.count4 = of->count4,
		.count6 = of->count6,
		.uids = copied(of->uids, sizeof(of->uids)),
		.gids = copied(of->gids, sizeof(of->gids)),
		.uid_count = of->uid_count,
		.gid_count = of->gid_count,
	};
	void *table = acl_make(&source, size);

	assert_non_null(table);
	/* It is independent of where it lies, and of what it is made of. */
	void *moved = copied(table, *size);
	memset(table, 0xee, *size);
	free(table);
	free(source.nets4);
	free(source.nets6);
	free(source.uids);
	free(source.gids);
	return moved;
}

static bool
bit_of(const uint8_t *bytes, unsigned i)
{
	return (bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool
net_has(const struct acl_net *net, const uint8_t *bytes)
{
	for (unsigned i = 0; i < net->bits; i++)
		if (bit_of(net->bytes, i) != bit_of(bytes, i))
			return false;
	return true;
}

static bool
id_is_in(const uint32_t *ids, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* What acl_match() should answer: the longest of all that match. */
static int
match_slowly(const struct entries *of, const struct addr *peer,
    const uint32_t *groups, size_t group_count)
{
	const struct acl_net *nets = peer->family == ADDR_IP4 ? of->nets4 :
	    of->nets6;
	size_t count = peer->family == ADDR_IP4 ? of->count4 : of->count6;
	int best = ACL_NONE;

	if (peer->family == ADDR_UNIX) {
		const struct addr_cred cred = addr_cred(peer);

		for (size_t i = 0; i < group_count; i++)
			if (id_is_in(of->gids, of->gid_count, groups[i]))
				best = ACL_GID;
		if (id_is_in(of->gids, of->gid_count, cred.gid))
			best = ACL_GID;
		return id_is_in(of->uids, of->uid_count, cred.uid) ?
		    ACL_UID : best;
	}
	if (peer->family != ADDR_IP4 && peer->family != ADDR_IP6)
		return ACL_NONE;
	for (size_t i = 0; i < count; i++)
		if ((int)nets[i].bits > best &&
		    net_has(&nets[i], peer->bytes))
			best = (int)nets[i].bits;
	return best;
}

static unsigned
below(unsigned n)
{
	return (unsigned)rand() % n;
}

/*
 * Bytes of which few are different from those of another address, so that
 * networks lie within each other, and peers at their edges.
 */
static void
some_bytes(uint8_t *bytes, size_t len)
{
	static const uint8_t often[] = { 0, 0, 0x0a, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < len; i++)
		bytes[i] = below(6) == 0 ? (uint8_t)below(256) :
		    often[below(COUNT(often))];
}

static struct acl_net
some_net(unsigned all)
{
	struct acl_net net = { .bits = below(all + 1) };

	some_bytes(net.bytes, all / 8);
	for (unsigned i = net.bits; i < all; i++)
		net.bytes[i / 8] &= (uint8_t)(0xff7fu >> i % 8);
	return net;
}

/* An address in one of the networks, at its edge or next to it, or any. */
static struct addr
some_peer(const struct acl_net *nets, size_t count, unsigned all)
{
	struct addr peer = { .family = all == 32 ? ADDR_IP4 : ADDR_IP6 };
	const struct acl_net *net;
	unsigned way = below(5);

	some_bytes(peer.bytes, all / 8);
	if (count == 0 || way == 0)
		return peer;
	net = &nets[below((unsigned)count)];
	for (unsigned i = 0; i < all; i++) {
		uint8_t mask = (uint8_t)(0x80u >> i % 8);
		bool on = i < net->bits ? bit_of(net->bytes, i) :
		    way == 1 || (way == 2 && bit_of(peer.bytes, i));

		peer.bytes[i / 8] &= (uint8_t)~mask;
		if (on)
			peer.bytes[i / 8] |= mask;
	}
	if (way == 3 && net->bits > 0) {
		unsigned i = below(net->bits);

		peer.bytes[i / 8] ^= (uint8_t)(0x80u >> i % 8);
	}
	return peer;
}

static void
compare(const struct entries *of, const void *table, const struct addr *peer,
    const uint32_t *groups, int round)
{
	int wanted = match_slowly(of, peer, groups, GROUPS);
	int got = acl_match(table, peer, groups, GROUPS);
	char text[ADDR_TEXT_SIZE];

	if (got == wanted)
		return;
	addr_format(peer, text);
	fail_msg("round %d: %s: %d instead of %d", round, text, got, wanted);
}

static size_t
some_ids(uint32_t *ids)
{
	size_t count = below(IDS_MAX + 1);

	for (size_t i = 0; i < count; i++)
		ids[i] = below(8) == 0 ? UINT32_MAX - 1 - below(2) : below(12);
	return count;
}

static void
one_round(int round)
{
	struct acl_net nets4[NETS_MAX];
	struct acl_net nets6[NETS_MAX];
	struct entries of = {
		.nets4 = nets4,
		.nets6 = nets6,
		.count4 = below(round % 2 == 0 ? 4 : NETS_MAX + 1),
		.count6 = below(round % 2 == 0 ? 4 : NETS_MAX + 1),
	};
	size_t size;

	for (size_t i = 0; i < of.count4; i++)
		nets4[i] = i > 0 && below(8) == 0 ? nets4[below((unsigned)i)] :
		    some_net(32);
	for (size_t i = 0; i < of.count6; i++)
		nets6[i] = i > 0 && below(8) == 0 ? nets6[below((unsigned)i)] :
		    some_net(128);
	of.uid_count = some_ids(of.uids);
	of.gid_count = some_ids(of.gids);

	void *table = table_of(&of, &size);
	assert_int_equal(acl_has_groups(table), of.gid_count > 0);
	for (int i = 0; i < PEERS; i++) {
		struct addr peers[] = {
			some_peer(nets4, of.count4, 32),
			some_peer(nets6, of.count6, 128),
			addr_from_cred(1, below(14), below(14)),
			addr_from_vsock(below(12), 1),
		};
		uint32_t groups[GROUPS];

		for (size_t j = 0; j < GROUPS; j++)
			groups[j] = below(40);
		for (size_t j = 0; j < COUNT(peers); j++)
			compare(&of, table, &peers[j], groups, round);
	}
	free(table);
}

static void
agrees_with_a_look_at_every_entry(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < ROUNDS; round++)
		one_round(round);
}

/* As blocklists are: many networks of which few lie within each other. */
static void
agrees_for_many_entries(void **state)
{
	static struct acl_net nets4[MANY];
	static struct acl_net nets6[MANY];
	struct entries of = {
		.nets4 = nets4, .nets6 = nets6, .count4 = MANY, .count6 = MANY,
	};
	const uint32_t groups[GROUPS] = { 0 };
	size_t size;

	(void)state;
	srand(2);
	for (size_t i = 0; i < MANY; i++) {
		struct acl_net *both[] = { &nets4[i], &nets6[i] };

		for (size_t j = 0; j < COUNT(both); j++) {
			unsigned bits = (j == 0 ? 20 : 44) + below(13);

			*both[j] = (struct acl_net){ .bits = bits };
			for (unsigned k = 0; k < bits; k++)
				if (below(2) == 0)
					both[j]->bytes[k / 8] |=
					    (uint8_t)(0x80u >> k % 8);
		}
	}
	void *table = table_of(&of, &size);
	for (int i = 0; i < FEW; i++) {
		struct addr peer4 = some_peer(nets4, MANY, 32);
		struct addr peer6 = some_peer(nets6, MANY, 128);

		compare(&of, table, &peer4, groups, i);
		compare(&of, table, &peer6, groups, i);
	}
	free(table);
}

static const char *const nested[] = {
	"::/0", "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24",
	"10.1.2.3", "10.1.255.255", "192.0.2.0/25", "192.0.2.128/25",
	"192.0.2.128", "255.255.255.255", "2001:db8::/32", "2001:db8:1::/48",
	"2001:db8:1::5", "uid:10", "gid:20", "gid:4294967294",
};

static const struct {
	const char *name;
	const char *peer;
	int wanted;
} nested_rows[] = {
	{ "the first address", "0.0.0.0", 0 },
	{ "the last address", "255.255.255.255", 32 },
	{ "the one before", "255.255.255.254", 0 },
	{ "everything", "9.255.255.255", 0 },
	{ "a network's first", "10.0.0.0", 8 },
	{ "its last", "10.255.255.255", 8 },
	{ "behind it", "11.0.0.0", 0 },
	{ "a network within", "10.1.1.255", 16 },
	{ "one within that", "10.1.2.0", 24 },
	{ "an address in all of them", "10.1.2.3", 32 },
	{ "its neighbours", "10.1.2.2", 24 },
	{ "on both sides", "10.1.2.4", 24 },
	{ "behind the inner ones", "10.1.3.0", 16 },
	{ "at the end", "10.1.255.255", 32 },
	{ "behind the end", "10.2.0.0", 8 },
	{ "halves", "192.0.2.127", 25 },
	{ "a network and its first address", "192.0.2.128", 32 },
	{ "and its second", "192.0.2.129", 25 },
	{ "mapped", "::ffff:10.1.2.3", 32 },
	{ "mapped in hex", "::ffff:a02:1", 8 },
	{ "compatible", "::10.1.2.3", 0 },
	{ "IPv6", "2001:db8:2::5", 32 },
	{ "IPv6 within", "2001:db8:1::4", 48 },
	{ "IPv6 address", "2001:db8:1::5", 128 },
	{ "IPv6 else", "2001:db9::", 0 },
};

/* The entries of patterns, which all are networks, users and groups. */
static void *
parsed_table(const char *const *patterns, size_t count)
{
	static struct acl_net nets4[32];
	static struct acl_net nets6[32];
	struct entries of = { .nets4 = nets4, .nets6 = nets6 };
	size_t size;

	for (size_t i = 0; i < count; i++) {
		struct rule rule;
		struct acl_net *net;

		assert_null(rule_parse(&rule, patterns[i],
		    strlen(patterns[i])));
		if (rule.kind == RULE_UID)
			of.uids[of.uid_count++] = rule.id;
		if (rule.kind == RULE_GID)
			of.gids[of.gid_count++] = rule.id;
		if (rule.kind != RULE_NET)
			continue;
		net = rule.addr.family == ADDR_IP4 ? &nets4[of.count4++] :
		    &nets6[of.count6++];
		memset(net, 0, sizeof(*net));
		net->bits = rule.bits;
		memcpy(net->bytes, rule.addr.bytes,
		    rule.addr.family == ADDR_IP4 ? 4 : 16);
	}
	return table_of(&of, &size);
}

static void
the_most_specific_one_answers(void **state)
{
	void *table = parsed_table(nested, COUNT(nested));

	(void)state;
	for (size_t i = 0; i < COUNT(nested_rows); i++) {
		const char *text = nested_rows[i].peer;
		struct addr peer;
		int got;

		assert_int_equal(addr_parse(&peer, text, strlen(text)), 0);
		peer.port = (uint16_t)(i * 1000 + 1);
		got = acl_match(table, &peer, NULL, 0);
		if (got != nested_rows[i].wanted)
			fail_msg("%s: %d", nested_rows[i].name, got);
	}
	free(table);
}

static void
a_user_is_before_a_group(void **state)
{
	static const struct {
		const char *name;
		struct addr_cred cred;
		uint32_t groups[2];
		int wanted;
	} creds[] = {
		{ "nobody", { 1, 11, 21 }, { 1, 2 }, ACL_NONE },
		{ "the user", { 1, 10, 21 }, { 1, 2 }, ACL_UID },
		{ "the group", { 1, 11, 20 }, { 1, 2 }, ACL_GID },
		{ "both", { 1, 10, 20 }, { 20, 2 }, ACL_UID },
		{ "another group", { 1, 11, 21 }, { 1, 20 }, ACL_GID },
		{ "the last group", { 1, 11, 21 }, { UINT32_MAX - 1, 1 },
		    ACL_GID },
		{ "user and group the other way", { 1, 20, 10 }, { 10, 10 },
		    ACL_NONE },
		{ "the pid does not count", { 10, 0, 0 }, { 0, 0 }, ACL_NONE },
	};
	void *table = parsed_table(nested, COUNT(nested));

	(void)state;
	for (size_t i = 0; i < COUNT(creds); i++) {
		const struct addr_cred *cred = &creds[i].cred;
		struct addr peer = addr_from_cred(cred->pid, cred->uid,
		    cred->gid);
		int got = acl_match(table, &peer, creds[i].groups, 2);

		if (got != creds[i].wanted)
			fail_msg("%s: %d", creds[i].name, got);
	}
	/* No more groups are looked at than there are. */
	struct addr peer = addr_from_cred(1, 11, 21);
	assert_int_equal(acl_match(table, &peer, (uint32_t[]){ 1, 20 }, 1),
	    ACL_NONE);
	free(table);
}

static void
an_empty_table_is_nobody(void **state)
{
	const struct addr peers[] = {
		{ .family = ADDR_IP4 }, { .family = ADDR_IP6 },
		addr_from_cred(0, 0, 0), addr_from_vsock(0, 0),
		{ .family = ADDR_NONE },
	};
	const uint32_t groups[] = { 0 };
	void *tables[] = { NULL, parsed_table(NULL, 0) };

	(void)state;
	for (size_t t = 0; t < COUNT(tables); t++) {
		for (size_t i = 0; i < COUNT(peers); i++)
			assert_int_equal(acl_match(tables[t], &peers[i],
			    groups, 1), ACL_NONE);
		assert_false(acl_has_groups(tables[t]));
		free(tables[t]);
	}
}

/* Of each kind its own: no family has rules for another. */
static void
kinds_are_apart(void **state)
{
	static const char *const one[] = {
		"0.0.0.0/0", "::/0", "uid:0", "gid:0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(one); i++) {
		void *table = parsed_table(&one[i], 1);
		const struct addr peers[] = {
			{ .family = ADDR_IP4 }, { .family = ADDR_IP6 },
			addr_from_cred(1, 0, 5), addr_from_cred(1, 5, 0),
			addr_from_vsock(0, 0), { .family = ADDR_NONE },
		};

		for (size_t j = 0; j < COUNT(peers); j++)
			assert_int_equal(acl_match(table, &peers[j], NULL, 0) !=
			    ACL_NONE, i == j);
		free(table);
	}
}

/* The table does not depend on the order of its entries, nor on doubles. */
static void
order_and_doubles_do_not_matter(void **state)
{
	struct acl_net sorted[] = {
		{ { 0 }, 0 }, { { 10 }, 8 }, { { 10, 1 }, 16 },
		{ { 10, 1, 2, 3 }, 32 }, { { 11 }, 8 }, { { 192 }, 2 },
	};
	struct acl_net mixed[] = {
		sorted[3], sorted[5], sorted[0], sorted[3], sorted[4],
		sorted[1], sorted[0], sorted[2], sorted[5], sorted[5],
	};
	const struct entries one = { .nets4 = sorted, .nets6 = sorted,
		.count4 = COUNT(sorted), .count6 = COUNT(sorted),
		.uids = { 1, 2, 3 }, .uid_count = 3,
		.gids = { 0, 7 }, .gid_count = 2 };
	const struct entries other = { .nets4 = mixed, .nets6 = mixed,
		.count4 = COUNT(mixed), .count6 = COUNT(mixed),
		.uids = { 3, 1, 3, 2, 1 }, .uid_count = 5,
		.gids = { 7, 7, 0, 0 }, .gid_count = 4 };
	size_t size, other_size;
	void *table = table_of(&one, &size);
	void *other_table = table_of(&other, &other_size);

	(void)state;
	assert_int_equal(size, other_size);
	assert_memory_equal(table, other_table, size);
	free(table);
	free(other_table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_look_at_every_entry),
		cmocka_unit_test(agrees_for_many_entries),
		cmocka_unit_test(the_most_specific_one_answers),
		cmocka_unit_test(a_user_is_before_a_group),
		cmocka_unit_test(an_empty_table_is_nobody),
		cmocka_unit_test(kinds_are_apart),
		cmocka_unit_test(order_and_doubles_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
