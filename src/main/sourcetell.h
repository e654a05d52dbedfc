/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell the frontend that serves whose handlers are alive.
 *
 * Of services with per_source only.  The frontend counts those that it has
 * asked for by itself; it is told of all others, and of each that has ended.
 */

#ifndef MINETD_SOURCETELL_H
#define MINETD_SOURCETELL_H

#include "main/minetd.h"

/* Note that a handler for this peer has begun (1) or ended (-1). */
void	sourcetell_note(struct minetd *mi, const struct service *svc,
	    const struct addr *peer, int change);

/* Note that the frontend knows nothing: it is new. */
void	sourcetell_anew(struct minetd *mi);

/* Forget all that was noted. */
void	sourcetell_forget(struct minetd *mi);

/*
 * Whether the frontend is to read before it is heard again: what it does not
 * hear of cannot become more.
 */
bool	sourcetell_full(const struct minetd *mi, const struct front *front);

/* Send what was noted; false when the rest has to wait. */
bool	sourcetell_send(struct minetd *mi, struct front *front);

#endif
