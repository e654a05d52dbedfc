/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read the command line.
 */

#ifndef MINETD_OPTIONS_H
#define MINETD_OPTIONS_H

#include <stdbool.h>

struct options {
	/* Copies, since setproctitle(3) overwrites argv. */
	char *conf_file;	/* -c */
	char *log;		/* -l; NULL: as configured */
	char *pid_file;		/* -p; NULL: as configured */
	char *binary;		/* of this program; NULL: not known */
	int ready_fd;		/* -r; -1: none */
	bool foreground;	/* -f, -d */
	bool debug;		/* -d */
	bool check;		/* -t */
	bool print;		/* -T */
	bool version;		/* -V */
	bool help;		/* -h */
};

/*
 * Fill *opts, to be released with options_fini() in either case.  Returns 0,
 * or -1 after a message on standard error: the exit status is EX_USAGE.
 */
int	options_parse(struct options *opts, int argc, char **argv);
void	options_fini(struct options *opts);

/*
 * Make the path of the configuration absolute, since a daemon changes its
 * directory, and find that of the binary, as argv[0] has named it.  Returns 0,
 * or -1 with errno.
 */
int	options_resolve(struct options *opts, const char *argv0);

/* What -h prints. */
const char *options_help(void);

#endif
