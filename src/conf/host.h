/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Resolve host names without root ever reading what a name server sent.
 *
 * All names are resolved by one child, which first becomes the unprivileged
 * user, and returns binary addresses.  It is given 10 seconds.
 */

#ifndef MINETD_HOST_H
#define MINETD_HOST_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/url.h"

enum {
	HOST_ADDRS_MAX = 64,	/* of one name; more are left out */
};

struct hosts;

/* The answer for a name. */
struct host {
	const char *failure;	/* a sentence; NULL: there are addresses */
	const struct addr *addrs; /* without ports, each once */
	size_t count;
};

struct hosts *hosts_new(void);

/* Ask for a name; returns the number under which the answer will be. */
size_t	hosts_add(struct hosts *hosts, const char *name, size_t len,
	    enum url_family family);

/* Resolve all names, as this user when run by root. */
void	hosts_resolve(struct hosts *hosts, uid_t uid, gid_t gid);

/*
 * What the child does, for others who have one: become this user for good, if
 * it is root; and look up one name, which may take its time.  Addresses go into
 * addrs, which has HOST_ADDRS_MAX places, without ports, each once.  Returns
 * their number; *error is that of getaddrinfo(3).
 */
void	host_drop_root(uid_t uid, gid_t gid);
uint32_t host_query(const char *name, enum url_family family,
	    struct addr *addrs, int *error);

/* The answer, after hosts_resolve(). */
const struct host *hosts_get(const struct hosts *hosts, size_t number);

#endif
