/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Close connections in such a way that what was said last arrives.
 */

#include "frontend/linger.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <unistd.h>

enum {
	LINGER_MSEC = 1000,	/* some round trips */
	PIECE = 16384,
	PIECES = 8,		/* read of what a peer has sent in vain */
	NOFILE_SHARE = 8,	/* at most that part of all descriptors */
};

static void
drained_close(int fd)
{
	uint8_t scratch[PIECE];

	for (int i = 0; i < PIECES; i++)
		if (recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT) !=
		    sizeof(scratch))
			break;
	close(fd);
}

static void
oldest_close(struct lingerer *linger)
{
	drained_close(linger->kept[linger->first].fd);
	linger->first = (linger->first + 1) % LINGER_MAX;
	linger->count--;
}

static void
linger_due(void *arg, struct monotime now)
{
	struct lingerer *linger = arg;

	while (linger->count > 0 &&
	    !monotime_before(now, linger->kept[linger->first].until))
		oldest_close(linger);
	if (linger->count > 0)
		timer_arm(loop_timers(linger->loop), &linger->due,
		    linger->kept[linger->first].until);
}

void
linger_init(struct lingerer *linger, struct loop *loop)
{
	struct rlimit nofile;

	linger->loop = loop;
	linger->most = LINGER_MAX;
	linger->first = linger->count = 0;
	timer_init(&linger->due, linger_due, linger);
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0 &&
	    nofile.rlim_max / NOFILE_SHARE < LINGER_MAX)
		linger->most = (unsigned)nofile.rlim_max / NOFILE_SHARE;
}

bool
linger_say(int fd, const void *bytes, size_t len)
{
	return len == 0 || send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)len;
}

void
linger_close(struct lingerer *linger, int fd, struct monotime now)
{
	unsigned place;

	/* Who has reset it hears nothing any more. */
	if (linger->most == 0 || shutdown(fd, SHUT_WR) == -1) {
		drained_close(fd);
		return;
	}
	if (linger->count == linger->most)
		oldest_close(linger);
	place = (linger->first + linger->count++) % LINGER_MAX;
	linger->kept[place].fd = fd;
	linger->kept[place].until = monotime_add_msec(now, LINGER_MSEC);
	if (!linger->due.armed)
		timer_arm(loop_timers(linger->loop), &linger->due,
		    linger->kept[place].until);
}

bool
linger_busy(const struct lingerer *linger)
{
	return linger->count > 0;
}
