/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Gather refusals, and tell main of many in one message.
 *
 * A service whose clients are refused by the thousand costs main one message
 * for each reason in a while.
 */

#ifndef MINETD_REFUSAL_H
#define MINETD_REFUSAL_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/verdict.h"
#include "frontend/carry.h"
#include "frontend/outbox.h"

/* What happened on a service, for one reason, since main was last told. */
struct refusals {
	struct addr peer;	/* the last one refused */
	uint32_t service;
	uint32_t listener;
	uint32_t count;
	uint8_t verdict;	/* enum verdict */
	bool pending;		/* in the list of those to report */
	SLIST_ENTRY(refusals) entry;
};

SLIST_HEAD(refusals_list, refusals);

struct refusal_account {
	struct loop *loop;	/* not owned */
	struct outbox *outbox;	/* not owned; the owner flushes it */
	struct refusals **services; /* by index: VERDICT_COUNT of them, or NULL
				 * where nobody was refused */
	struct refusals_list pending;
	struct timer report;	/* when to tell main */
};

/* Returns 0, or -1 with errno ENOMEM. */
int	refusal_init(struct refusal_account *account, struct loop *loop,
	    struct outbox *outbox, uint32_t services);

/*
 * A client was refused.  For want of memory it is not counted, if it is the
 * first one of its service.
 */
void	refusal_note(struct refusal_account *account,
	    const struct client *client, enum verdict verdict,
	    struct monotime now);

/* Tell main now, as far as there is room; whether nothing is left to tell. */
bool	refusal_report(struct refusal_account *account, struct monotime now);

#endif
