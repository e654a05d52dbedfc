/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Arbitrary values of `listen` and `redirect`: the parser reads no byte behind
 * them, and what it takes apart lies within them.
 */

#include "conf/url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf/transport.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
check_host(const struct url *url, const char *text, size_t len)
{
	require(url->port > text && url->port_len > 0 &&
	    url->port + url->port_len == text + len);
	if (url->host == URL_HOST_NAME)
		require(url->name > text && url->name_len > 0 &&
		    url->name + url->name_len < url->port);
	if (url->host == URL_HOST_LITERAL)
		require(url->addr.family == ADDR_IP4 ||
		    url->addr.family == ADDR_IP6);
}

/* The rest of the text is printable, without what separates such names. */
static void
check_name(const struct url *url, const char *end)
{
	for (const char *p = url->path; p < end; p++)
		require(*p > ' ' && *p < 0x7f &&
		    (*p != ':' || url->transport != CONF_FD));
}

static void
check_url(const struct url *url, const char *text, size_t len)
{
	const char *end = text + len;

	if (transport_is_ip(url->transport)) {
		check_host(url, text, len);
		return;
	}
	if (url->transport == CONF_VSOCK) {
		require(url->addr.family == ADDR_VSOCK &&
		    addr_vsock(&url->addr).port != UINT32_MAX);
		return;
	}
	require(url->path > text && url->path < end);
	if (transport_is_unix(url->transport))
		require((url->path[0] == '/' || url->path[0] == '@') &&
		    end - url->path > 1 && end - url->path < 108);
	else
		check_name(url, end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1);
	struct url url;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	if (url_parse(&url, text, size) == NULL)
		check_url(&url, text, size);
	if (url_parse_target(&url, text, size) == NULL) {
		require(url.transport == CONF_TCP ||
		    url.transport == CONF_UNIX);
		require(url.transport != CONF_TCP ||
		    url.host != URL_HOST_ALL);
		check_url(&url, text, size);
	}
	free(text);
	return 0;
}
