/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What the files of a configuration say, before it is known what it means.
 */

#include "conf/draft.h"

#include "conf/heap.h"

void
draft_add_setting(struct draft_section *section,
    const struct draft_setting *setting)
{
	section->settings = heap_room(section->settings, section->count,
	    sizeof(*section->settings));
	section->settings[section->count++] = *setting;
}

void
draft_add_service(struct draft *draft, const struct draft_section *section)
{
	draft->services = heap_room(draft->services, draft->service_count,
	    sizeof(*draft->services));
	draft->services[draft->service_count++] = *section;
}

void
draft_add_defaults(struct draft *draft, const struct draft_section *section,
    struct complaints *complaints)
{
	struct place first = draft->defaults.place;

	if (first.line != 0)
		complain(complaints, section->place, "defaults",
		    "may stand only once, and does at %s:%u",
		    complaints_file(complaints, first.file), first.line);
	else
		draft->defaults = *section;
}

void
draft_add_top(struct draft *draft, const struct draft_setting *setting,
    struct complaints *complaints)
{
	for (size_t i = 0; i < draft->top.count; i++) {
		const struct draft_setting *other = &draft->top.settings[i];

		if (other->key != setting->key)
			continue;
		complain(complaints, setting->place, setting->key->name,
		    "is set again, after %s:%u",
		    complaints_file(complaints, other->place.file),
		    other->place.line);
		return;
	}
	draft_add_setting(&draft->top, setting);
}
