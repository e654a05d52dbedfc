/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Look up the host names among the targets of a service again, while nobody
 * waits.
 *
 * A child does it, as the frontend's user, and leaves binary addresses in a
 * memfd: its parent reads nothing else, and only when it has ended.
 */

#ifndef MINETD_LOOKUP_H
#define MINETD_LOOKUP_H

#include <sys/types.h>

#include "conf/conf.h"

enum {
	LOOKUP_MSEC = 10000,	/* what it is given */
};

struct lookup;

/* Whether the target is one, and whether there are any. */
bool	lookup_is_name(const struct conf *conf,
	    const struct conf_target *target);
bool	lookup_has_names(const struct conf *conf,
	    const struct conf_service *svc);

/*
 * Begin; both stay as they are until the end.  NULL with errno.  The caller
 * reaps the child, and keeps the deadline: then it calls lookup_expire().
 */
struct lookup *lookup_start(const struct conf *conf,
	    const struct conf_service *svc);
pid_t	lookup_pid(const struct lookup *lookup);
void	lookup_expire(const struct lookup *lookup);

/*
 * The child was reaped.  Calls fn for each target, by its index among those of
 * the service, that a name was found for: with the address that it has by now,
 * or with one of ADDR_NONE when there are less of the name than before.  Frees
 * the lookup.
 */
typedef void lookup_fn(void *arg, uint32_t target, const struct addr *addr);
void	lookup_finish(struct lookup *lookup, lookup_fn *fn, void *arg);

/* Give it up: the child is killed and reaped here. */
void	lookup_cancel(struct lookup *lookup);

#endif
