/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Look up users and groups, each once.
 *
 * Names are tried before numbers.  An account and a list of groups stay valid
 * as long as the table.
 */

#ifndef MINETD_ACCOUNT_H
#define MINETD_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accounts;

struct account {
	uint32_t uid;
	uint32_t gid;		/* when it has an entry */
	bool has_entry;		/* in the password database */
	const char *name;	/* the number when it has no entry */
	const char *home;
	const char *shell;
};

struct account_groups {
	const uint32_t *gids;
	size_t count;
};

struct accounts *accounts_new(void);

/* The user of that name or number; NULL when there is no such name. */
const struct account *account_find(struct accounts *accounts,
	    const char *text);

/* The group of that name or number; false when there is no such name. */
bool	account_find_group(struct accounts *accounts, const char *text,
	    uint32_t *gid);

/* The user's supplementary groups when gid is the primary one, gid included. */
struct account_groups account_groups(struct accounts *accounts,
	    const struct account *account, uint32_t gid);

/* Whether no account and no group has this number. */
bool	account_unused(uint32_t id);

#endif
