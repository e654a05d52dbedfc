/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Keep one frontend running, and listen to it.
 *
 * Main's end of the channel.  A frontend that dies, says what it may not say,
 * or does not answer is replaced by a new one that is told how many handlers
 * are alive; clients wait in the backlog meanwhile.
 */

#ifndef MINETD_FRONT_H
#define MINETD_FRONT_H

#include <stdbool.h>

#include "main/minetd.h"

/* Prepare mi->front; nothing is started.  Undone after front_stop(). */
void	front_init(struct minetd *mi);
void	front_fini(struct minetd *mi);

/*
 * Start a frontend for mi->conf, of which none runs.  Returns 0, or -1 with
 * errno; a later start is then arranged.
 */
int	front_start(struct minetd *mi, struct monotime now);

/*
 * End the frontend without a successor, and wait until it is gone: afterwards
 * nobody else holds the listeners.  Connections that it had handed over are
 * served.
 */
void	front_stop(struct minetd *mi, struct monotime now);

/* Each second: ask whether it is alive, and kill one that does not answer. */
void	front_tick(struct minetd *mi);

/*
 * Whether the reaped process was the frontend.  If so it is replaced, or the
 * start of the daemon fails.
 */
bool	front_reaped(struct minetd *mi, pid_t pid, int status,
	    struct monotime now);

#endif
