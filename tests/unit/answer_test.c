/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What built-ins say, as tables of times and requests.
 */

#include "frontend/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Without files: the rules of Central Europe, and of Nepal. */
static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
static const char nepal[] = "<+0545>-5:45";

static void
daytime_is_local_and_ends_with_crlf(void **state)
{
	static const struct {
		const char *zone;
		time_t now;
		const char *wanted;
	} rows[] = {
		{ "UTC0", 0, "Thu Jan  1 00:00:00 1970\r\n" },
		{ "UTC0", -1, "Wed Dec 31 23:59:59 1969\r\n" },
		{ "UTC0", 1709251199, "Thu Feb 29 23:59:59 2024\r\n" },
		{ "UTC0", 4102444800, "Fri Jan  1 00:00:00 2100\r\n" },
		{ berlin, 1761440399, "Sun Oct 26 02:59:59 2025\r\n" },
		{ berlin, 1761440400, "Sun Oct 26 02:00:00 2025\r\n" },
		{ nepal, 0, "Thu Jan  1 05:45:00 1970\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t buf[ANSWER_DAYTIME_MAX + 1];

		setenv("TZ", rows[i].zone, 1);
		tzset();
		size_t len = answer_daytime(rows[i].now, buf, sizeof(buf) - 1);

		buf[len] = '\0';
		assert_string_equal((char *)buf, rows[i].wanted);
	}
}

static void
a_year_that_does_not_fit_is_no_daytime(void **state)
{
	uint8_t buf[ANSWER_DAYTIME_MAX];

	(void)state;
	assert_int_equal(answer_daytime(INT64_C(1) << 60, buf, sizeof(buf)),
	    0);
}

static void
time_counts_from_1900_and_begins_again(void **state)
{
	static const struct {
		time_t now;
		uint32_t wanted;
	} rows[] = {
		/* The first five are the examples of the RFC. */
		{ 0, 2208988800 },
		{ 189302400, 2398291200 },
		{ 315532800, 2524521600 },
		{ 420595200, 2629584000 },
		{ -1297728000, 911260800 },
		{ -2208988799, 1 },
		{ 2085978495, UINT32_MAX },
		{ 2085978496, 0 },
		{ 4294967296, 2208988800 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t buf[ANSWER_TIME];

		answer_time(rows[i].now, buf);
		assert_int_equal((uint32_t)buf[0] << 24 | buf[1] << 16 |
		    buf[2] << 8 | buf[3], rows[i].wanted);
	}
}

static void
lines_rotate_through_all_printable_characters(void **state)
{
	static const struct {
		uint64_t line;
		const char *wanted;
	} rows[] = {
		{ 0, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTU"
		    "VWXYZ[\\]^_`abcdefg\r\n" },
		{ 1, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUV"
		    "WXYZ[\\]^_`abcdefgh\r\n" },
		{ 23, "789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijkl"
		    "mnopqrstuvwxyz{|}~\r\n" },
		{ 24, "89:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklm"
		    "nopqrstuvwxyz{|}~ \r\n" },
		{ 94, "~ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRST"
		    "UVWXYZ[\\]^_`abcdef\r\n" },
		{ 95, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTU"
		    "VWXYZ[\\]^_`abcdefg\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t buf[ANSWER_LINE];

		answer_chargen_line(rows[i].line, buf);
		assert_int_equal(strlen(rows[i].wanted), sizeof(buf));
		assert_memory_equal(buf, rows[i].wanted, sizeof(buf));
	}
}

static void
a_datagram_is_answered_no_louder_than_it_may_be(void **state)
{
	static const struct {
		enum conf_builtin builtin;
		size_t len, size, wanted;
	} rows[] = {
		{ CONF_BUILTIN_ECHO, 0, 1000, 0 },
		{ CONF_BUILTIN_ECHO, 1000, 1000, 1000 },
		{ CONF_BUILTIN_ECHO, 1000, 999, 999 },
		{ CONF_BUILTIN_DISCARD, 1000, 1000, 0 },
		{ CONF_BUILTIN_CHARGEN, 0, 1000, 0 },
		{ CONF_BUILTIN_CHARGEN, 1, 1000, 1 },
		{ CONF_BUILTIN_CHARGEN, 75, 1000, 75 },
		{ CONF_BUILTIN_CHARGEN, 512, 1000, 512 },
		{ CONF_BUILTIN_CHARGEN, 513, 1000, 512 },
		{ CONF_BUILTIN_CHARGEN, 512, 100, 100 },
		{ CONF_BUILTIN_DAYTIME, 0, 1000, 26 },
		{ CONF_BUILTIN_DAYTIME, 1000, 5, 5 },
		{ CONF_BUILTIN_TIME, 0, 1000, 4 },
		{ CONF_BUILTIN_TIME, 1000, 3, 3 },
		{ CONF_BUILTIN_TCPMUX, 1000, 1000, 0 },
		{ CONF_BUILTIN_TRAP, 1000, 1000, 0 },
		{ CONF_BUILTIN_TEXT, 1000, 1000, 0 },
		{ CONF_BUILTIN_NONE, 1000, 1000, 0 },
	};
	uint8_t request[1000];

	(void)state;
	memset(request, 'x', sizeof(request));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* On the heap, where a byte too many is noticed. */
		uint8_t *buf = malloc(rows[i].size);

		assert_non_null(buf);
		const struct answer_request asked = {
			request, rows[i].len, 0,
		};
		assert_int_equal(answer_make(rows[i].builtin, &asked, buf,
		    rows[i].size), rows[i].wanted);
		free(buf);
	}
}

static void
a_datagram_is_answered_with_what_the_stream_says(void **state)
{
	const uint8_t request[200] = { 1, 2, 3 };
	const struct answer_request asked = { request, sizeof(request), 7 };
	uint8_t buf[1000], part[ANSWER_LINE];

	(void)state;
	assert_int_equal(answer_make(CONF_BUILTIN_ECHO, &asked, buf,
	    sizeof(buf)), 200);
	assert_memory_equal(buf, request, 200);
	answer_make(CONF_BUILTIN_CHARGEN, &asked, buf, sizeof(buf));
	for (unsigned i = 0; i < 2; i++) {
		answer_chargen_line(i, part);
		assert_memory_equal(buf + (size_t)i * ANSWER_LINE, part,
		    ANSWER_LINE);
	}
	answer_make(CONF_BUILTIN_TIME, &asked, buf, sizeof(buf));
	answer_time(7, part);
	assert_memory_equal(buf, part, ANSWER_TIME);
	size_t len = answer_daytime(7, part, sizeof(part));

	assert_int_equal(answer_make(CONF_BUILTIN_DAYTIME, &asked, buf,
	    sizeof(buf)), len);
	assert_memory_equal(buf, part, len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(daytime_is_local_and_ends_with_crlf),
		cmocka_unit_test(a_year_that_does_not_fit_is_no_daytime),
		cmocka_unit_test(time_counts_from_1900_and_begins_again),
		cmocka_unit_test(lines_rotate_through_all_printable_characters),
		cmocka_unit_test(
		    a_datagram_is_answered_no_louder_than_it_may_be),
		cmocka_unit_test(
		    a_datagram_is_answered_with_what_the_stream_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
