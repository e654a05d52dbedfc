/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Guess what a misspelt word was meant to be.
 *
 * Pure; the distance counts insertions, deletions, replacements and swaps of
 * neighbours.
 */

#ifndef MINETD_SUGGEST_H
#define MINETD_SUGGEST_H

#include <stddef.h>

/* The best candidate so far; starts as { 0 }. */
struct suggestion {
	const char *word;	/* NULL: nothing is close enough */
	size_t distance;
};

/* Let candidate compete for the place of what text was meant to be. */
void	suggest(struct suggestion *best, const char *text, size_t len,
	    const char *candidate);

#endif
