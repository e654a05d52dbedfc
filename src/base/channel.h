/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The one thing that main and frontend share: a SOCK_SEQPACKET socketpair that
 * carries messages of one size, each with at most one descriptor.
 *
 * Neither side ever blocks on it.  A full channel is back-pressure: the sender
 * keeps what it could not send and waits for EPOLLOUT.  This module checks the
 * shape of what arrives (size, version, number of descriptors); what a message
 * means, and whether it may be true, is checked by its receiver.
 */

#ifndef MINETD_CHANNEL_H
#define MINETD_CHANNEL_H

#include <stdint.h>

#include "base/addr.h"

enum {
	CHANNEL_VERSION = 1,
	CHANNEL_COUNTS = 8,	/* entries of a counts message */
	CHANNEL_BATCH = 32,	/* most items of one call */
	CHANNEL_FD_LOST = -2,	/* fd of an item whose descriptor found no place
				 * in our table */
};

/*
 * The numbers are for good.  A frontend is the same binary as its main until
 * main is upgraded; what it still says and hears after that (STOP, PING,
 * STOPPED, PONG) keeps its layout, and with it the version.
 */
enum channel_type {
	CHANNEL_MALFORMED = 0,	/* never sent; see channel_recv() */

	/* From main to a frontend. */
	CHANNEL_SETUP = 1,	/* the admission block, a memfd */
	CHANNEL_LISTEN = 2,	/* a listening socket; listener */
	CHANNEL_ACTIVE = 3,	/* counts: handlers that are alive already */
	CHANNEL_GO = 4,		/* accept */
	CHANNEL_EXITED = 5,	/* counts: handlers that have ended */
	CHANNEL_STOP = 6,	/* let go of the listeners, then say STOPPED,
				 * and leave when nothing is carried on */
	CHANNEL_PING = 7,	/* answer with PONG */

	/* From a frontend to main. */
	CHANNEL_READY = 64,	/* confined, waits for GO */
	CHANNEL_START = 65,	/* a connection; listener and start */
	CHANNEL_REJECTED = 66,	/* refused peers; listener and rejected */
	CHANNEL_STOPPED = 67,	/* nothing follows but PONG */
	CHANNEL_PONG = 68,
	CHANNEL_FAILED = 69,	/* cannot serve; failed */
	CHANNEL_ACCEPT_FAILED = 70, /* accept error; listener and failed */
	CHANNEL_EMPTY = 71,	/* a closing listener was let go of, with
				 * nobody left in its queue; listener */
};

/* How many handlers of a service; by index in the admission block. */
struct channel_count {
	uint32_t service;
	uint32_t count;		/* 0: the entry and those after it are empty */
};

struct channel_start {
	struct addr peer;
};

struct channel_rejected {
	struct addr peer;	/* the last one */
	uint32_t reason;	/* enum verdict */
	uint32_t count;		/* how many since the last such message */
};

struct channel_failed {
	uint32_t step;		/* enum confine_step, or 0 */
	int32_t error;		/* errno */
	uint32_t count;		/* how many since the last such message */
};

struct channel_msg {
	uint16_t version;	/* CHANNEL_VERSION, set by channel_send() */
	uint16_t type;		/* enum channel_type */
	uint32_t listener;	/* index in the admission block */
	union {
		struct channel_start start;
		struct channel_rejected rejected;
		struct channel_failed failed;
		struct channel_count counts[CHANNEL_COUNTS];
	};
};

/* A message and its descriptor; fd is -1 when it has none, see also above. */
struct channel_item {
	struct channel_msg msg;
	int fd;
};

/* Make both ends, non-blocking and close-on-exec.  Returns 0, or -1/errno. */
int	channel_open(int ends[2]);

/*
 * Send up to CHANNEL_BATCH items, in order.  Returns how many were sent, at
 * least one, or -1: EAGAIN (full: wait for EPOLLOUT), ETOOMANYREFS (too many
 * descriptors under way: try again in a moment), EPIPE or ECONNRESET (nobody
 * there).  The descriptors stay the caller's, who closes them when sent.
 */
int	channel_send(int fd, struct channel_item *items, int n);

/*
 * Receive up to CHANNEL_BATCH items.  Returns how many; the descriptors now
 * belong to the caller.  0 means that the other side is gone, and comes after
 * everything that it had sent; -1 with errno EAGAIN that nothing is there.  A
 * message of the wrong shape becomes a last item of type CHANNEL_MALFORMED
 * without a descriptor.
 */
int	channel_recv(int fd, struct channel_item *items, int n);

/*
 * Close a descriptor that was received and is not wanted; negative is fine.
 * Whatever the sender did to it, this does not wait.
 */
void	channel_discard(int fd);

#endif
