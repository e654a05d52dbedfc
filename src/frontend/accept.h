/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Let clients in, one by one, as far as the limits allow it.
 */

#ifndef MINETD_ACCEPT_H
#define MINETD_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/verdict.h"
#include "conf/admission.h"
#include "frontend/bans.h"
#include "frontend/carry.h"
#include "frontend/hours.h"
#include "frontend/inlet.h"
#include "frontend/limits.h"
#include "frontend/outbox.h"
#include "frontend/peers.h"
#include "frontend/preface.h"
#include "frontend/refusal.h"

struct acceptor {
	struct loop *loop;	/* not owned */
	const struct admission *adm; /* not owned */
	struct outbox *outbox;	/* not owned; the owner flushes it */
	struct inlet *inlets; /* adm->listeners of them */
	uint32_t *active;	/* conversations, per service */
	uint32_t *carried;	/* those of them that have no handler */
	uint32_t *carried_told;	/* after STOP: as main knows them */
	bool carried_news;	/* they may differ */
	bool *rests;		/* per service: main has trouble with it */
	bool stopped;
	uint32_t children;	/* handlers, of all services */
	struct carrier carrier;	/* of those that have no handler */
	struct preface_set prefaces; /* of those of unknown service */
	struct hours hours;	/* when */
	struct limits limits;	/* how much */
	struct bantable bans;
	struct refusal_account refusals;
	struct peers peers;	/* that send datagrams */
	uint8_t builtin_ports[65536 / 8]; /* udp ports of built-ins, as bits */
	uint8_t datagram[DATAGRAM_MAX]; /* that was received last */
	struct timer retry;	/* when to try accept again */
	struct timer closing;	/* when to look at the closing listeners */
	struct monotime started; /* when main said GO */
	struct inlet_list held;
	int arrivals;		/* an epoll of rest.c's */
	uint32_t failures;	/* of accept, that main was not told of */
	int reserve[2];		/* a pipe, to shed clients with; -1: none */
};

/* Returns 0, or -1 with errno.  Every listener begins as HOLD_START. */
int	acceptor_init(struct acceptor *acc, struct loop *loop,
	    const struct admission *adm, struct outbox *outbox);

/*
 * Give a listener its socket, of which main says this, and which belongs to
 * the acceptor from now on; a former one is closed.  -1 with errno when it
 * cannot be polled.
 */
int	acceptor_listen(struct acceptor *acc, uint32_t listener,
	    const struct channel_listen *listen, int fd);

/*
 * Begin to accept.  Listeners that are closing are served until their queues
 * are empty, or their time is over; then main is told.
 */
void	acceptor_start(struct acceptor *acc, struct monotime now);

/* End it for good, and let go of the listeners.  Conversations go on. */
void	acceptor_stop(struct acceptor *acc);

/* Whether main could be told of everything that is to be told so far. */
bool	acceptor_report(struct acceptor *acc, struct monotime now);

/*
 * May this client have a conversation with client->service now?  The one
 * question that every way to a service asks; nothing is taken by it.  The
 * descriptor may be -1, where there is no connection.
 */
enum verdict acceptor_admit(struct acceptor *acc, const struct client *client,
	    struct monotime now);

/*
 * The hold for a listener whose clients have to wait for a limit of ours; 0 for
 * none.
 */
uint32_t acceptor_lacks(struct inlet *in, struct monotime now);

/*
 * Serve a client if it is admitted, or refuse it; there is room in the outbox.
 * Its descriptor belongs to whoever serves it, or is closed.
 */
void	acceptor_serve(struct acceptor *acc, const struct client *client,
	    struct monotime now);

/* Note that it may not, for main and its log. */
void	acceptor_refuse(struct acceptor *acc, const struct client *client,
	    enum verdict verdict, struct monotime now);

/* Main has trouble with the handlers of a service, or none any more. */
void	acceptor_rest(struct acceptor *acc, uint32_t service, bool rests);

/* Main has read on: there is room again. */
void	acceptor_resume(struct acceptor *acc);

#endif
