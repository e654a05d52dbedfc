/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Walk over the tokens of a configuration file, and copy those accepted.
 *
 * Each token stands in the copy on the line it has in the file, without
 * comments, and with `${` in double quotes as `\${`, which libconfuse does not
 * expand.  A mark allows to take back what was accepted after it.
 */

#ifndef MINETD_CURSOR_H
#define MINETD_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/scan.h"

struct cursor {
	struct scan scan;
	struct token token;	/* where the cursor is */
	struct token next;	/* behind it */
	uint32_t last_line;	/* of the token before */
	size_t open;		/* braces and parentheses of a value */
	char *text;		/* the copy; its owner frees it */
	size_t len;
	uint32_t line;		/* at the end of the copy */
};

/* How far the copy had come. */
struct cursor_mark {
	size_t len;
	uint32_t line;
};

/* Stand on the first token. */
void	cursor_init(struct cursor *cursor, const char *text, size_t len,
	    struct complaints *complaints, uint32_t file);

/* Move on: the token is accepted, or left out. */
void	cursor_take(struct cursor *cursor);
void	cursor_pass(struct cursor *cursor);

/* Put a closing brace into the copy that the file lacks. */
void	cursor_close_brace(struct cursor *cursor);

struct cursor_mark cursor_mark(const struct cursor *cursor);
void	cursor_return(struct cursor *cursor, struct cursor_mark mark);

/* Whether the token is a word or a string. */
bool	cursor_at_text(const struct cursor *cursor);

/* Whether the token is `service` and begins one, whatever is still open. */
bool	cursor_at_service(const struct cursor *cursor);

/* Whether a statement must begin here, even inside a list. */
bool	cursor_at_statement(const struct cursor *cursor);

/*
 * Pass over the rest of an unsound statement.  in_value: what is open are the
 * braces of a value, in which no statement can stand.
 */
void	cursor_pass_rest(struct cursor *cursor, bool in_value);

/*
 * Pass over what follows a key that nobody knows.  Returns false when a brace
 * of it is never closed.
 */
bool	cursor_pass_unknown(struct cursor *cursor);

#endif
