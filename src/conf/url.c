/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Take a value of `listen`, or of `redirect`, apart.
 *
 * A host of digits and dots only, or one in brackets, is an address or an
 * error; it is never looked up as a name.
 */

#include "conf/url.h"

#include <sys/un.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
	HOST_NAME_MAX_BYTES = 253,
	PORT_NAME_MAX = 64,
	FD_NAME_MAX = 255,	/* sd_listen_fds(3) */
	MUX_NAME_MAX = 64,
};

struct scheme {
	const char *prefix;
	enum conf_transport transport;
	enum url_family family;
};

static const struct scheme schemes[] = {
	{ "tcp://", CONF_TCP, URL_FAMILY_ANY },
	{ "tcp4://", CONF_TCP, URL_FAMILY_IP4 },
	{ "tcp6://", CONF_TCP, URL_FAMILY_IP6 },
	{ "udp://", CONF_UDP, URL_FAMILY_ANY },
	{ "udp4://", CONF_UDP, URL_FAMILY_IP4 },
	{ "udp6://", CONF_UDP, URL_FAMILY_IP6 },
	{ "unix://", CONF_UNIX, URL_FAMILY_ANY },
	{ "unix-dgram://", CONF_UNIX_DGRAM, URL_FAMILY_ANY },
	{ "unix-seqpacket://", CONF_UNIX_SEQPACKET, URL_FAMILY_ANY },
	{ "vsock://", CONF_VSOCK, URL_FAMILY_ANY },
	{ "fd://", CONF_FD, URL_FAMILY_ANY },
	{ "tcpmux://", CONF_TCPMUX, URL_FAMILY_ANY },
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
	bool abstract = len > 0 && path[0] == '@';

	if (abstract && len == 1)
		return "the name of the abstract socket is missing";
	if (len == 0 || (path[0] != '/' && !abstract))
		return "the path of a unix socket must be absolute";
	if (path[len - 1] == '/' && !abstract)
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
check_family(const struct url *url)
{
	bool udp = url->transport == CONF_UDP;

	if (url->family == URL_FAMILY_IP4 && url->addr.family != ADDR_IP4)
		return udp ? "udp4:// needs an IPv4 address" :
		    "tcp4:// needs an IPv4 address";
	if (url->family == URL_FAMILY_IP6 && url->addr.family != ADDR_IP6)
		return udp ? "udp6:// needs an IPv6 address" :
		    "tcp6:// needs an IPv6 address";
	return NULL;
}

static const char *
parse_literal(struct url *url, const char *text, size_t len)
{
	if (addr_parse(&url->addr, text, len) == -1)
		return errno == ENODEV ?
		    "the interface behind % does not exist" :
		    "the host is not a valid address";
	url->host = URL_HOST_LITERAL;
	return check_family(url);
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
parse_ip(struct url *url, const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len);
	const char *bracket = memrchr(text, ']', len);
	const char *missing = url->transport == CONF_UDP ?
	    "the port is missing, as in udp://HOST:PORT" :
	    "the port is missing, as in tcp://HOST:PORT";

	if (colon == NULL || (bracket != NULL && colon < bracket))
		return missing;
	url->port = colon + 1;
	url->port_len = len - (size_t)(url->port - text);
	if (url->port_len == 0)
		return missing;
	if (url->port_len > PORT_NAME_MAX ||
	    !all_in(url->port, url->port_len, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-/"))
		return "the port is neither a number nor a name";
	return parse_host(url, text, (size_t)(colon - text));
}

/* A number of 32 bits; the highest stands for any, and is written as *. */
static bool
parse_number(const char *text, size_t len, bool may_be_any, uint32_t *number)
{
	uint64_t value = 0;

	if (may_be_any && len == 1 && text[0] == '*') {
		*number = UINT32_MAX;
		return true;
	}
	if (len == 0 || len > 10 || (len > 1 && text[0] == '0') ||
	    !all_in(text, len, "0123456789"))
		return false;
	for (size_t i = 0; i < len; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	*number = (uint32_t)value;
	return value < UINT32_MAX;
}

/* vsock(7): CID and port are numbers, and * every CID. */
static const char *
parse_vsock(struct url *url, const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len);
	uint32_t cid, port;

	if (colon == NULL)
		return "the port is missing, as in vsock://CID:PORT";
	if (!parse_number(text, (size_t)(colon - text), true, &cid))
		return "the CID is neither a number nor *";
	if (!parse_number(colon + 1, len - (size_t)(colon + 1 - text), false,
	    &port))
		return "the port of a vsock socket must be a number";
	url->addr = addr_from_vsock(cid, port);
	return NULL;
}

static const char *
parse_fd(struct url *url, const char *text, size_t len)
{
	if (len == 0 || len > FD_NAME_MAX)
		return "the name must be 1 to 255 bytes";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == ':')
			return "the name is none that LISTEN_FDNAMES can have";
	url->path = text;
	return NULL;
}

static const char *
parse_mux(struct url *url, const char *text, size_t len)
{
	if (len == 0 || len > MUX_NAME_MAX)
		return "the name must be 1 to 64 bytes";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return "the name must be of printable characters";
	if (len == strlen("help") && strncasecmp(text, "help", len) == 0)
		return "a client that says \"help\" gets the list of names";
	url->path = text;
	return NULL;
}

static const char *
parse_rest(struct url *url, const char *text, size_t len)
{
	switch (url->transport) {
	case CONF_TCP:
	case CONF_UDP:
		return parse_ip(url, text, len);
	case CONF_VSOCK:
		return parse_vsock(url, text, len);
	case CONF_FD:
		return parse_fd(url, text, len);
	case CONF_TCPMUX:
		return parse_mux(url, text, len);
	default:
		return parse_unix(url, text, len);
	}
}

const char *
url_parse(struct url *url, const char *text, size_t len)
{
	const struct scheme *scheme = find_scheme(text, len);

	if (scheme == NULL)
		return "is not one of tcp://HOST:PORT, udp://HOST:PORT (tcp4, "
		       "tcp6, udp4, udp6), unix:///PATH, unix://@NAME, "
		       "unix-dgram://, unix-seqpacket://, vsock://CID:PORT, "
		       "fd://NAME, tcpmux://NAME";
	*url = (struct url){
		.transport = scheme->transport,
		.family = scheme->family,
	};
	size_t prefix_len = strlen(scheme->prefix);
	return parse_rest(url, text + prefix_len, len - prefix_len);
}

const char *
url_parse_target(struct url *url, const char *text, size_t len)
{
	const struct scheme *scheme = find_scheme(text, len);
	const char *sentence;

	if (scheme == NULL || (scheme->transport != CONF_TCP &&
	    scheme->transport != CONF_UNIX))
		return "is not one of tcp://HOST:PORT, tcp4://HOST:PORT, "
		       "tcp6://HOST:PORT, unix:///PATH, unix://@NAME";
	sentence = url_parse(url, text, len);
	if (sentence == NULL && url->transport == CONF_TCP &&
	    url->host == URL_HOST_ALL)
		return "* is no host to connect to";
	return sentence;
}
