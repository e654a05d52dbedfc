/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell frontends what they do not know yet.
 *
 * Noting something is separate from sending it, and may be done at any time,
 * also while no frontend runs.
 */

#ifndef MINETD_TELL_H
#define MINETD_TELL_H

#include <stdint.h>

#include "main/minetd.h"

/*
 * Note that the count of a service, or whether it rests, is not what the
 * frontend believes.
 */
void	tell_count(struct minetd *mi, struct service *svc);

/*
 * Note that what the frontend believes of counts is nothing: it is new, or the
 * services have new indexes.
 */
void	tell_counts_anew(struct minetd *mi);

/*
 * Note that a listener of the edition was opened, or that the handler which had
 * it has ended.
 */
void	tell_listener(struct minetd *mi, uint32_t index);

/* Send what was noted, as far as the channels take it.  After each wake-up. */
void	tell_flush(struct minetd *mi, struct monotime now);

#endif
