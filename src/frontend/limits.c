/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How much, and how fast: rates, and limits of one source.
 */

#include "frontend/limits.h"

#include "frontend/accept.h"

int
limits_init(struct acceptor *acc)
{
	(void)acc;
	return 0;
}

uint32_t
limits_hold(struct acceptor *acc, uint32_t service, struct monotime now)
{
	(void)acc;
	(void)service;
	(void)now;
	return 0;
}

enum verdict
limits_check(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	(void)acc;
	(void)client;
	(void)now;
	return VERDICT_SERVE;
}

void
limits_take(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	(void)acc;
	(void)client;
	(void)now;
}

void
limits_give(struct acceptor *acc, uint32_t service, const struct addr *peer)
{
	(void)acc;
	(void)service;
	(void)peer;
}
