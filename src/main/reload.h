/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry the daemon from one configuration to the next, or leave it exactly as
 * it was.
 *
 * A plan does everything that can fail; a commit cannot.  The start is the
 * change from the empty configuration.
 */

#ifndef MINETD_RELOAD_H
#define MINETD_RELOAD_H

#include <stdint.h>

#include "conf/conf.h"
#include "main/minetd.h"

struct reload_plan {
	const struct conf *conf;	/* not owned before the commit */
	struct service *services;
	struct listener *listeners;
	uint32_t degraded;		/* listeners that could not be opened */
};

/*
 * Prepare the change to conf: open its sockets.  A socket that cannot be
 * opened is logged and degrades its listener; with `strict`, or when none
 * could be opened, the plan fails.  Returns 0, or -1 with everything as it was
 * and the reason in the log.
 */
int	reload_plan(struct minetd *mi, const struct conf *conf,
	    struct reload_plan *plan);

/* Make the plan true.  mi owns conf from now on. */
void	reload_commit(struct minetd *mi, const struct reload_plan *plan);

/* Undo a plan that is not to be committed. */
void	reload_discard(struct reload_plan *plan);

/* Close all listeners: no new connections. */
void	reload_close_listeners(struct minetd *mi);

/* The daemon ends: release everything that was committed. */
void	reload_finish(struct minetd *mi);

/* Try the degraded listeners again, now and from a timer. */
void	reload_retry(struct minetd *mi, struct monotime now);

#endif
