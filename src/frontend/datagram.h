/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Receive datagrams with the address that was asked, and answer from there.
 *
 * A host has many addresses, and a peer believes only answers from the one that
 * it has asked (RFC 1122, 4.1.3.5).
 */

#ifndef MINETD_DATAGRAM_H
#define MINETD_DATAGRAM_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	DATAGRAM_MAX = 65535,	/* bytes; none is longer */
};

/* Who has sent a datagram, or gets one, and to which address of ours. */
struct datagram {
	struct addr peer;
	struct addr local;	/* 0.0.0.0 or :: when any will do */
	uint8_t hops;		/* that it may still make; 0: as is usual */
	bool to_group;		/* it came to many hosts */
};

/*
 * Ask for the address that is asked, of a UDP socket.  *bound becomes the
 * address that it is bound to, ADDR_NONE when it is no such socket.
 */
void	datagram_prepare(int fd, struct addr *bound);

/* Ask for dg->hops of what such a socket receives. */
void	datagram_count_hops(int fd, const struct addr *bound);

/*
 * Receive one without waiting.  Returns its length, or -1 with errno of
 * recvmsg(2).
 */
ssize_t	datagram_receive(int fd, const struct addr *bound,
	    struct datagram *dg, uint8_t *buf, size_t size);

/* Send one without waiting; what the network cannot take is lost. */
void	datagram_send(int fd, const struct addr *bound,
	    const struct datagram *dg, const uint8_t *bytes, size_t len);

/*
 * Whether a builtin may answer a datagram: not to those who would answer in
 * turn, nor those who are many, nor what was sent to many, nor what has come as
 * far as it may.
 */
bool	datagram_answerable(const struct datagram *dg);

/*
 * On a socketpair of SOCK_SEQPACKET: after the mark, an empty datagram differs
 * from the end of file, since datagrams have a time.  Take one without waiting;
 * returns its length, or -1 with errno, or -1 and *end.
 */
void	datagram_mark(int fd);
ssize_t	datagram_take(int fd, uint8_t *buf, size_t size, bool *end);

#endif
