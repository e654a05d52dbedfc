/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write the header by which a target of `redirect` learns who the client is:
 * the PROXY protocol, versions 1 and 2.
 *
 * Pure.
 */

#ifndef MINETD_PROXYOUT_H
#define MINETD_PROXYOUT_H

#include <sys/un.h>

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"

enum {
	PROXYOUT_MAX = 232,	/* bytes of the longest: version 2, unix */
};

struct proxyout {
	struct addr src;	/* the client */
	struct addr dst;	/* the address that it has connected to */
	const struct sockaddr_un *path; /* the same of a unix client; or NULL */
};

/*
 * Write the header into buf, which has PROXYOUT_MAX bytes, and return its
 * length; 0 for CONF_PROXY_OUT_NONE.  Addresses that the version has no form
 * for are left out, and it says so.
 */
size_t	proxyout_format(enum conf_proxy_out version,
	    const struct proxyout *ends, uint8_t *buf);

#endif
