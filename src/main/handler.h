/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What all handlers of a service have in common, ready for a child that decides
 * nothing.
 *
 * A plan is made for a service's first connection, so that thousands of idle
 * services cost no memory for it, and is retired when the configuration
 * changes.  Children that have not executed their program yet may still use a
 * retired one.
 */

#ifndef MINETD_HANDLER_H
#define MINETD_HANDLER_H

#include <sys/queue.h>

#include "main/edition.h"
#include "main/spawn.h"
#include "main/starter.h"

struct handler_plan {
	struct spawn_plan spawn;
	struct edition *edition; /* its configuration is referenced */
	SLIST_ENTRY(handler_plan) entry; /* when retired */
};

SLIST_HEAD(handler_plan_list, handler_plan);

/*
 * The plan for the handlers of the service that is an entry of the edition.
 * NULL with errno ENOMEM.
 */
struct handler_plan *handler_plan_new(const struct edition_service *entry,
	    struct edition *edition, const struct starter *starter);

/* No more children are started with it; NULL is fine. */
void	handler_plan_retire(struct handler_plan *plan,
	    struct handler_plan_list *retired);

/* Free those that no child uses any more. */
void	handler_plans_free(struct handler_plan_list *retired);

#endif
