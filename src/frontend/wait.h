/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself.
 *
 * When somebody waits at such a socket, main is asked for its handler, and the
 * frontend does not poll it until main lends it again, when the handler has
 * ended.  Handlers that leave what they were started for are started less and
 * less often; see rest.h.
 */

#ifndef MINETD_WAIT_H
#define MINETD_WAIT_H

#include "frontend/accept.h"

/* One turn of a listener whose handler waits, as inlet_fn has it. */
bool	wait_serve(struct inlet *in, struct monotime now);

/*
 * Main lends the listener again, whose handler has ended, and says what it
 * knows of it.  Called while the inlet has the descriptor from before.
 */
void	wait_returned(struct inlet *in, enum channel_took took);

#endif
