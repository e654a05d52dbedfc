/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The line of tcpmux: what is one, what may become one, what never will.
 */

#include "frontend/muxline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NAME16 "0123456789abcdef"
#define NAME64 NAME16 NAME16 NAME16 NAME16

struct row {
	const char *text;
	enum muxline wanted;
	size_t name_len;
	size_t line_len;
};

static const struct row rows[] = {
	{ "echo\r\n", MUXLINE_NAME, 4, 6 },
	{ "echo\n", MUXLINE_NAME, 4, 5 },
	{ "HELP\r\nmore\r\n", MUXLINE_NAME, 4, 6 },
	{ "a\n\n", MUXLINE_NAME, 1, 2 },
	{ "two words\r\n", MUXLINE_NAME, 9, 11 },
	{ NAME64 "\r\n", MUXLINE_NAME, 64, 66 },
	{ NAME64 "\n", MUXLINE_NAME, 64, 65 },
	{ "", MUXLINE_MORE, 0, 0 },
	{ "e", MUXLINE_MORE, 0, 0 },
	{ "echo\r", MUXLINE_MORE, 0, 0 },
	{ NAME64, MUXLINE_MORE, 0, 0 },
	{ NAME64 "\r", MUXLINE_MORE, 0, 0 },
	{ NAME64 "0", MUXLINE_REFUSE, 0, 0 },
	{ NAME64 "0\r\n", MUXLINE_REFUSE, 0, 0 },
	{ "\r\n", MUXLINE_REFUSE, 0, 0 },
	{ "\n", MUXLINE_REFUSE, 0, 0 },
	{ "\r", MUXLINE_REFUSE, 0, 0 },
	{ "echo\rx", MUXLINE_REFUSE, 0, 0 },
	{ "echo\r\r\n", MUXLINE_REFUSE, 0, 0 },
	{ "ec\tho\r\n", MUXLINE_REFUSE, 0, 0 },
	{ "\x16\x03\x01", MUXLINE_REFUSE, 0, 0 },
	{ "caf\xc3\xa9\r\n", MUXLINE_REFUSE, 0, 0 },
	{ "\x7f\r\n", MUXLINE_REFUSE, 0, 0 },
};

static enum muxline
parse(const char *text, size_t len, size_t *name_len, size_t *line_len)
{
	*name_len = *line_len = 0;
	return muxline_parse((const uint8_t *)text, len, name_len, line_len);
}

static void
lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		size_t name_len, line_len;
		enum muxline got = parse(row->text, strlen(row->text),
		    &name_len, &line_len);

		if (got != row->wanted || name_len != row->name_len ||
		    line_len != row->line_len)
			fail_msg("\"%s\": %d, %zu of %zu", row->text, got,
			    name_len, line_len);
	}
}

static void
a_zero_byte_is_no_part_of_a_name(void **state)
{
	size_t name_len, line_len;

	(void)state;
	assert_int_equal(parse("a\0b\r\n", 5, &name_len, &line_len),
	    MUXLINE_REFUSE);
}

static void
what_is_a_line_may_become_one_at_every_byte_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t name_len, line_len;

		if (rows[i].wanted != MUXLINE_NAME)
			continue;
		for (size_t len = 0; len < rows[i].line_len; len++)
			assert_int_equal(parse(rows[i].text, len, &name_len,
			    &line_len), MUXLINE_MORE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(a_zero_byte_is_no_part_of_a_name),
		cmocka_unit_test(
		    what_is_a_line_may_become_one_at_every_byte_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
