/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What is done when no target of a redirect answers: say so, look up the host
 * names among them again, and tell the frontend what was found.
 */

#ifndef MINETD_RESOLVE_H
#define MINETD_RESOLVE_H

#include "base/channel.h"
#include "main/minetd.h"

/* Obey a RESOLVE message; -1 when no frontend of ours can have sent it. */
int	resolve_obey(struct minetd *mi, const struct front *front,
	    const struct channel_msg *msg, struct monotime now);

/* Whether the reaped process has looked up names. */
bool	resolve_reaped(struct minetd *mi, pid_t pid);

/*
 * Send what was found to the frontend that serves; false with errno of
 * channel_send() when something has to wait.
 */
bool	resolve_send(struct minetd *mi, const struct front *front);

/* Give up all lookups, and forget what was found. */
void	resolve_cancel(struct minetd *mi);

#endif
