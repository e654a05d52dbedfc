/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The answers of admission, and their names in log lines.
 *
 * A frontend decides, main logs; the numbers cross the channel between them.
 */

#ifndef MINETD_VERDICT_H
#define MINETD_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum verdict {
	VERDICT_SERVE,

	/* Limits of ours: where nobody is refused for them, clients wait. */
	VERDICT_FULL,		/* `instances` or `max_children` are alive */
	VERDICT_RATE,		/* `rate` */

	/* Limits of theirs. */
	VERDICT_BAN,		/* the source is banned */
	VERDICT_ACL,		/* `only_from` or `no_access` */
	VERDICT_TIMES,		/* not one of the `access_times` */
	VERDICT_LOAD,		/* `max_load` */
	VERDICT_PER_SOURCE,	/* `per_source` are alive */
	VERDICT_PER_SOURCE_RATE, /* `per_source_rate` */
	VERDICT_PREFACE,	/* what had to come first did not */
	VERDICT_COUNT,		/* how many there are */
};

/* The `reason` of a reject line; NULL for numbers that are no refusal. */
const char *verdict_reason(uint32_t verdict);

/* Whether it will pass without the peer having to change. */
static inline bool
verdict_is_ours(enum verdict verdict)
{
	return verdict == VERDICT_FULL || verdict == VERDICT_RATE;
}

#endif
