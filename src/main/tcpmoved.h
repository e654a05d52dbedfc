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
	TCPMOVED_GONE,		/* there is no such connection in the kernel */
	TCPMOVED_UNKNOWN,	/* the kernel could not be asked, or not now */
};

/* Look at the connection between these addresses, in our network namespace. */
enum tcpmoved_found tcpmoved_look(struct tcpmoved *moved,
	    const struct addr *local, const struct addr *peer);

#endif
