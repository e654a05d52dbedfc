/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A service as main runs it: the account of its handlers.
 *
 * A service is its name.  It outlives changes of its configuration, and even
 * its removal while handlers of it run; one that is configured again under
 * that name meanwhile goes on with the same account.
 */

#ifndef MINETD_SERVICE_H
#define MINETD_SERVICE_H

#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "conf/conf.h"

struct handler_plan;
struct trouble;

enum {
	SERVICE_NO_INDEX = UINT32_MAX,
};

/* Clients that were refused for one reason. */
struct refused {
	struct log_limit limit;
	uint64_t count;
};

struct service {
	RB_ENTRY(service) by_name;
	unsigned refs;		/* of editions and handlers */
	uint32_t index;		/* in the edition that is served, or NO_INDEX */
	uint32_t next_index;	/* in the edition that was made last */
	uint32_t active;	/* handlers alive */
	uint32_t told;		/* what the frontend believes is alive */
	bool rests;		/* nobody is to be let in for now */
	bool rests_told;	/* what the frontend believes of that */
	bool dirty;		/* what is true and what was told differ; it is
				 * in a list */
	uint8_t log_connections; /* enum conf_log_connections; as configured, */
	uint8_t stop_signal;	/* enum conf_stop_signal;   or as they were */
	uint32_t kill_grace_msec; /*   when it was removed */
	STAILQ_ENTRY(service) entry;
	struct handler_plan *plan; /* NULL until a connection needs it */
	struct monotime configured; /* when it was last given to a plan */
	struct trouble *trouble; /* with its handlers; owned.  NULL: none yet */
	struct log_limit spawn_failed_limit;
	struct refused *refused; /* VERDICT_COUNT of them, or NULL */
	struct log_limit throttle_limit;
	struct log_limit stderr_limit; /* about pipes that cannot be made */
	struct log_limit unreachable_limit;
	struct monotime resolved; /* when its targets were last looked up; 0:
				 * since the start they were not */
	char name[CONF_NAME_MAX + 1];
};

RB_HEAD(service_table, service);

/*
 * The service of that name, made when there is none, with one more reference.
 * NULL with errno ENOMEM.
 */
struct service *service_get(struct service_table *table, const char *name);
struct service *service_ref(struct service *svc);

/* Give up a reference; a service without any is forgotten.  NULL is fine. */
void	service_unref(struct service_table *table, struct service *svc);

/* NULL when there is none; the reference stays the table's. */
struct service *service_find(struct service_table *table, const char *name);

/* Walk over all, by name: the first, and the one after; NULL at the end. */
struct service *service_first(struct service_table *table);
struct service *service_next(struct service *svc);

#endif
