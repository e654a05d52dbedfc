/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * For whom: access rules as a frontend asks them.
 */

#ifndef MINETD_RULES_H
#define MINETD_RULES_H

#include <stdbool.h>

#include "conf/admission.h"

struct rules {
	const uint8_t *tables;	/* mapped; NULL: none were sent */
};

/*
 * Whether the access rules of the service deny this peer.  fd is its connected
 * socket, for the groups of a unix peer, or -1.
 */
bool	rules_deny(const struct rules *rules,
	    const struct admission_service *svc, const struct addr *peer,
	    int fd);

/* Whether per-source limits and bans do not concern the peer. */
bool	rules_exempt(const struct rules *rules, const struct admission *adm,
	    const struct addr *peer);

/* Whether the PROXY header of this sender is believed. */
bool	rules_believe(const struct rules *rules,
	    const struct admission_service *svc, const struct addr *sender);

#endif
