/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Turn values of `redirect` into addresses to connect to.
 *
 * As with listen.h: gathered first, resolved with all other host names, then
 * each has become one address or several.
 */

#ifndef MINETD_TARGET_H
#define MINETD_TARGET_H

#include "conf/host.h"
#include "conf/merge.h"

struct target {
	struct conf_target target;
	uint32_t service;
	struct place place;
	bool pending;		/* waits for the answer of a host */
	size_t host;		/* its number, if pending */
};

/* In the order of the services. */
struct targets {
	struct target *items;
	size_t count;
};

/* Gather those of a service, which will have this index. */
void	targets_add(struct targets *targets, struct hosts *hosts,
	    const struct merge *merge, const struct merged *merged,
	    uint32_t service);

/*
 * Write the addresses of each service into its `targets`; the hosts are
 * resolved.  A name that cannot be resolved is a complaint.
 */
void	targets_store(const struct targets *targets, const struct hosts *hosts,
	    const struct merge *merge, struct conf_service *services);

#endif
