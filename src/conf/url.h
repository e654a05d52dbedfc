/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Take a value of `listen`, or of `redirect`, apart.
 *
 * Pure.  What a host or port is called is not looked up here.
 */

#ifndef MINETD_URL_H
#define MINETD_URL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "conf/conf.h"

enum url_family {
	URL_FAMILY_ANY,		/* tcp:// or udp:// */
	URL_FAMILY_IP4,		/* tcp4:// or udp4:// */
	URL_FAMILY_IP6,		/* tcp6:// or udp6:// */
};

enum url_host {
	URL_HOST_ALL,		/* * */
	URL_HOST_LITERAL,
	URL_HOST_NAME,
};

struct url {
	enum conf_transport transport;
	enum url_family family;
	enum url_host host;
	struct addr addr;	/* URL_HOST_LITERAL, without the port; vsock:
				 * all of it */
	const char *name;	/* URL_HOST_NAME; in the text */
	size_t name_len;
	const char *port;	/* number or name; in the text */
	size_t port_len;
	const char *path;	/* unix: path or @NAME; fd, tcpmux: NAME; in the
				 * text, to its end */
};

/*
 * Parse len bytes of text.  Returns NULL, or what is wrong with it, as a
 * sentence of static storage; *url is then unspecified.
 */
const char *url_parse(struct url *url, const char *text, size_t len);

/* The same of a target of `redirect`: a stream to connect to. */
const char *url_parse_target(struct url *url, const char *text, size_t len);

#endif
