/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Gather refusals.
 */

#include "frontend/refusal.h"

#include <stdlib.h>

enum {
	REPORT_MSEC = 100,	/* refusals are gathered for this long */
};

/* In one message for each service and reason. */
static void
report_due(void *arg, struct monotime now)
{
	struct refusal_account *account = arg;
	struct refusals *ref;

	while ((ref = SLIST_FIRST(&account->pending)) != NULL) {
		struct channel_msg *msg = outbox_add(account->outbox,
		    CHANNEL_REJECTED, ref->listener, -1);

		if (msg == NULL) {
			timer_arm(loop_timers(account->loop), &account->report,
			    monotime_add_msec(now, REPORT_MSEC));
			return;
		}
		msg->rejected.peer = ref->peer;
		msg->rejected.reason = ref->verdict;
		msg->rejected.count = ref->count;
		msg->rejected.service = ref->service;
		ref->count = 0;
		ref->pending = false;
		SLIST_REMOVE_HEAD(&account->pending, entry);
	}
}

int
refusal_init(struct refusal_account *account, struct loop *loop,
    struct outbox *outbox, uint32_t services)
{
	*account = (struct refusal_account){
		.loop = loop,
		.outbox = outbox,
		.services = calloc((size_t)services + 1,
		    sizeof(*account->services)),
	};
	SLIST_INIT(&account->pending);
	timer_init(&account->report, report_due, account);
	return account->services != NULL ? 0 : -1;
}

static struct refusals *
refusals_get(struct refusal_account *account, uint32_t service,
    enum verdict verdict)
{
	struct refusals *all = account->services[service];

	if (all == NULL) {
		all = calloc(VERDICT_COUNT, sizeof(*all));
		account->services[service] = all;
	}
	return all != NULL ? &all[verdict] : NULL;
}

void
refusal_note(struct refusal_account *account, const struct client *client,
    enum verdict verdict, struct monotime now)
{
	struct refusals *ref = refusals_get(account, client->service, verdict);

	if (ref == NULL)
		return;
	ref->peer = client->peer;
	ref->service = client->service;
	ref->listener = client->listener;
	ref->verdict = (uint8_t)verdict;
	ref->count++;
	if (ref->pending)
		return;
	ref->pending = true;
	SLIST_INSERT_HEAD(&account->pending, ref, entry);
	if (!account->report.armed)
		timer_arm(loop_timers(account->loop), &account->report,
		    monotime_add_msec(now, REPORT_MSEC));
}

bool
refusal_report(struct refusal_account *account, struct monotime now)
{
	report_due(account, now);
	return SLIST_EMPTY(&account->pending);
}
