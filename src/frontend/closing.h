/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners that a reload has removed.
 */

#ifndef MINETD_CLOSING_H
#define MINETD_CLOSING_H

#include "frontend/accept.h"

void	closing_init(struct acceptor *acc);

/*
 * They are served until their queues are empty, or their time is over; then
 * main is told.
 */
void	closing_begin(struct acceptor *acc, struct monotime now);

#endif
