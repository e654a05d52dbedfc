/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write headers of the PROXY protocol.
 */

#include "frontend/proxyout.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

enum {
	V2_HEAD = 16,		/* signature, command, family, length */
	V2_PROXY = 0x21,	/* version 2, on behalf of somebody */
	V2_UNSPEC = 0x00,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_UNIX = 0x31,		/* a stream */
	V2_PATH = 108,		/* bytes of a path */
};

static const uint8_t v2_signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
};

/* Both ends are of this family. */
static bool
both_are(const struct proxyout *ends, enum addr_family family)
{
	return ends->src.family == family && ends->dst.family == family;
}

static size_t
v1_format(const struct proxyout *ends, char *buf)
{
	bool six = both_are(ends, ADDR_IP6);
	int family = six ? AF_INET6 : AF_INET;
	char src[INET6_ADDRSTRLEN];
	char dst[INET6_ADDRSTRLEN];

	if ((!six && !both_are(ends, ADDR_IP4)) ||
	    inet_ntop(family, ends->src.bytes, src, sizeof(src)) == NULL ||
	    inet_ntop(family, ends->dst.bytes, dst, sizeof(dst)) == NULL)
		return (size_t)snprintf(buf, PROXYOUT_MAX,
		    "PROXY UNKNOWN\r\n");
	return (size_t)snprintf(buf, PROXYOUT_MAX, "PROXY %s %s %s %u %u\r\n",
	    six ? "TCP6" : "TCP4", src, dst, ends->src.port, ends->dst.port);
}

/* Network byte order. */
static uint8_t *
put_port(uint8_t *p, uint16_t port)
{
	*p++ = (uint8_t)(port >> 8);
	*p++ = (uint8_t)port;
	return p;
}

static uint8_t *
put_bytes(uint8_t *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

/* Addresses of len bytes each, and ports. */
static uint8_t *
put_ends(uint8_t *p, const struct proxyout *ends, size_t len)
{
	p = put_bytes(p, ends->src.bytes, len);
	p = put_bytes(p, ends->dst.bytes, len);
	p = put_port(p, ends->src.port);
	return put_port(p, ends->dst.port);
}

static size_t
v2_format(const struct proxyout *ends, uint8_t *buf)
{
	uint8_t *end = buf + V2_HEAD;
	uint8_t family = V2_UNSPEC;

	if (both_are(ends, ADDR_IP4)) {
		family = V2_TCP4;
		end = put_ends(end, ends, 4);
	} else if (both_are(ends, ADDR_IP6)) {
		family = V2_TCP6;
		end = put_ends(end, ends, 16);
	} else if (ends->src.family == ADDR_UNIX && ends->path != NULL) {
		family = V2_UNIX;
		/* Clients have no names. */
		memset(end, 0, V2_PATH);
		end = put_bytes(end + V2_PATH, ends->path->sun_path, V2_PATH);
	}
	memcpy(buf, v2_signature, sizeof(v2_signature));
	buf[12] = V2_PROXY;
	buf[13] = family;
	put_port(buf + 14, (uint16_t)(end - buf - V2_HEAD));
	return (size_t)(end - buf);
}

size_t
proxyout_format(enum conf_proxy_out version, const struct proxyout *ends,
    uint8_t *buf)
{
	switch (version) {
	case CONF_PROXY_OUT_V1:
		return v1_format(ends, (char *)buf);
	case CONF_PROXY_OUT_V2:
		return v2_format(ends, buf);
	default:
		return 0;
	}
}
