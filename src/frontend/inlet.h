/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners as the frontend has them, and the reasons not to poll them.
 *
 * A listener is polled unless there is a reason not to, a hold.  Holds are
 * set where the reason arises and cleared where it ends; either calls one
 * function that compares what should be with what is.  While a listener is
 * held, its clients wait in the kernel's queue.
 */

#ifndef MINETD_INLET_H
#define MINETD_INLET_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "conf/admission.h"
#include "frontend/acceptfail.h"

enum hold {
	HOLD_START = 1u << 0,	/* main has not said GO */
	HOLD_FULL = 1u << 1,	/* `instances` conversations are alive */
	HOLD_CHILDREN = 1u << 2, /* `max_children` handlers are alive */
	HOLD_CHANNEL = 1u << 3,	/* main has not read on */
	HOLD_FAILED = 1u << 4,	/* accept failed; until a timer is due */
	HOLD_WAIT = 1u << 5,	/* a handler has the socket, or will */
	HOLD_REST = 1u << 6,	/* handlers left what was there; until a timer
				 * is due */
	HOLD_RATE = 1u << 7,	/* `rate` is used up; until a timer is due */
	HOLD_TROUBLE = 1u << 8,	/* main has trouble with its handlers */
};

struct acceptor;
struct inlet;

/* One turn of a listener; true when it has found the queue empty. */
typedef bool inlet_fn(struct inlet *in, struct monotime now);

struct inlet {
	struct watch watch;
	TAILQ_ENTRY(inlet) entry; /* among the held ones */
	struct acceptor *acceptor;
	inlet_fn *serve;	/* by what the socket is, and what is done */
	uint32_t index;		/* in the admission block */
	uint32_t holds;		/* enum hold; 0: polled, if it has a socket */
	struct acceptfail fail;	/* what accept(2) has said */
	struct monotime retry;	/* with HOLD_FAILED: when it ends */
	uint8_t transport;	/* enum conf_transport, of the socket */
	struct addr bound;	/* udp: what the socket is bound to */
	bool empty_due;		/* it is closed, and main not told of it */
	bool had_turn;		/* it accepted before it was held */
	uint8_t leaving;	/* closing: how often its peers were asked to */
	bool gone;		/* it was closing, and is let go of for good */
	struct rest *rest;	/* wait: what its handlers did; NULL: nothing */
};

TAILQ_HEAD(inlet_list, inlet);

/* Set or clear a hold.  In any callback. */
void	inlet_hold(struct inlet *in, enum hold reason);
void	inlet_release(struct inlet *in, enum hold reason);

/* Clear a hold of all listeners, or of those of a service. */
void	inlets_release(struct acceptor *acc, enum hold reason);
void	inlets_release_service(struct acceptor *acc, uint32_t service,
	    enum hold reason);

/* Set HOLD_FAILED for so long. */
void	inlet_pause(struct inlet *in, int64_t msec, struct monotime now);

/* Clear it of those whose time is over, and come back for others. */
void	inlets_retry(struct acceptor *acc, struct monotime now);

/* The service of a listener, and its index. */
const struct admission_service *inlet_service(const struct inlet *in,
	    uint32_t *index);

/* Walk over those of a service, also the closing ones; last: NULL at first. */
struct inlet *inlet_next_of(struct acceptor *acc, uint32_t service,
	    const struct inlet *last);

/* Let go of the socket, which main may keep. */
void	inlet_close(struct inlet *in);

#endif
