/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How many conversations each service has.
 *
 * The count of a service goes up here and down when main says that a handler
 * has ended; main keeps the same count and has the last word.  Of what the
 * frontend carries it is the frontend that knows.
 */

#include "frontend/active.h"

static bool
has_handlers(const struct acceptor *acc, uint32_t service)
{
	uint8_t does = admission_services(acc->adm)[service].does;

	return does != ADMISSION_BUILTIN && does != ADMISSION_REDIRECT;
}

struct admit_load
active_load(const struct acceptor *acc, uint32_t service)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[service];

	return (struct admit_load){
		.active = acc->active[service],
		.instances = svc->instances,
		.children = acc->children,
		.max_children = has_handlers(acc, service) ?
		    acc->adm->max_children : 0,
	};
}

void
active_carried_taken(void *arg, const struct client *client,
    struct monotime now)
{
	struct acceptor *acc = arg;

	acc->active[client->service]++;
	acc->carried[client->service]++;
	/* Who had to say something first may begin as late as that. */
	acc->carried_news = acc->stopped;
	limits_take(acc, client, now);
}

/* One less of the service; there may be room again. */
static void
count_drop(struct acceptor *acc, uint32_t service, uint32_t count)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[service];

	acc->active[service] -= count;
	if (svc->instances != 0 && acc->active[service] < svc->instances)
		inlets_release_service(acc, service, HOLD_FULL);
}

void
active_carried_given(void *arg, const struct client *client,
    struct monotime now)
{
	struct acceptor *acc = arg;

	(void)now;
	acc->carried[client->service]--;
	acc->carried_news = acc->stopped;
	limits_give(acc, client->service, &client->peer);
	count_drop(acc, client->service, 1);
}

void
active_take(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	active_add(acc, client->service, 1);
	limits_take(acc, client, now);
}

void
active_add(struct acceptor *acc, uint32_t service, uint32_t count)
{
	acc->active[service] += count;
	if (has_handlers(acc, service))
		acc->children += count;
}

void
active_remove(struct acceptor *acc, uint32_t service, uint32_t count)
{
	uint32_t max = acc->adm->max_children;

	if (has_handlers(acc, service))
		acc->children -= count;
	acc->peers.room = true;
	count_drop(acc, service, count);
	if (max != 0 && acc->children < max)
		inlets_release(acc, HOLD_CHILDREN);
}
