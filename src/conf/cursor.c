/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Walk over the tokens of a configuration file, and copy those accepted.
 *
 * Recovery: what is left of an unsound statement is passed over, up to the
 * first word of a line, or the brace that closes the section.  Within the
 * braces of a value a statement can begin where a key is followed by what
 * follows keys.
 */

#include "conf/cursor.h"

#include <stdlib.h>

#include "conf/heap.h"
#include "conf/key.h"

static void
emit_byte(struct cursor *cursor, char c)
{
	cursor->text[cursor->len++] = c;
	if (c == '\n')
		cursor->line++;
}

/* Copy bytes; in double quotes ${ becomes \${, which is not expanded. */
static void
emit_text(struct cursor *cursor, const char *text, size_t len)
{
	bool expands = text[0] == '"';
	bool escaped = false;

	for (size_t i = 0; i < len; i++) {
		if (expands && !escaped && text[i] == '$' && i + 1 < len &&
		    text[i + 1] == '{')
			emit_byte(cursor, '\\');
		escaped = !escaped && text[i] == '\\';
		emit_byte(cursor, text[i]);
	}
}

static bool
is_text(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_STRING;
}

/* Count the braces of what is passed over; false: it ends here. */
static bool
pass_unsound(struct cursor *cursor, bool in_value)
{
	switch (cursor->token.kind) {
	case TOKEN_OPEN:
	case TOKEN_LEFT:
		cursor->open++;
		break;
	case TOKEN_CLOSE:
		if (cursor->open == 0)
			return false;
		__attribute__((fallthrough));
	case TOKEN_RIGHT:
		if (cursor->open > 0)
			cursor->open--;
		break;
	case TOKEN_WORD:
		if (cursor->open == 0 ? cursor->token.first :
		    in_value && cursor_at_statement(cursor))
			return false;
		break;
	default:
		break;
	}
	cursor_pass(cursor);
	return true;
}

void
cursor_init(struct cursor *cursor, const char *text, size_t len,
    struct complaints *complaints, uint32_t file)
{
	*cursor = (struct cursor){ .line = 1 };
	/* A token of one byte is given a blank, `${` a backslash. */
	cursor->text = heap_new(2 * len + 16, 1);
	scan_init(&cursor->scan, text, len, complaints, file);
	cursor->next = scan_next(&cursor->scan);
	cursor_pass(cursor);
}

void
cursor_take(struct cursor *cursor)
{
	while (cursor->line < cursor->token.line)
		emit_byte(cursor, '\n');
	emit_byte(cursor, ' ');
	emit_text(cursor, cursor->token.text, cursor->token.len);
	cursor_pass(cursor);
}

void
cursor_pass(struct cursor *cursor)
{
	cursor->last_line = cursor->token.line;
	cursor->token = cursor->next;
	cursor->next = scan_next(&cursor->scan);
}

void
cursor_close_brace(struct cursor *cursor)
{
	emit_byte(cursor, '}');
}

struct cursor_mark
cursor_mark(const struct cursor *cursor)
{
	return (struct cursor_mark){ cursor->len, cursor->line };
}

void
cursor_return(struct cursor *cursor, struct cursor_mark mark)
{
	cursor->len = mark.len;
	cursor->line = mark.line;
}

bool
cursor_at_text(const struct cursor *cursor)
{
	return is_text(&cursor->token);
}

bool
cursor_at_service(const struct cursor *cursor)
{
	const struct token *token = &cursor->token;

	return token->kind == TOKEN_WORD && token->first &&
	    is_text(&cursor->next) &&
	    key_find(KEY_IN_TOP, token->text, token->len) ==
	    &keys[KEY_SERVICE];
}

bool
cursor_at_statement(const struct cursor *cursor)
{
	if (cursor->token.kind != TOKEN_WORD || !cursor->token.first)
		return false;
	return cursor->next.kind == TOKEN_EQUAL ||
	    cursor->next.kind == TOKEN_APPEND ||
	    cursor->next.kind == TOKEN_OPEN || cursor_at_service(cursor);
}

void
cursor_pass_rest(struct cursor *cursor, bool in_value)
{
	while (cursor->token.kind != TOKEN_END &&
	    pass_unsound(cursor, in_value))
		if (cursor->open == 0 && cursor->token.kind == TOKEN_WORD &&
		    (cursor->next.kind == TOKEN_EQUAL ||
		    cursor->next.kind == TOKEN_APPEND))
			break;
	cursor->open = 0;
}

bool
cursor_pass_unknown(struct cursor *cursor)
{
	const struct token *token = &cursor->token;
	bool value = token->kind == TOKEN_EQUAL || token->kind == TOKEN_APPEND;

	if (value || (is_text(token) && cursor->next.kind == TOKEN_OPEN))
		cursor_pass(cursor);
	if (value && is_text(token)) {
		cursor_pass(cursor);
		return true;
	}
	if (token->kind != TOKEN_OPEN && token->kind != TOKEN_LEFT) {
		cursor_pass_rest(cursor, value);
		return true;
	}
	while (token->kind != TOKEN_END && pass_unsound(cursor, value) &&
	    cursor->open > 0)
		continue;
	bool closed = cursor->open == 0 || token->kind != TOKEN_END;
	cursor->open = 0;
	return closed;
}
