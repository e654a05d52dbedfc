/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Cut a stream of bytes into lines.
 *
 * A line ends with a newline, or with the stream; a carriage return before that
 * end does not belong to it.  Of a line that is too long the first bytes are
 * kept and the others counted, so that no stream takes more memory than that;
 * one without an unfinished line takes none.  Nothing else is looked at.
 */

#ifndef MINETD_LINES_H
#define MINETD_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/channel.h"

enum {
	LINES_TEXT = CHANNEL_TEXT, /* most bytes of a line */
};

/* Zero-initialised: between two lines. */
struct lines {
	char *text;		/* of the unfinished line; owned */
	uint32_t total;		/* bytes of it, kept or not */
	char last;		/* the last one */
};

struct line {
	const char *text;	/* until the next call */
	uint32_t len;		/* 0: there is none, or none was kept */
	uint32_t cut;		/* bytes that are missing */
};

/*
 * Take bytes up to the first newline, or all, and return how many.  What it
 * ended is stored in *line, all zero when that is nothing, or an empty line.
 */
size_t	lines_take(struct lines *lines, const char *bytes, size_t len,
	    struct line *line);

/* The stream has ended: store what was left in *line, as above. */
void	lines_end(struct lines *lines, struct line *line);

/* Free what is not needed between two lines. */
void	lines_settle(struct lines *lines);

#endif
