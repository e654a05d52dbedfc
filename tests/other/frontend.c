/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A frontend that cannot serve, for a minetd that is upgraded to.
 */

#include "frontend/frontend.h"

int
frontend_run(int channel)
{
	(void)channel;
	return 1;
}
