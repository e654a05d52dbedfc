/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One handler for each peer that sends datagrams.
 */

#include "frontend/peers.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/accept.h"

enum {
	PACKETS_MAX = 64,	/* that wait, of one peer */
	BYTES_MAX = 256 * 1024,	/* likewise */
	ALL_BYTES_MAX = 16 * 1024 * 1024,
	WAITING_MAX = 1024,	/* peers without a handler, in all */
	RELAYS_PER_WAKEUP = 64,	/* of one handler */
	LAST_WORDS_MAX = 4096,	/* of one that has ended */
	ANSWER_MSEC = 60000,	/* for main to start a handler */
};

struct packet {
	STAILQ_ENTRY(packet) entry;
	size_t len;
	uint8_t bytes[];
};

STAILQ_HEAD(packet_list, packet);

enum peer_state {
	PEER_WAITING,		/* for a place in its service */
	PEER_ASKED,		/* main was asked for a handler */
	PEER_SERVED,
	PEER_ENDING,		/* idle: its handler reads end of file */
};

struct peer {
	RB_ENTRY(peer) entry;
	TAILQ_ENTRY(peer) waiting;
	struct peers *peers;
	struct datagram address;
	uint32_t listener;
	enum peer_state state;
	uint32_t tag;		/* of the START */
	uint64_t id;		/* of the loan */
	struct watch relay;	/* our end of the socketpair */
	struct timer idle;
	struct monotime touched;
	struct packet_list queue;
	uint32_t packets;	/* in the queue */
	size_t bytes;		/* likewise */
	uint64_t sent;		/* datagrams given to this handler */
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

static struct inlet *
peer_inlet(const struct peer *peer)
{
	return &peer->peers->acceptor->inlets[peer->listener];
}

static struct peer *
peer_find(struct peers *peers, uint32_t listener, const struct datagram *dg)
{
	struct peer wanted;

	wanted.listener = listener;
	wanted.address = *dg;
	return RB_FIND(peer_tree, &peers->all, &wanted);
}

static void
packet_drop(struct peer *peer)
{
	struct packet *packet = STAILQ_FIRST(&peer->queue);

	STAILQ_REMOVE_HEAD(&peer->queue, entry);
	peer->packets--;
	peer->bytes -= packet->len;
	peer->peers->queued -= packet->len;
	free(packet);
}

/* Keep a datagram behind the others; false when it is one too many. */
static bool
packet_add(struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct packet *packet;

	if (peer->packets >= PACKETS_MAX || peer->bytes + len > BYTES_MAX ||
	    peer->peers->queued + len > ALL_BYTES_MAX)
		return false;
	packet = malloc(sizeof(*packet) + len);
	if (packet == NULL)
		return false;
	packet->len = len;
	if (len > 0)
		memcpy(packet->bytes, bytes, len);
	STAILQ_INSERT_TAIL(&peer->queue, packet, entry);
	peer->packets++;
	peer->bytes += len;
	peer->peers->queued += len;
	return true;
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

static void
peer_free(struct peer *peer)
{
	struct peers *peers = peer->peers;

	timer_disarm(loop_timers(peers->acceptor->loop), &peer->idle);
	relay_close(peer);
	while (!STAILQ_EMPTY(&peer->queue))
		packet_drop(peer);
	if (peer->state == PEER_WAITING) {
		TAILQ_REMOVE(&peers->waiting, peer, waiting);
		peers->waiting_count--;
	}
	RB_REMOVE(peer_tree, &peers->all, peer);
	free(peer);
}

static void
peer_wait(struct peer *peer)
{
	peer->state = PEER_WAITING;
	TAILQ_INSERT_TAIL(&peer->peers->waiting, peer, waiting);
	peer->peers->waiting_count++;
}

/* Give the handler what waits, as far as it reads. */
static void
queue_send(struct peer *peer)
{
	struct loop *loop = peer->peers->acceptor->loop;
	struct packet *packet;
	uint32_t events = EPOLLIN;

	while ((packet = STAILQ_FIRST(&peer->queue)) != NULL) {
		if (send(peer->relay.fd, packet->bytes, packet->len,
		    MSG_DONTWAIT | MSG_NOSIGNAL) == -1 && errno == EAGAIN) {
			events |= EPOLLOUT;
			break;
		}
		peer->sent++;
		packet_drop(peer);
	}
	loop_arm(loop, &peer->relay, events);
}

/*
 * Send what the handler has written to its peer, one message one datagram.
 * Main has the other end, too: a message without bytes is no end of file.
 */
static void
replies_send(struct peer *peer, int most, struct monotime now)
{
	struct acceptor *acc = peer->peers->acceptor;
	const struct inlet *in = peer_inlet(peer);

	for (int i = 0; i < most; i++) {
		ssize_t len = recv(peer->relay.fd, acc->datagram,
		    sizeof(acc->datagram), MSG_DONTWAIT);

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

	if ((events & EPOLLIN) != 0)
		replies_send(peer, RELAYS_PER_WAKEUP, now);
	if ((events & EPOLLOUT) != 0)
		queue_send(peer);
	/* Both ends are gone, which main will say. */
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 && (events & EPOLLIN) == 0)
		loop_disarm(peer->peers->acceptor->loop, &peer->relay);
}

static uint32_t
idle_msec(const struct peer *peer)
{
	uint32_t service;

	return inlet_service(peer_inlet(peer), &service)->idle_msec;
}

/*
 * Nothing has been said for long: the handler sees the end of its input.  Who
 * waits for a handler for too long is forgotten.
 */
static void
idle_due(void *arg, struct monotime now)
{
	struct peer *peer = arg;
	struct timer_set *timers = loop_timers(peer->peers->acceptor->loop);
	bool served = peer->state == PEER_SERVED;
	uint32_t msec = served ? idle_msec(peer) : ANSWER_MSEC;
	struct monotime end = monotime_add_msec(peer->touched, msec);

	if (served && msec == 0)
		return;
	if (monotime_before(now, end)) {
		timer_arm(timers, &peer->idle, end);
	} else if (served) {
		shutdown(peer->relay.fd, SHUT_WR);
		peer->state = PEER_ENDING;
	} else if (peer->state != PEER_ENDING) {
		peer_free(peer);
	}
}

static void
idle_arm(struct peer *peer, struct monotime now)
{
	uint32_t msec = peer->state == PEER_SERVED ? idle_msec(peer) :
	    ANSWER_MSEC;

	peer->touched = now;
	if (msec != 0)
		timer_arm(loop_timers(peer->peers->acceptor->loop),
		    &peer->idle, monotime_add_msec(now, msec));
	else
		timer_disarm(loop_timers(peer->peers->acceptor->loop),
		    &peer->idle);
}

static struct peer *
peer_new(struct peers *peers, uint32_t listener, const struct datagram *dg)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		return NULL;
	peer->peers = peers;
	peer->listener = listener;
	peer->address = *dg;
	STAILQ_INIT(&peer->queue);
	watch_init(&peer->relay, -1, relay_ready, peer);
	timer_init(&peer->idle, idle_due, peer);
	RB_INSERT(peer_tree, &peers->all, peer);
	return peer;
}

/* Ask for a handler, if there is a place for one; otherwise the peer waits. */
static bool
handler_ask(struct peer *peer, struct monotime now)
{
	struct peers *peers = peer->peers;
	struct acceptor *acc = peers->acceptor;
	struct channel_msg *msg;
	uint32_t service;

	inlet_service(peer_inlet(peer), &service);
	if (acceptor_admit(acc, service, &peer->address.peer) !=
	    VERDICT_SERVE || !outbox_has_room(acc->outbox))
		return false;
	TAILQ_REMOVE(&peers->waiting, peer, waiting);
	peers->waiting_count--;
	peer->state = PEER_ASKED;
	peer->tag = peers->next_tag++;
	if (peers->next_tag == 0)
		peers->next_tag = 1;
	peer->sent = 0;
	msg = outbox_add(acc->outbox, CHANNEL_START, peer->listener, -1);
	msg->start.peer = peer->address.peer;
	msg->start.local = peer->address.local;
	msg->start.service = service;
	msg->start.tag = peer->tag;
	acceptor_take(acc, service);
	idle_arm(peer, now);
	return true;
}

/* A peer that is not known: it is served, waits, or is refused. */
static void
stranger_receive(struct peers *peers, struct inlet *in,
    const struct datagram *dg, size_t len, struct monotime now)
{
	struct acceptor *acc = peers->acceptor;
	uint32_t service;
	const struct admission_service *svc = inlet_service(in, &service);
	enum verdict verdict = acceptor_admit(acc, service, &dg->peer);
	struct peer *peer = NULL;

	if (verdict == VERDICT_SERVE || (svc->on_full == CONF_ON_FULL_QUEUE &&
	    peers->waiting_count < WAITING_MAX))
		peer = peer_new(peers, in->index, dg);
	if (peer == NULL) {
		acceptor_refuse(acc, &(struct client){ -1, dg->peer,
		    in->index, service }, VERDICT_FULL, now);
		return;
	}
	peer_wait(peer);
	packet_add(peer, acc->datagram, len);
	idle_arm(peer, now);
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
	if (packet_add(peer, peers->acceptor->datagram, len))
		peer->touched = now;
	if (peer->state == PEER_SERVED)
		queue_send(peer);
}

void
peers_loan(struct peers *peers, const struct channel_msg *msg, int fd,
    struct monotime now)
{
	const struct channel_loan *loan = &msg->loan;
	const struct datagram dg = { loan->peer, loan->local };
	struct peer *peer;

	/* The listener is no more: nobody could be answered. */
	if (msg->listener >= peers->acceptor->adm->listeners) {
		close(fd);
		return;
	}
	peer = peer_find(peers, msg->listener, &dg);
	/* A handler of another frontend's. */
	if (peer == NULL)
		peer = peer_new(peers, msg->listener, &dg);
	else if (peer->state != PEER_ASKED)
		peer = NULL;
	if (peer == NULL) {
		close(fd);
		return;
	}
	peer->state = PEER_SERVED;
	peer->id = loan->id;
	peer->relay.fd = fd;
	idle_arm(peer, now);
	queue_send(peer);
}

/*
 * Put what the handler has not read before what came since.  Returns whether it
 * has read anything: a handler that reads nothing is not to be started again
 * and again for the same.
 */
static bool
unread_restore(struct peer *peer, int fd)
{
	struct acceptor *acc = peer->peers->acceptor;
	struct packet_list later = STAILQ_HEAD_INITIALIZER(later);
	uint64_t unread = 0;

	STAILQ_CONCAT(&later, &peer->queue);
	for (int i = 0; fd != -1 && i < LAST_WORDS_MAX; i++) {
		ssize_t len = recv(fd, acc->datagram, sizeof(acc->datagram),
		    MSG_DONTWAIT);

		/* Without bytes it may be the end of file that we have made. */
		if (len == -1 || (len == 0 && unread >= peer->sent))
			break;
		unread++;
		packet_add(peer, acc->datagram, (size_t)len);
	}
	STAILQ_CONCAT(&peer->queue, &later);
	return unread < peer->sent;
}

void
peers_return(struct peers *peers, const struct channel_msg *msg, int fd,
    struct monotime now)
{
	const struct channel_loan *loan = &msg->loan;
	const struct datagram dg = { loan->peer, loan->local };
	struct peer *peer = NULL;
	bool read = false;

	if (msg->listener < peers->acceptor->adm->listeners)
		peer = peer_find(peers, msg->listener, &dg);
	if (peer != NULL && peer->state != PEER_WAITING &&
	    (peer->state == PEER_ASKED ? peer->tag == loan->tag :
	    peer->id == loan->id)) {
		if (peer->relay.fd != -1) {
			replies_send(peer, LAST_WORDS_MAX, now);
			read = unread_restore(peer, fd);
		}
		relay_close(peer);
		if (read && !STAILQ_EMPTY(&peer->queue)) {
			peer_wait(peer);
			idle_arm(peer, now);
			handler_ask(peer, now);
		} else {
			peer_free(peer);
		}
	}
	if (fd != -1)
		close(fd);
}

void
peers_proceed(struct peers *peers, struct monotime now)
{
	struct peer *peer, *next;

	TAILQ_FOREACH_SAFE(peer, &peers->waiting, waiting, next)
		handler_ask(peer, now);
}

void
peers_stop(struct peers *peers)
{
	struct peer *peer;

	while ((peer = RB_MIN(peer_tree, &peers->all)) != NULL)
		peer_free(peer);
}
