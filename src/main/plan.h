/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From one edition of the configuration to the next.
 *
 * A plan does everything that can fail, and changes nothing that serves; a
 * commit cannot fail.  The start is the change from the empty configuration.
 */

#ifndef MINETD_PLAN_H
#define MINETD_PLAN_H

#include "main/minetd.h"

/*
 * Prepare the change to conf, which belongs to the plan from here on: find the
 * sockets to keep, bind new ones, gather those that are left over.  A socket
 * that cannot be bound is logged and degrades its listener; with `strict`, or
 * when a start could bind none, the plan fails.  Returns 0, or -1 with
 * everything as it was, conf freed, and the reason in the log.
 */
int	plan_make(struct minetd *mi, const struct conf *conf,
	    struct reload_plan *plan);

/* Undo a plan that is not to be committed. */
void	plan_discard(struct minetd *mi, struct reload_plan *plan);

/*
 * Make the plan true.  Frontends of the edition before have the listeners
 * still, and are the caller's business.
 */
void	plan_commit(struct minetd *mi, struct reload_plan *plan,
	    struct monotime now);

/*
 * A frontend says that nobody waits at this leftover any more: close it.
 * Returns 0, or -1 when no frontend of ours can have sent this.
 */
int	plan_empty(struct minetd *mi, const struct front *front,
	    uint32_t listener);

#endif
