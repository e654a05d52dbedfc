/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The life of a frontend: SETUP, confine, READY, GO, accept, STOP.
 *
 * It never changes its configuration; main starts another one instead.  It
 * ends when the channel does, and with it the copies of the listeners that it
 * holds, so that nothing it leaves behind keeps a port busy.
 */

#include "frontend/frontend.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/loop.h"
#include "conf/admission.h"
#include "frontend/accept.h"
#include "frontend/active.h"
#include "frontend/confine.h"
#include "frontend/errlog.h"
#include "frontend/outbox.h"
#include "frontend/redirect.h"

enum {
	SEND_RETRY_MSEC = 5,	/* after ETOOMANYREFS, which has no event */
	EXIT_PROTOCOL = 70,	/* main sent what this binary does not know */
};

/* Whether it has more to do than to accept. */
#ifdef MINETD_OTHER_FRONTEND	/* a build that tests frontends that stay */
static const bool stays = true;
#else
static const bool stays = false;
#endif

struct frontend {
	struct loop *loop;
	const struct admission *adm;
	struct watch channel;
	struct timer send_retry;
	struct acceptor acceptor;
	struct errlog errlog;
	struct outbox outbox;
	int status;		/* of the process */
	bool pong_due;		/* a PING that found no place for its answer */
	bool stopped_due;	/* likewise STOPPED */
	bool leaving;		/* STOPPED was said: nothing is left to do */
};

static void
frontend_end(struct frontend *fr, int status)
{
	fr->status = status;
	loop_stop(fr->loop);
}

/* Give the answers that main waits for, when there are places for them. */
static void
answers_add(struct frontend *fr, struct monotime now)
{
	if (fr->pong_due &&
	    outbox_add(&fr->outbox, CHANNEL_PONG, 0, -1) != NULL)
		fr->pong_due = false;
	/* Of clients that have yet to come, nothing may follow it. */
	if (fr->stopped_due && acceptor_report(&fr->acceptor, now) &&
	    errlog_report(&fr->errlog, now) &&
	    outbox_add(&fr->outbox, CHANNEL_STOPPED, 0, -1) != NULL) {
		fr->stopped_due = false;
		fr->leaving = true;
	}
}

/* Main has all that there was to say. */
static void
outbox_sent(struct frontend *fr, struct monotime now)
{
	if (fr->leaving && !stays && !carrier_busy(&fr->acceptor.carrier)) {
		frontend_end(fr, EXIT_SUCCESS);
		return;
	}
	acceptor_resume(&fr->acceptor);
	errlog_resume(&fr->errlog, now);
}

/* More conversations may have ended than fit into it at once. */
static int
outbox_send(struct frontend *fr, struct monotime now)
{
	bool told;
	int rc;

	do {
		told = carrier_report(&fr->acceptor.carrier);
		answers_add(fr, now);
		rc = outbox_flush(&fr->outbox, fr->channel.fd);
	} while (rc == 0 && !told);
	return rc;
}

/* Send what has gathered; what stays is sent when the channel has room. */
static void
outbox_due(void *arg, struct monotime now)
{
	struct frontend *fr = arg;
	uint32_t events = EPOLLIN;

	peers_proceed(&fr->acceptor.peers, now);
	if (fr->leaving)
		acceptor_report(&fr->acceptor, now);
	else
		carrier_report(&fr->acceptor.carrier);
	answers_add(fr, now);
	if (fr->leaving && !carrier_busy(&fr->acceptor.carrier) &&
	    fr->outbox.count == 0 && !stays)
		frontend_end(fr, EXIT_SUCCESS);
	if (fr->outbox.count == 0)
		return;
	if (outbox_send(fr, now) == 0)
		outbox_sent(fr, now);
	else if (errno == EAGAIN)
		events |= EPOLLOUT;
	else if (errno == ETOOMANYREFS || errno == ENOBUFS || errno == ENOMEM)
		timer_arm(loop_timers(fr->loop), &fr->send_retry,
		    monotime_add_msec(now, SEND_RETRY_MSEC));
	else
		frontend_end(fr, EXIT_SUCCESS);
	loop_arm(fr->loop, &fr->channel, events);
}

/* Nothing to do but to wake up: what is to be sent is sent after it. */
static void
send_retry_due(void *arg, struct monotime now)
{
	(void)arg;
	(void)now;
}

static int
counts_apply(struct frontend *fr, const struct channel_msg *msg)
{
	for (int i = 0; i < CHANNEL_COUNTS; i++) {
		const struct channel_count *entry = &msg->counts[i];

		if (entry->count == 0)
			break;
		if (entry->service >= fr->adm->services)
			return -1;
		if (msg->type == CHANNEL_ACTIVE)
			active_add(&fr->acceptor, entry->service,
			    entry->count);
		else
			active_remove(&fr->acceptor, entry->service,
			    entry->count);
	}
	return 0;
}

static int
sources_apply(struct frontend *fr, const struct channel_msg *msg)
{
	for (int i = 0; i < CHANNEL_SOURCES_MAX; i++) {
		const struct channel_source *entry = &msg->sources[i];

		if (entry->change == 0)
			break;
		if (entry->service >= fr->adm->services)
			return -1;
		if (entry->change > 0)
			limits_add(&fr->acceptor, entry->service,
			    &entry->peer);
		else
			limits_give(&fr->acceptor, entry->service,
			    &entry->peer);
	}
	return 0;
}

/* Take what is lent, to do with it what that kind is for. */
static int
loan_take(struct frontend *fr, const struct channel_item *item,
    struct monotime now)
{
	if (item->fd == -1)
		return -1;
	if (item->msg.loan.kind == CHANNEL_LOAN_DATAGRAMS)
		peers_loan(&fr->acceptor.peers, &item->msg, item->fd, now);
	else
		errlog_add(&fr->errlog, &item->msg, item->fd, now);
	return 0;
}

/* Do what main says; -1 when it makes no sense, which ends the process. */
static int
message_obey(struct frontend *fr, struct channel_item *item,
    struct monotime now)
{
	switch (item->msg.type) {
	case CHANNEL_LISTEN:
		if (item->msg.listener >= fr->adm->listeners || item->fd == -1)
			return -1;
		return acceptor_listen(&fr->acceptor, item->msg.listener,
		    &item->msg.listen, item->fd);
	case CHANNEL_REST:
		if (item->msg.rest.service >= fr->adm->services)
			return -1;
		acceptor_rest(&fr->acceptor, item->msg.rest.service,
		    item->msg.rest.on != 0);
		return 0;
	case CHANNEL_ACTIVE:
	case CHANNEL_EXITED:
		return counts_apply(fr, &item->msg);
	case CHANNEL_BANNED:
		return bans_apply(&fr->acceptor, &item->msg.banned);
	case CHANNEL_SOURCES:
		return sources_apply(fr, &item->msg);
	case CHANNEL_GO:
		acceptor_start(&fr->acceptor, now);
		return 0;
	case CHANNEL_STOP:
		acceptor_stop(&fr->acceptor);
		errlog_stop(&fr->errlog, now);
		fr->stopped_due = true;
		return 0;
	case CHANNEL_PING:
		fr->pong_due = true;
		return 0;
	case CHANNEL_LOAN:
		return loan_take(fr, item, now);
	case CHANNEL_RETURN:
		peers_return(&fr->acceptor.peers, &item->msg, item->fd, now);
		return 0;
	case CHANNEL_PARTNER:
		carrier_partner(&fr->acceptor.carrier, item->msg.partner.tag,
		    item->fd, item->msg.partner.error, now);
		return 0;
	case CHANNEL_TARGET:
		return redirect_target(&fr->acceptor.carrier,
		    &item->msg.target);
	default:
		return -1;
	}
}

static void
channel_ready(void *arg, uint32_t events, struct monotime now)
{
	struct frontend *fr = arg;
	struct channel_item items[CHANNEL_BATCH];
	int n;

	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	n = channel_recv(fr->channel.fd, items, CHANNEL_BATCH);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		frontend_end(fr, EXIT_SUCCESS);
		return;
	}
	for (int i = 0; i < n; i++) {
		if (message_obey(fr, &items[i], now) == -1) {
			frontend_end(fr, EXIT_PROTOCOL);
			return;
		}
	}
}

/* Say why this frontend cannot serve; it ends afterwards. */
static int
failure_send(int channel, enum confine_step step, int error)
{
	struct channel_item item;

	channel_msg_init(&item.msg, CHANNEL_FAILED);
	item.fd = -1;
	item.msg.failed.step = step;
	item.msg.failed.error = error;
	channel_send(channel, &item, 1);
	return EXIT_FAILURE;
}

/* The first message brings the admission block. */
static const struct admission *
setup_receive(int channel)
{
	struct pollfd pfd = { .fd = channel, .events = POLLIN };
	struct channel_item item;
	const struct admission *adm = NULL;

	item.fd = -1;

	while (poll(&pfd, 1, -1) == -1 && errno == EINTR)
		;
	if (channel_recv(channel, &item, 1) == 1 &&
	    item.msg.type == CHANNEL_SETUP && item.fd != -1)
		adm = admission_import(item.fd);
	if (item.fd != -1)
		close(item.fd);
	return adm;
}

static int
frontend_init(struct frontend *fr, int channel)
{
	fr->loop = loop_new();
	if (fr->loop == NULL)
		return -1;
	watch_init(&fr->channel, channel, channel_ready, fr);
	timer_init(&fr->send_retry, send_retry_due, fr);
	loop_after(fr->loop, outbox_due, fr);
	if (acceptor_init(&fr->acceptor, fr->loop, fr->adm, &fr->outbox) == -1)
		return -1;
	errlog_init(&fr->errlog, fr->loop, &fr->outbox);
	return loop_arm(fr->loop, &fr->channel, EPOLLIN);
}

int
frontend_run(int channel)
{
	struct frontend fr = { .adm = setup_receive(channel) };
	enum confine_step step;

	if (fr.adm == NULL)
		return EXIT_PROTOCOL;
	/* What takes descriptors is made first: confined, none can be, and no
	 * time zone be read. */
	tzset();
	if (frontend_init(&fr, channel) == -1)
		return failure_send(channel, CONFINE_DONE, errno);
	step = confine(fr.adm->frontend_uid, fr.adm->frontend_gid,
	    fr.adm->connects != 0);
	if (step != CONFINE_DONE)
		return failure_send(channel, step, errno);
	outbox_add(&fr.outbox, CHANNEL_READY, 0, -1);
	outbox_due(&fr, monotime_now());
	if (loop_run(fr.loop) == -1)
		return failure_send(channel, CONFINE_DONE, errno);
	return fr.status;
}
