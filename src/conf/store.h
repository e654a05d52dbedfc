/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Put a setting's values, once they are found valid, into the field of its
 * key.
 */

#ifndef MINETD_STORE_H
#define MINETD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/block.h"
#include "conf/complaint.h"
#include "conf/draft.h"
#include "conf/key.h"

enum {
	STORE_LIMITS = 16,	/* resources of setrlimit(2) */
};

/* The limits of a service, by resource. */
struct store_limits {
	bool set[STORE_LIMITS];
	struct conf_limit limits[STORE_LIMITS];
};

/* The structures that hold the values of a service, or of the top level. */
struct store {
	struct conf conf;
	struct conf_service service;
	struct conf_socket socket;
	struct conf_identity identity;
	struct store_limits limits;
};

/*
 * Store the setting, or complain of each value that is not one.  += appends
 * to what the field holds.
 */
void	store_setting(struct store *store, const struct draft_setting *setting,
	    struct block *block, struct complaints *complaints);

/* Store the default of each key that has one. */
void	store_defaults(struct store *store, struct block *block);

/* The structure that holds the values of this key; const as in strchr(3). */
void	*store_home(const struct store *store, const struct key *key);

/* The limits that are set, as a list in the block, by their names. */
struct conf_list store_limit_list(const struct store_limits *limits,
	    struct block *block);

#endif
