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

#include "conf/url.h"

static const enum key_id tcp_keys[] = {
	KEY_INTERFACE, KEY_REUSE_PORT, KEY_FREEBIND, KEY_TRANSPARENT,
	KEY_NODELAY, KEY_DEFER_ACCEPT, KEY_KEEPALIVE, KEY_KEEPALIVE_TIME,
	KEY_KEEPALIVE_INTERVAL, KEY_KEEPALIVE_PROBES, KEY_DSCP, KEY_MARK,
	KEY_MPTCP,
};

static const enum key_id unix_keys[] = {
	KEY_SOCKET_USER, KEY_SOCKET_GROUP, KEY_SOCKET_MODE,
};

/* Which transports the values of `listen` name. */
struct transports {
	bool tcp;
	bool unix_path;
	bool known;		/* every value could be read */
};

static struct transports
transports_of(const struct merged *merged)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];
	struct transports found = { .known = setting != NULL };

	for (uint32_t i = 0; setting != NULL && i < setting->count; i++) {
		const char *text = setting->values[i].text;
		struct url url;

		if (url_parse(&url, text, strlen(text)) != NULL)
			found.known = false;
		else if (url.transport == CONF_UNIX)
			found.unix_path = true;
		else
			found.tcp = true;
	}
	return found;
}

static void
check_keys(const struct merge *merge, const struct merged *defaults,
    struct store *plain, struct merged *merged, const enum key_id *ids)
{
	bool tcp = ids == tcp_keys;
	size_t n = tcp ? sizeof(tcp_keys) / sizeof(tcp_keys[0]) :
	    sizeof(unix_keys) / sizeof(unix_keys[0]);

	for (size_t i = 0; i < n; i++) {
		const struct key *key = &keys[ids[i]];
		char *value = (char *)store_home(&merged->values, key) +
		    key->offset;
		const char *unset = (char *)store_home(plain, key) +
		    key->offset;

		if (memcmp(value, unset, key->size) == 0)
			continue;
		if (merged->set[ids[i]] != defaults->set[ids[i]])
			merge_complain(merge, merged, ids[i],
			    "needs a %s listener, and service \"%s\" has none",
			    tcp ? "tcp" : "unix", merged->name);
		memcpy(value, unset, key->size);
	}
}

void
applies_check(const struct merge *merge, const struct merged *defaults,
    struct store *plain, struct merged *merged)
{
	struct transports found = transports_of(merged);

	if (!found.known)
		return;
	if (!found.tcp)
		check_keys(merge, defaults, plain, merged, tcp_keys);
	if (!found.unix_path)
		check_keys(merge, defaults, plain, merged, unix_keys);
}
