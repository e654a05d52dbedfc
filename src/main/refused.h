/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that a service has no room for, or that could not be accepted: the
 * lines that say so.
 */

#ifndef MINETD_REFUSED_H
#define MINETD_REFUSED_H

#include <stdbool.h>

#include "base/channel.h"
#include "main/minetd.h"

/*
 * Log the refusals of a REJECTED message; -1 when no frontend of ours can have
 * sent it.
 */
int	refused_peers(const struct front *front, const struct channel_msg *msg,
	    struct monotime now);

/*
 * Log the error of an ACCEPT_FAILED message, or that it is over; -1 as above.
 */
int	refused_accept(struct minetd *mi, const struct front *front,
	    const struct channel_msg *msg, struct monotime now);

/*
 * A frontend asks for a handler of a service that has no room for one.  True
 * when it may be that it did not know; that is logged, and noted as what the
 * frontend has to be told.
 */
bool	refused_connection(struct minetd *mi, const struct front *front,
	    struct service *svc, const struct channel_msg *msg,
	    struct monotime now);

#endif
