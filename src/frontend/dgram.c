/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Datagrams: built-ins, and one handler for each peer.
 */

#include "frontend/dgram.h"

bool
dgram_serve(struct inlet *in, struct monotime now)
{
	(void)now;
	inlet_hold(in, HOLD_FAILED);
	return true;
}
