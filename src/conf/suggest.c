/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Guess what a misspelt word was meant to be.
 *
 * Three rows of the table of edit distances are enough, because a swap looks
 * back two rows.  A third of the longer word may be wrong, but never all of it.
 */

#include "conf/suggest.h"

#include <stdint.h>
#include <string.h>

enum {
	WORD_MAX = 31,		/* longer words are not guessed */
};

struct rows {
	uint8_t row[3][WORD_MAX + 1];
};

static uint8_t
smaller(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* Fill row i of the table for the first i bytes of a. */
static void
fill_row(struct rows *rows, size_t i, const char *a, const char *b,
    size_t b_len)
{
	uint8_t *row = rows->row[i % 3];
	const uint8_t *above = rows->row[(i + 2) % 3];
	const uint8_t *two_above = rows->row[(i + 1) % 3];

	row[0] = (uint8_t)i;
	for (size_t j = 1; j <= b_len; j++) {
		uint8_t cost = a[i - 1] != b[j - 1];

		row[j] = smaller(above[j] + 1, row[j - 1] + 1);
		row[j] = smaller(row[j], above[j - 1] + cost);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
		    a[i - 2] == b[j - 1])
			row[j] = smaller(row[j], two_above[j - 2] + 1);
	}
}

static size_t
edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct rows rows = { 0 };

	for (size_t j = 0; j <= b_len; j++)
		rows.row[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_len; i++)
		fill_row(&rows, i, a, b, b_len);
	return rows.row[a_len % 3][b_len];
}

void
suggest(struct suggestion *best, const char *text, size_t len,
    const char *candidate)
{
	size_t candidate_len = strlen(candidate);

	if (len == 0 || len > WORD_MAX || candidate_len > WORD_MAX)
		return;
	size_t longer = len > candidate_len ? len : candidate_len;
	size_t distance = edit_distance(text, len, candidate, candidate_len);
	if (distance > (longer + 2) / 3 || distance == longer)
		return;
	if (best->word == NULL || distance < best->distance)
		*best = (struct suggestion){ candidate, distance };
}
