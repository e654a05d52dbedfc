/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What is done when no target of a redirect answers: say so, and look up the
 * host names among them again.
 */

#ifndef MINETD_RESOLVE_H
#define MINETD_RESOLVE_H

#include "base/channel.h"
#include "main/minetd.h"

/* Obey a RESOLVE message; -1 when no frontend of ours can have sent it. */
int	resolve_obey(struct minetd *mi, const struct front *front,
	    const struct channel_msg *msg, struct monotime now);

#endif
