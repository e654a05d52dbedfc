/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Turn lists of access rules into tables.
 *
 * As with listen.h: gathered first, then names are resolved with all other host
 * names, then each list has become a table.  Equal lists are one table.
 */

#ifndef MINETD_ACLS_H
#define MINETD_ACLS_H

#include "conf/host.h"
#include "conf/merge.h"

struct acls;

struct acls *acls_new(struct hosts *hosts);

/* Gather the lists of a service, which will have this index. */
void	acls_add_service(struct acls *acls, const struct merge *merge,
	    const struct merged *merged, uint32_t service);

/* Gather one that is set at the top level; *table is where it is stored. */
void	acls_add_top(struct acls *acls, const struct merge *merge,
	    const struct draft_setting *setting, struct conf_bytes *table);

/*
 * Store the tables; the hosts are resolved.  A name that cannot be resolved,
 * and what is wrong with a file of rules, is a complaint.
 */
void	acls_store(struct acls *acls, const struct merge *merge,
	    struct conf_service *services);

#endif
