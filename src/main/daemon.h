/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Go to the background, and let the one who started us wait until it serves.
 */

#ifndef MINETD_DAEMON_H
#define MINETD_DAEMON_H

enum daemon_side {
	DAEMON_PARENT,		/* exit with *status */
	DAEMON_CHILD,		/* go on; *parent_fd tells the parent */
};

/*
 * Fork into a session of our own.  The parent returns when the child has
 * written its exit status (0: it serves) to *parent_fd, or is gone.
 */
enum daemon_side daemon_detach(int *parent_fd, int *status);

/*
 * Put /dev/null on standard input and output, so that nobody's terminal or
 * pipe stays open.  Returns 0, or -1 with errno.
 */
int	daemon_null_stdio(void);

/* The same for standard error, once the parent was told how the start went. */
void	daemon_null_stderr(void);

#endif
