/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Which log the command line and the configuration ask for.
 */

#include "main/logging.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

const char *
logging_destination(const struct options *opts, const struct conf *conf)
{
	const char *destination = conf_string(conf, conf->log);

	if (opts->log != NULL)
		return opts->log;
	if (opts->debug || (destination[0] == '\0' && opts->foreground))
		return "stderr";
	return destination[0] != '\0' ? destination : "syslog";
}

void
logging_set_style(const struct options *opts, const struct conf *conf)
{
	log_set_format((enum log_format)conf->log_format);
	log_set_level(opts->debug ? LOG_LEVEL_DEBUG :
	    (enum log_level)conf->log_level);
}

int
logging_start(const struct options *opts, const struct conf *conf)
{
	const char *destination = logging_destination(opts, conf);

	logging_set_style(opts, conf);
	if (log_open(destination) == 0)
		return 0;
	fprintf(stderr, "minetd: %s: %s\n", destination, strerror(errno));
	return -1;
}

void
logging_change(const struct options *opts, const struct conf *from,
    const struct conf *to)
{
	const char *before = logging_destination(opts, from);
	const char *after = logging_destination(opts, to);
	bool file = strncmp(after, "file:", strlen("file:")) == 0;

	logging_set_style(opts, to);
	/* A file may have been renamed, or have failed to open before. */
	if ((file || strcmp(before, after) != 0) && log_open(after) == -1)
		log_message(LOG_LEVEL_ERROR, "log", "%s cannot be opened: %s",
		    after, strerror(errno));
}

void
logging_reopen(void)
{
	if (log_reopen() == -1)
		log_message(LOG_LEVEL_ERROR, "log", "cannot be reopened: %s",
		    strerror(errno));
	else
		log_message(LOG_LEVEL_INFO, "log", "reopened");
}
