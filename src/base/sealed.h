/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Bytes that another process gets as a descriptor, and that nobody can change
 * any more: memfd_create(2), F_ADD_SEALS.
 */

#ifndef MINETD_SEALED_H
#define MINETD_SEALED_H

#include <stddef.h>

/*
 * A new memfd for sealed_finish(), close-on-exec; and one with these bytes that
 * is sealed already.  The name is for people who look into /proc.  Returns -1
 * with errno.
 */
int	sealed_open(const char *name);
int	sealed_new(const char *name, const void *bytes, size_t len);

/* Seal it; there are no writable mappings of it.  0, or -1 with errno. */
int	sealed_finish(int fd);

#endif
