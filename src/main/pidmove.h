/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Move to the pid file of another configuration: lock it in a plan, write it in
 * the commit.
 */

#ifndef MINETD_PIDMOVE_H
#define MINETD_PIDMOVE_H

#include "main/minetd.h"

/*
 * Lock the file that the plan wants, if it is another one.  Returns 0, or -1
 * with the reason in the log.
 */
int	pidmove_plan(const struct minetd *mi, struct reload_plan *plan);

/* The configuration is in effect: the one of before is removed. */
void	pidmove_commit(struct minetd *mi, struct reload_plan *plan);

/* The plan is given up, and the file that it has locked. */
void	pidmove_discard(const struct minetd *mi, struct reload_plan *plan);

#endif
