/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The names by which services are reached through tcpmux.
 */

#ifndef MINETD_MUX_H
#define MINETD_MUX_H

#include <stddef.h>
#include <stdint.h>

#include "conf/merge.h"

/* In the order of the services. */
struct mux_names {
	struct mux_name *items;
	size_t count;
};

/*
 * Store the names of a service, in lower case, and gather them; it will have
 * this index.
 */
void	mux_names_add(struct mux_names *names, const struct merge *merge,
	    struct merged *merged, uint32_t service);

/*
 * Complain about each name that stands for another service already, and warn
 * when no tcpmux service leads to any.
 */
void	mux_names_check(const struct mux_names *names,
	    const struct merge *merge, const struct conf_service *services,
	    uint32_t service_count);

#endif
