/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One handler for each peer that sends datagrams.
 */

#include "frontend/peers.h"

#include <sys/socket.h>

#include <unistd.h>

#include "frontend/accept.h"
#include "frontend/active.h"
#include "frontend/peer.h"

enum {
	WAITING_MAX = 1024,	/* peers without a handler, in all */
};

/* Who sends to a listener, as the one who is admitted, or refused. */
static struct client
client_of(const struct inlet *in, const struct addr *peer)
{
	struct client client = { .fd = -1, .peer = *peer,
		.listener = in->index };

	inlet_service(in, &client.service);
	return client;
}

/*
 * Ask for a handler, if there is a place for one; otherwise the peer waits, or
 * is refused, which frees it.
 */
static void
handler_ask(struct peer *peer, struct monotime now)
{
	struct peers *peers = peer->peers;
	struct acceptor *acc = peers->acceptor;
	struct client client = client_of(peer_inlet(peer),
	    &peer->address.peer);
	struct channel_msg *msg;
	enum verdict verdict;

	if (!peers->started || !outbox_has_room(acc->outbox))
		return;
	verdict = acceptor_admit(acc, &client, now);
	if (verdict != VERDICT_SERVE) {
		if (verdict_is_ours(verdict))
			return;
		peer_free(peer);
		acceptor_refuse(acc, &client, verdict, now);
		return;
	}
	TAILQ_REMOVE(&peers->waiting, peer, waiting);
	peers->waiting_count--;
	peers->asked++;
	peer->state = PEER_ASKED;
	peer->tag = peers->next_tag++;
	if (peers->next_tag == 0)
		peers->next_tag = 1;
	peer->sent = 0;
	peer->adopted = false;
	peer->mute = false;
	msg = outbox_add(acc->outbox, CHANNEL_START, peer->listener, -1);
	msg->start.peer = peer->address.peer;
	msg->start.local = peer->address.local;
	msg->start.service = client.service;
	msg->start.tag = peer->tag;
	active_take(acc, &client, now);
	peer_idle_arm(peer, now);
}

/* A datagram is lost for want of room. */
static void
datagram_refuse(const struct inlet *in, const struct addr *peer,
    struct monotime now)
{
	struct client client = client_of(in, peer);

	acceptor_refuse(in->acceptor, &client, VERDICT_FULL, now);
}

/* Whether who is refused for this may wait instead. */
static bool
may_wait(const struct peers *peers, const struct admission_service *svc,
    enum verdict verdict)
{
	if (peers->waiting_count >= WAITING_MAX)
		return false;
	return (verdict == VERDICT_RATE &&
	    svc->on_rate == CONF_ON_FULL_QUEUE) ||
	    (verdict == VERDICT_FULL && svc->on_full == CONF_ON_FULL_QUEUE);
}

/* A peer that is not known: it is served, waits, or is refused. */
static void
stranger_receive(struct peers *peers, struct inlet *in,
    const struct datagram *dg, size_t len, struct monotime now)
{
	struct acceptor *acc = peers->acceptor;
	struct client client = client_of(in, &dg->peer);
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client.service];
	enum verdict verdict = acceptor_admit(acc, &client, now);
	struct peer *peer;

	if (verdict != VERDICT_SERVE && !may_wait(peers, svc, verdict)) {
		acceptor_refuse(acc, &client, verdict, now);
		return;
	}
	peer = peer_new(peers, in->index, dg);
	if (peer == NULL) {
		datagram_refuse(in, &dg->peer, now);
		return;
	}
	peer_wait(peer);
	if (!packets_add(&peer->queue, acc->datagram, len)) {
		peer_free(peer);
		datagram_refuse(in, &dg->peer, now);
		return;
	}
	peer_idle_arm(peer, now);
	handler_ask(peer, now);
}

void
peers_init(struct peers *peers, struct acceptor *acc)
{
	*peers = (struct peers){ .acceptor = acc, .next_tag = 1 };
	RB_INIT(&peers->all);
	TAILQ_INIT(&peers->waiting);
}

void
peers_receive(struct peers *peers, struct inlet *in, const struct datagram *dg,
    size_t len, struct monotime now)
{
	struct peer *peer = peer_find(peers, in->index, dg);

	if (peer == NULL) {
		stranger_receive(peers, in, dg, len, now);
		return;
	}
	if (packets_add(&peer->queue, peers->acceptor->datagram, len))
		peer->touched = now;
	else
		datagram_refuse(in, &dg->peer, now);
	if (peer->state == PEER_SERVED)
		peer_give(peer);
}

/*
 * The peer that a message means which cannot name the listener: that is one of
 * another configuration by now, or none any more.
 */
static struct peer *
meant_find(struct peers *peers, const struct channel_loan *loan)
{
	struct peer *peer;

	for (peer = peer_first(peers); peer != NULL; peer = peer_next(peer))
		if (peer->state == PEER_ASKED ? peer->tag == loan->tag :
		    peer->state != PEER_WAITING && peer->id == loan->id)
			return peer;
	return NULL;
}

/* What waits for the handler is given to it; the rest is the next frontend's.
 */
static void
last_loan(struct peers *peers, const struct channel_loan *loan, int fd)
{
	struct peer *peer = meant_find(peers, loan);

	if (peer == NULL || peer->state != PEER_ASKED) {
		close(fd);
		return;
	}
	peer_serve(peer, loan->id, fd);
	peer_free(peer);
}

void
peers_loan(struct peers *peers, const struct channel_msg *msg, int fd,
    struct monotime now)
{
	const struct channel_loan *loan = &msg->loan;
	const struct datagram dg = { .peer = loan->peer, .local = loan->local };
	struct peer *peer = NULL;
	bool known;

	if (peers->acceptor->stopped) {
		last_loan(peers, loan, fd);
		return;
	}
	if (msg->listener < peers->acceptor->adm->listeners) {
		peer = peer_find(peers, msg->listener, &dg);
		known = peer != NULL;
		if (!known)
			peer = peer_new(peers, msg->listener, &dg);
		/* A handler of another frontend's. */
		if (!known && peer != NULL)
			peer->adopted = true;
		if (known && peer->state != PEER_ASKED)
			peer = NULL;
	}
	if (peer == NULL) {
		/* Nobody can be answered. */
		shutdown(fd, SHUT_WR);
		close(fd);
		return;
	}
	peer_serve(peer, loan->id, fd);
	peer_idle_arm(peer, now);
}

void
peers_return(struct peers *peers, const struct channel_msg *msg, int fd,
    struct monotime now)
{
	const struct channel_loan *loan = &msg->loan;
	const struct datagram dg = { .peer = loan->peer, .local = loan->local };
	struct peer *peer = NULL;

	if (!peers->acceptor->stopped &&
	    msg->listener < peers->acceptor->adm->listeners)
		peer = peer_find(peers, msg->listener, &dg);
	else
		peer = meant_find(peers, loan);
	if (peer != NULL && peer->state != PEER_WAITING &&
	    (peer->state == PEER_ASKED ? peer->tag == loan->tag :
	    peer->id == loan->id)) {
		if (peer_ended(peer, fd, now)) {
			peer_wait(peer);
			peer_idle_arm(peer, now);
		} else {
			peer_free(peer);
		}
	}
	if (fd != -1)
		close(fd);
}

void
peers_start(struct peers *peers)
{
	peers->started = true;
	peers->room = true;
}

void
peers_proceed(struct peers *peers, struct monotime now)
{
	struct peer *peer, *next;

	if (!peers->room)
		return;
	peers->room = false;
	TAILQ_FOREACH_SAFE(peer, &peers->waiting, waiting, next)
		handler_ask(peer, now);
}

bool
peers_leave(struct peers *peers, const struct inlet *in, bool overdue)
{
	struct peer *peer, *next;
	bool waits = false;

	for (peer = peer_first(peers); peer != NULL; peer = next) {
		next = peer_next(peer);
		if (peer->listener != in->index)
			continue;
		if (peer->state == PEER_WAITING && overdue)
			peer_free(peer);
		else if (peer->state == PEER_WAITING ||
		    peer->state == PEER_ASKED)
			waits = true;
		else if (peer->state == PEER_SERVED)
			peer_leave(peer);
	}
	return overdue || !waits;
}

void
peers_stop(struct peers *peers, struct monotime now)
{
	struct peer *peer, *next;

	peers_proceed(peers, now);
	for (peer = peer_first(peers); peer != NULL; peer = next) {
		next = peer_next(peer);
		if (peer->state == PEER_ASKED) {
			peer_idle_arm(peer, now);
			continue;
		}
		peer_give(peer);
		peer_free(peer);
	}
}

bool
peers_settled(const struct peers *peers)
{
	return peers->asked == 0;
}
