/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Pseudo-terminals for handlers.
 *
 * A terminal as a program finds it: 80 columns and 24 lines, owned by the user
 * of the handler.  It passes on every byte as it is, in both directions, and
 * echoes none; input is read in lines, so that the end of it can be told.
 * minetd-handler(7) describes it.
 */

#ifndef MINETD_TERMINAL_H
#define MINETD_TERMINAL_H

#include <stdint.h>

/*
 * Make one.  Returns 0 with *slave, the side of the program, and *master, which
 * is non-blocking; both are close-on-exec and the caller's.  -1 with errno.
 */
int	terminal_open(uint32_t uid, int *master, int *slave);

#endif
