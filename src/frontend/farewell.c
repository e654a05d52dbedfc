/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Part from a client that was told something.
 *
 * Nothing here waits, and nobody can keep us busy: what is thrown away is
 * bounded by what a receive buffer holds.
 */

#include "frontend/farewell.h"

#include <sys/socket.h>

enum {
	DISCARD_SIZE = 16384,
	DISCARDS = 32,		/* of that size at most */
};

bool
farewell_say(int fd, const void *bytes, size_t len)
{
	return len == 0 || send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)len;
}

void
farewell_shutdown(int fd)
{
	char discarded[DISCARD_SIZE];

	shutdown(fd, SHUT_WR);
	for (int i = 0; i < DISCARDS; i++)
		if (recv(fd, discarded, sizeof(discarded), MSG_DONTWAIT) <= 0)
			return;
}
