/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry a client to another server.
 */

#ifndef MINETD_REDIRECT_H
#define MINETD_REDIRECT_H

#include "base/channel.h"
#include "frontend/carry.h"

/*
 * Connect to the targets of the service in turn, and relay; the client's
 * descriptor belongs to the conversation.
 */
void	redirect_begin(struct carrier *carrier, const struct client *client,
	    struct monotime now);

/*
 * A target has another address from now on.  -1 when there is no such target.
 */
int	redirect_target(struct carrier *carrier,
	    const struct channel_target *target);

#endif
