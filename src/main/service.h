/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A configured service as main runs it: its counts, and the plan for its
 * handlers.
 */

#ifndef MINETD_SERVICE_H
#define MINETD_SERVICE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "conf/conf.h"
#include "main/spawn.h"
#include "main/starter.h"

struct service {
	const struct conf_service *conf; /* not owned */
	const char *name;	/* of the configuration */
	struct spawn_plan *plan; /* NULL until the first connection */
	uint32_t active;	/* handlers alive */
	uint32_t told;		/* what the frontend believes is alive */
	bool dirty;		/* active and told differ; in a list */
	STAILQ_ENTRY(service) entry;
	struct log_limit spawn_failed_limit;
	struct log_limit reject_limit;
};

/* Prepare the service at index of conf, which outlives it. */
void	service_init(struct service *svc, const struct conf *conf,
	    uint32_t index);

/* Release what the service owns. */
void	service_fini(struct service *svc);

/*
 * The plan for its handlers, made when first asked for and owned by the
 * service.  Returns NULL with errno ENOMEM.
 */
const struct spawn_plan *service_plan(struct service *svc,
	    const struct conf *conf, const struct starter *starter);

#endif
