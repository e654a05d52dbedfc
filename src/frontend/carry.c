/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What all conversations have in common that the frontend itself carries.
 *
 * The timer for `idle` is not moved with each byte: when it is due, it looks
 * when the last one was.
 */

#include "frontend/carry.h"

#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

void
carrier_init(struct carrier *carrier, struct loop *loop,
    const struct admission *adm, struct outbox *outbox)
{
	*carrier = (struct carrier){
		.loop = loop,
		.adm = adm,
		.outbox = outbox,
		.next_tag = 1,
	};
	linger_init(&carrier->linger, loop);
	TAILQ_INIT(&carrier->all);
	TAILQ_INIT(&carrier->ended);
}

const struct admission_service *
carried_service(const struct carried *carried)
{
	return &admission_services(carried->carrier->adm)[
	    carried->client.service];
}

static void
idle_due(void *arg, struct monotime now)
{
	struct carried *carried = arg;
	struct monotime end = monotime_add_msec(carried->touched,
	    carried_service(carried)->idle_msec);

	if (monotime_before(now, end))
		timer_arm(loop_timers(carried->carrier->loop), &carried->idle,
		    end);
	else
		carried->kind->expire(carried, DONE_IDLE, now);
}

static void
first_due(void *arg, struct monotime now)
{
	struct carried *carried = arg;

	if (carried->bytes_in == 0)
		carried->kind->expire(carried, DONE_SILENT, now);
}

static void
overdue_due(void *arg, struct monotime now)
{
	struct carried *carried = arg;

	carried->kind->expire(carried, DONE_OVERDUE, now);
}

static void
deadlines_arm(struct carried *carried, struct monotime now)
{
	const struct admission_service *svc = carried_service(carried);
	struct timer_set *timers = loop_timers(carried->carrier->loop);

	timer_init(&carried->first, first_due, carried);
	timer_init(&carried->idle, idle_due, carried);
	timer_init(&carried->overdue, overdue_due, carried);
	if (carried->kind->expire == NULL)
		return;
	if (svc->first_byte_msec != 0)
		timer_arm(timers, &carried->first,
		    monotime_add_msec(now, svc->first_byte_msec));
	if (svc->idle_msec != 0)
		timer_arm(timers, &carried->idle,
		    monotime_add_msec(now, svc->idle_msec));
	if (svc->max_runtime_msec != 0)
		timer_arm(timers, &carried->overdue,
		    monotime_add_msec(now, svc->max_runtime_msec));
}

/* What the client has connected to. */
static void
local_find(const struct client *client, struct addr *local)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	*local = client->local;
	if (local->family == ADDR_NONE &&
	    getsockname(client->fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr(local, (struct sockaddr *)&ss, len);
}

/* A start line is wanted: main gives the number that the exit line has, too. */
static void
began_send(struct carried *carried)
{
	struct channel_msg *msg = outbox_add(carried->carrier->outbox,
	    CHANNEL_BEGAN, carried->client.listener, -1);

	if (msg == NULL)
		return;
	msg->done.peer = carried->client.peer;
	local_find(&carried->client, &msg->done.local);
	msg->done.via = carried->client.via;
	msg->done.service = carried->client.service;
	msg->done.tag = carried->tag;
}

void
carried_begin(struct carried *carried, struct carrier *carrier,
    const struct carried_kind *kind, const struct client *client,
    struct monotime now)
{
	carried->carrier = carrier;
	carried->kind = kind;
	carried->client = *client;
	carried->started = now;
	carried->touched = now;
	carried->target = UINT32_MAX;
	carried->tag = carrier->next_tag++;
	if (carrier->next_tag == 0)
		carrier->next_tag = 1;
	deadlines_arm(carried, now);
	TAILQ_INSERT_TAIL(&carrier->all, carried, entry);
	carrier->count++;
	if (kind->counted)
		carrier->take(carrier->arg, client, now);
	if (kind->reported && carried_service(carried)->log_connections ==
	    CONF_LOG_VERBOSE)
		began_send(carried);
}

void
carried_touch(struct carried *carried, struct monotime now)
{
	carried->touched = now;
}

/* Whether main is told of the end. */
static bool
done_wanted(const struct carried *carried)
{
	return carried->kind->reported &&
	    carried_service(carried)->log_connections != CONF_LOG_NO;
}

/* Tell main; false when there is no room for that. */
static bool
done_send(struct carried *carried)
{
	struct channel_msg *msg;

	if (!done_wanted(carried))
		return true;
	msg = outbox_add(carried->carrier->outbox, CHANNEL_DONE,
	    carried->client.listener, -1);
	if (msg == NULL)
		return false;
	msg->done.peer = carried->client.peer;
	msg->done.local = carried->local;
	msg->done.via = carried->client.via;
	msg->done.bytes_in = carried->bytes_in;
	msg->done.bytes_out = carried->bytes_out;
	msg->done.msec = (uint64_t)monotime_msec_until(carried->started,
	    carried->touched);
	msg->done.service = carried->client.service;
	msg->done.tag = carried->tag;
	msg->done.reason = carried->reason;
	msg->done.target = carried->target;
	return true;
}

static void
client_close(struct carried *carried, struct monotime now)
{
	int fd = carried->client.fd;

	if (fd == -1)
		return;
	if (done_wanted(carried))
		local_find(&carried->client, &carried->local);
	if (carried->lingers)
		linger_close(&carried->carrier->linger, fd, now);
	else
		close(fd);
	carried->client.fd = -1;
}

void
carried_end(struct carried *carried, enum done_reason reason,
    struct monotime now)
{
	struct carrier *carrier = carried->carrier;

	timer_disarm(loop_timers(carrier->loop), &carried->first);
	timer_disarm(loop_timers(carrier->loop), &carried->idle);
	timer_disarm(loop_timers(carrier->loop), &carried->overdue);
	client_close(carried, now);
	carried->touched = now;
	carried->reason = reason;
	TAILQ_REMOVE(&carrier->all, carried, entry);
	carrier->count--;
	if (carried->kind->counted)
		carrier->give(carrier->arg, &carried->client, now);
	if (TAILQ_EMPTY(&carrier->ended) && done_send(carried))
		carried->kind->free(carried);
	else
		TAILQ_INSERT_TAIL(&carrier->ended, carried, entry);
}

int
carrier_partner(struct carrier *carrier, uint32_t tag, int fd, int error,
    struct monotime now)
{
	struct carried *carried;

	/* Most who wait for an answer have just come. */
	for (carried = TAILQ_LAST(&carrier->all, carried_list);
	    carried != NULL;
	    carried = TAILQ_PREV(carried, carried_list, entry))
		if (carried->tag == tag && carried->kind->partner != NULL)
			break;
	/* It may have ended while main was asked. */
	if (carried == NULL) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	carried->kind->partner(carried, fd, error, now);
	return 0;
}

bool
carrier_report(struct carrier *carrier)
{
	struct carried *carried;

	while ((carried = TAILQ_FIRST(&carrier->ended)) != NULL) {
		if (!done_send(carried))
			return false;
		TAILQ_REMOVE(&carrier->ended, carried, entry);
		carried->kind->free(carried);
	}
	return true;
}

bool
carrier_busy(const struct carrier *carrier)
{
	return carrier->count > 0 || !TAILQ_EMPTY(&carrier->ended) ||
	    linger_busy(&carrier->linger);
}
