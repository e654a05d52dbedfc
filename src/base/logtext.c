/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write fields into a line of log so that no value can do harm.
 *
 * Nearly all values are short and harmless, so a value is copied in runs of
 * harmless bytes, found with a table; only what stops a run is looked at.
 * Every write is either checked against LOGTEXT_BODY_MAX or accounted for in
 * LOGTEXT_TAIL_MAX, and after a cut nothing but the end is written.
 */

#include "base/logtext.h"

#include <stdint.h>
#include <string.h>

#include "base/bug.h"

enum byte_class {
	BYTE_SPECIAL,		/* escaped, or part of a longer character */
	BYTE_QUOTED,		/* as it is, but only inside quotes */
	BYTE_PLAIN,
};

static const uint8_t byte_classes[256] = {
	[' '] = BYTE_QUOTED,
	['!'] = BYTE_PLAIN,
	['#' ... '<'] = BYTE_PLAIN,
	['='] = BYTE_QUOTED,
	['>' ... '['] = BYTE_PLAIN,
	[']' ... '~'] = BYTE_PLAIN,
};

static const char hex_digits[] = "0123456789abcdef";

/* The number of leading bytes of at least that class. */
static size_t
run_length(const uint8_t *value, size_t len, enum byte_class class)
{
	size_t n = 0;

	while (n < len && byte_classes[value[n]] >= class)
		n++;
	return n;
}

/*
 * The length of the character at the start of value, 0 if it is not valid
 * UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
static size_t
utf8_length(const uint8_t *value, size_t len)
{
	uint8_t first = value[0];
	uint8_t low = 0x80, high = 0xbf;
	size_t n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4 || n > len)
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (value[1] < low || value[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((value[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

static void
put(struct log_line *line, const char *text, size_t len)
{
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void
put_string(struct log_line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* All or nothing, because an escape or a character must not be torn. */
static void
put_or_cut(struct log_line *line, const char *text, size_t len)
{
	if (line->len + len > LOGTEXT_BODY_MAX)
		line->cut = true;
	else
		put(line, text, len);
}

static void
put_run(struct log_line *line, const uint8_t *value, size_t len)
{
	size_t room = line->len < LOGTEXT_BODY_MAX ?
	    LOGTEXT_BODY_MAX - line->len : 0;

	if (len > room) {
		line->cut = true;
		len = room;
	}
	put(line, (const char *)value, len);
}

static void
put_hex(struct log_line *line, const char *before, uint8_t byte)
{
	char text[8];
	size_t len = strlen(before);

	memcpy(text, before, len);
	text[len++] = hex_digits[byte >> 4];
	text[len++] = hex_digits[byte & 0xf];
	put_or_cut(line, text, len);
}

/* A character of n bytes that is not printed as it is. */
static void
put_escaped(struct log_line *line, const uint8_t *value, size_t n)
{
	switch (value[0]) {
	case '"':
		put_or_cut(line, "\\\"", 2);
		return;
	case '\\':
		put_or_cut(line, "\\\\", 2);
		return;
	case '\n':
		put_or_cut(line, "\\n", 2);
		return;
	case '\r':
		put_or_cut(line, "\\r", 2);
		return;
	case '\t':
		put_or_cut(line, "\\t", 2);
		return;
	}
	/* The last byte of a C1 control in UTF-8 is its code. */
	if (line->json)
		put_hex(line, "\\u00", value[n - 1]);
	else if (n == 1)
		put_hex(line, "\\x", value[0]);
	else
		put_hex(line, "\\xc2\\x", value[1]);
}

/* Write one character that is not in a run; returns its length. */
static size_t
put_special(struct log_line *line, const uint8_t *value, size_t len)
{
	size_t n = utf8_length(value, len);

	if (n == 0) {
		put_hex(line, line->json ? "\\\\x" : "\\x", value[0]);
		return 1;
	}
	if (n == 1 || (value[0] == 0xc2 && value[1] < 0xa0))
		put_escaped(line, value, n);
	else
		put_or_cut(line, (const char *)value, n);
	return n;
}

static void
put_quoted(struct log_line *line, const uint8_t *value, size_t len)
{
	put(line, "\"", 1);
	/* Empty values must not go on beyond the end either. */
	if (line->len > LOGTEXT_BODY_MAX)
		line->cut = true;
	while (len > 0 && !line->cut) {
		size_t n = run_length(value, len, BYTE_QUOTED);

		if (n > 0)
			put_run(line, value, n);
		else
			n = put_special(line, value, len);
		value += n;
		len -= n;
	}
	put_string(line, line->cut ? "...\"" : "\"");
}

static void
put_key(struct log_line *line, const char *key)
{
	size_t len = strlen(key);

	if (len > LOGTEXT_KEY_MAX)
		BUG("log key too long");
	put_string(line, line->json ? ",\"" : " ");
	put(line, key, len);
	put_string(line, line->json ? "\":" : "=");
}

void
logtext_begin(struct log_line *line, const char *verb)
{
	line->len = 0;
	line->cut = false;
	if (strlen(verb) > LOGTEXT_KEY_MAX)
		BUG("log verb too long");
	if (!line->json) {
		put_string(line, verb);
		return;
	}
	put_string(line, "\"level\":\"");
	put_string(line, log_level_name(line->level));
	put_string(line, "\",\"event\":\"");
	put_string(line, verb);
	put(line, "\"", 1);
}

void
logtext_value(struct log_line *line, const char *key, const char *value,
    size_t len)
{
	const uint8_t *bytes = (const uint8_t *)value;

	if (line->cut)
		return;
	put_key(line, key);
	if (line->json || len == 0 ||
	    run_length(bytes, len, BYTE_PLAIN) < len) {
		put_quoted(line, bytes, len);
		return;
	}
	put_run(line, bytes, len);
	if (line->cut)
		put_string(line, "...");
}

void
logtext_bare(struct log_line *line, const char *key, const char *value,
    size_t len)
{
	if (line->cut)
		return;
	put_key(line, key);
	put_or_cut(line, value, len);
	if (line->cut)
		put_string(line, line->json ? "\"...\"" : "...");
}

void
logtext_end(struct log_line *line)
{
	if (line->json) {
		put(line, "}", 1);
	} else if (line->level <= LOG_LEVEL_WARNING) {
		put_string(line, " level=");
		put_string(line, log_level_name(line->level));
	}
}
