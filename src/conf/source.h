/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read one file of a configuration, if it is safe to believe it.
 *
 * Only a regular file is read, and nothing makes the reader wait.  When run
 * by root it must be owned by root and writable by nobody else.  A file that
 * is being written while it is read is read once more.
 */

#ifndef MINETD_SOURCE_H
#define MINETD_SOURCE_H

#include <sys/types.h>

#include <stddef.h>

/* How long it may be, and what is wrong with a longer one. */
struct source_limit {
	size_t bytes;
	const char *sentence;
};

struct source {
	char *text;		/* owned */
	size_t len;
	dev_t dev;
	ino_t ino;
};

/*
 * Read the file; release it with source_fini().  Returns NULL, or what is
 * wrong with the file, as a sentence to be freed.
 */
char	*source_init(struct source *source, const char *path,
	    struct source_limit limit);
void	source_fini(struct source *source);

#endif
