/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A peer that sends datagrams, and its handler.
 */

#include "frontend/peer.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/accept.h"

enum {
	RELAYS_PER_WAKEUP = 64,	/* of one handler */
	LAST_WORDS_MAX = 4096,	/* of one that has ended */
	ANSWER_MSEC = 60000,	/* for main to start a handler */
	SETTLE_MSEC = 1000,	/* likewise, when another frontend waits */
};

static int
addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int
peer_compare(const struct peer *a, const struct peer *b)
{
	int order = addr_compare(&a->address.peer, &b->address.peer);

	if (order == 0)
		order = addr_compare(&a->address.local, &b->address.local);
	if (order == 0)
		order = (a->listener > b->listener) -
		    (a->listener < b->listener);
	return order;
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(peer_tree, peer, entry, peer_compare,
    __attribute__((unused)) static)

struct inlet *
peer_inlet(const struct peer *peer)
{
	return &peer->peers->acceptor->inlets[peer->listener];
}

struct peer *
peer_find(struct peers *peers, uint32_t listener, const struct datagram *dg)
{
	struct peer wanted;

	wanted.listener = listener;
	wanted.address = *dg;
	return RB_FIND(peer_tree, &peers->all, &wanted);
}

struct peer *
peer_first(struct peers *peers)
{
	return RB_MIN(peer_tree, &peers->all);
}

struct peer *
peer_next(struct peer *peer)
{
	return RB_NEXT(peer_tree, NULL, peer);
}

static void
relay_close(struct peer *peer)
{
	struct loop *loop = peer->peers->acceptor->loop;

	loop_disarm(loop, &peer->relay);
	if (peer->relay.fd != -1)
		close(peer->relay.fd);
	peer->relay.fd = -1;
}

void
peer_free(struct peer *peer)
{
	struct peers *peers = peer->peers;

	timer_disarm(loop_timers(peers->acceptor->loop), &peer->idle);
	relay_close(peer);
	packets_clear(&peer->queue);
	if (peer->state == PEER_WAITING) {
		TAILQ_REMOVE(&peers->waiting, peer, waiting);
		peers->waiting_count--;
	} else if (peer->state == PEER_ASKED) {
		peers->asked--;
	}
	RB_REMOVE(peer_tree, &peers->all, peer);
	free(peer);
}

void
peer_wait(struct peer *peer)
{
	peer->state = PEER_WAITING;
	TAILQ_INSERT_TAIL(&peer->peers->waiting, peer, waiting);
	peer->peers->waiting_count++;
	peer->peers->room = true;
}

/* blocked: the handler has to read before there is room for more. */
static void
relay_arm(struct peer *peer, bool blocked)
{
	uint32_t events = 0;

	if (!peer->mute)
		events |= EPOLLIN;
	if (blocked)
		events |= EPOLLOUT;
	loop_arm(peer->peers->acceptor->loop, &peer->relay, events);
}

/*
 * Give the handler what waits, as far as it reads.  When it has shut its input
 * down, or another frontend has, the rest is for the next handler.
 */
void
peer_give(struct peer *peer)
{
	const struct packet *packet;
	bool blocked = false;

	if (peer->relay.fd == -1)
		return;
	while (peer->state == PEER_SERVED && !blocked &&
	    (packet = packets_first(&peer->queue)) != NULL) {
		ssize_t rc = send(peer->relay.fd, packet->bytes, packet->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (rc == -1 && errno == EAGAIN) {
			blocked = true;
		} else if (rc == -1 && errno == EPIPE) {
			peer->state = PEER_ENDING;
		} else {
			peer->sent++;
			packets_drop(&peer->queue);
		}
	}
	relay_arm(peer, blocked);
}

/* Send what the handler has written to its peer, one message one datagram. */
static void
replies_send(struct peer *peer, int most, struct monotime now)
{
	struct acceptor *acc = peer->peers->acceptor;
	const struct inlet *in = peer_inlet(peer);

	for (int i = 0; i < most && !peer->mute; i++) {
		ssize_t len = datagram_take(peer->relay.fd, acc->datagram,
		    sizeof(acc->datagram), &peer->mute);

		if (len == -1)
			return;
		peer->touched = now;
		if (in->watch.fd != -1)
			datagram_send(in->watch.fd, &in->bound,
			    &peer->address, acc->datagram, (size_t)len);
	}
}

static void
relay_ready(void *arg, uint32_t events, struct monotime now)
{
	struct peer *peer = arg;

	(void)events;
	replies_send(peer, RELAYS_PER_WAKEUP, now);
	peer_give(peer);
}

/* The handler sees the end of its input, behind what it has not read yet. */
void
peer_leave(struct peer *peer)
{
	shutdown(peer->relay.fd, SHUT_WR);
	peer->state = PEER_ENDING;
	relay_arm(peer, false);
}

/* For how long nothing may be said; 0: for ever. */
static uint32_t
silence_msec(const struct peer *peer)
{
	uint32_t service;

	switch (peer->state) {
	case PEER_SERVED:
		return inlet_service(peer_inlet(peer), &service)->idle_msec;
	case PEER_ENDING:
		return 0;
	default:
		return peer->peers->acceptor->stopped ? SETTLE_MSEC :
		    ANSWER_MSEC;
	}
}

/*
 * Nothing has been said for long: the handler sees the end of its input.  Who
 * waits for a handler for too long is forgotten.
 */
static void
idle_due(void *arg, struct monotime now)
{
	struct peer *peer = arg;
	uint32_t msec = silence_msec(peer);
	struct monotime end = monotime_add_msec(peer->touched, msec);

	if (msec == 0)
		return;
	if (monotime_before(now, end))
		timer_arm(loop_timers(peer->peers->acceptor->loop),
		    &peer->idle, end);
	else if (peer->state == PEER_SERVED)
		peer_leave(peer);
	else
		peer_free(peer);
}

void
peer_idle_arm(struct peer *peer, struct monotime now)
{
	struct timer_set *timers = loop_timers(peer->peers->acceptor->loop);
	uint32_t msec = silence_msec(peer);

	peer->touched = now;
	if (msec != 0)
		timer_arm(timers, &peer->idle, monotime_add_msec(now, msec));
	else
		timer_disarm(timers, &peer->idle);
}

struct peer *
peer_new(struct peers *peers, uint32_t listener, const struct datagram *dg)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		return NULL;
	peer->peers = peers;
	peer->listener = listener;
	peer->address = *dg;
	/* Handlers answer as any program of this host does. */
	peer->address.hops = 0;
	packets_init(&peer->queue, &peers->queued);
	watch_init(&peer->relay, -1, relay_ready, peer);
	timer_init(&peer->idle, idle_due, peer);
	RB_INSERT(peer_tree, &peers->all, peer);
	return peer;
}

void
peer_serve(struct peer *peer, uint64_t id, int fd)
{
	if (peer->state == PEER_ASKED)
		peer->peers->asked--;
	peer->state = PEER_SERVED;
	peer->id = id;
	peer->relay.fd = fd;
	datagram_mark(fd);
	peer_give(peer);
}

/*
 * Put what the handler has not read before what came since.  One that has read
 * nothing has had the first all the same.
 */
static void
unread_restore(struct peer *peer, int fd)
{
	struct acceptor *acc = peer->peers->acceptor;
	struct packets unread;
	uint64_t count = 0;
	bool end = fd == -1;

	packets_init(&unread, &peer->peers->queued);
	datagram_mark(fd);
	for (int i = 0; !end && i < LAST_WORDS_MAX; i++) {
		ssize_t len = datagram_take(fd, acc->datagram,
		    sizeof(acc->datagram), &end);

		if (len == -1)
			break;
		count++;
		packets_keep(&unread, acc->datagram, (size_t)len);
	}
	packets_join(&unread, &peer->queue);
	packets_join(&peer->queue, &unread);
	if (!peer->adopted && count >= peer->sent &&
	    packets_first(&peer->queue) != NULL)
		packets_drop(&peer->queue);
}

/* The handler has ended; whether there is reason for another one. */
bool
peer_ended(struct peer *peer, int fd, struct monotime now)
{
	const struct inlet *in = peer_inlet(peer);

	if (peer->relay.fd == -1)
		return false;	/* It was not even started. */
	replies_send(peer, LAST_WORDS_MAX, now);
	unread_restore(peer, fd);
	relay_close(peer);
	return packets_first(&peer->queue) != NULL && in->watch.fd != -1;
}

