/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself, one at a time.
 */

#ifndef MINETD_WAITER_H
#define MINETD_WAITER_H

#include "main/minetd.h"

/*
 * Start the handler of this listener, at which somebody waits.  Returns 0, or
 * -1 when no frontend of ours can have asked for it.
 */
int	waiter_ready(struct minetd *mi, const struct front *front,
	    uint32_t listener, struct monotime now);

#endif
