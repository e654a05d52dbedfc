/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Merge a service with `defaults`, key by key.
 *
 * The defaults are converted once and copied; a service's own settings are
 * stored over the copy.
 */

#include "conf/merge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
apply_settings(const struct merge *merge, const struct draft_section *section,
    struct merged *merged)
{
	merged->place = section->place;
	merged->damaged = merged->damaged || section->damaged;
	merged->env_inherited = 0;
	for (size_t i = 0; i < section->count; i++) {
		const struct draft_setting *setting = &section->settings[i];

		if (setting->key == &keys[KEY_ENV] && setting->append)
			merged->env_inherited =
			    merged->values.identity.env.count;
		merged->set[setting->key - keys] = setting;
		store_setting(&merged->values, setting, merge->block,
		    merge->complaints);
	}
}

void
merge_defaults(struct merge *merge, const struct draft_section *section)
{
	struct store *plain = &merge->plain;

	store_defaults(plain, merge->block);
	plain->socket.uid = UINT32_MAX;
	plain->socket.gid = UINT32_MAX;
	merge->defaults = (struct merged){ .values = *plain };
	apply_settings(merge, section, &merge->defaults);
}

void
merge_service(const struct merge *merge, const struct draft_section *section,
    struct merged *merged)
{
	*merged = merge->defaults;
	merged->name = section->name;
	apply_settings(merge, section, merged);
}

/* A limit has no field of its own, and is never that of the table. */
bool
merge_insists(const struct merge *merge, const struct merged *merged,
    enum key_id id)
{
	const struct key *key = &keys[id];

	if (merged->set[id] == merge->defaults.set[id])
		return false;
	return key->size == 0 ||
	    memcmp((const char *)store_home(&merged->values, key) +
	    key->offset, (const char *)store_home(&merge->plain, key) +
	    key->offset, key->size) != 0;
}

void
merge_reset(const struct merge *merge, struct merged *merged, enum key_id id)
{
	const struct key *key = &keys[id];
	char *home = store_home(&merged->values, key);
	const char *plain = store_home(&merge->plain, key);

	memcpy(home + key->offset, plain + key->offset, key->size);
	if (key->scopes == KEY_IN_LIMITS)
		merged->values.limits.set[key->min] = false;
	if (key->set_offset != 0)
		*(bool *)(home + key->set_offset) = false;
}

void
merge_complain(const struct merge *merge, const struct merged *merged,
    enum key_id id, const char *format, ...)
{
	const struct draft_setting *setting = merged->set[id];
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	complain(merge->complaints,
	    setting != NULL ? setting->place : merged->place, keys[id].name,
	    "%s", sentence);
}
