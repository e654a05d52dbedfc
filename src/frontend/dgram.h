/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners of datagrams that the frontend reads itself: built-ins answer each,
 * handlers are one for each peer.
 */

#ifndef MINETD_DGRAM_H
#define MINETD_DGRAM_H

#include "frontend/accept.h"

/* The listener was lent. */
void	dgram_listen(struct inlet *in);

/* One turn of it, as inlet_fn has it. */
bool	dgram_serve(struct inlet *in, struct monotime now);

#endif
