/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How many conversations each service has.
 */

#ifndef MINETD_ACTIVE_H
#define MINETD_ACTIVE_H

#include "frontend/accept.h"
#include "frontend/admit.h"

/* Those there are, beside those there may be. */
struct admit_load active_load(const struct acceptor *acc, uint32_t service);

/* A handler was asked for: it counts until main says that it has ended. */
void	active_take(struct acceptor *acc, const struct client *client,
	    struct monotime now);

/* Count handlers that main says are alive, or that have ended. */
void	active_add(struct acceptor *acc, uint32_t service,
	    uint32_t count);
void	active_remove(struct acceptor *acc, uint32_t service,
	    uint32_t count);

/* What the carrier calls when a conversation begins, and when it ends. */
void	active_carried_taken(void *arg, const struct client *client,
	    struct monotime now);
void	active_carried_given(void *arg, const struct client *client,
	    struct monotime now);

#endif
