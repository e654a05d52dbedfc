/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Cut the text of a configuration file into tokens.
 *
 * A string may go over several lines, but a forgotten quote must not turn the
 * rest of the file inside out, to be found at its very end: what would close
 * a string on a later line must not look like the beginning of another one.
 */

#include "conf/scan.h"

#include <string.h>

static const char word_bytes[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-./:@%[]~";

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool
is_hex(char c)
{
	return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

static bool
at_end(const struct scan *scan)
{
	return scan->pos >= scan->len;
}

/* The byte that many behind the present one; NUL beyond the end. */
static char
ahead(const struct scan *scan, size_t n)
{
	return n < scan->len - scan->pos ? scan->text[scan->pos + n] : '\0';
}

static bool
looking_at(const struct scan *scan, const char *bytes)
{
	size_t len = strlen(bytes);

	return len <= scan->len - scan->pos &&
	    memcmp(scan->text + scan->pos, bytes, len) == 0;
}

static void
complain_here(const struct scan *scan, uint32_t line, const char *sentence)
{
	struct place place = { scan->file, line };

	complain(scan->complaints, place, "syntax", "%s", sentence);
}

static void
pass_newline(struct scan *scan)
{
	scan->pos++;
	scan->line++;
	scan->blank = true;
}

static void
pass_line_comment(struct scan *scan)
{
	const char *rest = scan->text + scan->pos;
	const char *newline = memchr(rest, '\n', scan->len - scan->pos);

	scan->pos = newline != NULL ? (size_t)(newline - scan->text) :
	    scan->len;
}

static void
pass_block_comment(struct scan *scan)
{
	uint32_t line = scan->line;

	scan->pos += 2;
	while (!at_end(scan) && !looking_at(scan, "*/")) {
		if (ahead(scan, 0) == '\n')
			pass_newline(scan);
		else
			scan->pos++;
	}
	if (at_end(scan))
		complain_here(scan, line, "this comment is never closed");
	else
		scan->pos += 2;
}

/* Move to the first byte of a token, or to the end. */
static void
pass_blanks(struct scan *scan)
{
	while (!at_end(scan)) {
		char c = ahead(scan, 0);

		if (c == '\n')
			pass_newline(scan);
		else if (c == ' ' || c == '\t' || c == '\r')
			scan->pos++;
		else if (c == '#' || looking_at(scan, "//"))
			pass_line_comment(scan);
		else if (looking_at(scan, "/*"))
			pass_block_comment(scan);
		else
			return;
	}
}

static void
spoil(struct scan *scan, struct token *token, const char *sentence)
{
	if (!token->spoilt)
		complain_here(scan, scan->line, sentence);
	token->spoilt = true;
}

/* The digits of an octal escape; libconfuse fails on more than three. */
static void
pass_octal(struct scan *scan, struct token *token)
{
	unsigned value = 0;
	size_t n = 0;
	bool good = true;

	for (; ahead(scan, 0) >= '0' && ahead(scan, 0) <= '9'; n++) {
		good = good && is_octal(ahead(scan, 0)) && n < 3;
		value = value * 8 + (unsigned)(ahead(scan, 0) - '0');
		scan->pos++;
	}
	if (!good || value > 0377)
		spoil(scan, token, "an octal escape is at most \\377");
	else if (value == 0)
		spoil(scan, token, "a value cannot contain a NUL byte");
}

static void
pass_hex(struct scan *scan, struct token *token)
{
	size_t n = 1;
	bool zero = true;

	for (; n <= 2 && is_hex(ahead(scan, n)); n++)
		zero = zero && ahead(scan, n) == '0';
	if (n == 1)
		spoil(scan, token, "\\x needs hexadecimal digits");
	else if (zero)
		spoil(scan, token, "a value cannot contain a NUL byte");
	scan->pos += n;
}

/* A backslash and what it stands before, in double quotes. */
static void
pass_escape(struct scan *scan, struct token *token)
{
	scan->pos++;
	if (at_end(scan))
		return;
	char c = ahead(scan, 0);
	if (c == '\n')
		pass_newline(scan);
	else if (c >= '0' && c <= '9')
		pass_octal(scan, token);
	else if (c == 'x')
		pass_hex(scan, token);
	else if (c != '\0')
		scan->pos++;
}

/* The same in single quotes, where only the quote itself is special. */
static void
pass_plain_escape(struct scan *scan)
{
	scan->pos++;
	if (ahead(scan, 0) == '\n')
		pass_newline(scan);
	else if (ahead(scan, 0) == '\'' || ahead(scan, 0) == '\\')
		scan->pos++;
}

/* Where the next such quote is that no backslash precedes; or the end. */
static size_t
find_quote(const struct scan *scan, char quote)
{
	size_t pos = scan->pos;

	while (pos < scan->len && scan->text[pos] != quote)
		pos += scan->text[pos] == '\\' ? 2 : 1;
	return pos < scan->len ? pos : scan->len;
}

/* The last byte before pos that is no blank. */
static char
byte_before(const struct scan *scan, size_t pos)
{
	while (pos > 0 && (scan->text[pos - 1] == ' ' ||
	    scan->text[pos - 1] == '\t'))
		pos--;
	return pos > 0 ? scan->text[pos - 1] : '\n';
}

/*
 * Whether the string goes on behind the end of this line.  A quote that opens
 * a string stands behind one of ={,( or before the first byte of a value.
 */
static bool
goes_on(const struct scan *scan, char quote)
{
	size_t pos = find_quote(scan, quote);

	if (pos == scan->len || strchr("={,(", byte_before(scan, pos)) != NULL)
		return false;
	return pos + 1 == scan->len || (scan->text[pos + 1] != '\0' &&
	    strchr(" \t\r\n,})", scan->text[pos + 1]) != NULL);
}

static void
pass_string(struct scan *scan, struct token *token)
{
	char quote = ahead(scan, 0);
	bool closed = false;	/* as far as is known */

	token->kind = TOKEN_STRING;
	scan->pos++;
	while (!at_end(scan) && ahead(scan, 0) != quote) {
		char c = ahead(scan, 0);

		if (c == '\n' && !closed && !goes_on(scan, quote))
			break;
		closed = closed || c == '\n';
		if (c == '\0')
			spoil(scan, token, "there is a NUL byte");
		if (c == '\n')
			pass_newline(scan);
		else if (c == '\\' && quote == '"')
			pass_escape(scan, token);
		else if (c == '\\')
			pass_plain_escape(scan);
		else
			scan->pos++;
	}
	if (ahead(scan, 0) == quote) {
		scan->pos++;
		return;
	}
	if (!token->spoilt)
		complain_here(scan, token->line,
		    "this string is never closed");
	token->spoilt = true;
}

static bool
is_word_byte(char c)
{
	return (c != '\0' && strchr(word_bytes, c) != NULL) || (c & 0x80) != 0;
}

/* Bytes that end a word, whatever it is. */
static bool
is_delimiter(const struct scan *scan)
{
	char c = ahead(scan, 0);

	return (c != '\0' && strchr(" \t\r\n{}(),=#\"'", c) != NULL) ||
	    looking_at(scan, "+=") || looking_at(scan, "/*");
}

static void
complain_of_byte(struct scan *scan, struct token *token, char c)
{
	struct place place = { scan->file, scan->line };

	if (token->spoilt)
		return;
	if (c == '\0')
		complain_here(scan, scan->line, "there is a NUL byte");
	else if (c == ';')
		complain_here(scan, scan->line,
		    "a statement ends without a semicolon");
	else if ((unsigned char)c < 0x20 || c == 0x7f)
		complain(scan->complaints, place, "syntax",
		    "there is a control byte 0x%02x", (unsigned char)c);
	else
		complain(scan->complaints, place, "syntax",
		    "a value with \"%c\" needs quotes", c);
	token->spoilt = true;
}

static void
pass_word(struct scan *scan, struct token *token)
{
	token->kind = TOKEN_WORD;
	while (!at_end(scan) && !is_delimiter(scan)) {
		char c = ahead(scan, 0);

		if (!is_word_byte(c))
			complain_of_byte(scan, token, c);
		scan->pos++;
	}
}

static bool
pass_mark(struct scan *scan, struct token *token)
{
	static const struct {
		char byte;
		enum token_kind kind;
	} marks[] = {
		{ '{', TOKEN_OPEN },
		{ '}', TOKEN_CLOSE },
		{ '(', TOKEN_LEFT },
		{ ')', TOKEN_RIGHT },
		{ '=', TOKEN_EQUAL },
		{ ',', TOKEN_COMMA },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (ahead(scan, 0) != marks[i].byte)
			continue;
		token->kind = marks[i].kind;
		scan->pos++;
		return true;
	}
	if (!looking_at(scan, "+="))
		return false;
	token->kind = TOKEN_APPEND;
	scan->pos += 2;
	return true;
}

void
scan_init(struct scan *scan, const char *text, size_t len,
    struct complaints *complaints, uint32_t file)
{
	*scan = (struct scan){
		.text = text,
		.len = len,
		.line = 1,
		.file = file,
		.complaints = complaints,
		.blank = true,
	};
}

struct token
scan_next(struct scan *scan)
{
	pass_blanks(scan);
	struct token token = {
		.kind = TOKEN_END,
		.text = scan->text + scan->pos,
		.line = scan->line,
		.first = scan->blank,
	};
	if (at_end(scan))
		return token;
	size_t start = scan->pos;
	char c = ahead(scan, 0);
	if (c == '"' || c == '\'')
		pass_string(scan, &token);
	else if (!pass_mark(scan, &token))
		pass_word(scan, &token);
	/* A string may have passed lines. */
	scan->blank = false;
	token.len = scan->pos - start;
	if (token.len > SCAN_VALUE_MAX && !token.spoilt)
		spoil(scan, &token, "a value is longer than 64 KiB");
	return token;
}
