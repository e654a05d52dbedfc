/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry the daemon from one configuration to the next, or leave it exactly as
 * it was.
 *
 * A helper reads the configuration, a plan prepares the change, a new frontend
 * confines itself; only then is the plan committed, the old frontend stops, and
 * the new one accepts.  The daemon serves all the time.
 */

#ifndef MINETD_RELOAD_H
#define MINETD_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "main/minetd.h"

/* Nothing is being changed; the empty configuration is served. 0, or -1. */
int	reload_init(struct minetd *mi);

/* Read the configuration again, once nothing else is being changed. */
void	reload_request(struct minetd *mi);

/*
 * Prepare the change to conf, which is owned here from now on, and start a
 * frontend for it; also the start of the daemon.  Returns 0, or -1 when all
 * stays as it was, with the reason in the log.
 */
int	reload_stage(struct minetd *mi, const struct conf *conf,
	    struct monotime now);

/*
 * After each wake-up: go on as far as possible; and, when frontends were told
 * of it, return whether that has completed the change.
 */
void	reload_proceed(struct minetd *mi, struct monotime now);
bool	reload_settle(struct minetd *mi);

/* Whether the reaped process was the one that reads the configuration. */
bool	reload_reaped(struct minetd *mi, pid_t pid, int status,
	    struct monotime now);

/* The daemon stops, or becomes another: leave it as it was. */
void	reload_cancel(struct minetd *mi);

/* Close all listeners: no new connections. */
void	reload_close_listeners(struct minetd *mi);

/* The daemon ends: release everything that was committed. */
void	reload_finish(struct minetd *mi);

/* What is served, in a sentence for service managers. */
void	reload_format_status(struct minetd *mi, char *status, size_t size);

#endif
