/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What the pre-scan lets pass to libconfuse, and on which line it complains.
 */

#include "conf/prescan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *input;
	const char *passed;	/* statements, NULL: not compared */
	const char *complaints;
};

static void
check_row(const struct row *row)
{
	struct complaints *complaints = complaints_new();
	struct prescan prescan;

	complaints_add_file(complaints, "f");
	prescan_init(&prescan, row->input, strlen(row->input), complaints, 0);
	char *text = complaints_text(complaints);
	assert_string_equal(text, row->complaints);
	if (row->passed != NULL) {
		assert_int_equal(prescan.len, strlen(row->passed));
		assert_memory_equal(prescan.text, row->passed, prescan.len);
	}
	free(text);
	prescan_fini(&prescan);
	complaints_free(complaints);
}

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void
sound_statements(void **state)
{
	static const struct row rows[] = {
		{ "", "", "" },
		{ "log = stderr", " log = stderr", "" },
		{ "log\n=\n\nstderr", " log\n =\n\n stderr", "" },
		{ "# x\nlog = /* y\n */ \"a\" // z", " log =\n \"a\"", "" },
		{ "log = a strict = yes", " log = a strict = yes", "" },
		{ "log = \"\\\"#\"", " log = \"\\\"#\"", "" },
		{ "log = '\\'\"'", " log = '\\'\"'", "" },
		{ "log=\"a\nb\"\nstrict=no", " log = \"a\nb\" strict = no",
		    "" },
		{ "service a {\n\texec = {}\n}",
		    " service a {\n exec = { }\n }", "" },
		{ "defaults { limits { nofile = 1 } }",
		    " defaults { limits { nofile = 1 } }", "" },
		{ "include(\"x\")", " include ( \"x\" )", "" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void
nothing_is_expanded(void **state)
{
	static const struct row rows[] = {
		{ "log = \"${A}\"", " log = \"\\${A}\"", "" },
		{ "log = '${A}'", " log = '${A}'", "" },
		{ "log = \"\\${A}\"", " log = \"\\${A}\"", "" },
		{ "log = \"\\\\${A}\"", " log = \"\\\\\\${A}\"", "" },
		{ "log = \"$${\"", " log = \"$\\${\"", "" },
		{ "log = \"$A\"", " log = \"$A\"", "" },
		{ "log = ${A}", "",
		    "f:1: syntax: a value with \"$\" needs quotes\n" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* An error costs its statement, and none behind it. */
static void
recovery(void **state)
{
	static const struct row rows[] = {
		{ "bogus = 1 log = a", " log = a",
		    "f:1: bogus: unknown key\n" },
		{ "bogus = {1,\n2}\nlog = a", " log = a",
		    "f:1: bogus: unknown key\n" },
		{ "bogus {\n{ } x = } }\nlog = a", NULL,
		    "f:1: bogus: unknown key\n"
		    "f:2: syntax: there is a closing brace too many\n" },
		{ "bogus {\n}\nlog = a", " log = a",
		    "f:1: bogus: unknown key\n" },
		{ "bogus \"x\" { y = 1 }\nlog = a", " log = a",
		    "f:1: bogus: unknown key\n" },
		{ "bogus(1, 2)\nlog = a", " log = a",
		    "f:1: bogus: unknown key\n" },
		{ "log 5\nstrict = no", " strict = no",
		    "f:1: log: an equals sign is missing behind the key\n" },
		{ "log =\nstrict = no", " strict = no",
		    "f:1: log: a value is missing here\n" },
		{ "log = \"x\nstrict = no", " strict = no",
		    "f:1: syntax: this string is never closed\n" },
		{ "log = \"x\npid_file = \"y\"", " pid_file = \"y\"",
		    "f:1: syntax: this string is never closed\n" },
		{ "service a {\nexec = {\"x\"\nnice = 1\n}\nlog = a",
		    " service a {\n\n nice = 1\n } log = a",
		    "f:2: exec: a comma or a closing brace is missing here\n" },
		{ "service a {\nnice = 1\nservice b {\n}",
		    " service a {\n nice = 1} service b {\n }",
		    "f:1: service: the brace of this section is never "
		    "closed\n" },
		{ "log = /* x\n\n", "",
		    "f:1: log: a value is missing here\n"
		    "f:1: syntax: this comment is never closed\n" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void
nul_bytes(void **state)
{
	static const char text[] = "log = a\n\n\0\nstrict = no\nlog\0 = 1";
	struct complaints *complaints = complaints_new();
	struct prescan prescan;

	(void)state;
	complaints_add_file(complaints, "f");
	prescan_init(&prescan, text, sizeof(text) - 1, complaints, 0);
	char *lines = complaints_text(complaints);
	assert_string_equal(lines, "f:3: syntax: there is a NUL byte\n"
	    "f:5: syntax: there is a NUL byte\n");
	assert_int_equal(prescan.statement_count, 2);
	free(lines);
	prescan_fini(&prescan);
	complaints_free(complaints);
}

static void
statements_and_keys(void **state)
{
	static const char text[] = "log = a\n\nservice s {\n nice = 1\n"
				   " env += x\n env += y\n"
				   " limits {\n  core = 0\n }\n bogus = 1\n}";
	struct complaints *complaints = complaints_new();
	struct prescan prescan;

	(void)state;
	complaints_add_file(complaints, "f");
	prescan_init(&prescan, text, strlen(text), complaints, 0);
	assert_int_equal(prescan.statement_count, 2);
	assert_int_equal(prescan.statements[0].line, 1);
	assert_false(prescan.statements[0].damaged);
	const struct prescan_statement *service = &prescan.statements[1];
	assert_ptr_equal(service->key, &keys[KEY_SERVICE]);
	assert_int_equal(service->line, 3);
	assert_true(service->damaged);
	assert_int_equal(service->key_count, 3);
	const struct prescan_key *seen = prescan.keys + service->first_key;
	assert_ptr_equal(seen[0].key, &keys[KEY_NICE]);
	assert_false(seen[0].append);
	assert_ptr_equal(seen[1].key, &keys[KEY_ENV]);
	assert_int_equal(seen[1].line, 5);
	assert_true(seen[1].append);
	assert_ptr_equal(seen[2].key, &keys[KEY_LIMIT_CORE]);
	assert_int_equal(seen[2].line, 8);
	prescan_fini(&prescan);
	complaints_free(complaints);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_statements),
		cmocka_unit_test(nothing_is_expanded),
		cmocka_unit_test(recovery),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(statements_and_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
