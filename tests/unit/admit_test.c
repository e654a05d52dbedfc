/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Admission as a table of values.
 */

#include "frontend/admit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
limits(void **state)
{
	static const struct {
		const char *name;
		struct admit_load load;
		enum verdict wanted;
	} rows[] = {
		{ "no limits", { 1000, 0, 5000, 0 }, VERDICT_SERVE },
		{ "below both", { 1, 2, 5, 6 }, VERDICT_SERVE },
		{ "the last instance", { 2, 2, 2, 0 }, VERDICT_FULL },
		{ "the last child", { 0, 2, 6, 6 }, VERDICT_FULL },
		{ "a lowered limit", { 9, 2, 9, 0 }, VERDICT_FULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (admit_check(&rows[i].load) != rows[i].wanted)
			fail_msg("%s", rows[i].name);
}

static void
refusals_have_names_and_nothing_else_has(void **state)
{
	(void)state;
	assert_string_equal(verdict_reason(VERDICT_FULL), "full");
	assert_null(verdict_reason(VERDICT_SERVE));
	assert_null(verdict_reason(VERDICT_COUNT));
	assert_null(verdict_reason(UINT32_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(refusals_have_names_and_nothing_else_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
