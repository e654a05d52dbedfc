/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Put a setting's values, once they are found valid, into the field of its
 * key.
 *
 * The elements of a list are checked one by one and stored together.
 */

#include "conf/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "conf/convert.h"
#include "conf/heap.h"

static struct entry
make_entry(struct store *store, const struct key *key, struct block *block,
    struct complaints *complaints)
{
	char *home = store_home(store, key);

	return (struct entry){
		.key = key,
		.field = home + key->offset,
		.home = home,
		.block = block,
		.complaints = complaints,
	};
}

static void
set_text(struct entry *entry, const char *text)
{
	entry->text = text;
	entry->len = strlen(text);
}

/* Store the values of a list, behind those of the field if they append. */
static void
store_list(struct entry *entry, const struct draft_setting *setting)
{
	struct conf_list list = { 0 };

	if (setting->append)
		memcpy(&list, entry->field, sizeof(list));
	size_t count = list.count + setting->count;
	struct conf_str *items = heap_new(count, sizeof(*items));
	if (list.count > 0)
		memcpy(items, conf_strings(block_conf(entry->block), list),
		    list.count * sizeof(*items));
	for (uint32_t i = 0; i < setting->count; i++) {
		set_text(entry, setting->values[i].text);
		entry->place.line = setting->values[i].line;
		convert_element(entry);
		items[list.count + i] =
		    block_add_string(entry->block, entry->text);
	}
	list = block_add_list(entry->block, items, count, sizeof(*items));
	memcpy(entry->field, &list, sizeof(list));
	free(items);
}

void *
store_home(const struct store *store, const struct key *key)
{
	struct store *own = (struct store *)(uintptr_t)store;

	if (key->scopes == KEY_IN_LIMITS)
		return &own->limits;
	switch (key->home) {
	case KEY_HOME_CONF:
		return &own->conf;
	case KEY_HOME_SERVICE:
		return &own->service;
	case KEY_HOME_SOCKET:
		return &own->socket;
	case KEY_HOME_IDENTITY:
		return &own->identity;
	default:
		BUG("a key without a home");
	}
}

void
store_setting(struct store *store, const struct draft_setting *setting,
    struct block *block, struct complaints *complaints)
{
	const struct key *key = setting->key;
	struct entry entry = make_entry(store, key, block, complaints);

	entry.place = setting->place;
	if (key->set_offset != 0)
		*((bool *)entry.home + key->set_offset) = true;
	if (key->shape == KEY_LIST) {
		store_list(&entry, setting);
		return;
	}
	set_text(&entry, setting->values[0].text);
	convert_scalar(&entry);
}

void
store_defaults(struct store *store, struct block *block)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (keys[i].value == NULL)
			continue;
		struct entry entry = make_entry(store, &keys[i], block, NULL);

		set_text(&entry, keys[i].value);
		convert_scalar(&entry);
	}
}

struct conf_list
store_limit_list(const struct store_limits *limits, struct block *block)
{
	struct conf_limit list[STORE_LIMITS];
	size_t count = 0;

	for (size_t i = KEY_LIMIT_AS; i <= KEY_LIMIT_STACK; i++)
		if (limits->set[keys[i].min])
			list[count++] = limits->limits[keys[i].min];
	return block_add_list(block, list, count, sizeof(list[0]));
}
