/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Datagrams: built-ins, and one handler for each peer.
 */

#ifndef MINETD_DGRAM_H
#define MINETD_DGRAM_H

#include "frontend/accept.h"

/* One turn of a listener of datagrams, as inlet_fn has it. */
bool	dgram_serve(struct inlet *in, struct monotime now);

#endif
