/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find the listeners that there are.
 *
 * Three passes, each over what the one before has left: the same socket of the
 * same service; the same socket; the port that the kernel had chosen.  A pass
 * sorts both sides and walks over them together.
 */

#include "main/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/transport.h"

/* What a pass compares of an item. */
struct candidate {
	struct match_item *item;
	uint32_t index;
	uint16_t port;
	const char *service;	/* "" where any will do */
};

struct side {
	struct match_item *items;
	uint32_t count;
	struct candidate *candidates;
	uint32_t left;
};

static int
numbers_compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int
ids_compare(const struct listener_id *a, const struct listener_id *b)
{
	int order = numbers_compare(a->transport, b->transport);

	if (order == 0)
		order = numbers_compare(a->v6, b->v6);
	if (order == 0)
		order = numbers_compare(a->mptcp, b->mptcp);
	if (order == 0)
		order = numbers_compare(a->addr.family, b->addr.family);
	if (order == 0)
		order = memcmp(a->addr.bytes, b->addr.bytes,
		    sizeof(a->addr.bytes));
	if (order == 0)
		order = numbers_compare(a->addr.scope, b->addr.scope);
	if (order == 0)
		order = strcmp(a->path, b->path);
	if (order == 0)
		order = strcmp(a->interface, b->interface);
	return order;
}

static int
sockets_compare(const struct candidate *a, const struct candidate *b)
{
	int order = numbers_compare(a->port, b->port);

	if (order == 0)
		order = ids_compare(&a->item->id, &b->item->id);
	if (order == 0)
		order = strcmp(a->service, b->service);
	return order;
}

static int
candidates_compare(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;
	int order = sockets_compare(a, b);

	return order != 0 ? order : numbers_compare(a->index, b->index);
}

/* Gather what is left and has a port to be found by, in order. */
static void
side_prepare(struct side *side, bool by_service, bool by_bound_port)
{
	side->left = 0;
	for (uint32_t i = 0; i < side->count; i++) {
		struct match_item *item = &side->items[i];
		bool ip = transport_is_ip(item->id.transport);
		uint16_t port = ip && by_bound_port &&
		    item->id.addr.port == 0 ? item->bound_port :
		    item->id.addr.port;

		if (item->other != MATCH_NONE || item->gone ||
		    (ip && port == 0 && !by_service))
			continue;
		side->candidates[side->left++] = (struct candidate){
			.item = item,
			.index = i,
			.port = port,
			.service = by_service ? item->service : "",
		};
	}
	qsort(side->candidates, side->left, sizeof(*side->candidates),
	    candidates_compare);
}

static void
pass_run(struct side *wanted, struct side *present, bool by_service,
    bool by_bound_port)
{
	uint32_t i = 0, j = 0;

	side_prepare(wanted, by_service, by_bound_port);
	side_prepare(present, by_service, by_bound_port);
	while (i < wanted->left && j < present->left) {
		struct candidate *want = &wanted->candidates[i];
		struct candidate *have = &present->candidates[j];
		int order = sockets_compare(want, have);

		if (order == 0) {
			want->item->other = have->index;
			have->item->other = want->index;
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static int
side_init(struct side *side, struct match_item *items, uint32_t count)
{
	*side = (struct side){
		.items = items,
		.count = count,
		.candidates = calloc(count + 1, sizeof(*side->candidates)),
	};
	for (uint32_t i = 0; i < count; i++)
		items[i].other = MATCH_NONE;
	return side->candidates != NULL ? 0 : -1;
}

int
match_listeners(struct match_item *wanted, uint32_t wanted_count,
    struct match_item *present, uint32_t present_count)
{
	struct side want, have;
	int rc = side_init(&want, wanted, wanted_count);

	if (side_init(&have, present, present_count) == -1)
		rc = -1;
	if (rc == 0) {
		pass_run(&want, &have, true, false);
		pass_run(&want, &have, false, false);
		pass_run(&want, &have, false, true);
	}
	free(want.candidates);
	free(have.candidates);
	if (rc == -1)
		errno = ENOMEM;
	return rc;
}
