/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A peer that sends datagrams, and its handler.
 *
 * Its handler has one end of a socketpair and we another, which main lends us.
 * Main has both, too: we never see the end of file while the handler lives,
 * unless the handler has shut its end down.
 */

#ifndef MINETD_PEER_H
#define MINETD_PEER_H

#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "frontend/packets.h"
#include "frontend/peers.h"

enum peer_state {
	PEER_WAITING,		/* for a place in its service */
	PEER_ASKED,		/* main was asked for a handler */
	PEER_SERVED,
	PEER_ENDING,		/* its handler reads end of file, or nothing */
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
	struct packets queue;
	uint64_t sent;		/* datagrams given to this handler */
	bool adopted;		/* it got others by another frontend */
	bool mute;		/* it has shut its output down */
};

struct inlet *peer_inlet(const struct peer *peer);

/* NULL when there is none such. */
struct peer *peer_find(struct peers *peers, uint32_t listener,
	    const struct datagram *dg);

/* Walk over all, in any order; NULL at the end. */
struct peer *peer_first(struct peers *peers);
struct peer *peer_next(struct peer *peer);

/* One that is not known yet, in a state that the caller sets; NULL: ENOMEM. */
struct peer *peer_new(struct peers *peers, uint32_t listener,
	    const struct datagram *dg);
void	peer_free(struct peer *peer);

/* It is the last one of those that wait for a place. */
void	peer_wait(struct peer *peer);

/* Main lends the socket, which belongs to the peer. */
void	peer_serve(struct peer *peer, uint64_t id, int fd);

/*
 * Give the handler what waits, as far as it reads.  When it has shut its input
 * down, or another frontend has, the rest is for the next handler.
 */
void	peer_give(struct peer *peer);

/* The handler sees the end of its input, behind what it has not read yet. */
void	peer_leave(struct peer *peer);

/*
 * The handler has ended, and fd is the end that it has read, or -1.  Whether
 * there is reason for another one.
 */
bool	peer_ended(struct peer *peer, int fd, struct monotime now);

/* Something was said just now: count anew how long nothing is. */
void	peer_idle_arm(struct peer *peer, struct monotime now);

#endif
