/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell frontends what they do not know yet.
 *
 * What they have to be told is kept as state, not as a queue: which listeners
 * each has, and for each service the count that the serving one believes.
 * tell_flush() sends the difference and may be called at any time, so a full
 * channel delays news and loses none, and a new frontend is told everything by
 * the same code.
 *
 * The count a frontend believes is what it was told plus what it accepted
 * since.  It never believes less than is true, so one that asks for more
 * handlers than its service may have is not ours any more.
 */

#include "main/tell.h"

#include <sys/epoll.h>

#include <errno.h>
#include <string.h>

#include "base/channel.h"
#include "main/banlist.h"
#include "main/front.h"
#include "main/lend.h"
#include "main/resolve.h"
#include "main/sourcetell.h"

enum {
	SEND_RETRY_MSEC = 5,	/* after errors that have no event */
};

void
tell_count(struct minetd *mi, struct service *svc)
{
	if (svc->dirty || svc->index == SERVICE_NO_INDEX ||
	    (svc->active == svc->told && svc->rests == svc->rests_told))
		return;
	svc->dirty = true;
	STAILQ_INSERT_TAIL(&mi->dirty, svc, entry);
}

void
tell_listener(struct minetd *mi, uint32_t index)
{
	struct front *front = mi->front;

	if (front == NULL)
		return;
	front->told[index] = false;
	if (index < front->next_listener)
		front->next_listener = index;
}

void
tell_counts_anew(struct minetd *mi)
{
	const struct edition *ed = mi->edition;
	struct service *svc;

	while ((svc = STAILQ_FIRST(&mi->dirty)) != NULL) {
		STAILQ_REMOVE_HEAD(&mi->dirty, entry);
		svc->dirty = false;
	}
	for (uint32_t i = 0; i < ed->service_count; i++) {
		svc = ed->services[i].service;
		if (svc == NULL)
			continue;
		svc->told = 0;
		svc->rests_told = false;
		tell_count(mi, svc);
	}
}

/* Send one message; false when it has to wait. */
static bool
message_send(struct front *front, enum channel_type type, uint32_t listener,
    int fd)
{
	struct channel_item item;

	channel_msg_init(&item.msg, type);
	item.fd = fd;
	item.msg.listener = listener;
	return channel_send(front->channel.fd, &item, 1) == 1;
}

/*
 * Those with wait = yes only when no other frontend can ask for their handler
 * any more.
 */
static bool
may_have(const struct front *front, uint32_t index)
{
	const struct edition *ed = front->edition;

	return front->goes || front->state == FRONT_SERVING ||
	    !ed->services[ed->listeners[index].service].conf->wait;
}

static bool
listener_send(struct front *front, uint32_t index, const struct listener *lst)
{
	struct channel_item item;

	channel_msg_init(&item.msg, CHANNEL_LISTEN);
	item.msg.listener = index;
	item.msg.listen.transport = lst->transport;
	item.msg.listen.took = lst->took;
	item.fd = lst->fd;
	return channel_send(front->channel.fd, &item, 1) == 1;
}

/*
 * Those that listen, and that no handler has; what is just bound may yet be
 * given up.
 */
static bool
listeners_send(struct front *front)
{
	const struct edition *ed = front->edition;

	while (front->next_listener < ed->listener_count) {
		uint32_t index = front->next_listener;
		const struct listener *lst = ed->listeners[index].listener;

		if (lst->listening && lst->waiter == 0 &&
		    may_have(front, index) && !front->told[index]) {
			if (!listener_send(front, index, lst))
				return false;
			front->told[index] = true;
		}
		front->next_listener++;
	}
	return true;
}

/*
 * Fill one message with the differences of one kind, from the head of the
 * list on.  Returns how many entries it got.
 */
static int
counts_fill(struct minetd *mi, struct channel_msg *msg)
{
	struct service *svc = STAILQ_FIRST(&mi->dirty);
	bool ended = svc->active < svc->told;
	int n = 0;

	channel_msg_init(msg, ended ? CHANNEL_EXITED : CHANNEL_ACTIVE);
	for (; svc != NULL && n < CHANNEL_COUNTS &&
	    (svc->active < svc->told) == ended && svc->active != svc->told &&
	    svc->rests == svc->rests_told;
	    svc = STAILQ_NEXT(svc, entry))
		msg->counts[n++] = (struct channel_count){
			.service = svc->index,
			.count = ended ? svc->told - svc->active :
			    svc->active - svc->told,
		};
	return n;
}

static void
dirty_remove_first(struct minetd *mi)
{
	struct service *svc = STAILQ_FIRST(&mi->dirty);

	STAILQ_REMOVE_HEAD(&mi->dirty, entry);
	svc->dirty = false;
	svc->told = svc->active;
}

/* That it rests, or goes on; false when it has to wait. */
static bool
rest_send(struct front *front, struct service *svc)
{
	struct channel_item item;

	channel_msg_init(&item.msg, CHANNEL_REST);
	item.fd = -1;
	item.msg.rest = (struct channel_rest){ svc->index, svc->rests };
	if (channel_send(front->channel.fd, &item, 1) != 1)
		return false;
	svc->rests_told = svc->rests;
	return true;
}

static bool
counts_send(struct minetd *mi, struct front *front)
{
	struct channel_item item;
	struct service *svc;

	item.fd = -1;

	while ((svc = STAILQ_FIRST(&mi->dirty)) != NULL) {
		int n;

		if (svc->rests != svc->rests_told && !rest_send(front, svc))
			return false;
		if (svc->active == svc->told) {
			dirty_remove_first(mi);
			continue;
		}
		n = counts_fill(mi, &item.msg);
		if (channel_send(front->channel.fd, &item, 1) != 1)
			return false;
		while (n-- > 0)
			dirty_remove_first(mi);
	}
	return true;
}

static void
serving_log(const struct front *front)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "frontend");
	log_str(&line, "event", front->replaces ? "restarted" : "started");
	log_int(&line, "pid", front->pid);
	log_end(&line);
}

/*
 * Make it the one that accepts: when no other does any more, so that what it
 * is told of the counts is true.
 */
static bool
go_send(struct minetd *mi, struct front *front)
{
	if (front_any_stopping(mi))
		return true;
	if (!front->goes) {
		front->goes = true;
		front->next_listener = 0;
	}
	if (!listeners_send(front))
		return false;
	if (!front->counted) {
		tell_counts_anew(mi);
		sourcetell_anew(mi);
		banlist_tell_anew(mi);
		lend_anew(mi, front);
		front->counted = true;
	}
	if (!lend_send(mi, front) || !sourcetell_send(mi, front) ||
	    !counts_send(mi, front) || !banlist_send(mi, front) ||
	    !message_send(front, CHANNEL_GO, 0, -1))
		return false;
	front->state = FRONT_SERVING;
	mi->respawn.needed = false;
	serving_log(front);
	return true;
}

/* What the one that serves has to know, in the order it needs it. */
static bool
serving_send(struct minetd *mi, struct front *front)
{
	if (front->state == FRONT_STOPPING)
		return lend_asked(mi, front);
	if (front->state == FRONT_DRAINING)
		return true;
	if (!front->setup_sent) {
		if (!message_send(front, CHANNEL_SETUP, 0,
		    front->edition->admission_fd))
			return false;
		front->setup_sent = true;
	}
	if (front->stop_due) {
		if (!message_send(front, CHANNEL_STOP, 0, -1))
			return false;
		front->stop_due = false;
		front->state = FRONT_STOPPING;
		return true;
	}
	if (!listeners_send(front))
		return false;
	if (front != mi->front || front->state == FRONT_CONFINING)
		return true;
	if (front->state == FRONT_READY)
		return go_send(mi, front);
	/* With the count of the service somebody may come in, and must not be
	 * refused because his source is believed to have a handler still. */
	return sourcetell_send(mi, front) && counts_send(mi, front) &&
	    banlist_send(mi, front) && lend_send(mi, front) &&
	    resolve_send(mi, front);
}

static bool
news_send(struct minetd *mi, struct front *front)
{
	if (!serving_send(mi, front) ||
	    !answers_send(&front->answers, front->channel.fd))
		return false;
	if (front->ping_due && !message_send(front, CHANNEL_PING, 0, -1))
		return false;
	front->ping_due = false;
	return true;
}

static void
front_flush(struct minetd *mi, struct front *front, struct monotime now)
{
	uint32_t events = 0;

	if (front->killed)
		return;
	if (!news_send(mi, front)) {
		if (errno == EAGAIN)
			events |= EPOLLOUT;
		else if (errno != EPIPE && errno != ECONNRESET)
			timer_arm(loop_timers(mi->loop), &front->send_retry,
			    monotime_add_msec(now, SEND_RETRY_MSEC));
	}
	if (!answers_full(&front->answers) && !sourcetell_full(mi, front))
		events |= EPOLLIN;
	loop_arm(mi->loop, &front->channel, events);
}

void
tell_flush(struct minetd *mi, struct monotime now)
{
	struct front *front;

	TAILQ_FOREACH(front, &mi->fronts, entry)
		front_flush(mi, front, now);
}
