/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sources that are refused for a while, whatever they want.
 *
 * The copy of main's table; what is tripped here is in it at once, and main is
 * told.
 */

#ifndef MINETD_BANS_H
#define MINETD_BANS_H

#include <stdbool.h>

#include "base/bantable.h"
#include "base/channel.h"
#include "base/verdict.h"
#include "frontend/carry.h"

struct acceptor;

/* Whether the client is banned now. */
bool	bans_have(const struct acceptor *acc, const struct client *client,
	    struct monotime now);

/*
 * The client has done what its service may ban for.  Only who has a connection
 * is banned: others may have lent their addresses to somebody.
 */
void	bans_trip(struct acceptor *acc, const struct client *client,
	    enum ban_cause cause, struct monotime now);

/* What main says. */
int	bans_apply(struct acceptor *acc, const struct channel_banned *banned);

/* Tell main, as far as there is room; whether it knows all. */
bool	bans_report(struct acceptor *acc);

#endif
