/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A bounded table of the sources of a service's clients.
 *
 * Chains and lists are made of indexes, 0 being none.
 */

#include "frontend/sources.h"

#include <stdlib.h>
#include <string.h>

enum {
	HASH_BITS = 64,
	WORDS = SOURCES_SECRET - 1,
};

/*
 * Multiply-shift over words of 32 bits, each with a random factor, of which
 * the highest bits are uniform: any two sources meet with a probability of one
 * in the number of chains, and nobody can raise it who does not know them.
 */
static uint32_t
hash_of(const struct sources *sources, uint32_t service,
    const struct addr *origin)
{
	uint64_t sum = sources->secret[WORDS];
	uint32_t words[WORDS];

	_Static_assert(sizeof(*origin) + sizeof(service) == sizeof(words),
	    "all of it is hashed");
	memcpy(words, origin, sizeof(*origin));
	words[WORDS - 1] = service;
	for (size_t i = 0; i < WORDS; i++)
		sum += sources->secret[i] * words[i];
	return (uint32_t)(sum >> sources->shift);
}

static uint32_t
index_of(const struct sources *sources, const struct source *source)
{
	return (uint32_t)(source - sources->all);
}

static void
idle_add(struct sources *sources, struct source *source)
{
	uint32_t index = index_of(sources, source);

	source->newer = 0;
	source->older = sources->newest;
	if (sources->newest != 0)
		sources->all[sources->newest].newer = index;
	else
		sources->oldest = index;
	sources->newest = index;
}

static void
idle_remove(struct sources *sources, const struct source *source)
{
	if (source->newer != 0)
		sources->all[source->newer].older = source->older;
	else
		sources->newest = source->older;
	if (source->older != 0)
		sources->all[source->older].newer = source->newer;
	else
		sources->oldest = source->newer;
}

static void
chain_remove(struct sources *sources, const struct source *source)
{
	uint32_t index = index_of(sources, source);
	uint32_t *link = &sources->chains[hash_of(sources, source->service,
	    &source->origin)];

	while (*link != index)
		link = &sources->all[*link].next;
	*link = source->next;
}

int
sources_init(struct sources *sources, uint32_t capacity,
    const uint64_t secret[SOURCES_SECRET])
{
	*sources = (struct sources){
		.capacity = capacity,
		.shift = (uint32_t)(HASH_BITS - __builtin_ctz(capacity)),
		.all = calloc((size_t)capacity + 1, sizeof(*sources->all)),
		.chains = calloc(capacity, sizeof(*sources->chains)),
	};
	memcpy(sources->secret, secret, sizeof(sources->secret));
	if (sources->all != NULL && sources->chains != NULL)
		return 0;
	sources_fini(sources);
	return -1;
}

void
sources_fini(struct sources *sources)
{
	free(sources->all);
	free(sources->chains);
	sources->all = NULL;
	sources->chains = NULL;
}

struct source *
sources_find(struct sources *sources, uint32_t service,
    const struct addr *origin)
{
	uint32_t index = sources->chains[hash_of(sources, service, origin)];

	for (; index != 0; index = sources->all[index].next) {
		struct source *source = &sources->all[index];

		if (source->service == service &&
		    memcmp(&source->origin, origin, sizeof(*origin)) == 0)
			return source;
	}
	return NULL;
}

bool
sources_full(const struct sources *sources)
{
	return sources->used == sources->capacity && sources->oldest == 0;
}

/* One that nobody has, or that is forgotten for it. */
static struct source *
room_make(struct sources *sources)
{
	struct source *source;

	if (sources->used < sources->capacity)
		return &sources->all[++sources->used];
	if (sources->oldest == 0)
		return NULL;
	source = &sources->all[sources->oldest];
	idle_remove(sources, source);
	chain_remove(sources, source);
	return source;
}

struct source *
sources_get(struct sources *sources, uint32_t service,
    const struct addr *origin)
{
	struct source *source = sources_find(sources, service, origin);
	uint32_t *chain;

	if (source != NULL) {
		if (source->active == 0) {
			idle_remove(sources, source);
			idle_add(sources, source);
		}
		return source;
	}
	source = room_make(sources);
	if (source == NULL)
		return NULL;
	chain = &sources->chains[hash_of(sources, service, origin)];
	*source = (struct source){
		.origin = *origin,
		.service = service,
		.next = *chain,
	};
	*chain = index_of(sources, source);
	idle_add(sources, source);
	return source;
}

void
sources_hold(struct sources *sources, struct source *source)
{
	if (source->active++ == 0)
		idle_remove(sources, source);
}

void
sources_release(struct sources *sources, struct source *source)
{
	if (source->active > 0 && --source->active == 0)
		idle_add(sources, source);
}
