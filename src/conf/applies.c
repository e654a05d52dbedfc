/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find keys that mean nothing to the listeners of a service.
 *
 * No key is accepted and ignored.  `defaults` are for services of all kinds,
 * so what comes from there just does not apply.
 */

#include "conf/applies.h"

#include <string.h>

#include "conf/transport.h"
#include "conf/url.h"

/* Which listeners a service has, as bits. */
enum has {
	HAS_IP = 1u << 0,
	HAS_TCP = 1u << 1,
	HAS_PATH = 1u << 2,	/* in the file system */
	HAS_CONNECTIONS = 1u << 3,
	HAS_OWN = 1u << 4,	/* one that minetd itself opens */
	HAS_FD = 1u << 5,	/* one that it was started with: any kind */
	HAS_MUX = 1u << 6,
	HAS_CLIENTS = HAS_CONNECTIONS | HAS_FD | HAS_MUX,
};

/* A key, and what one of the listeners must be for it. */
struct option_row {
	enum key_id id;
	unsigned needs;
};

static const struct option_row option_rows[] = {
	{ KEY_INTERFACE, HAS_IP },
	{ KEY_BACKLOG, HAS_CONNECTIONS },
	{ KEY_REUSE_PORT, HAS_IP },
	{ KEY_FREEBIND, HAS_IP },
	{ KEY_TRANSPARENT, HAS_IP },
	{ KEY_NODELAY, HAS_TCP },
	{ KEY_DEFER_ACCEPT, HAS_TCP },
	{ KEY_KEEPALIVE, HAS_TCP },
	{ KEY_KEEPALIVE_TIME, HAS_TCP },
	{ KEY_KEEPALIVE_INTERVAL, HAS_TCP },
	{ KEY_KEEPALIVE_PROBES, HAS_TCP },
	{ KEY_SEND_BUFFER, HAS_OWN },
	{ KEY_RECEIVE_BUFFER, HAS_OWN },
	{ KEY_DSCP, HAS_IP },
	{ KEY_MARK, HAS_IP },
	{ KEY_MPTCP, HAS_TCP },
	{ KEY_SOCKET_USER, HAS_PATH },
	{ KEY_SOCKET_GROUP, HAS_PATH },
	{ KEY_SOCKET_MODE, HAS_PATH },
	{ KEY_TCPMUX_REPLY, HAS_MUX },
	{ KEY_PROXY_PROTOCOL, HAS_CLIENTS },
	{ KEY_PROXY_FROM, HAS_CLIENTS },
	{ KEY_BAN, HAS_CLIENTS },
	{ KEY_BANNER, HAS_CLIENTS },
	{ KEY_BANNER_SUCCESS, HAS_CLIENTS },
	{ KEY_BANNER_FAIL, HAS_CLIENTS },
};

static const char *
need_name(unsigned needs)
{
	switch (needs) {
	case HAS_IP:
		return "a tcp or udp";
	case HAS_TCP:
		return "a tcp";
	case HAS_PATH:
		return "a unix:///PATH";
	case HAS_CONNECTIONS:
	case HAS_CLIENTS:
		return "a connection-oriented";
	case HAS_MUX:
		return "a tcpmux://NAME";
	default:
		return "a newly opened";
	}
}

static unsigned
url_has(const struct url *url)
{
	unsigned has = HAS_OWN;

	if (url->transport == CONF_FD)
		return HAS_FD;
	if (url->transport == CONF_TCPMUX)
		return HAS_MUX;
	if (transport_is_ip(url->transport))
		has |= HAS_IP;
	if (url->transport == CONF_TCP)
		has |= HAS_TCP;
	if (transport_is_unix(url->transport) && url->path[0] == '/')
		has |= HAS_PATH;
	if (!transport_is_dgram(url->transport))
		has |= HAS_CONNECTIONS;
	return has;
}

/* False when a value could not be read, and may have been anything. */
static bool
find_listeners(const struct merged *merged, unsigned *has)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];

	*has = 0;
	for (uint32_t i = 0; setting != NULL && i < setting->count; i++) {
		const char *text = setting->values[i].text;
		struct url url;

		if (url_parse(&url, text, strlen(text)) != NULL)
			return false;
		*has |= url_has(&url);
	}
	return setting != NULL;
}

void
applies_check(const struct merge *merge, struct merged *merged)
{
	unsigned has;

	if (!find_listeners(merged, &has))
		return;
	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]);
	    i++) {
		const struct option_row *row = &option_rows[i];

		if ((row->needs & has) != 0)
			continue;
		if (merge_insists(merge, merged, row->id))
			merge_complain(merge, merged, row->id,
			    "needs %s listener, and service \"%s\" has none",
			    need_name(row->needs), merged->name);
		merge_reset(merge, merged, row->id);
	}
}
