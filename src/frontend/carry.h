/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What all conversations have in common that the frontend itself carries:
 * built-ins, redirects, terminals, prefaces.
 *
 * Each is in a list, takes a place in the count of its service, has deadlines,
 * and ends with a report to main.  A conversation embeds a struct carried and
 * is freed through its kind, when main was told.  What is carried on keeps a
 * frontend alive after STOP.
 */

#ifndef MINETD_CARRY_H
#define MINETD_CARRY_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/done.h"
#include "base/loop.h"
#include "conf/admission.h"
#include "frontend/linger.h"
#include "frontend/outbox.h"

/* Who has come, and to whom. */
struct client {
	int fd;			/* a connected stream; whose, the function that
				 * takes it says */
	struct addr peer;
	uint32_t listener;	/* index in the admission block */
	uint32_t service;	/* likewise; that of the listener, or one that
				 * was reached through tcpmux */
	struct addr via;	/* the proxy through which it came; ADDR_NONE:
				 * none */
	struct addr local;	/* what it has connected to, as the proxy says;
				 * ADDR_NONE: ask the socket */
	struct monotime accepted;
	uint32_t preface;	/* bytes that were read from it already */
	bool told;		/* something was said to it already */
};

struct carrier;
struct carried;
struct redirects;

/* What differs between kinds of conversations. */
struct carried_kind {
	/*
	 * A deadline has passed: let go of everything, then carried_end().
	 * NULL: those of the service do not concern it.
	 */
	void (*expire)(struct carried *carried, enum done_reason reason,
	    struct monotime now);
	/* Nothing refers to it any more. */
	void (*free)(struct carried *carried);
	/* The answer to a PARTNER that was asked for, with its descriptor,
	 * which belongs to the callee, or -1 and errno.  NULL: never asked. */
	void (*partner)(struct carried *carried, int fd, int error,
	    struct monotime now);
	bool counted;		/* the frontend alone counts it; otherwise main
				 * does, and START was sent for it */
	bool reported;		/* main logs its end */
};

struct carried {
	TAILQ_ENTRY(carried) entry;
	struct carrier *carrier;
	const struct carried_kind *kind;
	struct client client;	/* fd is owned by the conversation */
	uint32_t tag;		/* by which main calls it */
	struct monotime started;
	struct monotime touched; /* when a byte last moved */
	struct timer first;	/* of the three deadlines */
	struct timer idle;
	struct timer overdue;
	uint64_t bytes_in;	/* from the peer; kept up to date */
	uint64_t bytes_out;	/* to the peer */
	uint32_t target;	/* redirect: which one; UINT32_MAX: none */
	bool lingers;		/* what was said last must arrive: the client
				 * is closed by linger_close() */
	enum done_reason reason; /* when it has ended */
	struct addr local;	/* likewise; the client's other end */
};

TAILQ_HEAD(carried_list, carried);

typedef void carrier_fn(void *arg, const struct client *client,
    struct monotime now);

struct carrier {
	struct loop *loop;	/* not owned */
	const struct admission *adm; /* not owned */
	struct outbox *outbox;	/* not owned; the owner flushes it */
	struct lingerer linger;	/* connections that have ended */
	struct carried_list all; /* that go on */
	struct carried_list ended; /* main was not told of yet */
	uint32_t count;		/* in all */
	uint32_t next_tag;
	struct redirects *redirects; /* what redirects share; NULL: no client
				 * of one has come yet */
	carrier_fn *take;	/* a place of a service is taken, */
	carrier_fn *give;	/*   or given back */
	void *arg;
};

void	carrier_init(struct carrier *carrier, struct loop *loop,
	    const struct admission *adm, struct outbox *outbox);

/*
 * Begin a conversation; *carried is the caller's storage, which kind->free()
 * releases.  The client's descriptor belongs to the conversation.  Deadlines
 * begin now.
 */
void	carried_begin(struct carried *carried, struct carrier *carrier,
	    const struct carried_kind *kind, const struct client *client,
	    struct monotime now);

/* The service of it. */
const struct admission_service *carried_service(const struct carried *carried);

/* A byte has moved: the time for `idle` begins anew. */
void	carried_touch(struct carried *carried, struct monotime now);

/*
 * It has ended; its watches were disarmed.  The client's descriptor is closed
 * here, unless it is -1, and *carried may be freed.
 */
void	carried_end(struct carried *carried, enum done_reason reason,
	    struct monotime now);

/*
 * Main's answer to who asked for a partner.  -1 when nobody does any more: the
 * descriptor is closed then.
 */
int	carrier_partner(struct carrier *carrier, uint32_t tag, int fd,
	    int error, struct monotime now);

/* Tell main what has ended, as far as there is room; whether all was told. */
bool	carrier_report(struct carrier *carrier);

/* Whether anything is still carried, or to be told. */
bool	carrier_busy(const struct carrier *carrier);

#endif
