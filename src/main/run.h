/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Run the daemon until it is told to stop.
 */

#ifndef MINETD_RUN_H
#define MINETD_RUN_H

#include "conf/conf.h"
#include "main/minetd.h"

/*
 * Start serving conf, which belongs to mi from now on, and go on until a
 * signal ends it.  mi->starter and mi->notify are filled; all signals are
 * blocked and the log is open.  Returns the exit status of the process.
 */
int	run(struct minetd *mi, const struct conf *conf);

/*
 * The two halves of it, for who restores what was served before: prepare
 * everything but a configuration, 0 or -1 with errno; and serve.
 */
int	run_init(struct minetd *mi);
int	run_loop(struct minetd *mi);

#endif
