/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Turn values of `listen` into the addresses to bind.
 *
 * First all are gathered, then the host names among them are resolved
 * together, then each has become one listener or several.
 */

#ifndef MINETD_LISTEN_H
#define MINETD_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/host.h"
#include "conf/merge.h"
#include "conf/url.h"

/* One socket to open, with what it takes to complain about it. */
struct listener {
	struct conf_listen listen;
	struct place place;
	bool reuse_port;
	bool abstract;		/* its path is @NAME */
	struct conf_str interface;
	bool pending;		/* waits for the answer of a host */
	size_t host;		/* its number, if pending */
};

/* In the order of the services. */
struct listeners {
	struct listener *items;
	size_t count;
	struct hosts *hosts;
};

/*
 * The port of a URL of this key: a number, or a name of services(5).  False
 * after a complaint.
 */
bool	listen_find_port(const struct merge *merge, struct place place,
	    const char *key, const struct url *url, uint16_t *port);

/* Gather those of a service, which will have this index. */
void	listeners_add(struct listeners *listeners, const struct merge *merge,
	    const struct merged *merged, uint32_t service);

/*
 * Resolve host names as this user, and replace each pending listener by those
 * of its addresses.
 */
void	listeners_resolve(struct listeners *listeners,
	    const struct merge *merge, uid_t uid, gid_t gid);

#endif
