/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The pid file: its lock says whether a daemon runs, not its existence.
 */

#ifndef MINETD_PIDFILE_H
#define MINETD_PIDFILE_H

#include <sys/types.h>

/*
 * Open and lock the file, creating it with mode 0644.  Returns a descriptor
 * that holds the lock while it is open, in whatever process.  -1 with errno;
 * EWOULDBLOCK: another instance runs, *other is its pid, or 0 when the file
 * does not say.
 */
int	pidfile_lock(const char *path, pid_t *other);

/* Write the caller's pid.  Returns 0, or -1 with errno. */
int	pidfile_write_pid(int fd);

/* Remove the file if it is still the one locked, then close it. */
void	pidfile_unlock(int fd, const char *path);

/* The same for what a struct holds, and free the path; once is enough. */
void	pidfile_release(int *fd, char **path);

#endif
