/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether handlers that wait take what they are started for.
 *
 * A handler that exits and leaves the datagram or client in front of the queue
 * would be started again at once, and for ever.  So what is in front is looked
 * at before a handler is started, and when it has ended: a datagram has a time
 * stamp, which the kernel sets once; of clients the length of the queue is
 * known, and each that comes meanwhile is seen.
 */

#ifndef MINETD_REST_H
#define MINETD_REST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "conf/conf.h"

enum {
	REST_TRIES = 10,	/* handlers that leave the same; then it is
				 * thrown away */
};

struct rest {
	struct timer due;	/* end of the rest */
	struct monotime since;	/* when the handler was asked for */
	uint64_t stamp;		/* datagram: when it came; 0: not known */
	uint32_t queue;		/* tcp: clients in the queue, as last seen */
	unsigned left;		/* handlers in a row that have left it */
	uint32_t discarded;	/* how many were thrown away */
	bool asked;		/* a handler was, and the rest is about that */
	bool moved;		/* tcp: somebody was accepted */
	bool first;		/* tcp: the first event is no arrival */
	bool rested;		/* the rest before the next handler is over */
	bool throttled;		/* main knows that it rests */
};

/*
 * How long to rest when so many handlers in a row seem to have left what was
 * there, 0 for not at all, and whether that is enough to throw it away.  Of
 * clients that is not quite certain, since others come meanwhile, so a few more
 * are let pass.  Pure.
 */
uint32_t rest_msec(unsigned left, enum conf_transport transport);
bool	rest_is_over(unsigned left, enum conf_transport transport);

/* Whether clients are counted, for which each arrival must be seen. */
bool	rest_counts(enum conf_transport transport);

/* A handler is about to be started for what is in front. */
void	rest_begin(struct rest *rest, int fd, enum conf_transport transport,
	    struct monotime now);

/* Another client has come meanwhile. */
void	rest_arrival(struct rest *rest, int fd);

/* Whether the handler that was started last has left it there. */
bool	rest_same(const struct rest *rest, int fd,
	    enum conf_transport transport, struct monotime now);

#endif
