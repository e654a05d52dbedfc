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
merge_defaults(const struct merge *merge, const struct draft_section *section,
    struct merged *merged)
{
	*merged = (struct merged){ 0 };
	store_defaults(&merged->values, merge->block);
	merged->values.socket.uid = UINT32_MAX;
	merged->values.socket.gid = UINT32_MAX;
	apply_settings(merge, section, merged);
}

void
merge_service(const struct merge *merge, const struct merged *defaults,
    const struct draft_section *section, struct merged *merged)
{
	*merged = *defaults;
	merged->name = section->name;
	apply_settings(merge, section, merged);
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
