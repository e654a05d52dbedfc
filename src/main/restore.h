/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Go on as the daemon that another image of this process was.
 */

#ifndef MINETD_RESTORE_H
#define MINETD_RESTORE_H

#include <stdbool.h>

#include "main/handover.h"

/*
 * Take over the state, and serve until the end.  back: this is the image before
 * the one that could not serve.  When the state cannot be taken over, becomes
 * the image before; returns the exit status of the process.
 */
int	restore_run(const struct handover *ho, bool back);

#endif
