/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Part from a client that was told something.
 */

#ifndef MINETD_FAREWELL_H
#define MINETD_FAREWELL_H

#include <stdbool.h>
#include <stddef.h>

/* Say it as far as the socket takes it at once; whether it took all. */
bool	farewell_say(int fd, const void *bytes, size_t len);

/*
 * End the sending side, and throw away what the client has sent so far, before
 * the caller closes the socket: a close with input unread is a reset, which may
 * destroy what was said.
 */
void	farewell_shutdown(int fd);

#endif
