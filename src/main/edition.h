/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * An edition: a configuration, and the services and sockets that its indexes
 * stand for.
 *
 * A frontend serves one edition all its life and speaks in its indexes.  The
 * next edition has the same services and listeners as far as the configuration
 * does; an edition lives as long as a frontend or a plan for handlers needs it.
 *
 * Behind those of the configuration an edition has leftovers: listeners that
 * were removed and hand out what is in their queues, under the rules of the
 * service of that name; or, when there is none any more, as it was.
 *
 * Who needs the texts of an edition only has its configuration, and keeps
 * nothing else of it: an edition must not keep all those before it.
 */

#ifndef MINETD_EDITION_H
#define MINETD_EDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "main/listener.h"
#include "main/service.h"

struct edition_service {
	struct service *service; /* referenced; NULL: disabled */
	const struct conf_service *conf; /* of the home's configuration */
	struct edition *home;	/* of a leftover: its configuration is
				 * referenced; NULL: this one */
};

struct edition_listener {
	struct listener *listener; /* referenced; NULL until it is placed */
	uint32_t service;	/* index of its service */
};

struct edition {
	unsigned refs;		/* of the whole */
	unsigned conf_refs;	/* of conf; one is the edition's own */
	const struct conf *conf; /* owned */
	struct service_table *table; /* not owned */
	struct edition_service *services;
	uint32_t service_count;	/* with leftovers */
	struct edition_listener *listeners;
	uint32_t listener_count; /* with leftovers */
	int admission_fd;	/* for frontends; -1 until it is finished */
};

/*
 * An edition of conf, with one reference, its listeners not placed yet.  It
 * owns conf when this succeeds.  NULL with errno ENOMEM.
 */
struct edition *edition_new(const struct conf *conf,
	    struct service_table *table);

/*
 * An edition of the empty configuration with room for so many leftovers, which
 * the caller fills: what another image has left.  NULL with errno ENOMEM.
 */
struct edition *edition_new_bare(struct service_table *table,
	    uint32_t services, uint32_t listeners);
struct edition *edition_ref(struct edition *ed);

/* Give up a reference; the last one frees.  NULL is fine. */
void	edition_unref(struct edition *ed);

/* The same for what needs its configuration and nothing else. */
struct edition *edition_ref_conf(struct edition *ed);
void	edition_unref_conf(struct edition *ed);

/*
 * Add the listener that is this entry of an earlier edition as a leftover.
 * Returns 0, or -1 with errno ENOMEM.
 */
int	edition_add_leftover(struct edition *ed, struct edition *from,
	    const struct edition_listener *entry);

/* All is placed: write down what frontends may know.  0, or -1 with errno. */
int	edition_finish(struct edition *ed);

/* How many listeners the configuration has; the others are leftovers. */
uint32_t edition_configured(const struct edition *ed);

/* How many of those are open. */
uint32_t edition_count_open(const struct edition *ed);

/*
 * The service at this index, if a client of the listener can be one of it:
 * because it is the listener's, or through tcpmux.  NULL otherwise, and for
 * indexes that do not exist.
 */
const struct edition_service *edition_reached(const struct edition *ed,
	    uint32_t listener, uint32_t service);

/* The name of the service of a listener. */
const char *edition_service_name(const struct edition *ed, uint32_t listener);

#endif
