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
	TARGETS_MAX = 64,	/* addresses of a service; more are left out */
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

/* Append the addresses of one value; returns how many there are then. */
static size_t
append_addresses(const struct target *target, const struct hosts *hosts,
    const struct merge *merge, struct conf_target *list, size_t count)
{
	if (!target->pending) {
		if (count < TARGETS_MAX)
			list[count++] = target->target;
		return count;
	}
	const struct host *host = hosts_get(hosts, target->host);
	if (host->failure != NULL)
		complain(merge->complaints, target->place, "redirect",
		    "\"%.200s\": %s", conf_string(block_conf(merge->block),
		    target->target.text), host->failure);
	for (size_t i = 0; i < host->count && count < TARGETS_MAX; i++) {
		list[count] = target->target;
		list[count].addr = host->addrs[i];
		list[count++].addr.port = target->target.addr.port;
	}
	return count;
}

void
targets_store(const struct targets *targets, const struct hosts *hosts,
    const struct merge *merge, struct conf_service *services)
{
	struct conf_target list[TARGETS_MAX];

	for (size_t i = 0; i < targets->count;) {
		uint32_t service = targets->items[i].service;
		size_t count = 0;

		memset(list, 0, sizeof(list));
		for (; i < targets->count &&
		    targets->items[i].service == service; i++)
			count = append_addresses(&targets->items[i], hosts,
			    merge, list, count);
		services[service].targets = block_add_list(merge->block, list,
		    count, sizeof(list[0]));
	}
}
