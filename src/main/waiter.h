/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself, one at a time.
 *
 * While a handler has a socket, no frontend is lent it.
 */

#ifndef MINETD_WAITER_H
#define MINETD_WAITER_H

#include "main/minetd.h"

/*
 * Start the handler of this listener, at which somebody waits.  Returns 0, also
 * when it could not be started, or -1 when no frontend of ours can have asked
 * for it.
 */
int	waiter_ready(struct minetd *mi, struct front *front,
	    uint32_t listener, struct monotime now);

/*
 * Such a handler was reaped: the frontend has its sockets again.  started: the
 * child did become the program.
 */
void	waiter_reaped(struct minetd *mi, const struct proc *proc, bool started);

/*
 * A listener rests because handlers leave what is there, or does so no more:
 * log it.  Returns as above.
 */
int	waiter_throttled(const struct front *front,
	    const struct channel_msg *msg, struct monotime now);

#endif
