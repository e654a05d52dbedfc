/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From an admitted client to what its service does.
 */

#ifndef MINETD_DISPATCH_H
#define MINETD_DISPATCH_H

#include "frontend/accept.h"

/*
 * Serve a client that acceptor_admit() has admitted to client->service; there
 * is room in the outbox.  Its descriptor belongs to whoever serves it.
 */
void	dispatch_serve(struct acceptor *acc, const struct client *client,
	    struct monotime now);

/* Fill a START with who the client is, and whose. */
void	dispatch_start(struct channel_msg *msg, const struct client *client);

/* Say the banners of a refusal to it, if there are any, and close it. */
void	dispatch_refuse(struct acceptor *acc, const struct client *client,
	    struct monotime now);

#endif
