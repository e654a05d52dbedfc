/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Turn values of `redirect` into addresses to connect to.
 */

#include "conf/target.h"

#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/listen.h"
#include "conf/url.h"

enum {
	TARGETS_MAX = 64,	/* addresses of a service */
};

/* Gather one value, which was found valid or complained of before. */
static bool
read_value(struct target *target, struct hosts *hosts,
    const struct merge *merge, const char *text)
{
	struct url url;

	if (url_parse_target(&url, text, strlen(text)) != NULL)
		return false;
	target->target.text = block_add_string(merge->block, text);
	target->target.transport = (uint8_t)url.transport;
	if (url.transport == CONF_UNIX) {
		target->target.path = block_add_string(merge->block, url.path);
		return true;
	}
	uint16_t port;
	if (!listen_find_port(merge, target->place, "redirect", &url, &port))
		return false;
	if (port == 0) {
		complain(merge->complaints, target->place, "redirect",
		    "\"%.200s\": port 0 is none to connect to", text);
		return false;
	}
	target->target.addr = url.addr;
	target->target.addr.port = port;
	if (url.host == URL_HOST_NAME) {
		target->pending = true;
		target->host = hosts_add(hosts, url.name, url.name_len,
		    url.family);
	}
	return true;
}

void
targets_add(struct targets *targets, struct hosts *hosts,
    const struct merge *merge, const struct merged *merged, uint32_t service)
{
	const struct draft_setting *setting = merged->set[KEY_REDIRECT];

	for (uint32_t i = 0; setting != NULL && i < setting->count; i++) {
		struct target target = {
			.service = service,
			.place = { setting->place.file,
			    setting->values[i].line },
		};

		if (!read_value(&target, hosts, merge,
		    setting->values[i].text))
			continue;
		targets->items = heap_room(targets->items, targets->count,
		    sizeof(*targets->items));
		targets->items[targets->count++] = target;
	}
}

/* The addresses of a service. */
struct addresses {
	struct conf_target items[TARGETS_MAX];
	size_t count;
};

/* False when there are too many. */
static bool
append_address(struct addresses *list, const struct conf_target *target)
{
	if (list->count == TARGETS_MAX)
		return false;
	list->items[list->count++] = *target;
	return true;
}

/* Append those of one value; likewise. */
static bool
append_addresses(struct addresses *list, const struct target *target,
    const struct hosts *hosts, const struct merge *merge)
{
	struct conf_target own = target->target;

	if (!target->pending)
		return append_address(list, &own);
	const struct host *host = hosts_get(hosts, target->host);
	if (host->failure != NULL)
		complain(merge->complaints, target->place, "redirect",
		    "\"%.200s\": %s", conf_string(block_conf(merge->block),
		    own.text), host->failure);
	for (size_t i = 0; i < host->count; i++) {
		own.addr = host->addrs[i];
		own.addr.port = target->target.addr.port;
		if (!append_address(list, &own))
			return false;
	}
	return true;
}

void
targets_store(const struct targets *targets, const struct hosts *hosts,
    const struct merge *merge, struct conf_service *services)
{
	size_t i = 0;

	while (i < targets->count) {
		uint32_t service = targets->items[i].service;
		struct addresses list = { 0 };
		bool fit = true;

		for (; i < targets->count &&
		    targets->items[i].service == service; i++) {
			const struct target *target = &targets->items[i];

			if (fit && !append_addresses(&list, target, hosts,
			    merge)) {
				fit = false;
				complain(merge->complaints, target->place,
				    "redirect", "a service has at most %d "
				    "addresses to connect to", TARGETS_MAX);
			}
		}
		services[service].targets = block_add_list(merge->block,
		    list.items, list.count, sizeof(list.items[0]));
	}
}
