/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How much, and how fast: rates, and limits of one source.
 */

#ifndef MINETD_LIMITS_H
#define MINETD_LIMITS_H

#include <stdint.h>

#include "base/bucket.h"
#include "base/timer.h"
#include "base/verdict.h"
#include "frontend/carry.h"
#include "frontend/sources.h"

struct acceptor;

/* The rate of a service. */
struct pace {
	struct acceptor *acceptor;
	uint32_t service;
	struct bucket_rate rate;
	struct bucket bucket;
	struct timer due;	/* when somebody who waits can be served */
};

struct limits {
	struct pace **paces;	/* of the services; NULL: it has no rate */
	struct sources sources;	/* of all services with limits of them */
};

/* Before the process is confined.  Returns 0, or -1 with errno. */
int	limits_init(struct acceptor *acc);

/*
 * The hold for listeners of the service until its rate permits more, released
 * by a timer; 0: there is no need to wait.
 */
uint32_t limits_hold(struct acceptor *acc, uint32_t service,
	    struct monotime now);

/*
 * Nothing is taken: VERDICT_SERVE, or the limit that is reached.  Whoever
 * waits for VERDICT_RATE to pass is woken up by a timer.
 */
enum verdict limits_check(struct acceptor *acc, const struct client *client,
	    struct monotime now);

/* A conversation begins, and ends. */
void	limits_take(struct acceptor *acc, const struct client *client,
	    struct monotime now);
void	limits_give(struct acceptor *acc, uint32_t service,
	    const struct addr *peer);

/* One that others have begun. */
void	limits_add(struct acceptor *acc, uint32_t service,
	    const struct addr *peer);

#endif
