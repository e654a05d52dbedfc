/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell the frontend what it does not know yet.
 *
 * What it has to be told is kept as state, not as a queue: which listeners it
 * has, and for each service the count that it believes.  tell_flush() sends
 * the difference and may be called at any time, so a full channel delays news
 * and loses none, and a new frontend is told everything by the same code.
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

enum {
	SEND_RETRY_MSEC = 5,	/* after errors that have no event */
};

/* To wake up is all: the flush follows. */
static void
send_retry_due(void *arg, struct monotime now)
{
	(void)arg;
	(void)now;
}

void
tell_init(struct minetd *mi)
{
	STAILQ_INIT(&mi->dirty);
	timer_init(&mi->front.send_retry, send_retry_due, mi);
}

void
tell_count(struct minetd *mi, struct service *svc)
{
	if (svc->dirty || svc->active == svc->told)
		return;
	svc->dirty = true;
	STAILQ_INSERT_TAIL(&mi->dirty, svc, entry);
}

void
tell_listener(struct minetd *mi, uint32_t index)
{
	if (index < mi->front.next_listener)
		mi->front.next_listener = index;
}

void
tell_everything(struct minetd *mi)
{
	struct front *front = &mi->front;

	front->next_listener = 0;
	front->setup_sent = false;
	front->ping_due = false;
	for (uint32_t i = 0; i < mi->conf->listens.count; i++)
		mi->listeners[i].told = false;
	for (uint32_t i = 0; i < mi->conf->services.count; i++) {
		mi->services[i].told = 0;
		tell_count(mi, &mi->services[i]);
	}
}

/* Send one message; false when it has to wait. */
static bool
message_send(struct minetd *mi, enum channel_type type, uint32_t listener,
    int fd)
{
	struct channel_item item = { .fd = fd };

	item.msg.type = (uint16_t)type;
	item.msg.listener = listener;
	return channel_send(mi->front.channel.fd, &item, 1) == 1;
}

static bool
listeners_send(struct minetd *mi)
{
	struct front *front = &mi->front;

	while (front->next_listener < mi->conf->listens.count) {
		uint32_t index = front->next_listener;
		struct listener *lst = &mi->listeners[index];

		if (lst->fd != -1 && !lst->told) {
			if (!message_send(mi, CHANNEL_LISTEN, index, lst->fd))
				return false;
			lst->told = true;
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

	memset(msg, 0, sizeof(*msg));
	msg->type = ended ? CHANNEL_EXITED : CHANNEL_ACTIVE;
	for (; svc != NULL && n < CHANNEL_COUNTS &&
	    (svc->active < svc->told) == ended && svc->active != svc->told;
	    svc = STAILQ_NEXT(svc, entry))
		msg->counts[n++] = (struct channel_count){
			.service = (uint32_t)(svc - mi->services),
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

static bool
counts_send(struct minetd *mi)
{
	struct channel_item item = { .fd = -1 };
	struct service *svc;

	while ((svc = STAILQ_FIRST(&mi->dirty)) != NULL) {
		int n;

		if (svc->active == svc->told) {
			dirty_remove_first(mi);
			continue;
		}
		n = counts_fill(mi, &item.msg);
		if (channel_send(mi->front.channel.fd, &item, 1) != 1)
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
	log_str(&line, "event", front->replaced ? "restarted" : "started");
	log_int(&line, "pid", front->pid);
	log_end(&line);
}

/* Everything the frontend does not know yet, in the order it needs it. */
static bool
news_send(struct minetd *mi)
{
	struct front *front = &mi->front;

	if (!front->setup_sent) {
		if (!message_send(mi, CHANNEL_SETUP, 0, front->admission_fd))
			return false;
		front->setup_sent = true;
	}
	if (!listeners_send(mi))
		return false;
	if (front->state == FRONT_CONFINING)
		return true;
	if (!counts_send(mi))
		return false;
	if (front->state == FRONT_READY) {
		if (!message_send(mi, CHANNEL_GO, 0, -1))
			return false;
		front->state = FRONT_SERVING;
		serving_log(front);
	}
	if (front->ping_due && !message_send(mi, CHANNEL_PING, 0, -1))
		return false;
	front->ping_due = false;
	return true;
}

void
tell_flush(struct minetd *mi, struct monotime now)
{
	struct front *front = &mi->front;
	uint32_t events = EPOLLIN;

	if (front->state == FRONT_NONE || front->killed)
		return;
	if (!news_send(mi)) {
		if (errno == EAGAIN)
			events |= EPOLLOUT;
		else if (errno != EPIPE && errno != ECONNRESET)
			timer_arm(loop_timers(mi->loop), &front->send_retry,
			    monotime_add_msec(now, SEND_RETRY_MSEC));
	}
	loop_arm(mi->loop, &front->channel, events);
}
