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
};

/*
 * Ask for the address that is asked, of a UDP socket.  *bound becomes the
 * address that it is bound to, ADDR_NONE when it is no such socket.
 */
void	datagram_prepare(int fd, struct addr *bound);

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
 * Whether a peer may be answered by a builtin: not those who would answer in
 * turn, nor those who are many.
 */
bool	datagram_answerable(const struct addr *peer);

#endif
