/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Gather refusals, and tell main of many in one message.
 *
 * A service whose clients are refused by the thousand costs main one message
 * in a while.
 */

#ifndef MINETD_REFUSAL_H
#define MINETD_REFUSAL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "frontend/outbox.h"

/* What happened on a service since main was last told. */
struct refusals {
	struct addr peer;	/* the last one refused */
	uint32_t count;
	uint32_t listener;
	bool pending;		/* in the list of those to report */
	SLIST_ENTRY(refusals) entry;
};

SLIST_HEAD(refusals_list, refusals);

struct refusal_account {
	struct loop *loop;	/* not owned */
	struct outbox *outbox;	/* not owned; the owner flushes it */
	struct refusals *services; /* by index */
	struct refusals_list pending;
	struct timer report;	/* when to tell main */
};

/* Returns 0, or -1 with errno ENOMEM. */
int	refusal_init(struct refusal_account *account, struct loop *loop,
	    struct outbox *outbox, uint32_t services);

/* A client of a service was refused at this listener. */
void	refusal_note(struct refusal_account *account, uint32_t service,
	    uint32_t listener, const struct addr *peer, struct monotime now);

/* Tell main now, as far as there is room; whether nothing is left to tell. */
bool	refusal_report(struct refusal_account *account, struct monotime now);

#endif
