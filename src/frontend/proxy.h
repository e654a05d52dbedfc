/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read the header of the PROXY protocol, in which a proxy says who its client
 * is: <https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt>.
 *
 * A pure function of bytes; whether the sender is believed is asked elsewhere.
 */

#ifndef MINETD_PROXY_H
#define MINETD_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	PROXY_MAX = 4096,	/* bytes of the longest header that is read */
};

enum proxy_found {
	PROXY_MORE,		/* a header may begin like this */
	PROXY_HEADER,
	PROXY_NONE,		/* no header begins like this */
	PROXY_BAD,		/* one does, but it is damaged */
};

/* What a header says. */
struct proxy {
	bool is_local;		/* the proxy itself has connected */
	struct addr source;	/* the client; ADDR_NONE: not said */
	struct addr destination; /* what it has connected to; likewise */
	size_t len;		/* of the header */
};

/*
 * Look at the first bytes of a connection; *proxy is filled for PROXY_HEADER.
 * IPv4-mapped addresses are IPv4.  Version 1 and 2; of version 2 a checksum is
 * verified if there is one, and other TLVs are skipped.
 */
enum proxy_found proxy_parse(const uint8_t *bytes, size_t len,
	    struct proxy *proxy);

#endif
