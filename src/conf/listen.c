/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Turn values of `listen` into the addresses to bind.
 */

#include "conf/listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/transport.h"
#include "conf/url.h"
#include "conf/value.h"

enum {
	PORT_MAX = 65535,
};

static void
append_listener(struct listeners *listeners, const struct listener *listener)
{
	listeners->items = heap_room(listeners->items, listeners->count,
	    sizeof(*listeners->items));
	listeners->items[listeners->count++] = *listener;
}

static bool
all_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

bool
listen_find_port(const struct merge *merge, struct place place,
    const char *key, const struct url *url, uint16_t *port)
{
	int64_t number;

	if (all_digits(url->port, url->port_len)) {
		if (value_number(url->port, url->port_len, &number) &&
		    number <= PORT_MAX) {
			*port = (uint16_t)number;
			return true;
		}
		complain(merge->complaints, place, key,
		    "port %.*s must be a decimal number from 0 to 65535",
		    (int)url->port_len, url->port);
		return false;
	}
	char *name = heap_strndup(url->port, url->port_len);
	struct servent *service = getservbyname(name,
	    url->transport == CONF_UDP ? "udp" : "tcp");
	if (service != NULL)
		*port = ntohs((uint16_t)service->s_port);
	else
		complain(merge->complaints, place, key,
		    "there is no service \"%s\" in /etc/services", name);
	free(name);
	return service != NULL;
}

static void
set_all_addresses(struct conf_listen *listen, enum url_family family)
{
	bool ip4 = family == URL_FAMILY_IP4;

	listen->addr.family = ip4 ? ADDR_IP4 : ADDR_IP6;
	if (family == URL_FAMILY_ANY)
		listen->v6 = CONF_V6_DUAL;
	else
		listen->v6 = ip4 ? CONF_V6_NONE : CONF_V6_ONLY;
}

/* A wildcard that was written as an address means that family alone. */
static void
set_address(struct conf_listen *listen, const struct addr *addr)
{
	uint16_t port = listen->addr.port;

	listen->addr = *addr;
	listen->addr.port = port;
	if (addr->family == ADDR_IP6 && addr_is_any(addr))
		listen->v6 = CONF_V6_ONLY;
}

static bool
set_ip(struct listeners *listeners, const struct merge *merge,
    const struct url *url, struct listener *listener)
{
	struct conf_listen *listen = &listener->listen;

	if (!listen_find_port(merge, listener->place, "listen", url,
	    &listen->addr.port))
		return false;
	switch (url->host) {
	case URL_HOST_ALL:
		set_all_addresses(listen, url->family);
		break;
	case URL_HOST_LITERAL:
		set_address(listen, &url->addr);
		break;
	case URL_HOST_NAME:
		listener->pending = true;
		listener->host = hosts_add(listeners->hosts, url->name,
		    url->name_len, url->family);
		break;
	}
	return true;
}

/* How many descriptors of that name we were started with; see starter.h. */
static unsigned
count_inherited(const char *name)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t len = strlen(name);
	unsigned count = 0;

	while (names != NULL && *names != '\0') {
		size_t word = strcspn(names, ":");

		count += word == len && memcmp(names, name, len) == 0;
		names += word + (names[word] == ':');
	}
	return count;
}

/* All of that name; a missing one is one that cannot be opened. */
static void
append_inherited(struct listeners *listeners, const char *name,
    struct listener *listener)
{
	unsigned count = count_inherited(name);
	uint16_t i = 0;

	do {
		listener->listen.addr.port = i;
		append_listener(listeners, listener);
	} while (++i < count && i < UINT16_MAX);
}

/* Gather one value, which was found valid or complained of before. */
static void
add_value(struct listeners *listeners, const struct merge *merge,
    const char *text, struct listener *listener)
{
	struct url url;

	if (url_parse(&url, text, strlen(text)) != NULL)
		return;
	listener->listen.transport = (uint8_t)url.transport;
	listener->listen.addr = url.addr;
	const char *path = url.path != NULL ? url.path : "";
	listener->listen.path = block_add_string(merge->block, path);
	listener->abstract = transport_is_unix(url.transport) &&
	    path[0] == '@';
	if (url.transport == CONF_TCPMUX)
		return;
	if (transport_is_ip(url.transport) &&
	    !set_ip(listeners, merge, &url, listener))
		return;
	if (url.transport == CONF_FD)
		append_inherited(listeners, path, listener);
	else
		append_listener(listeners, listener);
}

/* Append what a gathered listener has become. */
static void
resolve_listener(struct listeners *listeners, const struct merge *merge,
    const struct hosts *hosts, struct listener *listener)
{
	if (!listener->pending) {
		append_listener(listeners, listener);
		return;
	}
	const struct host *host = hosts_get(hosts, listener->host);
	if (host->failure != NULL)
		complain(merge->complaints, listener->place, "listen",
		    "\"%s\": %s", conf_string(block_conf(merge->block),
		    listener->listen.text), host->failure);
	listener->pending = false;
	for (size_t i = 0; i < host->count; i++) {
		set_address(&listener->listen, &host->addrs[i]);
		append_listener(listeners, listener);
	}
}

void
listeners_add(struct listeners *listeners, const struct merge *merge,
    const struct merged *merged, uint32_t service)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];

	if (setting == NULL)
		return;
	for (uint32_t i = 0; i < setting->count; i++) {
		const char *text = setting->values[i].text;
		struct listener listener = {
			.listen.text = block_add_string(merge->block, text),
			.listen.service = service,
			.place = { setting->place.file,
			    setting->values[i].line },
			.reuse_port = merged->values.socket.reuse_port,
			.interface = merged->values.socket.interface,
		};

		add_value(listeners, merge, text, &listener);
	}
}

void
listeners_resolve(struct listeners *listeners, const struct merge *merge,
    uid_t uid, gid_t gid)
{
	struct listener *gathered = listeners->items;
	size_t count = listeners->count;

	hosts_resolve(listeners->hosts, uid, gid);
	listeners->items = NULL;
	listeners->count = 0;
	for (size_t i = 0; i < count; i++)
		resolve_listener(listeners, merge, listeners->hosts,
		    &gathered[i]);
	free(gathered);
}
