/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The values that keys take, and what is none of them.
 */

#include "conf/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	NOT_A_VALUE = -77,
};

typedef bool parse_fn(const char *text, size_t len, int64_t *value);

struct row {
	const char *text;
	int64_t wanted;
};

static void
check_rows(parse_fn *parse, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t value = NOT_A_VALUE;
		bool valid = parse(rows[i].text, strlen(rows[i].text), &value);

		if (value != rows[i].wanted ||
		    valid != (rows[i].wanted != NOT_A_VALUE))
			fail_msg("\"%s\" is %lld", rows[i].text,
			    (long long)value);
	}
}

#define CHECK_ROWS(parse, rows)						\
	check_rows(parse, rows, sizeof(rows) / sizeof(rows[0]))

static void
numbers(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },
		{ "10", 10 },
		{ "-5", -5 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
		{ "9223372036854775808", NOT_A_VALUE },
		{ "99999999999999999999", NOT_A_VALUE },
		{ "", NOT_A_VALUE },
		{ "-", NOT_A_VALUE },
		{ "-0", NOT_A_VALUE },
		{ "00", NOT_A_VALUE },
		{ "010", NOT_A_VALUE },
		{ "-010", NOT_A_VALUE },
		{ "0x10", NOT_A_VALUE },
		{ "+1", NOT_A_VALUE },
		{ " 1", NOT_A_VALUE },
		{ "1 ", NOT_A_VALUE },
		{ "1e3", NOT_A_VALUE },
		{ "1.0", NOT_A_VALUE },
		{ "nan", NOT_A_VALUE },
	};

	(void)state;
	CHECK_ROWS(value_number, rows);
}

static void
octal_numbers(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },
		{ "22", 022 },
		{ "022", 022 },
		{ "0666", 0666 },
		{ "7777", 07777 },
		{ "8", NOT_A_VALUE },
		{ "00022", NOT_A_VALUE },
		{ "", NOT_A_VALUE },
		{ "-1", NOT_A_VALUE },
		{ "0o22", NOT_A_VALUE },
	};

	(void)state;
	CHECK_ROWS(value_octal, rows);
}

static void
durations(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },
		{ "10", 10000 },
		{ "250ms", 250 },
		{ "10s", 10000 },
		{ "5m", 300000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "s", NOT_A_VALUE },
		{ "", NOT_A_VALUE },
		{ "05s", NOT_A_VALUE },
		{ "5 s", NOT_A_VALUE },
		{ "5S", NOT_A_VALUE },
		{ "-5s", NOT_A_VALUE },
		{ "1.5s", NOT_A_VALUE },
		{ "1h30m", NOT_A_VALUE },
		{ "1w", NOT_A_VALUE },
		{ "9223372036854775807", NOT_A_VALUE },
		{ "106751991167301d", NOT_A_VALUE },
	};

	(void)state;
	CHECK_ROWS(value_duration, rows);
}

static void
sizes(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },
		{ "100", 100 },
		{ "64k", 65536 },
		{ "1m", 1048576 },
		{ "2g", INT64_C(2147483648) },
		{ "1K", NOT_A_VALUE },
		{ "1kb", NOT_A_VALUE },
		{ "k", NOT_A_VALUE },
		{ "-1k", NOT_A_VALUE },
		{ "010k", NOT_A_VALUE },
		{ "9999999999g", NOT_A_VALUE },
	};

	(void)state;
	CHECK_ROWS(value_size, rows);
}

static void
hundredths(void **state)
{
	static const struct row rows[] = {
		{ "0", 0 },
		{ "0.0", 0 },
		{ "0.01", 1 },
		{ "0.5", 50 },
		{ "0.05", 5 },
		{ "4", 400 },
		{ "4.0", 400 },
		{ "4.25", 425 },
		{ "10000", 1000000 },
		{ "10000.00", 1000000 },
		{ "2147483647.99", INT64_C(214748364799) },
		{ "2147483648", NOT_A_VALUE },
		{ "99999999999999999999", NOT_A_VALUE },
		{ "", NOT_A_VALUE },
		{ ".", NOT_A_VALUE },
		{ ".5", NOT_A_VALUE },
		{ "4.", NOT_A_VALUE },
		{ "4.123", NOT_A_VALUE },
		{ "4.1.2", NOT_A_VALUE },
		{ "04", NOT_A_VALUE },
		{ "00.5", NOT_A_VALUE },
		{ "-1", NOT_A_VALUE },
		{ "-0.5", NOT_A_VALUE },
		{ "-0", NOT_A_VALUE },
		{ "+1", NOT_A_VALUE },
		{ "4.-5", NOT_A_VALUE },
		{ "4.+5", NOT_A_VALUE },
		{ "4. 5", NOT_A_VALUE },
		{ "4,0", NOT_A_VALUE },
		{ " 4.0", NOT_A_VALUE },
		{ "4.0 ", NOT_A_VALUE },
		{ "1e3", NOT_A_VALUE },
		{ "0x4", NOT_A_VALUE },
		{ "inf", NOT_A_VALUE },
		{ "nan", NOT_A_VALUE },
	};

	(void)state;
	CHECK_ROWS(value_hundredths, rows);
}

static void
booleans(void **state)
{
	static const char *const yes[] = { "yes", "true", "on", "YES", "On" };
	static const char *const no[] = { "no", "false", "off", "No" };
	static const char *const neither[] = { "", "1", "0", "y", "yess",
		"ye", "of" };
	bool value = false;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		assert_true(value_bool(yes[i], strlen(yes[i]), &value));
		assert_true(value);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		assert_true(value_bool(no[i], strlen(no[i]), &value));
		assert_false(value);
	}
	for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
		assert_false(
		    value_bool(neither[i], strlen(neither[i]), &value));
}

struct limit_row {
	const char *text;
	bool sizes;
	bool valid;
	uint64_t soft;
	uint64_t hard;
};

static void
limits(void **state)
{
	static const struct limit_row rows[] = {
		{ "5", false, true, 5, 5 },
		{ "5:6", false, true, 5, 6 },
		{ "6:5", false, true, 6, 5 },
		{ "unlimited", false, true, UINT64_MAX, UINT64_MAX },
		{ "0:unlimited", true, true, 0, UINT64_MAX },
		{ "8m:1g", true, true, 8 << 20, 1 << 30 },
		{ "8m", false, false, 0, 0 },
		{ "1:2:3", false, false, 0, 0 },
		{ ":5", false, false, 0, 0 },
		{ "5:", false, false, 0, 0 },
		{ "-1", false, false, 0, 0 },
		{ "-1", true, false, 0, 0 },
		{ "", true, false, 0, 0 },
		{ "infinity", true, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct limit_row *row = &rows[i];
		uint64_t soft = 0;
		uint64_t hard = 0;

		if (value_limit(row->text, strlen(row->text), row->sizes,
		    &soft, &hard) != row->valid ||
		    soft != row->soft || hard != row->hard)
			fail_msg("\"%s\"", row->text);
	}
}

static void
names(void **state)
{
	static const char longest[] = "0123456789012345678901234567890123"
				      "456789012345678901234567890123";

	(void)state;
	assert_int_equal(strlen(longest), 64);
	assert_true(value_service_name(longest, 64));
	assert_false(value_service_name("x0123456789012345678901234567890123"
	    "456789012345678901234567890123", 65));
	assert_true(value_service_name("A-z.0_+", 7));
	assert_false(value_service_name("", 0));
	assert_false(value_service_name("a b", 3));
	assert_false(value_service_name("a/b", 3));
	assert_false(value_service_name("a\0b", 3));
	assert_true(value_variable("_A1", 3));
	assert_false(value_variable("1A", 2));
	assert_false(value_variable("A-B", 3));
	assert_false(value_variable("A\0", 2));
	assert_false(value_variable("", 0));
}

/* Bytes behind the value do not belong to it. */
static void
length_counts(void **state)
{
	int64_t value;
	bool yes;

	(void)state;
	assert_true(value_number("123", 2, &value));
	assert_int_equal(value, 12);
	assert_true(value_duration("10ms", 2, &value));
	assert_int_equal(value, 10000);
	assert_true(value_bool("yessir", 3, &yes));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(octal_numbers),
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(hundredths),
		cmocka_unit_test(booleans),
		cmocka_unit_test(limits),
		cmocka_unit_test(names),
		cmocka_unit_test(length_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
