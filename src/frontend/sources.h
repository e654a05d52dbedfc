/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A bounded table of the sources of a service's clients.
 *
 * Everything takes the same time, however many there are.  Who has a
 * conversation is never forgotten; of others the one that was seen least
 * recently makes room.
 */

#ifndef MINETD_SOURCES_H
#define MINETD_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bucket.h"

enum {
	SOURCES_SECRET = 8,	/* words of it */
};

struct source {
	struct addr origin;	/* see base/origin.h */
	uint32_t service;
	uint32_t active;	/* conversations */
	struct bucket bucket;
	uint32_t next;		/* in the chain of its hash */
	uint32_t older, newer;	/* among those without a conversation */
};

struct sources {
	struct source *all;	/* the first is nobody; NULL: not to be used */
	uint32_t *chains;
	uint64_t secret[SOURCES_SECRET];
	uint32_t capacity;	/* a power of 2 */
	uint32_t shift;		/* what is left of a hash is below it */
	uint32_t used;		/* those up to here were in use once */
	uint32_t oldest, newest; /* without a conversation */
};

/*
 * Room for so many, a power of 2 and not 1; memory is taken as it is used.
 * secret is random: nobody can tell who shares a chain.  Returns 0, or -1 with
 * errno.
 */
int	sources_init(struct sources *sources, uint32_t capacity,
	    const uint64_t secret[SOURCES_SECRET]);
void	sources_fini(struct sources *sources);

/* NULL when it is not known; it is not seen by this. */
struct source *sources_find(struct sources *sources, uint32_t service,
	    const struct addr *origin);

/*
 * It is seen.  NULL when it is new, and all there is room for have
 * conversations.  Valid until the next call for another source.
 */
struct source *sources_get(struct sources *sources, uint32_t service,
	    const struct addr *origin);

/* It has one conversation more, or less. */
void	sources_hold(struct sources *sources, struct source *source);
void	sources_release(struct sources *sources, struct source *source);

/* Whether there is no room for one that is new. */
bool	sources_full(const struct sources *sources);

#endif
