/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One handler for each peer that sends datagrams.
 *
 * A peer is its address, our address that it asked, and the listener.  Main
 * starts its handler and lends us one end of a socketpair, through which
 * datagrams go to and fro, each as one message.  There is never a second
 * handler for a peer: what comes while a handler ends waits, and with what that
 * handler has not read it becomes the beginning of the next one's.
 *
 * A handler that has read nothing has answered the first that it was given: it
 * is not started again and again for the same one.
 *
 * What waits is bounded, for each peer and in all; what is more is lost, as
 * datagrams may be, and counted as refused.
 */

#ifndef MINETD_PEERS_H
#define MINETD_PEERS_H

#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "frontend/datagram.h"

struct acceptor;
struct inlet;
struct peer;

RB_HEAD(peer_tree, peer);
TAILQ_HEAD(peer_list, peer);

struct peers {
	struct acceptor *acceptor; /* not owned */
	struct peer_tree all;
	struct peer_list waiting; /* that have no place yet, oldest first */
	uint32_t waiting_count;
	uint32_t asked;		/* those that main has to answer */
	size_t queued;		/* bytes of all that waits */
	uint32_t next_tag;
	bool started;		/* main has said GO, and counts are true */
	bool room;		/* there may be, for those that wait */
};

void	peers_init(struct peers *peers, struct acceptor *acc);

/* A datagram, in acc->datagram, has come; there is room in the outbox. */
void	peers_receive(struct peers *peers, struct inlet *in,
	    const struct datagram *dg, size_t len, struct monotime now);

/*
 * Main lends the socket of a handler, which belongs to the peer, or gives
 * account of one that has ended, with the socket that it has read, or -1.
 */
void	peers_loan(struct peers *peers, const struct channel_msg *msg, int fd,
	    struct monotime now);
void	peers_return(struct peers *peers, const struct channel_msg *msg, int fd,
	    struct monotime now);

/* Main has said GO: it may be asked for handlers from now on. */
void	peers_start(struct peers *peers);

/* Those that wait have their turn, as far as there are places. */
void	peers_proceed(struct peers *peers, struct monotime now);

/*
 * The listener is to be closed, and sends nothing any more: its handlers see
 * the end of their input, and are not followed by others.  False when some have
 * yet to be started; they are forgotten when it is overdue.
 */
bool	peers_leave(struct peers *peers, const struct inlet *in,
	    bool overdue);

/*
 * Let go of all: another frontend has them.  Only the datagrams of those for
 * whom main has been asked are still given to their handlers; whether that is
 * done.
 */
void	peers_stop(struct peers *peers, struct monotime now);
bool	peers_settled(const struct peers *peers);

#endif
