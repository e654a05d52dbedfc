/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Which log the command line and the configuration ask for.
 */

#ifndef MINETD_LOGGING_H
#define MINETD_LOGGING_H

#include "conf/conf.h"
#include "main/options.h"

/* The destination of log_open(); -l and -d win over the configuration. */
const char *logging_destination(const struct options *opts,
	    const struct conf *conf);

/* Set format and level. */
void	logging_set_style(const struct options *opts, const struct conf *conf);

/* Open the log for a start.  Returns 0, or -1 after a message on stderr. */
int	logging_start(const struct options *opts, const struct conf *conf);

/*
 * The configuration has changed: use the new log, and open a file anew.  When
 * that cannot be, the present log is kept, and says so.
 */
void	logging_change(const struct options *opts, const struct conf *from,
	    const struct conf *to);

/* Open the log file anew, after a rotation; the log says how that went. */
void	logging_reopen(void);

#endif
