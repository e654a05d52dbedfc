/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The names by which services are reached through tcpmux.
 *
 * RFC 1078: whatever the case they are written in, they are the same.
 */

#include "conf/mux.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/url.h"

/* A name, whose it is, and where that is said. */
struct mux_name {
	struct conf_str name;
	uint32_t service;
	struct place place;
};

static struct conf_str
add_lower(struct block *block, const char *text)
{
	char *name = heap_strndup(text, strlen(text));

	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	struct conf_str str = block_add_string(block, name);
	free(name);
	return str;
}

static void
add_name(struct mux_names *names, const struct mux_name *name)
{
	names->items = heap_room(names->items, names->count,
	    sizeof(*names->items));
	names->items[names->count++] = *name;
}

void
mux_names_add(struct mux_names *names, const struct merge *merge,
    struct merged *merged, uint32_t service)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];
	uint32_t most = setting != NULL ? setting->count : 0;
	struct conf_str *own = heap_new(most, sizeof(*own));
	size_t count = 0;

	for (uint32_t i = 0; i < most; i++) {
		const struct draft_value *value = &setting->values[i];
		struct url url;

		if (url_parse(&url, value->text, strlen(value->text)) !=
		    NULL || url.transport != CONF_TCPMUX)
			continue;
		own[count] = add_lower(merge->block, url.path);
		add_name(names, &(struct mux_name){ own[count++], service,
		    { setting->place.file, value->line } });
	}
	merged->values.service.mux_names = block_add_list(merge->block, own,
	    count, sizeof(*own));
	free(own);
}

/* By name; equal strings have equal offsets.  Then as they were gathered. */
static int
compare_names(const void *left, const void *right)
{
	const struct mux_name *a = *(const struct mux_name *const *)left;
	const struct mux_name *b = *(const struct mux_name *const *)right;

	if (a->name.offset != b->name.offset)
		return a->name.offset < b->name.offset ? -1 : 1;
	return (a > b) - (a < b);
}

static void
check_twice(const struct mux_names *names, const struct merge *merge,
    const struct conf_service *services)
{
	const struct conf *conf = block_conf(merge->block);
	const struct mux_name **sorted =
	    heap_new(names->count, sizeof(*sorted));

	for (size_t i = 0; i < names->count; i++)
		sorted[i] = &names->items[i];
	qsort(sorted, names->count, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < names->count; i++) {
		const struct mux_name *first = sorted[i - 1];

		if (sorted[i]->name.offset != first->name.offset)
			continue;
		complain(merge->complaints, sorted[i]->place, "listen",
		    "tcpmux://%s is a name of service \"%s\" already, at "
		    "%s:%u", conf_string(conf, first->name),
		    conf_string(conf, services[first->service].name),
		    complaints_file(merge->complaints, first->place.file),
		    first->place.line);
	}
	free(sorted);
}

void
mux_names_check(const struct mux_names *names, const struct merge *merge,
    const struct conf_service *services, uint32_t service_count)
{
	if (names->count == 0)
		return;
	check_twice(names, merge, services);
	for (uint32_t i = 0; i < service_count; i++)
		if (!services[i].disabled &&
		    services[i].builtin == CONF_BUILTIN_TCPMUX)
			return;
	complain_mildly(merge->complaints, names->items[0].place, "listen",
	    "no service with builtin = tcpmux leads to tcpmux://%s",
	    conf_string(block_conf(merge->block), names->items[0].name));
}
