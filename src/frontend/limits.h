/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How much, and how fast: rates, and limits of one source.
 */

#ifndef MINETD_LIMITS_H
#define MINETD_LIMITS_H

#include <stdint.h>

#include "base/monotime.h"
#include "base/verdict.h"
#include "frontend/carry.h"

struct acceptor;

struct limits {
	uint32_t sources;	/* how many are known */
};

/* Returns 0, or -1 with errno ENOMEM. */
int	limits_init(struct acceptor *acc);

/*
 * The hold for listeners of the service until its rate permits more, released
 * by a timer; 0: there is no need to wait.
 */
uint32_t limits_hold(struct acceptor *acc, uint32_t service,
	    struct monotime now);

/* Nothing is taken: VERDICT_SERVE, or the limit that is reached. */
enum verdict limits_check(struct acceptor *acc, const struct client *client,
	    struct monotime now);

/* A conversation begins, and ends. */
void	limits_take(struct acceptor *acc, const struct client *client,
	    struct monotime now);
void	limits_give(struct acceptor *acc, uint32_t service,
	    const struct addr *peer);

#endif
