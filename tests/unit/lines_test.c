/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A stream is the same lines however it is cut into pieces.
 */

#include "frontend/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	LONG = LINES_TEXT,
	GOT_MAX = 8192,
};

/* What came out: "[text]", or "[text+cut]" of a line that was cut. */
static char got[GOT_MAX];

static void
line_note(const struct line *line)
{
	size_t at = strlen(got);

	if (line->len == 0 && line->cut == 0)
		return;
	got[at++] = '[';
	for (uint32_t i = 0; i < line->len; i++)
		got[at++] = line->text[i] == '\0' ? '@' : line->text[i];
	if (line->cut > 0)
		at += (size_t)snprintf(got + at, 16, "+%u", line->cut);
	got[at++] = ']';
	got[at] = '\0';
}

/* Feed bytes in pieces of this size, and end the stream. */
static void
feed(const char *bytes, size_t len, size_t piece)
{
	struct lines lines = { 0 };
	struct line line;

	got[0] = '\0';
	for (size_t at = 0; at < len; at += piece) {
		size_t rest = len - at < piece ? len - at : piece;
		char *copy = malloc(rest);
		size_t taken = 0;

		assert_non_null(copy);
		memcpy(copy, bytes + at, rest);
		while (taken < rest) {
			size_t n = lines_take(&lines, copy + taken,
			    rest - taken, &line);

			assert_in_range(n, 1, rest - taken);
			taken += n;
			line_note(&line);
		}
		lines_settle(&lines);
		free(copy);
	}
	lines_end(&lines, &line);
	line_note(&line);
	lines_settle(&lines);
	assert_null(lines.text);
}

static void
check(const char *bytes, size_t len, const char *wanted)
{
	const size_t pieces[] = { 1, 2, 3, 7, 100, 895, 896, 897, 100000 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		feed(bytes, len, pieces[i]);
		if (strcmp(got, wanted) != 0)
			fail_msg("in pieces of %zu: %s", pieces[i], got);
	}
}

static void
lines_are_cut_at_newlines(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;	/* 0: a string */
		const char *wanted;
	} rows[] = {
		{ "", 0, "" },
		{ "a", 0, "[a]" },
		{ "a\n", 0, "[a]" },
		{ "one\ntwo\nthree", 0, "[one][two][three]" },
		{ "\n\n\na\n\nb\n\n", 0, "[a][b]" },
		{ " \n", 0, "[ ]" },
		{ "a\r\nb\r\n", 0, "[a][b]" },
		{ "a\rb\r\n", 0, "[a\rb]" },
		{ "a\r\r\n", 0, "[a\r]" },
		{ "\r\n\r\n", 0, "" },
		{ "\r", 0, "" },
		{ "a\r", 0, "[a]" },
		{ "a\0b\nc\0", 6, "[a@b][c@]" },
		{ "\0\n\0", 3, "[@][@]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rows[i].bytes, rows[i].len != 0 ? rows[i].len :
		    strlen(rows[i].bytes), rows[i].wanted);
}

/* A line of len bytes with this end, between two others. */
static void
check_long(size_t len, const char *end, uint32_t cut)
{
	char bytes[GOT_MAX], wanted[GOT_MAX], count[16] = "";
	size_t kept = len < LONG ? len : LONG;
	size_t at = 0;

	memcpy(bytes, "a\n", 2);
	memset(bytes + 2, 'x', len);
	at = 2 + len;
	memcpy(bytes + at, end, strlen(end));
	at += strlen(end);
	memcpy(bytes + at, "b\n", 2);
	if (cut > 0)
		snprintf(count, sizeof(count), "+%u", cut);
	memcpy(wanted, "[a][", 4);
	memset(wanted + 4, 'x', kept);
	snprintf(wanted + 4 + kept, 32, "%s][b]", count);
	check(bytes, at + 2, wanted);
}

static void
long_lines_are_cut_and_the_rest_is_counted(void **state)
{
	(void)state;
	check_long(LONG - 1, "\n", 0);
	check_long(LONG, "\n", 0);
	check_long(LONG, "\r\n", 0);
	check_long(LONG + 1, "\n", 1);
	check_long(LONG + 1, "\r\n", 1);
	check_long(LONG + 5000, "\n", 5000);
}

static void
a_long_line_without_an_end_is_cut_too(void **state)
{
	char bytes[LONG + 10];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	feed(bytes, sizeof(bytes), 64);
	assert_int_equal(strlen(got), 1 + LONG + 3 + 1);
	assert_string_equal(got + 1 + LONG, "+10]");
}

static void
a_stream_without_an_unfinished_line_has_no_memory(void **state)
{
	struct lines lines = { 0 };
	struct line line;

	(void)state;
	lines_take(&lines, "whole\n", 6, &line);
	assert_null(lines.text);
	lines_take(&lines, "half", 4, &line);
	assert_non_null(lines.text);
	lines_settle(&lines);
	assert_non_null(lines.text);
	lines_take(&lines, "\n", 1, &line);
	assert_int_equal(line.len, 4);
	assert_memory_equal(line.text, "half", 4);
	lines_settle(&lines);
	assert_null(lines.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_cut_at_newlines),
		cmocka_unit_test(long_lines_are_cut_and_the_rest_is_counted),
		cmocka_unit_test(a_long_line_without_an_end_is_cut_too),
		cmocka_unit_test(
		    a_stream_without_an_unfinished_line_has_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
