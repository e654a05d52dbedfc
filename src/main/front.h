/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Frontends, from fork to their end, and what they say.
 *
 * Main's end of the channels.  One frontend serves; a reload prepares the next
 * one beside it, and those before carry on what they have begun.  One that dies
 * while it serves, says what it may not say, or does not answer, is replaced by
 * one that is told how many handlers are alive; clients wait in the backlog
 * meanwhile.
 */

#ifndef MINETD_FRONT_H
#define MINETD_FRONT_H

#include <stdbool.h>

#include "main/minetd.h"

/* Prepare the account of frontends; none is started. */
void	front_init(struct minetd *mi);

/*
 * Start a frontend for an edition that is finished.  It is not mi->front yet.
 * NULL with errno, and a line in the log, when there can be none.
 */
struct front *front_start(struct minetd *mi, struct edition *edition,
	    struct monotime now);

/* The one that serves is missing: start it now, or later each time. */
void	front_respawn(struct minetd *mi, struct monotime now);

/* Take no more connections: it carries on what it has begun, and leaves. */
void	front_retire(struct minetd *mi, struct front *front);

/* Whether some frontend may still hand over connections it has accepted. */
bool	front_any_stopping(const struct minetd *mi);

/*
 * End all frontends, and wait until they are gone: afterwards nobody else
 * holds the listeners.  Connections that they had handed over are served.
 */
void	front_stop_all(struct minetd *mi, struct monotime now);

/* Each second: ask whether they are alive, and kill who does not answer. */
void	front_tick(struct minetd *mi);

/*
 * Whether the reaped process was a frontend.  If it was to serve, it is
 * replaced.
 */
bool	front_reaped(struct minetd *mi, pid_t pid, int status,
	    struct monotime now);

/*
 * Take over one that was retired by another image of this process; its channel
 * is open, and belongs to the front unless that fails: NULL with errno.
 */
struct front *front_adopt(struct minetd *mi, pid_t pid, int channel,
	    struct monotime now);

#endif
