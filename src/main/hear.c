/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What frontends say of their clients.
 *
 * One that accepts may say everything; one that was told to stop and has
 * finished only what it says of conversations that it carries on.
 */

#include "main/hear.h"

#include <errno.h>

#include "main/banlist.h"
#include "main/carried.h"
#include "main/lend.h"
#include "main/plan.h"
#include "main/refused.h"
#include "main/resolve.h"
#include "main/serve.h"
#include "main/waiter.h"

/* Of listeners, and of clients that have just come. */
static int
arrivals_obey(struct front *front, const struct channel_item *item,
    struct monotime now)
{
	struct minetd *mi = front->mi;

	switch (item->msg.type) {
	case CHANNEL_START:
		return serve_connection(mi, front, item, now);
	case CHANNEL_REJECTED:
		return refused_peers(front, &item->msg, now);
	case CHANNEL_ACCEPT_FAILED:
		return refused_accept(mi, front, &item->msg, now);
	case CHANNEL_EMPTY:
		return plan_empty(mi, front, item->msg.listener);
	case CHANNEL_WAIT_READY:
		return waiter_ready(mi, front, item->msg.listener, now);
	case CHANNEL_THROTTLED:
		return waiter_throttled(front, &item->msg, now);
	default:
		return -1;
	}
}

/*
 * Of clients that had come before it was told to stop, and have said only now
 * whom they want.  One that was started by an image before this means services
 * that nobody knows any more.
 */
static int
late_obey(struct front *front, const struct channel_item *item,
    struct monotime now)
{
	bool known = front->edition != NULL;

	if (item->msg.type == CHANNEL_START && known)
		return serve_connection(front->mi, front, item, now);
	channel_discard(item->fd);
	if (item->msg.type == CHANNEL_START)
		return answers_add(&front->answers, item->msg.start.tag, -1,
		    ESHUTDOWN);
	if (item->msg.type != CHANNEL_REJECTED)
		return -1;
	return known ? refused_peers(front, &item->msg, now) : 0;
}

int
hear_item(struct front *front, const struct channel_item *item,
    struct monotime now)
{
	struct minetd *mi = front->mi;
	bool accepts = front->state == FRONT_SERVING ||
	    front->state == FRONT_STOPPING;

	switch (item->msg.type) {
	case CHANNEL_BEGAN:
		return carried_began(front, &item->msg);
	case CHANNEL_DONE:
		return carried_done(front, &item->msg);
	case CHANNEL_CARRIED:
		return carried_count(mi, front, &item->msg);
	case CHANNEL_CONNECT:
		return carried_connect(front, &item->msg);
	case CHANNEL_LOG:
		return lend_log(mi, front, &item->msg);
	case CHANNEL_REPAID:
		return lend_repaid(mi, front, &item->msg);
	case CHANNEL_RESOLVE:
		return resolve_obey(mi, front, &item->msg, now);
	case CHANNEL_BAN:
		/* Of another image, there is nothing to compare it with. */
		return front->edition != NULL ?
		    banlist_obey(mi, front, &item->msg, now) : 0;
	default:
		break;
	}
	if (accepts)
		return arrivals_obey(front, item, now);
	if (front->state == FRONT_DRAINING)
		return late_obey(front, item, now);
	channel_discard(item->fd);
	return -1;
}
