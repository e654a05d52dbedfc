/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The variables that tell a handler who is connected.
 *
 * All three conventions at once: UCSPI (PROTO, TCPREMOTEIP, ...), systemd
 * (REMOTE_ADDR, REMOTE_PORT) and xinetd (REMOTE_HOST); minetd-handler(7) lists
 * them.  Nothing is allocated and nothing is looked up.
 */

#ifndef MINETD_ENVIRONMENT_H
#define MINETD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	ENVIRONMENT_TEXT = 1024, /* bytes of one connection's variables */
	ENVIRONMENT_VARS = 14,	/* how many of them there may be */
};

/* A connection that a handler is started for. */
struct connection {
	uint64_t id;
	struct addr peer;
	struct addr via;	/* the proxy who says whose connection it is;
				 * ADDR_NONE: none */
	struct addr local;	/* ADDR_UNIX: its path is the listener's */
	struct addr asked;	/* with via: what that has connected to */
	bool terminal;		/* the handler gets one, not the socket */
	bool datagrams;		/* udp */
};

/*
 * Write the variables into text (ENVIRONMENT_TEXT bytes) and pointers to them
 * into vars (room for ENVIRONMENT_VARS; no terminating NULL).  Returns how
 * many there are.
 */
size_t	environment_format(const struct connection *conn, char *text,
	    const char **vars);

#endif
