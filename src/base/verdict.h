/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The answers of admission, and their names in log lines.
 *
 * A frontend decides, main logs; the numbers cross the channel between them.
 */

#ifndef MINETD_VERDICT_H
#define MINETD_VERDICT_H

#include <stdint.h>

enum verdict {
	VERDICT_SERVE,
	VERDICT_FULL,		/* `instances` or `max_children` are alive */
	VERDICT_COUNT,		/* how many there are */
};

/* The `reason` of a reject line; NULL for numbers that are no refusal. */
const char *verdict_reason(uint32_t verdict);

#endif
