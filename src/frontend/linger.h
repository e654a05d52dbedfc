/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Close connections in such a way that what was said last arrives.
 *
 * A socket that is closed with unread bytes, or that bytes reach afterwards,
 * answers with a reset, which may overtake or destroy what was sent before.
 * So only the sending side is shut at first: the peer sees the end at once.
 * The socket itself is kept for a moment, unpolled, and what has come until
 * then is read before it is closed.  Few are kept, and the oldest makes room
 * for the next one: nobody can hold descriptors by staying.
 */

#ifndef MINETD_LINGER_H
#define MINETD_LINGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

enum { LINGER_MAX = 128 };

struct lingerer {
	struct loop *loop;	/* not owned */
	struct timer due;	/* when the oldest may go, at the earliest */
	unsigned most;		/* how many are kept */
	unsigned first;		/* the oldest */
	unsigned count;
	struct {
		int fd;
		struct monotime until;
	} kept[LINGER_MAX];
};

/* Fewer are kept when the process may have few descriptors. */
void	linger_init(struct lingerer *linger, struct loop *loop);

/* Say it as far as the socket takes it at once; whether it took all. */
bool	linger_say(int fd, const void *bytes, size_t len);

/* Close a stream that is not polled any more; fd now belongs to it. */
void	linger_close(struct lingerer *linger, int fd, struct monotime now);

/* Whether any is kept. */
bool	linger_busy(const struct lingerer *linger);

#endif
