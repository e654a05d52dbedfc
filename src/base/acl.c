/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A list of whom access rules are about: the head, the addresses of IPv4, the
 * parents of those, the same of IPv6, users, groups, and then the lengths.
 */

#include "base/acl.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	BYTES4 = 4,
	BYTES6 = 16,
};

struct acl {
	uint32_t count4;
	uint32_t count6;
	uint32_t uids;
	uint32_t gids;
};

/* Where things are. */
struct layout {
	const uint8_t *addrs4;
	const uint32_t *parents4;
	const uint8_t *addrs6;
	const uint32_t *parents6;
	const uint32_t *uids;
	const uint32_t *gids;
	const uint8_t *bits4;
	const uint8_t *bits6;
};

static const uint32_t no_parent = UINT32_MAX;

static struct layout
layout_of(const struct acl *acl)
{
	struct layout at;
	const uint8_t *p = (const uint8_t *)(acl + 1);

	at.addrs4 = p;
	p += (size_t)acl->count4 * BYTES4;
	at.parents4 = (const uint32_t *)(const void *)p;
	p += (size_t)acl->count4 * sizeof(uint32_t);
	at.addrs6 = p;
	p += (size_t)acl->count6 * BYTES6;
	at.parents6 = (const uint32_t *)(const void *)p;
	p += (size_t)acl->count6 * sizeof(uint32_t);
	at.uids = (const uint32_t *)(const void *)p;
	p += (size_t)acl->uids * sizeof(uint32_t);
	at.gids = (const uint32_t *)(const void *)p;
	p += (size_t)acl->gids * sizeof(uint32_t);
	at.bits4 = p;
	p += acl->count4;
	at.bits6 = p;
	return at;
}

static size_t
size_of(const struct acl *acl)
{
	const size_t beside = sizeof(uint32_t) + sizeof(uint8_t);

	return sizeof(*acl) + acl->count4 * (BYTES4 + beside) +
	    acl->count6 * (BYTES6 + beside) +
	    ((size_t)acl->uids + acl->gids) * sizeof(uint32_t);
}

/* Whether the first bits are the same. */
static bool
bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return bits % 8 == 0 ||
	    ((a[whole] ^ b[whole]) & (0xff00u >> bits % 8) & 0xffu) == 0;
}

/* The networks of one family. */
struct nets {
	const uint8_t *addrs;
	const uint32_t *parents;
	const uint8_t *bits;
	uint32_t count;
	size_t bytes;		/* of an address */
};

static int
nets_match(const struct nets *nets, const uint8_t *addr)
{
	uint32_t first = 0;
	uint32_t after = nets->count;

	/* The last one that does not begin behind the address. */
	while (first < after) {
		uint32_t middle = first + (after - first) / 2;

		if (memcmp(nets->addrs + middle * nets->bytes, addr,
		    nets->bytes) <= 0)
			first = middle + 1;
		else
			after = middle;
	}
	for (uint32_t i = first > 0 ? first - 1 : no_parent; i != no_parent;
	    i = nets->parents[i])
		if (bits_equal(nets->addrs + i * nets->bytes, addr,
		    nets->bits[i]))
			return nets->bits[i];
	return ACL_NONE;
}

static int
ids_compare(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

static bool
ids_have(const uint32_t *ids, size_t count, uint32_t id)
{
	return bsearch(&id, ids, count, sizeof(id), ids_compare) != NULL;
}

static int
cred_match(const struct acl *acl, struct addr_cred cred,
    const uint32_t *groups, size_t group_count)
{
	const struct layout at = layout_of(acl);

	if (ids_have(at.uids, acl->uids, cred.uid))
		return ACL_UID;
	if (ids_have(at.gids, acl->gids, cred.gid))
		return ACL_GID;
	for (size_t i = 0; i < group_count; i++)
		if (ids_have(at.gids, acl->gids, groups[i]))
			return ACL_GID;
	return ACL_NONE;
}

int
acl_match(const void *table, const struct addr *peer, const uint32_t *groups,
    size_t group_count)
{
	const struct acl *acl = table;

	if (acl == NULL)
		return ACL_NONE;
	if (peer->family == ADDR_UNIX)
		return cred_match(acl, addr_cred(peer), groups, group_count);

	const struct layout at = layout_of(acl);
	if (peer->family == ADDR_IP4)
		return nets_match(&(struct nets){ at.addrs4, at.parents4,
		    at.bits4, acl->count4, BYTES4 }, peer->bytes);
	if (peer->family == ADDR_IP6)
		return nets_match(&(struct nets){ at.addrs6, at.parents6,
		    at.bits6, acl->count6, BYTES6 }, peer->bytes);
	return ACL_NONE;
}

int
acl_has_groups(const void *table)
{
	const struct acl *acl = table;

	return acl != NULL && acl->gids > 0;
}

/* By address, shorter ones first; the bits behind are zero. */
static int
nets_compare(const void *left, const void *right)
{
	const struct acl_net *a = left;
	const struct acl_net *b = right;
	int order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));

	return order != 0 ? order : (a->bits > b->bits) - (a->bits < b->bits);
}

/* Sort, unless it is; leave out doubles; returns how many are left. */
static size_t
sort_unique(void *items, size_t count, size_t size,
    int (*compare)(const void *, const void *))
{
	char *all = items;
	size_t kept = count > 0;
	size_t i = 1;

	while (i < count && compare(all + (i - 1) * size, all + i * size) < 0)
		i++;
	if (i >= count)
		return count;
	qsort(items, count, size, compare);
	for (i = 1; i < count; i++) {
		if (compare(all + (kept - 1) * size, all + i * size) == 0)
			continue;
		memmove(all + kept * size, all + i * size, size);
		kept++;
	}
	return kept;
}

/* Write the networks of one family, sorted ones. */
static void
nets_write(const struct acl_net *nets, size_t count, const struct nets *to)
{
	uint8_t *addrs = (uint8_t *)(uintptr_t)to->addrs;
	uint32_t *parents = (uint32_t *)(uintptr_t)to->parents;
	uint8_t *bits = (uint8_t *)(uintptr_t)to->bits;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t parent = i > 0 ? i - 1 : no_parent;

		while (parent != no_parent &&
		    !bits_equal(nets[parent].bytes, nets[i].bytes,
		    nets[parent].bits))
			parent = parents[parent];
		memcpy(addrs + i * to->bytes, nets[i].bytes, to->bytes);
		parents[i] = parent;
		bits[i] = (uint8_t)nets[i].bits;
	}
}

void *
acl_make(struct acl_source *source, size_t *size)
{
	struct acl head = {
		.count4 = (uint32_t)sort_unique(source->nets4, source->count4,
		    sizeof(*source->nets4), nets_compare),
		.count6 = (uint32_t)sort_unique(source->nets6, source->count6,
		    sizeof(*source->nets6), nets_compare),
		.uids = (uint32_t)sort_unique(source->uids, source->uid_count,
		    sizeof(*source->uids), ids_compare),
		.gids = (uint32_t)sort_unique(source->gids, source->gid_count,
		    sizeof(*source->gids), ids_compare),
	};
	struct layout at;
	struct acl *acl;

	*size = size_of(&head);
	acl = malloc(*size);
	if (acl == NULL)
		return NULL;
	*acl = head;
	at = layout_of(acl);
	nets_write(source->nets4, head.count4, &(struct nets){ at.addrs4,
		    at.parents4, at.bits4, head.count4, BYTES4 });
	nets_write(source->nets6, head.count6, &(struct nets){ at.addrs6,
		    at.parents6, at.bits6, head.count6, BYTES6 });
	if (head.uids > 0)
		memcpy((void *)(uintptr_t)at.uids, source->uids,
		    head.uids * sizeof(*source->uids));
	if (head.gids > 0)
		memcpy((void *)(uintptr_t)at.gids, source->gids,
		    head.gids * sizeof(*source->gids));
	return acl;
}
