/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Merge a service with `defaults`, key by key.
 */

#ifndef MINETD_MERGE_H
#define MINETD_MERGE_H

#include <stdbool.h>

#include "conf/account.h"
#include "conf/block.h"
#include "conf/complaint.h"
#include "conf/draft.h"
#include "conf/key.h"
#include "conf/store.h"

/* A service, or the defaults, with all values typed. */
struct merged {
	struct store values;
	const struct draft_setting *set[KEY_COUNT]; /* NULL: not configured */
	struct place place;	/* of the section */
	const char *name;	/* of the service */
	bool damaged;		/* keys may be missing that are not */
	uint32_t env_inherited;	/* entries of env that += appended to */
};

/* What all services have in common. */
struct merge {
	struct block *block;
	struct complaints *complaints;
	struct accounts *accounts;
	struct store plain;	/* the defaults of the table */
	struct merged defaults;	/* those of the section put over them */
	bool root;		/* minetd runs as root */
};

/* Fill in the defaults, of which this section is a part. */
void	merge_defaults(struct merge *merge,
	    const struct draft_section *section);

/* The section of a service put over the defaults. */
void	merge_service(const struct merge *merge,
	    const struct draft_section *section, struct merged *merged);

/*
 * Whether the service itself gives a key another value than that of the table;
 * what comes from `defaults` is meant for others as well.
 */
bool	merge_insists(const struct merge *merge, const struct merged *merged,
	    enum key_id id);

/* Give a key the value of the table. */
void	merge_reset(const struct merge *merge, struct merged *merged,
	    enum key_id id);

/* Complain about a key where it is set, or where the service begins. */
void	merge_complain(const struct merge *merge, const struct merged *merged,
	    enum key_id id, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

#endif
