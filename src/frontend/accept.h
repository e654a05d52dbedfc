/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry a connection from accept to a message that asks main to serve it.
 *
 * A listener is polled unless there is a reason not to, a hold.  Holds are
 * set where the reason arises and cleared where it ends; either calls one
 * function that compares what should be with what is.  While a listener is
 * held, its clients wait in the kernel's backlog.
 */

#ifndef MINETD_ACCEPT_H
#define MINETD_ACCEPT_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "conf/admission.h"
#include "frontend/outbox.h"
#include "frontend/refusal.h"

enum hold {
	HOLD_START = 1u << 0,	/* main has not said GO */
	HOLD_FULL = 1u << 1,	/* `instances` handlers are alive */
	HOLD_CHILDREN = 1u << 2, /* `max_children` handlers are alive */
	HOLD_CHANNEL = 1u << 3,	/* main has not read on */
	HOLD_FAILED = 1u << 4,	/* accept failed; until a timer is due */
};

struct acceptor;

struct inlet {
	struct watch watch;
	TAILQ_ENTRY(inlet) entry; /* among the held ones */
	struct acceptor *acceptor;
	uint32_t index;		/* in the admission block */
	uint32_t holds;		/* enum hold; 0: polled, if it has a socket */
	uint32_t errors;	/* of accept in a row */
	bool empty_due;		/* it is closed, and main not told of it */
	bool had_turn;		/* it accepted before it was held */
};

TAILQ_HEAD(inlet_list, inlet);

struct acceptor {
	struct loop *loop;	/* not owned */
	const struct admission *adm; /* not owned */
	struct outbox *outbox;	/* not owned; the owner flushes it */
	struct inlet *inlets; /* adm->listeners of them */
	uint32_t *active;	/* handlers alive, per service */
	uint32_t children;	/* the sum of active */
	struct refusal_account refusals;
	struct timer retry;	/* when to try accept again */
	struct timer closing;	/* when to look at the closing listeners */
	struct monotime started; /* when main said GO */
	struct inlet_list held;
	uint32_t failures;	/* of accept, that main was not told of */
};

/* Returns 0, or -1 with errno ENOMEM.  Every listener begins as HOLD_START. */
int	acceptor_init(struct acceptor *acc, struct loop *loop,
	    const struct admission *adm, struct outbox *outbox);

/*
 * Give a listener its socket, which belongs to the acceptor from now on; a
 * former one is closed.  -1 with errno when it cannot be polled.
 */
int	acceptor_listen(struct acceptor *acc, uint32_t listener, int fd);

/*
 * Begin to accept.  Listeners that are closing are served until their queues
 * are empty, or their time is over; then main is told.
 */
void	acceptor_start(struct acceptor *acc, struct monotime now);

/* End it for good, and let go of the listeners. */
void	acceptor_stop(struct acceptor *acc);

/* Whether main could be told of everything that is to be told so far. */
bool	acceptor_report(struct acceptor *acc, struct monotime now);

/* Count handlers that main says are alive, or that have ended. */
void	acceptor_add_active(struct acceptor *acc, uint32_t service,
	    uint32_t count);
void	acceptor_remove_active(struct acceptor *acc, uint32_t service,
	    uint32_t count);

/* There is room in the outbox again. */
void	acceptor_resume(struct acceptor *acc);

#endif
