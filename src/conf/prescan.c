/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Check the form of a configuration file before libconfuse reads it.
 *
 * A mark taken before a statement allows to take it back when it turns out to
 * be unsound.  Sections are levels of a stack, not of recursion.
 */

#include "conf/prescan.h"

#include <stdlib.h>
#include <string.h>

#include "conf/cursor.h"
#include "conf/heap.h"

enum {
	LEVELS = 3,		/* top, service, limits */
};

/* How far things had come. */
struct mark {
	struct cursor_mark copied;
	size_t key_count;
};

/* A section that is open, or the top level. */
struct level {
	const struct key *key;	/* NULL: top level */
	unsigned scope;		/* what may stand in it */
	uint32_t line;
	bool dropped;		/* left out when it closes */
	struct mark start;	/* before its name */
	uint32_t seen[KEY_COUNT]; /* line of each key that was set */
};

struct prescanner {
	struct prescan *out;
	struct cursor cursor;
	struct complaints *complaints;
	uint32_t file;
	struct level levels[LEVELS];
	size_t depth;		/* index of the innermost level */
	struct prescan_statement statement; /* of the top level, unfinished */
};

static struct level *
innermost(struct prescanner *pre)
{
	return &pre->levels[pre->depth];
}

static bool
at(const struct prescanner *pre, enum token_kind kind)
{
	return pre->cursor.token.kind == kind;
}

static bool
spoilt(const struct prescanner *pre)
{
	return pre->cursor.token.spoilt;
}

static void
complain_at(struct prescanner *pre, uint32_t line, const char *key,
    const char *sentence)
{
	struct place place = { pre->file, line };

	complain(pre->complaints, place, key, "%s", sentence);
}

static struct mark
take_mark(const struct prescanner *pre)
{
	return (struct mark){ cursor_mark(&pre->cursor),
		pre->out->key_count };
}

static void
go_back(struct prescanner *pre, const struct mark *mark)
{
	cursor_return(&pre->cursor, mark->copied);
	pre->out->key_count = mark->key_count;
	pre->statement.damaged = true;
}

/* Where else the key may stand, for a complaint. */
static const char *
right_scope(unsigned scopes)
{
	if ((scopes & KEY_IN_TOP) != 0)
		return "belongs at the top level, outside of all sections";
	if (scopes == KEY_IN_SERVICE)
		return "can only stand in a service";
	if ((scopes & KEY_IN_LIMITS) != 0)
		return "belongs in limits { }";
	return "belongs in a service or in defaults";
}

static void
complain_unknown(struct prescanner *pre, unsigned scope)
{
	struct place place = { pre->file, pre->cursor.token.line };
	const char *text = pre->cursor.token.text;
	size_t len = pre->cursor.token.len;
	char name[64];

	if (spoilt(pre))
		return;
	memcpy(name, text, len < sizeof(name) ? len : sizeof(name));
	name[len < sizeof(name) ? len : sizeof(name) - 1] = '\0';
	const struct key *elsewhere = key_find(~scope, text, len);
	const struct key *meant = key_suggest(scope, text, len);
	if (elsewhere != NULL)
		complain(pre->complaints, place, name, "%s",
		    right_scope(elsewhere->scopes));
	else if (meant != NULL)
		complain(pre->complaints, place, name,
		    "unknown key, did you mean \"%s\"?", meant->name);
	else
		complain(pre->complaints, place, name, "unknown key");
}

/* Whether the token is a key on a line of its own, and no value. */
static bool
looks_like_key(const struct prescanner *pre)
{
	const struct token *token = &pre->cursor.token;
	unsigned scope = pre->levels[pre->depth].scope;

	if (cursor_at_statement(&pre->cursor))
		return true;
	return pre->cursor.open == 0 && token->kind == TOKEN_WORD &&
	    token->first && key_find(scope, token->text, token->len) != NULL;
}

/* Accept the token if it is a value; otherwise complain about the key. */
static bool
value_text(struct prescanner *pre, const struct key *key)
{
	if (cursor_at_text(&pre->cursor) && !spoilt(pre) &&
	    !looks_like_key(pre)) {
		cursor_take(&pre->cursor);
		return true;
	}
	bool empty = pre->cursor.open > 0 && (at(pre, TOKEN_COMMA) ||
	    at(pre, TOKEN_CLOSE));
	if (empty)
		complain_at(pre, pre->cursor.token.line, key->name,
		    "there is an empty element in the list");
	else if (!spoilt(pre))
		complain_at(pre, pre->cursor.last_line, key->name,
		    "a value is missing here");
	return false;
}

/* "a", "b" } */
static bool
list_elements(struct prescanner *pre, const struct key *key)
{
	if (at(pre, TOKEN_CLOSE))
		return true;
	while (value_text(pre, key)) {
		if (at(pre, TOKEN_CLOSE))
			return true;
		if (!at(pre, TOKEN_COMMA)) {
			complain_at(pre, pre->cursor.last_line, key->name,
			    "a comma or a closing brace is missing here");
			return false;
		}
		cursor_take(&pre->cursor);
	}
	return false;
}

/* { "a", "b" } */
static bool
braced_list(struct prescanner *pre, const struct key *key)
{
	if (key->shape != KEY_LIST) {
		complain_at(pre, pre->cursor.token.line, key->name,
		    "takes one value, not a list");
		return false;
	}
	cursor_take(&pre->cursor);
	pre->cursor.open = 1;
	if (!list_elements(pre, key))
		return false;
	cursor_take(&pre->cursor);
	pre->cursor.open = 0;
	return true;
}

/* = value, += value */
static bool
assignment(struct prescanner *pre, const struct key *key)
{
	bool append = at(pre, TOKEN_APPEND);

	if (!append && !at(pre, TOKEN_EQUAL)) {
		if (!spoilt(pre))
			complain_at(pre, pre->cursor.last_line, key->name,
			    "an equals sign is missing behind the key");
		return false;
	}
	if (append && key->shape != KEY_LIST) {
		complain_at(pre, pre->cursor.token.line, key->name,
		    "is not a list, += cannot append to it");
		return false;
	}
	cursor_take(&pre->cursor);
	if (at(pre, TOKEN_OPEN))
		return braced_list(pre, key);
	return value_text(pre, key);
}

/* ("argument") */
static bool
call(struct prescanner *pre, const struct key *key)
{
	if (!at(pre, TOKEN_LEFT)) {
		complain_at(pre, pre->cursor.last_line, key->name,
		    "is written include(\"PATTERN\")");
		return false;
	}
	cursor_take(&pre->cursor);
	pre->cursor.open = 1;
	if (!value_text(pre, key))
		return false;
	if (!at(pre, TOKEN_RIGHT)) {
		complain_at(pre, pre->cursor.last_line, key->name,
		    "takes one pattern and a closing parenthesis");
		return false;
	}
	cursor_take(&pre->cursor);
	pre->cursor.open = 0;
	return true;
}

static unsigned
scope_inside(const struct key *key)
{
	if (key->shape == KEY_TITLED)
		return KEY_IN_SERVICE;
	return key == &keys[KEY_LIMITS] ? KEY_IN_LIMITS : KEY_IN_DEFAULTS;
}

static void
open_level(struct prescanner *pre, const struct key *key, uint32_t line,
    const struct mark *start)
{
	pre->depth++;
	*innermost(pre) = (struct level){
		.key = key,
		.scope = scope_inside(key),
		.line = line,
		.start = *start,
	};
}

/* Accept what opens a section, and enter it. */
static bool
open_section(struct prescanner *pre, const struct key *key,
    const struct mark *start)
{
	uint32_t line = pre->cursor.last_line;
	bool untitled = false;

	if (key->shape == KEY_TITLED) {
		untitled = !cursor_at_text(&pre->cursor) || spoilt(pre);
		if (!cursor_at_text(&pre->cursor))
			complain_at(pre, line, key->name,
			    "needs a name, as in service \"NAME\" { }");
		else if (untitled)
			cursor_pass(&pre->cursor);
		else
			cursor_take(&pre->cursor);
	}
	if (!at(pre, TOKEN_OPEN)) {
		complain_at(pre, pre->cursor.last_line, key->name,
		    "an opening brace is missing here");
		return false;
	}
	cursor_take(&pre->cursor);
	open_level(pre, key, line, start);
	innermost(pre)->dropped = untitled;
	return true;
}

/* Complete a statement of the top level, which is in the output. */
static void
add_statement(struct prescanner *pre)
{
	struct prescan *out = pre->out;

	pre->statement.len = pre->cursor.len - pre->statement.start;
	pre->statement.key_count = out->key_count - pre->statement.first_key;
	out->statements = heap_room(out->statements, out->statement_count,
	    sizeof(*out->statements));
	out->statements[out->statement_count++] = pre->statement;
}

/* Leave the innermost section; its closing brace is in the output. */
static void
close_level(struct prescanner *pre)
{
	struct level *level = innermost(pre);

	pre->depth--;
	if (level->dropped)
		go_back(pre, &level->start);
	else if (pre->depth == 0)
		add_statement(pre);
}

/* Leave sections whose closing brace is missing. */
static void
close_unclosed(struct prescanner *pre)
{
	while (pre->depth > 0) {
		complain_at(pre, innermost(pre)->line,
		    innermost(pre)->key->name,
		    "the brace of this section is never closed");
		cursor_close_brace(&pre->cursor);
		pre->statement.damaged = true;
		close_level(pre);
	}
}

static void
close_brace(struct prescanner *pre)
{
	if (pre->depth == 0) {
		complain_at(pre, pre->cursor.token.line, "syntax",
		    "there is a closing brace too many");
		cursor_pass(&pre->cursor);
		return;
	}
	cursor_take(&pre->cursor);
	close_level(pre);
}

/*
 * Note that the key was set in its section; false after a complaint if it may
 * not be set again.  The top level is more than this file: its repetitions
 * are found where all files come together.
 */
static bool
note_key(struct prescanner *pre, const struct key *key, uint32_t line,
    bool append)
{
	struct level *level = innermost(pre);
	uint32_t *seen = &level->seen[key - keys];
	struct place place = { pre->file, line };

	if (level->key == NULL)
		return true;
	if (*seen != 0 && append)
		return true;
	if (*seen != 0) {
		complain(pre->complaints, place, key->name,
		    "is set again in this section, after line %u", *seen);
		return false;
	}
	*seen = line;
	if (key->shape == KEY_SECTION)
		return true;
	struct prescan *out = pre->out;
	out->keys = heap_room(out->keys, out->key_count, sizeof(*out->keys));
	out->keys[out->key_count++] =
	    (struct prescan_key){ key, line, append };
	return true;
}

/* What follows the name of a known key. */
static bool
known_statement(struct prescanner *pre, const struct key *key,
    const struct mark *start)
{
	uint32_t line = pre->cursor.last_line;
	bool append = at(pre, TOKEN_APPEND);

	switch (key->shape) {
	case KEY_SECTION:
	case KEY_TITLED:
		return note_key(pre, key, line, false) &&
		    open_section(pre, key, start);
	case KEY_CALL:
		return call(pre, key);
	default:
		pre->statement.append = append;
		return assignment(pre, key) &&
		    note_key(pre, key, line, append);
	}
}

static void
begin_statement(struct prescanner *pre, const struct key *key)
{
	pre->statement = (struct prescan_statement){
		.key = key,
		.start = pre->cursor.len,
		.line = pre->cursor.token.line,
		.first_key = pre->out->key_count,
	};
	pre->cursor.line = pre->cursor.token.line;
}

static void
statement(struct prescanner *pre)
{
	if (pre->depth > 0 && cursor_at_service(&pre->cursor))
		close_unclosed(pre);
	const struct key *key = key_find(innermost(pre)->scope,
	    pre->cursor.token.text, pre->cursor.token.len);
	if (key == NULL) {
		uint32_t line = pre->cursor.token.line;

		complain_unknown(pre, innermost(pre)->scope);
		pre->statement.damaged = true;
		cursor_pass(&pre->cursor);
		if (!cursor_pass_unknown(&pre->cursor))
			complain_at(pre, line, "syntax",
			    "its brace is never closed");
		return;
	}
	struct mark start = take_mark(pre);
	size_t depth = pre->depth;
	if (depth == 0)
		begin_statement(pre, key);
	cursor_take(&pre->cursor);
	if (!known_statement(pre, key, &start)) {
		go_back(pre, &start);
		cursor_pass_rest(&pre->cursor,
		    pre->cursor.open > 0 || key->shape < KEY_SECTION);
	} else if (depth == 0 && pre->depth == 0)
		add_statement(pre);
}

static void
no_statement(struct prescanner *pre)
{
	if (!spoilt(pre))
		complain_at(pre, pre->cursor.token.line, "syntax",
		    "the name of a key is expected here");
	pre->statement.damaged = true;
	cursor_pass(&pre->cursor);
	cursor_pass_rest(&pre->cursor, false);
}

void
prescan_init(struct prescan *prescan, const char *text, size_t len,
    struct complaints *complaints, uint32_t file)
{
	struct prescanner pre = {
		.out = prescan,
		.complaints = complaints,
		.file = file,
		.levels = { { .scope = KEY_IN_TOP } },
	};
	const struct token *token = &pre.cursor.token;

	*prescan = (struct prescan){ 0 };
	cursor_init(&pre.cursor, text, len, complaints, file);
	while (token->kind != TOKEN_END) {
		if (token->kind == TOKEN_WORD)
			statement(&pre);
		else if (token->kind == TOKEN_CLOSE)
			close_brace(&pre);
		else
			no_statement(&pre);
	}
	close_unclosed(&pre);
	prescan->text = pre.cursor.text;
	prescan->len = pre.cursor.len;
}

void
prescan_fini(struct prescan *prescan)
{
	free(prescan->text);
	free(prescan->statements);
	free(prescan->keys);
}
