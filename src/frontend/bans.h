/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sources that are refused for a while, whatever they want.
 */

#ifndef MINETD_BANS_H
#define MINETD_BANS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/monotime.h"
#include "frontend/carry.h"

struct acceptor;

struct bans {
	uint32_t count;
};

/* Whether the peer is banned now. */
bool	bans_has(struct acceptor *acc, const struct addr *peer,
	    struct monotime now);

/* The client has done what its service bans for, if it does. */
void	bans_trip(struct acceptor *acc, const struct client *client,
	    struct monotime now);

#endif
