/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The accept path: wake up, look at the limits, accept, hand over.
 *
 * The limits are asked before accept(2), so that a connection which would have
 * to wait stays in the backlog, where it costs nothing.
 */

#include "frontend/accept.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/transport.h"
#include "frontend/active.h"
#include "frontend/admit.h"
#include "frontend/closing.h"
#include "frontend/dgram.h"
#include "frontend/dispatch.h"
#include "frontend/proxied.h"
#include "frontend/rules.h"
#include "frontend/wait.h"

enum {
	ACCEPTS_PER_WAKEUP = 64, /* of one listener; then others get a turn */
};

/* What came of an attempt to accept. */
enum accepted {
	ACCEPTED_ONE,
	ACCEPTED_NONE,		/* nobody is in the queue */
	ACCEPTED_FAILED,	/* the listener is held, and tried again */
};

static void
failure_tell(struct inlet *in, int error, uint32_t msec)
{
	struct acceptor *acc = in->acceptor;
	struct channel_msg *msg = outbox_add(acc->outbox,
	    CHANNEL_ACCEPT_FAILED, in->index, -1);

	acc->failures++;
	if (msg == NULL)
		return;
	msg->failed.error = error;
	msg->failed.count = acc->failures;
	msg->failed.msec = msec;
	acc->failures = 0;
}

/* Descriptors that are of no use but to be given up for a moment. */
static void
reserve_take(struct acceptor *acc)
{
	if (acc->reserve[0] == -1 &&
	    pipe2(acc->reserve, O_CLOEXEC | O_NONBLOCK) == -1)
		acc->reserve[0] = -1;
}

/* Somebody who cannot be served is told so, rather than that he waits. */
static void
shed_one(struct inlet *in)
{
	struct acceptor *acc = in->acceptor;
	int fd;

	if (acc->reserve[0] == -1)
		return;
	close(acc->reserve[0]);
	close(acc->reserve[1]);
	acc->reserve[0] = -1;
	fd = accept4(in->watch.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd != -1)
		close(fd);
	reserve_take(acc);
}

static enum accepted
accept_failed(struct inlet *in, int error, struct monotime now)
{
	struct acceptfail_action action;

	if (error == EAGAIN)
		return ACCEPTED_NONE;
	action = acceptfail_note(&in->fail, error);
	if (action.shed)
		shed_one(in);
	if (action.tell)
		failure_tell(in, error, action.pause_msec);
	if (action.pause_msec == 0)
		return ACCEPTED_ONE;
	inlet_pause(in, action.pause_msec, now);
	return ACCEPTED_FAILED;
}

static void
retry_due(void *arg, struct monotime now)
{
	struct acceptor *acc = arg;

	reserve_take(acc);
	inlets_retry(acc, now);
}

/* The pid, uid and gid of whoever connected to a unix socket. */
static struct addr
unix_peer(int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return (struct addr){ .family = ADDR_NONE };
	return addr_from_cred((uint32_t)cred.pid, cred.uid, cred.gid);
}

uint32_t
acceptor_lacks(struct inlet *in, struct monotime now)
{
	uint32_t index;
	const struct admission_service *svc = inlet_service(in, &index);
	const struct admit_load load = active_load(in->acceptor, index);

	if (in->acceptor->rests[index])
		return HOLD_TROUBLE;
	if (svc->on_full == CONF_ON_FULL_QUEUE &&
	    admit_check(&load) != VERDICT_SERVE)
		return svc->instances != 0 && load.active >= svc->instances ?
		    HOLD_FULL : HOLD_CHILDREN;
	return limits_hold(in->acceptor, index, now);
}

void
acceptor_serve(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	enum verdict verdict = acceptor_admit(acc, client, now);

	if (verdict == VERDICT_SERVE) {
		dispatch_serve(acc, client, now);
		return;
	}
	acceptor_refuse(acc, client, verdict, now);
	dispatch_refuse(acc, client, now);
}

/* Who it is may have to be said first. */
static void
client_arrived(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	if (proxied_missing(acc, client)) {
		acceptor_refuse(acc, client, VERDICT_PREFACE, now);
		close(client->fd);
	} else if (proxied_awaited(acc, client)) {
		proxied_begin(acc, client, now);
	} else {
		acceptor_serve(acc, client, now);
	}
}

/* Accept one connection, or find out why there is none. */
static enum accepted
accept_one(struct inlet *in, struct monotime now)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct client client = { .listener = in->index };

	client.fd = accept4(in->watch.fd, (struct sockaddr *)&ss, &len,
	    SOCK_CLOEXEC);
	if (client.fd == -1)
		return accept_failed(in, errno, now);
	if (acceptfail_clear(&in->fail))
		failure_tell(in, 0, 0);
	inlet_service(in, &client.service);
	if (transport_is_unix(in->transport))
		client.peer = unix_peer(client.fd);
	else
		addr_from_sockaddr(&client.peer, (struct sockaddr *)&ss, len);
	client.accepted = now;
	client_arrived(in->acceptor, &client, now);
	return ACCEPTED_ONE;
}

/* One turn of a stream listener, as inlet_fn has it. */
static bool
stream_serve(struct inlet *in, struct monotime now)
{
	struct acceptor *acc = in->acceptor;

	for (int i = 0; i < ACCEPTS_PER_WAKEUP; i++) {
		uint32_t lacks = acceptor_lacks(in, now);
		enum accepted accepted;

		if (lacks == 0 && !outbox_has_room(acc->outbox))
			lacks = HOLD_CHANNEL;
		if (lacks != 0) {
			in->had_turn = i > 0;
			inlet_hold(in, lacks);
			return false;
		}
		accepted = accept_one(in, now);
		if (accepted != ACCEPTED_ONE)
			return accepted == ACCEPTED_NONE;
	}
	return false;
}

static void
inlet_ready(void *arg, uint32_t events, struct monotime now)
{
	struct inlet *in = arg;

	(void)events;
	in->serve(in, now);
}

/* What is done with what comes at such a listener. */
static inlet_fn *
serve_of(const struct inlet *in)
{
	uint32_t service;

	if (inlet_service(in, &service)->does == ADMISSION_WAIT)
		return wait_serve;
	return transport_is_dgram(in->transport) ? dgram_serve : stream_serve;
}

/*
 * After STOP main counts what is carried on, for the frontend that follows.
 * Returns whether it knows all of it.
 */
static bool
carried_report(struct acceptor *acc)
{
	uint32_t service = 0;

	while (acc->carried_news) {
		struct channel_msg *msg = outbox_add(acc->outbox,
		    CHANNEL_CARRIED, 0, -1);
		int n = 0;

		if (msg == NULL)
			return false;
		for (; service < acc->adm->services && n < CHANNEL_COUNTS;
		    service++) {
			if (acc->carried[service] == acc->carried_told[service])
				continue;
			acc->carried_told[service] = acc->carried[service];
			msg->counts[n++] = (struct channel_count){
				service, acc->carried[service],
			};
		}
		for (int i = n; i < CHANNEL_COUNTS; i++)
			msg->counts[i].service = UINT32_MAX;
		acc->carried_news = service < acc->adm->services;
	}
	return true;
}

int
acceptor_init(struct acceptor *acc, struct loop *loop,
    const struct admission *adm, struct outbox *outbox)
{
	*acc = (struct acceptor){
		.loop = loop,
		.adm = adm,
		.outbox = outbox,
		.arrivals = epoll_create1(EPOLL_CLOEXEC),
		.inlets = calloc(adm->listeners + 1,
		    sizeof(*acc->inlets)),
		.active = calloc(adm->services + 1, sizeof(*acc->active)),
		.carried = calloc(adm->services + 1, sizeof(*acc->carried)),
		.carried_told = calloc(adm->services + 1,
		    sizeof(*acc->carried_told)),
		.rests = calloc(adm->services + 1, sizeof(*acc->rests)),
		.reserve = { -1, -1 },
	};
	TAILQ_INIT(&acc->held);
	timer_init(&acc->retry, retry_due, acc);
	closing_init(acc);
	if (acc->arrivals == -1 || acc->inlets == NULL || acc->active == NULL ||
	    acc->carried == NULL || acc->carried_told == NULL ||
	    acc->rests == NULL ||
	    limits_init(acc) == -1 ||
	    refusal_init(&acc->refusals, loop, outbox, adm->services) == -1)
		return -1;	/* The process ends, and its memory with it. */
	reserve_take(acc);
	carrier_init(&acc->carrier, loop, adm, outbox);
	acc->carrier.take = active_carried_taken;
	acc->carrier.give = active_carried_given;
	acc->carrier.arg = acc;
	bantable_init(&acc->bans);
	peers_init(&acc->peers, acc);
	preface_set_init(&acc->prefaces, &acc->carrier);
	for (uint32_t i = 0; i < adm->listeners; i++) {
		struct inlet *in = &acc->inlets[i];

		watch_init(&in->watch, -1, inlet_ready, in);
		in->acceptor = acc;
		in->index = i;
		inlet_hold(in, HOLD_START);
	}
	return 0;
}

int
acceptor_listen(struct acceptor *acc, uint32_t listener,
    const struct channel_listen *listen, int fd)
{
	struct inlet *in = &acc->inlets[listener];

	if (in->serve == wait_serve)
		wait_returned(in, listen->took);
	inlet_close(in);
	in->watch.fd = fd;
	in->transport = (uint8_t)listen->transport;
	in->serve = serve_of(in);
	if (in->serve == dgram_serve)
		dgram_listen(in);
	inlet_release(in, HOLD_WAIT);
	if (in->holds != 0)
		return 0;
	return loop_arm(acc->loop, &in->watch, EPOLLIN);
}

void
acceptor_start(struct acceptor *acc, struct monotime now)
{
	acc->started = now;
	closing_begin(acc, now);
	inlets_release(acc, HOLD_START);
	peers_start(&acc->peers);
}

void
acceptor_stop(struct acceptor *acc)
{
	timer_disarm(loop_timers(acc->loop), &acc->closing);
	acc->stopped = true;
	peers_stop(&acc->peers, monotime_now());
	acc->carried_news = true;
	for (uint32_t i = 0; i < acc->adm->listeners; i++)
		inlet_close(&acc->inlets[i]);
}

bool
acceptor_report(struct acceptor *acc, struct monotime now)
{
	return peers_settled(&acc->peers) &&
	    refusal_report(&acc->refusals, now) && bans_report(acc) &&
	    carrier_report(&acc->carrier) && carried_report(acc);
}

enum verdict
acceptor_admit(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	const struct admit_load load = active_load(acc, client->service);
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];
	enum verdict verdict;

	if (bans_have(acc, client, now))
		return VERDICT_BAN;
	if (rules_deny(acc->adm, svc, &client->peer, client->fd))
		return VERDICT_ACL;
	verdict = hours_check(&acc->hours, acc->adm, svc, now);
	if (verdict != VERDICT_SERVE)
		return verdict;
	verdict = limits_check(acc, client, now);
	if (verdict != VERDICT_SERVE)
		return verdict;
	return acc->rests[client->service] ? VERDICT_FULL :
	    admit_check(&load);
}

void
acceptor_refuse(struct acceptor *acc, const struct client *client,
    enum verdict verdict, struct monotime now)
{
	if (verdict == VERDICT_PER_SOURCE)
		bans_trip(acc, client, BAN_PER_SOURCE, now);
	if (verdict == VERDICT_PER_SOURCE_RATE)
		bans_trip(acc, client, BAN_PER_SOURCE_RATE, now);
	refusal_note(&acc->refusals, client, verdict, now);
}

void
acceptor_rest(struct acceptor *acc, uint32_t service, bool rests)
{
	acc->rests[service] = rests;
	if (rests)
		return;
	inlets_release_service(acc, service, HOLD_TROUBLE);
	acc->peers.room = true;
}

void
acceptor_resume(struct acceptor *acc)
{
	bans_report(acc);
	inlets_release(acc, HOLD_CHANNEL);
	acc->peers.room = true;
	preface_resume(&acc->prefaces);
}
