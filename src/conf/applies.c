/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find socket options that no listener of a service can have.
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
	HAS_PATH = 1u << 2,
	HAS_CONNECTIONS = 1u << 3,
	HAS_OWN = 1u << 4,	/* one that minetd itself opens */
};

/* An option, and what one of the listeners must be for it. */
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
		return "a unix";
	case HAS_CONNECTIONS:
		return "a connection-oriented";
	default:
		return "a newly opened";
	}
}

static unsigned
url_has(const struct url *url)
{
	unsigned has = HAS_OWN;

	if (url->transport == CONF_FD || url->transport == CONF_TCPMUX)
		return 0;
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

static void
check_option(const struct merge *merge, const struct merged *defaults,
    struct store *plain, struct merged *merged, const struct option_row *row)
{
	const struct key *key = &keys[row->id];
	char *value = (char *)store_home(&merged->values, key) + key->offset;
	const char *unset = (char *)store_home(plain, key) + key->offset;

	if (memcmp(value, unset, key->size) == 0)
		return;
	if (merged->set[row->id] != defaults->set[row->id])
		merge_complain(merge, merged, row->id,
		    "needs %s listener, and service \"%s\" has none",
		    need_name(row->needs), merged->name);
	memcpy(value, unset, key->size);
}

void
applies_check(const struct merge *merge, const struct merged *defaults,
    struct store *plain, struct merged *merged)
{
	unsigned has;

	if (!find_listeners(merged, &has))
		return;
	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]);
	    i++)
		if ((option_rows[i].needs & has) == 0)
			check_option(merge, defaults, plain, merged,
			    &option_rows[i]);
}
