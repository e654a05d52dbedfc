/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Take a value of `listen` apart.
 *
 * A host of digits and dots only, or one in brackets, is an address or an
 * error; it is never looked up as a name.
 */

#include "conf/url.h"

#include <sys/un.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
	HOST_NAME_MAX_BYTES = 253,
	PORT_NAME_MAX = 64,
};

struct scheme {
	const char *prefix;
	bool supported;
	enum conf_transport transport;
	enum url_family family;
};

static const struct scheme schemes[] = {
	{ "tcp://", true, CONF_TCP, URL_FAMILY_ANY },
	{ "tcp4://", true, CONF_TCP, URL_FAMILY_IP4 },
	{ "tcp6://", true, CONF_TCP, URL_FAMILY_IP6 },
	{ "unix://", true, CONF_UNIX, URL_FAMILY_ANY },
	{ "udp://", .supported = false },
	{ "udp4://", .supported = false },
	{ "udp6://", .supported = false },
	{ "unix-dgram://", .supported = false },
	{ "unix-seqpacket://", .supported = false },
	{ "vsock://", .supported = false },
	{ "fd://", .supported = false },
	{ "tcpmux://", .supported = false },
	{ .prefix = NULL },
};

static const struct scheme *
find_scheme(const char *text, size_t len)
{
	for (const struct scheme *s = schemes; s->prefix != NULL; s++) {
		size_t prefix_len = strlen(s->prefix);

		if (len >= prefix_len &&
		    memcmp(text, s->prefix, prefix_len) == 0)
			return s;
	}
	return NULL;
}

static const char *
parse_unix(struct url *url, const char *path, size_t len)
{
	if (len > 0 && path[0] == '@')
		return "abstract sockets are not supported yet";
	if (len == 0 || path[0] != '/')
		return "the path of a unix socket must be absolute";
	if (path[len - 1] == '/')
		return "the path of a unix socket names a directory";
	if (len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return "the path of a unix socket is longer than 107 bytes";
	url->path = path;
	return NULL;
}

static bool
all_in(const char *text, size_t len, const char *bytes)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr(bytes, text[i]) == NULL)
			return false;
	return true;
}

static const char *
parse_literal(struct url *url, const char *text, size_t len)
{
	if (addr_parse(&url->addr, text, len) == -1)
		return errno == ENODEV ?
		    "the interface behind % does not exist" :
		    "the host is not a valid address";
	if (url->family == URL_FAMILY_IP4 && url->addr.family != ADDR_IP4)
		return "tcp4:// needs an IPv4 address";
	if (url->family == URL_FAMILY_IP6 && url->addr.family != ADDR_IP6)
		return "tcp6:// needs an IPv6 address";
	url->host = URL_HOST_LITERAL;
	return NULL;
}

static const char *
parse_name(struct url *url, const char *text, size_t len)
{
	if (memchr(text, ':', len) != NULL)
		return "an IPv6 address must stand in brackets";
	if (len > HOST_NAME_MAX_BYTES || text[0] == '-' || text[0] == '.' ||
	    !all_in(text, len, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"))
		return "the host is neither an address nor a name";
	url->host = URL_HOST_NAME;
	url->name = text;
	url->name_len = len;
	return NULL;
}

static const char *
parse_host(struct url *url, const char *text, size_t len)
{
	if (len == 0)
		return "the host is missing, * means every address";
	if (len == 1 && text[0] == '*') {
		url->host = URL_HOST_ALL;
		return NULL;
	}
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		if (memchr(text, ':', len) == NULL)
			return "only an IPv6 address stands in brackets";
		return parse_literal(url, text + 1, len - 2);
	}
	if (all_in(text, len, "0123456789."))
		return parse_literal(url, text, len);
	return parse_name(url, text, len);
}

static const char *
parse_tcp(struct url *url, const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len);
	const char *bracket = memrchr(text, ']', len);

	if (colon == NULL || (bracket != NULL && colon < bracket))
		return "the port is missing, as in tcp://HOST:PORT";
	url->port = colon + 1;
	url->port_len = len - (size_t)(url->port - text);
	if (url->port_len == 0)
		return "the port is missing, as in tcp://HOST:PORT";
	if (url->port_len > PORT_NAME_MAX ||
	    !all_in(url->port, url->port_len, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/"))
		return "the port is neither a number nor a name";
	return parse_host(url, text, (size_t)(colon - text));
}

const char *
url_parse(struct url *url, const char *text, size_t len)
{
	const struct scheme *scheme = find_scheme(text, len);

	if (scheme == NULL)
		return "is not one of tcp://HOST:PORT, tcp4://HOST:PORT, "
		       "tcp6://HOST:PORT, unix:///PATH";
	if (!scheme->supported)
		return "this kind of socket is not supported yet";
	size_t prefix_len = strlen(scheme->prefix);
	*url = (struct url){
		.transport = scheme->transport,
		.family = scheme->family,
	};
	return scheme->transport == CONF_UNIX ?
	    parse_unix(url, text + prefix_len, len - prefix_len) :
	    parse_tcp(url, text + prefix_len, len - prefix_len);
}
