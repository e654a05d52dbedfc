/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A list of whom access rules are about, in one piece of memory.
 *
 * Networks lie sorted by address, shorter ones first, each with the index of
 * the nearest one around it: the most specific network that has an address is
 * found by one binary search, and a walk outwards.  The table is independent of
 * its position; who maps one trusts who made it.
 */

#ifndef MINETD_ACL_H
#define MINETD_ACL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* What acl_match() answers for ids; networks: how many bits match. */
enum {
	ACL_NONE = -1,
	ACL_GID = 0,
	ACL_UID = 1,
};

/*
 * How specific the entry is that matches the peer best, ACL_NONE when none
 * does.  table may be NULL, which has no entries.  groups are further groups of
 * a unix peer.
 */
int	acl_match(const void *table, const struct addr *peer,
	    const uint32_t *groups, size_t group_count);

/* Whether there are entries about groups, for which their list is needed. */
int	acl_has_groups(const void *table);

/* An entry that a table is made of.  Without padding: it is compared. */
struct acl_net {
	uint8_t bytes[16];	/* network byte order; IPv4: the first four */
	uint32_t bits;
};

struct acl_source {
	struct acl_net *nets4, *nets6; /* sorted here, without doubles */
	size_t count4, count6;
	uint32_t *uids, *gids;	/* likewise */
	size_t uid_count, gid_count;
};

/*
 * The bytes of the table; malloc(3), NULL for want of memory.  The source is
 * changed.
 */
void	*acl_make(struct acl_source *source, size_t *size);

#endif
