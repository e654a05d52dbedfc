/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Unix sockets in the file system: made without a moment in which somebody can
 * connect who may not, and removed only while they are ours.
 */

#ifndef MINETD_SOCKPATH_H
#define MINETD_SOCKPATH_H

#include <sys/types.h>

#include <stdbool.h>

#include "conf/conf.h"

/* The file that a bind has made; ino 0: none of ours. */
struct sockpath_file {
	dev_t dev;
	ino_t ino;
};

/*
 * Bind the socket to the path and give the file its owner and mode.  A socket
 * that nobody answers any more is replaced; nothing else is.  Returns 0 and
 * *file, or -1 with errno, nothing left behind, and *step, the literal name of
 * what could not be done.
 */
int	sockpath_bind(int fd, const char *path,
	    const struct conf_socket *options, struct sockpath_file *file,
	    const char **step);

/* Set owner and mode of the file again; returns as above. */
int	sockpath_change(const char *path, const struct conf_socket *options,
	    const struct sockpath_file *file, const char **step);

/* Whether the path still names that file. */
bool	sockpath_intact(const char *path, const struct sockpath_file *file);

/* Remove the path while it names that file; then, or else, forget the file. */
void	sockpath_remove(const char *path, struct sockpath_file *file);

#endif
