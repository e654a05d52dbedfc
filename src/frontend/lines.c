/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Cut a stream of bytes into lines.
 */

#include "frontend/lines.h"

#include <stdlib.h>
#include <string.h>

/* A line of so many bytes, of which text has as many as are kept. */
static struct line
line_of(const char *text, size_t total, char last)
{
	if (total > 0 && last == '\r')
		total--;

	size_t len = total < LINES_TEXT ? total : LINES_TEXT;
	if (text == NULL)
		len = 0;
	return (struct line){ text, (uint32_t)len, (uint32_t)(total - len) };
}

/* Without memory the bytes are only counted. */
static void
bytes_keep(struct lines *lines, const char *bytes, size_t len)
{
	size_t room = lines->total < LINES_TEXT ? LINES_TEXT - lines->total :
	    0;

	if (len == 0)
		return;
	if (lines->text == NULL && lines->total == 0)
		lines->text = malloc(LINES_TEXT);
	if (lines->text != NULL)
		memcpy(lines->text + (LINES_TEXT - room), bytes,
		    len < room ? len : room);
	lines->total = len < UINT32_MAX - lines->total ?
	    lines->total + (uint32_t)len : UINT32_MAX;
	lines->last = bytes[len - 1];
}

size_t
lines_take(struct lines *lines, const char *bytes, size_t len,
    struct line *line)
{
	const char *end = memchr(bytes, '\n', len);
	size_t before = end != NULL ? (size_t)(end - bytes) : len;

	*line = (struct line){ NULL, 0, 0 };
	if (end == NULL) {
		bytes_keep(lines, bytes, len);
		return len;
	}
	if (lines->total == 0) {
		if (before > 0)
			*line = line_of(bytes, before, end[-1]);
		return before + 1;
	}
	bytes_keep(lines, bytes, before);
	lines_end(lines, line);
	return before + 1;
}

void
lines_end(struct lines *lines, struct line *line)
{
	*line = line_of(lines->text, lines->total, lines->last);
	lines->total = 0;
}

void
lines_settle(struct lines *lines)
{
	if (lines->total > 0)
		return;
	free(lines->text);
	lines->text = NULL;
}
