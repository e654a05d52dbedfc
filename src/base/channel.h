/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The one thing that main and frontend share: a SOCK_SEQPACKET socketpair that
 * carries messages of one size, each with at most one descriptor; only LOG has
 * a text behind it.
 *
 * Neither side ever blocks on it.  A full channel is back-pressure: the sender
 * keeps what it could not send and waits for EPOLLOUT.  This module checks the
 * shape of what arrives (size, version, number of descriptors); what a message
 * means, and whether it may be true, is checked by its receiver.
 */

#ifndef MINETD_CHANNEL_H
#define MINETD_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

enum {
	CHANNEL_VERSION = 2,
	CHANNEL_BODY = 112,	/* bytes of a message behind its head */
	CHANNEL_TEXT = 896,	/* most bytes of a text */
	CHANNEL_COUNTS = 8,	/* entries of a counts message */
	CHANNEL_SOURCES_MAX = 3, /* entries of a sources message */
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
	CHANNEL_LISTEN = 2,	/* a socket to poll, again or for the first
				 * time; listener and listen */
	CHANNEL_ACTIVE = 3,	/* counts: handlers that are alive already */
	CHANNEL_GO = 4,		/* accept */
	CHANNEL_EXITED = 5,	/* counts: handlers that have ended */
	CHANNEL_STOP = 6,	/* let go of the listeners, then say STOPPED,
				 * and leave when nothing is carried on */
	CHANNEL_PING = 7,	/* answer with PONG */
	CHANNEL_LOAN = 8,	/* a descriptor of a handler's to carry; loan,
				 * and listener, UINT32_MAX: none of the
				 * receiver's */
	CHANNEL_RETURN = 9,	/* datagrams: that handler has ended; loan, and
				 * the socket that it had read from; without
				 * one, it could not be started, and there was
				 * no LOAN */
	CHANNEL_PARTNER = 10,	/* the other end of a conversation; partner,
				 * and a descriptor unless it failed */
	CHANNEL_TARGET = 11,	/* an address of a redirect; target */
	CHANNEL_SOURCES = 12,	/* whose handlers are alive already, or have
				 * ended; sources */
	CHANNEL_BANNED = 13,	/* a network that is banned; banned */

	CHANNEL_REST = 14,	/* a service has trouble with its handlers;
				 * rest */

	/* From a frontend to main. */
	CHANNEL_READY = 64,	/* confined, waits for GO */
	CHANNEL_START = 65,	/* a connection; listener and start */
	CHANNEL_REJECTED = 66,	/* refused peers; listener and rejected */
	CHANNEL_STOPPED = 67,	/* nothing follows but PONG, and what concerns
				 * conversations that are carried on */
	CHANNEL_PONG = 68,
	CHANNEL_FAILED = 69,	/* cannot serve; failed */
	CHANNEL_ACCEPT_FAILED = 70, /* accept error, or that there is none any
				 * more; listener and failed */
	CHANNEL_EMPTY = 71,	/* a closing listener was let go of, with
				 * nobody left in its queue; listener */
	CHANNEL_WAIT_READY = 72, /* start the handler that waits; the frontend
				 * does not poll until LISTEN; listener */
	CHANNEL_CONNECT = 73,	/* be my PARTNER: a unix socket; connect */
	CHANNEL_BEGAN = 74,	/* a conversation of the frontend's; done */
	CHANNEL_DONE = 75,	/* its end; done */
	CHANNEL_LOG = 76,	/* a line of a handler's stderr; log */
	CHANNEL_REPAID = 77,	/* nothing more will come of a loan; loan */
	CHANNEL_THROTTLED = 78,	/* a listener rests, or is polled again;
				 * listener and throttled */
	CHANNEL_RESOLVE = 79,	/* no target of a redirect answers; connect */
	CHANNEL_BAN = 81,	/* ban who has tripped a limit; listener and
				 * ban */
	CHANNEL_CARRIED = 80,	/* counts: conversations that it carries on
				 * after STOP, as they are now */
};

/* How many handlers of a service; by index in the admission block. */
struct channel_count {
	uint32_t service;
	uint32_t count;		/* 0: the entry and those after it are empty;
				 * of CARRIED: that is where service is
				 * UINT32_MAX */
};

/* What main knows of the handler that had the socket, if one had. */
enum channel_took {
	CHANNEL_TOOK_UNKNOWN,
	CHANNEL_TOOK_NOTHING,	/* who was in front of the queue still is */
	CHANNEL_TOOK_SOME,
};

struct channel_listen {
	uint32_t transport;	/* enum conf_transport, never CONF_FD */
	uint32_t took;		/* enum channel_took */
};

struct channel_start {
	struct addr peer;
	struct addr local;	/* udp: the address that was asked; with via:
				 * what the proxy says, or ADDR_NONE */
	struct addr via;	/* the proxy that says so; ADDR_NONE: none */
	uint32_t service;	/* that of the listener, or one behind tcpmux */
	uint32_t tag;		/* pty: of the PARTNER that is waited for; udp:
				 * of the LOAN; 0: none */
	uint32_t preface;	/* bytes that the client has sent before what
				 * the handler gets */
};

enum channel_loan_kind {
	CHANNEL_LOAN_DATAGRAMS,	/* a socket that datagrams are relayed to */
	CHANNEL_LOAN_STDERR,	/* a pipe to read lines from */
};

struct channel_loan {
	struct addr peer;	/* datagrams */
	struct addr local;	/* datagrams */
	uint64_t id;		/* of the connection; with the kind it names
				 * the loan */
	uint32_t kind;		/* enum channel_loan_kind */
	uint32_t service;	/* in the receiver's edition; UINT32_MAX: none
				 * of it */
	uint32_t tag;		/* of the START; 0: of another frontend's */
};

struct channel_partner {
	uint32_t tag;
	int32_t error;		/* errno; 0: a descriptor is attached */
};

struct channel_connect {
	uint32_t tag;
	uint32_t service;
	uint32_t target;	/* index among the targets of the service */
	int32_t error;		/* RESOLVE: errno of the last target; 0: that
				 * one is there, but a host name is not */
};

struct channel_target {
	struct addr addr;
	uint32_t service;
	uint32_t target;
};

/* A conversation that the frontend itself carried. */
struct channel_done {
	struct addr peer;
	struct addr local;
	struct addr via;	/* the proxy that says so; ADDR_NONE: none */
	uint64_t bytes_in;	/* from the peer */
	uint64_t bytes_out;	/* to the peer */
	uint64_t msec;		/* how long it took */
	uint32_t service;
	uint32_t tag;		/* no other of this frontend's has it */
	uint32_t reason;	/* enum done_reason */
	uint32_t target;	/* redirect: which one; UINT32_MAX: none */
};

struct channel_log {
	uint64_t id;		/* of the loan */
	uint32_t len;		/* of the text */
	uint32_t left_out;	/* lines before it that were too many */
	uint32_t cut;		/* bytes that were left out of it */
};

struct channel_throttled {
	uint32_t on;		/* 1: rests; 0: is polled again */
	uint32_t discarded;	/* requests thrown away to move on */
	uint32_t msec;		/* for how long */
};

/* Nobody is to be let in to a service, or again. */
struct channel_rest {
	uint32_t service;
	uint32_t on;		/* 1: it rests */
};

struct channel_rejected {
	struct addr peer;	/* the last one */
	uint32_t reason;	/* enum verdict */
	uint32_t count;		/* how many since the last such message */
	uint32_t service;	/* that of the listener, or one behind tcpmux */
};

struct channel_failed {
	uint32_t step;		/* enum confine_step, or 0 */
	int32_t error;		/* errno; 0: it works again */
	uint32_t count;		/* how many since the last such message */
	uint32_t msec;		/* until the next attempt */
};

struct channel_ban {
	struct addr peer;
	uint32_t service;	/* that of the listener, or one behind tcpmux */
	uint32_t cause;		/* enum ban_cause */
};

struct channel_banned {
	struct addr net;
	int64_t until_nsec;	/* of CLOCK_MONOTONIC; in the past: no more */
	uint32_t bits;
};

/* Of services with per_source: of whom there is a handler more, or less. */
struct channel_source {
	struct addr peer;
	uint32_t service;
	int32_t change;		/* 1 or -1; 0: the entry and those after it
				 * are empty */
};

struct channel_msg {
	uint16_t version;	/* CHANNEL_VERSION, set by channel_send() */
	uint16_t type;		/* enum channel_type */
	uint32_t listener;	/* index in the admission block */
	union {
		uint8_t body[CHANNEL_BODY]; /* zero where it is not used */
		struct channel_listen listen;
		struct channel_start start;
		struct channel_rejected rejected;
		struct channel_failed failed;
		struct channel_count counts[CHANNEL_COUNTS];
		struct channel_rest rest;
		struct channel_source sources[CHANNEL_SOURCES_MAX];
		struct channel_loan loan;
		struct channel_partner partner;
		struct channel_connect connect;
		struct channel_target target;
		struct channel_done done;
		struct channel_log log;
		struct channel_throttled throttled;
		struct channel_ban ban;
		struct channel_banned banned;
	};
	char text[CHANNEL_TEXT]; /* LOG: log.len bytes of it cross */
};

/* Empty a message, but for the text, which is never looked at unless filled. */
static inline void
channel_msg_init(struct channel_msg *msg, enum channel_type type)
{
	memset(msg, 0, offsetof(struct channel_msg, text));
	msg->type = (uint16_t)type;
}

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
