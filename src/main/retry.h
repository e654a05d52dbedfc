/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Open degraded listeners as soon as the world allows it.
 *
 * They are tried with a growing delay, and at once when addresses or interfaces
 * change.  A listener that is bound to an interface follows it when that is
 * made anew.
 */

#ifndef MINETD_RETRY_H
#define MINETD_RETRY_H

#include "main/minetd.h"

/* Nothing is to be tried yet. */
void	retry_init(struct minetd *mi);

/* The edition, or the state of its listeners, is another one. */
void	retry_update(struct minetd *mi, struct monotime now);

/* What was in the way of one is gone: do not wait. */
void	retry_soon(struct minetd *mi, struct monotime now);

/* Try nothing any more. */
void	retry_stop(struct minetd *mi);

#endif
