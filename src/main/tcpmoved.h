/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What has moved on a TCP connection that somebody else has.
 */

#ifndef MINETD_TCPMOVED_H
#define MINETD_TCPMOVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct tcpmoved {
	uint64_t received;	/* bytes of the peer */
	uint64_t sent;		/* bytes that the peer has confirmed */
	uint32_t quiet_msec;	/* since a byte came or was sent */
	bool repeating;		/* what was sent last is being sent again */
};

enum tcpmoved_found {
	TCPMOVED_FOUND,
	TCPMOVED_GONE,		/* it has ended; its listener is still there */
	TCPMOVED_MISSING,	/* neither is there; or it is in another network
				 * namespace, or the kernel tells nobody */
	TCPMOVED_UNKNOWN,	/* the kernel could not be asked now */
};

/* A connection, as it is found. */
struct tcpmoved_key {
	struct addr local;
	struct addr peer;
	uint32_t interface;	/* index, of one that it is bound to; 0: none */
};

enum tcpmoved_found tcpmoved_look(struct tcpmoved *moved,
	    const struct tcpmoved_key *key);

#endif
