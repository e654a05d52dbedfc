/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sources that are banned, each until a time of its own.
 *
 * Who asks for a peer asks for each length of network that there is: for one
 * length, as a rule.
 */

#include "base/bantable.h"

#include <stdlib.h>
#include <string.h>

#include "base/origin.h"

static int
compare_nets(const struct ban *a, const struct ban *b)
{
	int order = memcmp(&a->net, &b->net, sizeof(a->net));

	return order != 0 ? order : a->bits - b->bits;
}

static int
compare_ends(const struct ban *a, const struct ban *b)
{
	if (a->until.nsec != b->until.nsec)
		return a->until.nsec < b->until.nsec ? -1 : 1;
	return compare_nets(a, b);
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(ban_nets, ban, by_net, compare_nets,
    __attribute__((unused)) static)
RB_GENERATE_INTERNAL(ban_ends, ban, by_end, compare_ends,
    __attribute__((unused)) static)

static const char *const cause_names[BAN_CAUSES] = {
	[BAN_TRAP] = "trap",
	[BAN_PER_SOURCE] = "per_source",
	[BAN_PER_SOURCE_RATE] = "per_source_rate",
	[BAN_OPERATOR] = "operator",
};

const char *
ban_cause_name(unsigned cause)
{
	return cause < BAN_CAUSES ? cause_names[cause] : NULL;
}

void
bantable_init(struct bantable *table)
{
	memset(table, 0, sizeof(*table));
	RB_INIT(&table->nets);
	RB_INIT(&table->ends);
	TAILQ_INIT(&table->news);
}

void
bantable_fini(struct bantable *table)
{
	struct ban *ban;

	while ((ban = bantable_first(table)) != NULL)
		bantable_remove(table, ban);
}

static uint32_t *
length_of(struct bantable *table, const struct ban *ban)
{
	return &table->lengths[ban->net.family != ADDR_IP4][ban->bits];
}

struct ban *
bantable_find(const struct bantable *table, const struct addr *net,
    unsigned bits)
{
	const struct ban key = { .net = *net, .bits = (uint8_t)bits };

	/* RB_FIND changes nothing. */
	return RB_FIND(ban_nets, (struct ban_nets *)(uintptr_t)&table->nets,
	    (struct ban *)(uintptr_t)&key);
}

struct ban *
bantable_match(const struct bantable *table, const struct addr *peer,
    struct monotime now)
{
	const uint32_t *lengths =
	    table->lengths[peer->family != ADDR_IP4];
	struct ban *found = NULL;

	if (table->count == 0)
		return NULL;
	for (unsigned bits = 0; bits < BAN_BITS; bits++) {
		struct ban *ban;

		if (lengths[bits] == 0)
			continue;
		const struct addr net = origin_of(peer, bits, bits);
		ban = bantable_find(table, &net, bits);
		if (ban != NULL && monotime_before(now, ban->until) &&
		    (found == NULL ||
		    monotime_before(found->until, ban->until)))
			found = ban;
	}
	return found;
}

struct ban *
bantable_add(struct bantable *table, const struct addr *net, unsigned bits,
    struct monotime until)
{
	struct ban *ban = bantable_find(table, net, bits);

	if (ban != NULL) {
		if (monotime_before(ban->until, until)) {
			RB_REMOVE(ban_ends, &table->ends, ban);
			ban->until = until;
			RB_INSERT(ban_ends, &table->ends, ban);
		}
		return ban;
	}
	if (table->count == BANS_MAX)
		bantable_remove(table, bantable_first(table));
	ban = calloc(1, sizeof(*ban));
	if (ban == NULL)
		return NULL;
	ban->net = *net;
	ban->bits = (uint8_t)bits;
	ban->until = until;
	RB_INSERT(ban_nets, &table->nets, ban);
	RB_INSERT(ban_ends, &table->ends, ban);
	(*length_of(table, ban))++;
	table->count++;
	return ban;
}

void
bantable_note(struct bantable *table, struct ban *ban)
{
	if (ban->untold)
		return;
	ban->untold = true;
	TAILQ_INSERT_TAIL(&table->news, ban, entry);
}

void
bantable_told(struct bantable *table, struct ban *ban)
{
	if (!ban->untold)
		return;
	ban->untold = false;
	TAILQ_REMOVE(&table->news, ban, entry);
}

void
bantable_remove(struct bantable *table, struct ban *ban)
{
	bantable_told(table, ban);
	RB_REMOVE(ban_nets, &table->nets, ban);
	RB_REMOVE(ban_ends, &table->ends, ban);
	(*length_of(table, ban))--;
	table->count--;
	free(ban);
}

struct ban *
bantable_first(const struct bantable *table)
{
	return RB_MIN(ban_ends, (struct ban_ends *)(uintptr_t)&table->ends);
}

struct ban *
bantable_next(struct ban *ban)
{
	return RB_NEXT(ban_ends, NULL, ban);
}
