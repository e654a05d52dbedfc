/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Decide who handlers and the frontend are.
 *
 * A daemon that is not root's cannot change identity: whoever else is asked
 * for is an error, and everything stays as the starter has it.
 */

#ifndef MINETD_IDENTITY_H
#define MINETD_IDENTITY_H

#include "conf/account.h"
#include "conf/merge.h"

/*
 * Resolve user, group, groups and the owner of unix sockets of a merged
 * service.
 */
void	identity_resolve(struct merge *merge, struct merged *merged);

/* Keep the names as they are, for a service that is disabled. */
void	identity_keep(struct merge *merge, struct merged *merged);

/*
 * Resolve the frontend's user; uids are those of all services.  place is
 * where it is configured, with line 0 if it is not.
 */
void	identity_resolve_frontend(struct merge *merge, struct conf *head,
	    struct place place, const uint32_t *uids, size_t count);

#endif
