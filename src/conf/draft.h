/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What the files of a configuration say, before it is known what it means.
 *
 * Values are still text, each with the line it stands on; services are not
 * merged with defaults, which may come later.  Everything lives as long as
 * the helper process.
 */

#ifndef MINETD_DRAFT_H
#define MINETD_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/complaint.h"
#include "conf/key.h"

struct draft_value {
	const char *text;
	uint32_t line;
};

/* A key that was given a value, or a list of them. */
struct draft_setting {
	const struct key *key;
	struct place place;	/* of the key */
	bool append;		/* +=: to the list of defaults */
	uint32_t count;
	const struct draft_value *values;
};

/* `defaults`, a service, or all of the top level. */
struct draft_section {
	const char *name;	/* of a service */
	struct place place;
	bool damaged;		/* something in it was left out */
	struct draft_setting *settings; /* `limits` too, in order */
	size_t count;
};

struct draft {
	struct draft_section top;
	struct draft_section defaults; /* its line is 0 when there is none */
	struct draft_section *services;
	size_t service_count;
};

/* Add a setting to a section. */
void	draft_add_setting(struct draft_section *section,
	    const struct draft_setting *setting);

/*
 * Take over a whole section into the draft, or a setting of the top level,
 * with a complaint when it stands there for the second time.
 */
void	draft_add_service(struct draft *draft,
	    const struct draft_section *section);
void	draft_add_defaults(struct draft *draft,
	    const struct draft_section *section,
	    struct complaints *complaints);
void	draft_add_top(struct draft *draft, const struct draft_setting *setting,
	    struct complaints *complaints);

#endif
