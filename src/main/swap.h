/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From one socket to another in the same place.
 *
 * Two sockets cannot have the same port when the address of one covers that of
 * the other.  To get from one to the other without a gap, the old one lets its
 * port be shared, and the new one is bound beside it; when the queue of the old
 * one is empty it is closed, and the port is shared no more.  Two sockets
 * cannot have the same path either; the new one is bound as soon as the old
 * one has left it.
 */

#ifndef MINETD_SWAP_H
#define MINETD_SWAP_H

#include "main/match.h"
#include "main/minetd.h"

/*
 * Bind a listener of the plan, which has been tried and cannot be bound, beside
 * one of the old edition that is not in the new one; or find that it can be
 * bound when the plan is committed.  0, or -1 as listener_bind() has it.
 */
int	swap_bind(struct reload_plan *plan, const struct edition *old,
	    const struct match_item *present, struct listener *lst);

/* In a commit: it is about to listen. */
void	swap_prepare(const struct edition *ed, const struct listener *lst);

/* Whether it waits for the place of one that is about to leave it. */
bool	swap_is_deferred(const struct listener *lst);

/* The old ones have left: bind those, and listen. */
void	swap_complete(struct edition *ed);

/* Ports are shared no longer than there is something to share them with. */
void	swap_end(struct edition *ed);

#endif
