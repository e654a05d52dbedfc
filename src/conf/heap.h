/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Memory for the process that reads a configuration.
 *
 * That process is a helper whose end, by any cause, means "configuration
 * refused": when memory runs out these functions end it with a status of its
 * own, and no caller has a path for it.  What lives as long as the helper is
 * not freed; whatever is, goes to free(3).
 */

#ifndef MINETD_HEAP_H
#define MINETD_HEAP_H

#include <stddef.h>

enum {
	HEAP_EXHAUSTED = 71,	/* exit status: no memory */
};

/* Zeroed memory for count items of size bytes; never NULL. */
void	*heap_new(size_t count, size_t size);

/*
 * Room for one more item behind the count items of an array that only grows
 * by this function, one item at a time, from NULL and 0.  Returns the array,
 * which may have moved.
 */
void	*heap_room(void *items, size_t count, size_t size);

/* A terminated copy of len bytes; never NULL. */
char	*heap_strndup(const char *text, size_t len);

/* asprintf(3) that cannot fail. */
char	*heap_format(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
