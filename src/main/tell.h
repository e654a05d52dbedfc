/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell the frontend what it does not know yet.
 *
 * Noting something is separate from sending it, and may be done at any time,
 * also while no frontend runs.
 */

#ifndef MINETD_TELL_H
#define MINETD_TELL_H

#include <stdint.h>

#include "main/minetd.h"

/* Prepare the account; nothing is to be told. */
void	tell_init(struct minetd *mi);

/* Note that the count of a service is not what the frontend believes. */
void	tell_count(struct minetd *mi, struct service *svc);

/* Note that a listener was opened which the frontend does not have. */
void	tell_listener(struct minetd *mi, uint32_t index);

/* Note that the frontend is a new one, which knows nothing. */
void	tell_everything(struct minetd *mi);

/* Send what was noted, as far as the channel takes it.  After each wake-up. */
void	tell_flush(struct minetd *mi, struct monotime now);

#endif
