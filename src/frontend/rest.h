/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether handlers that wait take what they are started for.
 *
 * A handler that exits and leaves the datagram or client in front of the queue
 * would be started again at once, and for ever.  So what is there is looked at
 * before a handler is started, and again when it has ended.  Nobody is thrown
 * away on a suspicion: it must be certain that handlers have left him.
 */

#ifndef MINETD_REST_H
#define MINETD_REST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "conf/conf.h"

enum {
	REST_TRIES = 10,	/* handlers that leave the same, after the one
				 * that it came for; then it is thrown away */
	REST_DOUBTS = 32,	/* handlers that may have left it */
};

/* What became of what was there when the handler was started. */
enum rest_outcome {
	REST_IDLE,		/* nothing was there */
	REST_TAKEN,
	REST_LEFT,
	REST_UNSURE,		/* one or the other */
};

struct rest {
	struct timer due;	/* end of the rest */
	uint64_t stamp;		/* datagrams: when the first came; 0: none */
	int64_t queue;		/* tcp: clients in the queue; -1: not known */
	bool arrived;		/* tcp: another one has come */
	bool there;		/* somebody was */
	bool asked;		/* a handler has it, or will */
	bool again;		/* the last one has not taken what is there */
	bool rested;		/* the rest before the next one is over */
	bool throttled;		/* main knows that it rests */
	unsigned left;		/* handlers in a row that have left it */
	unsigned doubts;	/* handlers in a row that may have */
	uint32_t discarded;	/* how many were thrown away */
};

/* How long to rest before the next handler, 0 for not at all.  Pure. */
uint32_t rest_msec(const struct rest *rest);

/* Whether what is there has to be thrown away.  Pure. */
bool	rest_is_over(const struct rest *rest);

/*
 * A handler is about to be started with the socket; there: somebody waits at
 * it.  arrivals is an epoll that is used for nothing else.
 */
void	rest_begin(struct rest *rest, int arrivals, int fd,
	    enum conf_transport transport, bool there);

/*
 * The handler has ended, and nobody else has the socket yet.  Counts what is
 * returned.
 */
enum rest_outcome rest_end(struct rest *rest, int arrivals, int fd,
	    enum conf_transport transport, enum channel_took took);

/* Of what seemed certain it is doubtful whether it says anything. */
void	rest_doubt(struct rest *rest);

/* What was there is taken: count anew. */
void	rest_reset(struct rest *rest);

#endif
