/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write fields into a line of log so that no value can do harm.
 *
 * Whatever bytes a value has, the line stays one line of valid UTF-8 without
 * control characters, and in JSON one valid object.  A line that becomes too
 * long is cut inside a value, at a character, and that value ends in "...";
 * the fields that would follow are left out.
 */

#ifndef MINETD_LOGTEXT_H
#define MINETD_LOGTEXT_H

#include <stddef.h>

#include "base/log.h"
#include "base/loghead.h"

enum {
	LOGTEXT_KEY_MAX = 48,	/* bytes of a verb or key */

	/* Room after the cut: a key, an empty value, the level, the end. */
	LOGTEXT_TAIL_MAX = 96,
	/* Values end here, so that the complete line keeps the limit. */
	LOGTEXT_BODY_MAX =
	    LOG_LINE_SIZE - LOGHEAD_MAX - LOGTEXT_TAIL_MAX,
};

/*
 * Begin the line in the format of line->json.  In JSON its head, the object's
 * brace and the field "time", is left to the destination.
 */
void	logtext_begin(struct log_line *line, const char *verb);

/* Add a field of len arbitrary bytes. */
void	logtext_value(struct log_line *line, const char *key,
	    const char *value, size_t len);

/* Add a field that needs no escapes and is never quoted: a number. */
void	logtext_bare(struct log_line *line, const char *key,
	    const char *value, size_t len);

/* Complete the line, without a newline. */
void	logtext_end(struct log_line *line);

#endif
