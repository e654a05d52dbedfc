/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that come through a proxy, which says first who they are.
 */

#ifndef MINETD_PROXIED_H
#define MINETD_PROXIED_H

#include "frontend/accept.h"

/*
 * Whether a header is awaited from whoever has connected: the service has
 * proxy_protocol, and believes the sender.
 */
bool	proxied_awaited(const struct acceptor *acc,
	    const struct client *client);

/*
 * Whether one is required, and who has connected is not believed.
 */
bool	proxied_missing(const struct acceptor *acc,
	    const struct client *client);

/*
 * Await the header, and then go on with acceptor_serve(); the descriptor
 * belongs to that conversation.
 */
void	proxied_begin(struct acceptor *acc, const struct client *client,
	    struct monotime now);

#endif
