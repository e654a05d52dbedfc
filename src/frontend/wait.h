/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself.
 */

#ifndef MINETD_WAIT_H
#define MINETD_WAIT_H

#include "frontend/accept.h"

/* One turn of a listener whose handler waits, as inlet_fn has it. */
bool	wait_serve(struct inlet *in, struct monotime now);

#endif
