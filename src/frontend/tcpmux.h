/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Lead clients to a service by its name (RFC 1078).
 */

#ifndef MINETD_TCPMUX_H
#define MINETD_TCPMUX_H

#include "frontend/accept.h"

/*
 * Read the name, and serve the client as a client of that service; its
 * descriptor belongs to the conversation.
 */
void	tcpmux_begin(struct acceptor *acc, const struct client *client,
	    struct monotime now);

#endif
