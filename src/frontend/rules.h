/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * For whom: access rules as a frontend asks them.
 *
 * The most specific rule that matches a peer decides; where one of only_from
 * and one of no_access are equally specific, the peer is denied.
 */

#ifndef MINETD_RULES_H
#define MINETD_RULES_H

#include <stdbool.h>

#include "conf/admission.h"

/*
 * Whether the access rules of the service deny this peer.  fd is its connected
 * socket, for the groups of a unix peer, or -1.
 */
bool	rules_deny(const struct admission *adm,
	    const struct admission_service *svc, const struct addr *peer,
	    int fd);

/* Whether limits of one source, and bans, do not concern the peer. */
bool	rules_exempt(const struct admission *adm, const struct addr *peer,
	    int fd);

/* Whether the PROXY header of this sender is believed. */
bool	rules_believe(const struct admission *adm,
	    const struct admission_service *svc, const struct addr *sender);

#endif
