/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Check the form of a configuration file before libconfuse reads it.
 *
 * Tokens are copied to the text as they are accepted, each on the line it has
 * in the file.  A mark taken before a statement allows to go back when it
 * turns out to be unsound.  Sections are levels of a stack, not of recursion.
 *
 * Recovery: what is left of an unsound statement is passed over, up to the
 * first word of a line, or the brace that closes the section.
 */

#include "conf/prescan.h"

#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/scan.h"

enum {
	LEVELS = 3,		/* top, service, limits */
};

/* How far the output had come. */
struct mark {
	size_t len;
	uint32_t line;
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
	struct scan scan;
	struct complaints *complaints;
	uint32_t file;
	struct token token;	/* not taken yet */
	struct token next;	/* behind it */
	uint32_t last_line;	/* of the token taken last */
	size_t open;		/* braces and parentheses of a value */
	uint32_t out_line;	/* at the end of the output */
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
is_text(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_STRING;
}

static void
complain_at(struct prescanner *pre, uint32_t line, const char *key,
    const char *sentence)
{
	struct place place = { pre->file, line };

	complain(pre->complaints, place, key, "%s", sentence);
}

static void
pass_token(struct prescanner *pre)
{
	pre->last_line = pre->token.line;
	pre->token = pre->next;
	pre->next = scan_next(&pre->scan);
}

static void
emit_byte(struct prescanner *pre, char c)
{
	pre->out->text[pre->out->len++] = c;
	if (c == '\n')
		pre->out_line++;
}

/* Copy bytes; in double quotes ${ becomes \${, which is not expanded. */
static void
emit_text(struct prescanner *pre, const char *text, size_t len)
{
	bool expands = text[0] == '"';
	bool escaped = false;

	for (size_t i = 0; i < len; i++) {
		if (expands && !escaped && text[i] == '$' && i + 1 < len &&
		    text[i + 1] == '{')
			emit_byte(pre, '\\');
		escaped = !escaped && text[i] == '\\';
		emit_byte(pre, text[i]);
	}
}

/* Accept the token: it goes to the output, on its line. */
static void
take_token(struct prescanner *pre)
{
	while (pre->out_line < pre->token.line)
		emit_byte(pre, '\n');
	emit_byte(pre, ' ');
	emit_text(pre, pre->token.text, pre->token.len);
	pass_token(pre);
}

static struct mark
take_mark(const struct prescanner *pre)
{
	return (struct mark){ pre->out->len, pre->out_line,
		pre->out->key_count };
}

static void
go_back(struct prescanner *pre, const struct mark *mark)
{
	pre->out->len = mark->len;
	pre->out_line = mark->line;
	pre->out->key_count = mark->key_count;
	pre->statement.damaged = true;
}

/* Whether the token is `service` and stands as if it began one. */
static bool
starts_service(const struct prescanner *pre)
{
	return pre->token.kind == TOKEN_WORD && pre->token.first &&
	    is_text(&pre->next) &&
	    key_find(KEY_IN_TOP, pre->token.text, pre->token.len) ==
	    &keys[KEY_SERVICE];
}

/* Whether a statement must begin here, even inside a list. */
static bool
starts_statement(const struct prescanner *pre)
{
	if (pre->token.kind != TOKEN_WORD || !pre->token.first)
		return false;
	return pre->next.kind == TOKEN_EQUAL ||
	    pre->next.kind == TOKEN_APPEND || pre->next.kind == TOKEN_OPEN ||
	    starts_service(pre);
}

/* Count the braces of what is passed over; false: it ends here. */
static bool
pass_unsound(struct prescanner *pre, bool in_value)
{
	switch (pre->token.kind) {
	case TOKEN_OPEN:
	case TOKEN_LEFT:
		pre->open++;
		break;
	case TOKEN_CLOSE:
		if (pre->open == 0)
			return false;
		__attribute__((fallthrough));
	case TOKEN_RIGHT:
		if (pre->open > 0)
			pre->open--;
		break;
	case TOKEN_WORD:
		if (pre->open == 0 ? pre->token.first :
				     in_value && starts_statement(pre))
			return false;
		break;
	default:
		break;
	}
	pass_token(pre);
	return true;
}

/*
 * Pass over the rest of an unsound statement.  in_value: what is open are the
 * braces of a value, in which no statement can stand.
 */
static void
pass_rest(struct prescanner *pre, bool in_value)
{
	while (pre->token.kind != TOKEN_END && pass_unsound(pre, in_value))
		if (pre->open == 0 && pre->token.kind == TOKEN_WORD &&
		    (pre->next.kind == TOKEN_EQUAL ||
		    pre->next.kind == TOKEN_APPEND))
			break;
	pre->open = 0;
}

/* Pass over a value or a section that belongs to a key nobody knows. */
static void
pass_unknown(struct prescanner *pre)
{
	uint32_t line = pre->last_line;
	bool value = pre->token.kind == TOKEN_EQUAL ||
	    pre->token.kind == TOKEN_APPEND;

	if (value || (is_text(&pre->token) && pre->next.kind == TOKEN_OPEN))
		pass_token(pre);
	if (value && is_text(&pre->token)) {
		pass_token(pre);
		return;
	}
	if (pre->token.kind != TOKEN_OPEN && pre->token.kind != TOKEN_LEFT) {
		pass_rest(pre, value);
		return;
	}
	do {
		if (pre->token.kind == TOKEN_END) {
			complain_at(pre, line, "syntax",
			    "its brace is never closed");
			break;
		}
		if (!pass_unsound(pre, value))
			break;
	} while (pre->open > 0);
	pre->open = 0;
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
	struct place place = { pre->file, pre->token.line };
	const char *text = pre->token.text;
	size_t len = pre->token.len;
	char name[64];

	if (pre->token.spoilt)
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
	const struct token *token = &pre->token;
	unsigned scope = pre->levels[pre->depth].scope;

	return starts_statement(pre) || (pre->open == 0 && token->first &&
	    token->kind == TOKEN_WORD &&
	    key_find(scope, token->text, token->len) != NULL);
}

/* Accept the token if it is a value; otherwise complain about the key. */
static bool
value_text(struct prescanner *pre, const struct key *key)
{
	if (is_text(&pre->token) && !pre->token.spoilt &&
	    !looks_like_key(pre)) {
		take_token(pre);
		return true;
	}
	bool empty = pre->open > 0 && (pre->token.kind == TOKEN_COMMA ||
	    pre->token.kind == TOKEN_CLOSE);
	if (empty)
		complain_at(pre, pre->token.line, key->name,
		    "there is an empty element in the list");
	else if (!pre->token.spoilt)
		complain_at(pre, pre->last_line, key->name,
		    "a value is missing here");
	return false;
}

/* "a", "b" } */
static bool
list_elements(struct prescanner *pre, const struct key *key)
{
	if (pre->token.kind == TOKEN_CLOSE)
		return true;
	while (value_text(pre, key)) {
		if (pre->token.kind == TOKEN_CLOSE)
			return true;
		if (pre->token.kind != TOKEN_COMMA) {
			complain_at(pre, pre->last_line, key->name,
			    "a comma or a closing brace is missing here");
			return false;
		}
		take_token(pre);
	}
	return false;
}

/* { "a", "b" } */
static bool
braced_list(struct prescanner *pre, const struct key *key)
{
	if (key->shape != KEY_LIST) {
		complain_at(pre, pre->token.line, key->name,
		    "takes one value, not a list");
		return false;
	}
	take_token(pre);
	pre->open = 1;
	if (!list_elements(pre, key))
		return false;
	take_token(pre);
	pre->open = 0;
	return true;
}

/* = value, += value */
static bool
assignment(struct prescanner *pre, const struct key *key)
{
	bool append = pre->token.kind == TOKEN_APPEND;

	if (!append && pre->token.kind != TOKEN_EQUAL) {
		if (!pre->token.spoilt)
			complain_at(pre, pre->last_line, key->name,
			    "an equals sign is missing behind the key");
		return false;
	}
	if (append && key->shape != KEY_LIST) {
		complain_at(pre, pre->token.line, key->name,
		    "is not a list, += cannot append to it");
		return false;
	}
	take_token(pre);
	if (pre->token.kind == TOKEN_OPEN)
		return braced_list(pre, key);
	return value_text(pre, key);
}

/* ("argument") */
static bool
call(struct prescanner *pre, const struct key *key)
{
	if (pre->token.kind != TOKEN_LEFT) {
		complain_at(pre, pre->last_line, key->name,
		    "is written include(\"PATTERN\")");
		return false;
	}
	take_token(pre);
	pre->open = 1;
	if (!value_text(pre, key))
		return false;
	if (pre->token.kind != TOKEN_RIGHT) {
		complain_at(pre, pre->last_line, key->name,
		    "takes one pattern and a closing parenthesis");
		return false;
	}
	take_token(pre);
	pre->open = 0;
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
	uint32_t line = pre->last_line;
	bool untitled = false;

	if (key->shape == KEY_TITLED) {
		untitled = !is_text(&pre->token) || pre->token.spoilt;
		if (!is_text(&pre->token))
			complain_at(pre, line, key->name,
			    "needs a name, as in service \"NAME\" { }");
		else if (untitled)
			pass_token(pre);
		else
			take_token(pre);
	}
	if (pre->token.kind != TOKEN_OPEN) {
		complain_at(pre, pre->last_line, key->name,
		    "an opening brace is missing here");
		return false;
	}
	take_token(pre);
	open_level(pre, key, line, start);
	innermost(pre)->dropped = untitled;
	return true;
}

/* Complete a statement of the top level, which is in the output. */
static void
add_statement(struct prescanner *pre)
{
	struct prescan *out = pre->out;

	pre->statement.len = out->len - pre->statement.start;
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
		emit_byte(pre, '}');
		pre->statement.damaged = true;
		close_level(pre);
	}
}

static void
close_brace(struct prescanner *pre)
{
	if (pre->depth == 0) {
		complain_at(pre, pre->token.line, "syntax",
		    "there is a closing brace too many");
		pass_token(pre);
		return;
	}
	take_token(pre);
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
	uint32_t line = pre->last_line;
	bool append = pre->token.kind == TOKEN_APPEND;

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
		.start = pre->out->len,
		.line = pre->token.line,
		.first_key = pre->out->key_count,
	};
	pre->out_line = pre->token.line;
}

static void
statement(struct prescanner *pre)
{
	if (pre->depth > 0 && starts_service(pre))
		close_unclosed(pre);
	const struct key *key = key_find(innermost(pre)->scope,
	    pre->token.text, pre->token.len);
	if (key == NULL) {
		complain_unknown(pre, innermost(pre)->scope);
		pre->statement.damaged = true;
		pass_token(pre);
		pass_unknown(pre);
		return;
	}
	struct mark start = take_mark(pre);
	size_t depth = pre->depth;
	if (depth == 0)
		begin_statement(pre, key);
	take_token(pre);
	if (!known_statement(pre, key, &start)) {
		go_back(pre, &start);
		pass_rest(pre, pre->open > 0 || key->shape < KEY_SECTION);
	} else if (depth == 0 && pre->depth == 0)
		add_statement(pre);
}

static void
no_statement(struct prescanner *pre)
{
	if (!pre->token.spoilt)
		complain_at(pre, pre->token.line, "syntax",
		    "the name of a key is expected here");
	pre->statement.damaged = true;
	pass_token(pre);
	pass_rest(pre, false);
}

void
prescan_init(struct prescan *prescan, const char *text, size_t len,
    struct complaints *complaints, uint32_t file)
{
	struct prescanner pre = {
		.out = prescan,
		.complaints = complaints,
		.file = file,
		.out_line = 1,
		.levels = { { .scope = KEY_IN_TOP } },
	};

	/* A token of one byte is given a blank; quotes keep `${` apart. */
	*prescan = (struct prescan){ .text = heap_new(2 * len + 16, 1) };
	scan_init(&pre.scan, text, len, complaints, file);
	pre.next = scan_next(&pre.scan);
	pass_token(&pre);
	while (pre.token.kind != TOKEN_END) {
		if (pre.token.kind == TOKEN_WORD)
			statement(&pre);
		else if (pre.token.kind == TOKEN_CLOSE)
			close_brace(&pre);
		else
			no_statement(&pre);
	}
	close_unclosed(&pre);
}

void
prescan_fini(struct prescan *prescan)
{
	free(prescan->text);
	free(prescan->statements);
	free(prescan->keys);
}
