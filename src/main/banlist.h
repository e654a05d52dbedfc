/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Bans, as main keeps them: over the frontends, reloads and upgrades.
 */

#ifndef MINETD_BANLIST_H
#define MINETD_BANLIST_H

#include "main/minetd.h"

void	banlist_init(struct minetd *mi);
void	banlist_fini(struct minetd *mi);

/*
 * Add a ban, or make that of the same network longer: net is cut to the bits,
 * name is the service whose limit was tripped, or "".  -1 with errno ENOMEM.
 */
int	banlist_add(struct minetd *mi, const struct ban *ban,
	    struct monotime now);

/* The same without a line: one that goes on. */
int	banlist_restore(struct minetd *mi, const struct ban *ban);

/* A frontend says whom.  -1 when none of ours would. */
int	banlist_obey(struct minetd *mi, const struct front *front,
	    const struct channel_msg *msg, struct monotime now);

/* Note that the frontend knows of none: it is new. */
void	banlist_tell_anew(struct minetd *mi);

/* Send what it does not know; false when the rest has to wait. */
bool	banlist_send(struct minetd *mi, struct front *front);

#endif
