/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Hand everything to a new binary, in place.
 *
 * The binary at the path that minetd was started from first looks at a snapshot
 * of the state; the daemon serves meanwhile.  If the new binary says that it
 * can go on from there, the frontend stops, and the process becomes the new
 * binary, with the same pid, sockets and children.  When anything is not as it
 * should be, the old one serves on and the log says why.
 */

#ifndef MINETD_UPGRADE_H
#define MINETD_UPGRADE_H

#include "main/minetd.h"

/* Nothing is under way. */
void	upgrade_init(struct minetd *mi);

/* Upgrade, once nothing else is being changed. */
void	upgrade_request(struct minetd *mi);

/*
 * After each wake-up: go on as far as possible, which may not return; and, when
 * frontends were told of it, return whether that has completed the upgrade.
 */
void	upgrade_proceed(struct minetd *mi, struct monotime now);
bool	upgrade_settle(struct minetd *mi);

/* Whether the reaped process was the one that checks. */
bool	upgrade_reaped(struct minetd *mi, pid_t pid, int status,
	    struct monotime now);

/* The daemon stops: it stays what it is. */
void	upgrade_cancel(struct minetd *mi);

/* This image could not be taken back to the one before: say why not. */
void	upgrade_log_failure(struct minetd *mi, const char *reason);

#endif
