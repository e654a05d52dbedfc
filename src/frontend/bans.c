/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sources that are refused for a while, whatever they want.
 */

#include "frontend/bans.h"

#include "frontend/accept.h"

bool
bans_has(struct acceptor *acc, const struct addr *peer, struct monotime now)
{
	(void)acc;
	(void)peer;
	(void)now;
	return false;
}

void
bans_trip(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	(void)acc;
	(void)client;
	(void)now;
}
