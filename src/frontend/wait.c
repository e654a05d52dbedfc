/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself.
 */

#include "frontend/wait.h"

bool
wait_serve(struct inlet *in, struct monotime now)
{
	(void)now;
	inlet_hold(in, HOLD_WAIT);
	return true;
}
