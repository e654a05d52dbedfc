/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find listeners that are in each other's way.
 *
 * Sorted by protocol, port and interface, they fall into groups.  Within a
 * group each is compared with the worst wildcard of its family and with the
 * worst of its own address; worst is one without reuse_port, and the first
 * of those.  If the worst does not conflict, no other one does.
 */

#include "conf/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/transport.h"

/* What a listener can serve all of. */
enum space {
	SPACE_IP4,
	SPACE_IP6,
	SPACE_VSOCK,
	SPACES
};

/* The two worst wildcards of a space; the second for the first itself. */
struct worst {
	const struct listener *first;
	const struct listener *second;
};

struct overlap {
	const struct listener **sorted;
	size_t count;
	const struct conf *conf;
	const struct conf_service *services;
	struct complaints *complaints;
};

static int
compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* One path is one file, whatever its sockets are; abstract names differ. */
static uint32_t
namespace_of(const struct listener *listener)
{
	bool file = transport_is_unix(listener->listen.transport) &&
	    !listener->abstract;

	return file ? UINT32_MAX : listener->listen.transport;
}

/* Whether they can overlap at all: 0 if so, otherwise their order. */
static int
compare_groups(const struct listener *a, const struct listener *b)
{
	const struct conf_listen *x = &a->listen;
	const struct conf_listen *y = &b->listen;
	int order = compare_numbers(namespace_of(a), namespace_of(b));

	if (order == 0)
		order = compare_numbers(x->path.offset, y->path.offset);
	if (order == 0)
		order = compare_numbers(x->addr.port, y->addr.port);
	if (order == 0)
		order = compare_numbers(addr_vsock(&x->addr).port,
		    addr_vsock(&y->addr).port);
	if (order == 0 && transport_is_ip(x->transport))
		order = compare_numbers(a->interface.offset,
		    b->interface.offset);
	return order;
}

static int
compare_addresses(const struct addr *a, const struct addr *b)
{
	int order = compare_numbers(a->family, b->family);

	if (order == 0)
		order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
	return order != 0 ? order : compare_numbers(a->scope, b->scope);
}

/* By badness: without reuse_port first, then in the order of the files. */
static int
compare_badness(const struct listener *a, const struct listener *b)
{
	int order = compare_numbers(a->reuse_port, b->reuse_port);

	return order != 0 ? order : (a > b) - (a < b);
}

static int
compare_listeners(const void *left, const void *right)
{
	const struct listener *a = *(const struct listener *const *)left;
	const struct listener *b = *(const struct listener *const *)right;
	int order = compare_groups(a, b);

	if (order == 0)
		order = compare_addresses(&a->listen.addr, &b->listen.addr);
	return order != 0 ? order : compare_badness(a, b);
}

static bool
serves(const struct listener *listener, enum space space)
{
	const struct conf_listen *listen = &listener->listen;

	switch (space) {
	case SPACE_IP4:
		return listen->addr.family == ADDR_IP4 ||
		    listen->v6 == CONF_V6_DUAL;
	case SPACE_IP6:
		return listen->addr.family == ADDR_IP6;
	default:
		return listen->addr.family == ADDR_VSOCK;
	}
}

static bool
is_wildcard(const struct listener *listener)
{
	const struct addr *addr = &listener->listen.addr;

	return addr_is_any(addr) ||
	    (addr->family == ADDR_VSOCK &&
	    addr_vsock(addr).cid == UINT32_MAX);
}

static void
note_wildcard(struct worst *worst, const struct listener *listener)
{
	if (worst->first == NULL ||
	    compare_badness(listener, worst->first) < 0) {
		worst->second = worst->first;
		worst->first = listener;
	} else if (worst->second == NULL ||
	    compare_badness(listener, worst->second) < 0) {
		worst->second = listener;
	}
}

static void
check_pair(const struct overlap *overlap, const struct listener *a,
    const struct listener *b)
{
	bool ip = transport_is_ip(a->listen.transport);

	if (b == NULL || a == b || (ip && a->reuse_port && b->reuse_port))
		return;
	const struct listener *later = a > b ? a : b;
	const struct listener *earlier = a > b ? b : a;
	const struct conf_service *svc =
	    &overlap->services[earlier->listen.service];
	complain(overlap->complaints, later->place, "listen",
	    "\"%s\" overlaps with \"%s\" of service \"%s\" at %s:%u",
	    conf_string(overlap->conf, later->listen.text),
	    conf_string(overlap->conf, earlier->listen.text),
	    conf_string(overlap->conf, svc->name),
	    complaints_file(overlap->complaints, earlier->place.file),
	    earlier->place.line);
}

static void
check_wildcards(const struct overlap *overlap, const struct listener *listener,
    const struct worst *worst)
{
	check_pair(overlap, listener,
	    worst->first == listener ? worst->second : worst->first);
}

/* Check the listeners from start to end, which share port and interface. */
static void
check_group(const struct overlap *overlap, size_t start, size_t end)
{
	const struct listener **sorted = overlap->sorted;
	struct worst worst[SPACES] = { 0 };
	size_t same = start;

	for (size_t i = start; i < end; i++)
		for (enum space space = 0; space < SPACES; space++)
			if (is_wildcard(sorted[i]) && serves(sorted[i], space))
				note_wildcard(&worst[space], sorted[i]);
	for (size_t i = start; i < end; i++) {
		for (enum space space = 0; space < SPACES; space++)
			if (serves(sorted[i], space))
				check_wildcards(overlap, sorted[i],
				    &worst[space]);
		if (compare_addresses(&sorted[same]->listen.addr,
		    &sorted[i]->listen.addr) != 0)
			same = i;
		else
			check_pair(overlap, sorted[i], sorted[same]);
	}
}

static bool
may_overlap(const struct listener *listener)
{
	return !transport_is_ip(listener->listen.transport) ||
	    listener->listen.addr.port != 0;
}

void
overlap_check(const struct listeners *listeners, const struct conf *conf,
    const struct conf_service *services, struct complaints *complaints)
{
	struct overlap overlap = {
		.sorted = heap_new(listeners->count, sizeof(void *)),
		.conf = conf,
		.services = services,
		.complaints = complaints,
	};

	for (size_t i = 0; i < listeners->count; i++)
		if (may_overlap(&listeners->items[i]))
			overlap.sorted[overlap.count++] = &listeners->items[i];
	qsort(overlap.sorted, overlap.count, sizeof(*overlap.sorted),
	    compare_listeners);
	size_t start = 0;
	for (size_t i = 1; i <= overlap.count; i++) {
		if (i < overlap.count && compare_groups(overlap.sorted[start],
		    overlap.sorted[i]) == 0)
			continue;
		check_group(&overlap, start, i);
		start = i;
	}
	free(overlap.sorted);
}
