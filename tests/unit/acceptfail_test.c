/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/* What is done after each error of accept(2), and how pauses grow. */

#include "frontend/acceptfail.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
each_error_has_its_class(void **state)
{
	static const struct {
		int error;
		enum acceptfail_class class;
	} rows[] = {
		{ EINTR, ACCEPTFAIL_NEXT }, { ECONNABORTED, ACCEPTFAIL_NEXT },
		{ EPROTO, ACCEPTFAIL_NEXT }, { ECONNRESET, ACCEPTFAIL_NEXT },
		{ ETIMEDOUT, ACCEPTFAIL_NEXT }, { ENETDOWN, ACCEPTFAIL_NEXT },
		{ ENOPROTOOPT, ACCEPTFAIL_NEXT },
		{ EHOSTDOWN, ACCEPTFAIL_NEXT }, { ENONET, ACCEPTFAIL_NEXT },
		{ EHOSTUNREACH, ACCEPTFAIL_NEXT },
		{ ENETUNREACH, ACCEPTFAIL_NEXT }, { ENOSR, ACCEPTFAIL_NEXT },
		{ ESOCKTNOSUPPORT, ACCEPTFAIL_NEXT },
		{ EPROTONOSUPPORT, ACCEPTFAIL_NEXT },
		{ EPERM, ACCEPTFAIL_ODD }, { EIO, ACCEPTFAIL_ODD },
		{ 4000, ACCEPTFAIL_ODD }, { EMFILE, ACCEPTFAIL_LIMIT },
		{ ENFILE, ACCEPTFAIL_TABLE }, { ENOBUFS, ACCEPTFAIL_MEMORY },
		{ ENOMEM, ACCEPTFAIL_MEMORY },
		{ EOPNOTSUPP, ACCEPTFAIL_KIND },
		{ EINVAL, ACCEPTFAIL_BROKEN }, { EBADF, ACCEPTFAIL_BROKEN },
		{ ENOTSOCK, ACCEPTFAIL_BROKEN },
		{ EFAULT, ACCEPTFAIL_BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(acceptfail_classify(rows[i].error),
		    rows[i].class);
}

/* The error again and again: these are the pauses, from the first on. */
static void
expect_pauses(int error, uint32_t before, const uint32_t *pauses, size_t count)
{
	struct acceptfail fail = { 0 };

	for (uint32_t i = 0; i < before; i++)
		assert_int_equal(acceptfail_note(&fail, error).pause_msec, 0);
	for (size_t i = 0; i < count; i++) {
		const struct acceptfail_action action = acceptfail_note(&fail,
		    error);

		assert_int_equal(action.pause_msec, pauses[i]);
		assert_true(action.tell);
		assert_int_equal(action.shed, error == EMFILE ||
		    error == ENFILE);
	}
	/* A connection ends it, and all begins anew. */
	assert_true(acceptfail_clear(&fail));
	assert_false(acceptfail_clear(&fail));
	for (uint32_t i = 0; i < before; i++)
		assert_int_equal(acceptfail_note(&fail, error).pause_msec, 0);
	assert_int_equal(acceptfail_note(&fail, error).pause_msec, pauses[0]);
}

#define EXPECT_PAUSES(error, before, ...)				\
	expect_pauses(error, before, (const uint32_t[]){ __VA_ARGS__ },	\
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void
pauses_are_those_of_the_class(void **state)
{
	(void)state;
	EXPECT_PAUSES(EMFILE, 0, 100, 100, 100);
	EXPECT_PAUSES(ENFILE, 0, 250, 500, 1000, 2000, 2000);
	EXPECT_PAUSES(ENOMEM, 0, 100, 200, 400, 800, 1000);
	EXPECT_PAUSES(EOPNOTSUPP, 16, 1000, 2000, 4000, 8000, 16000, 30000,
	    30000);
	EXPECT_PAUSES(EINVAL, 3, 1000, 2000, 4000, 8000, 16000, 30000);
	EXPECT_PAUSES(ECONNABORTED, 64, 100);
	EXPECT_PAUSES(EPERM, 64, 100);
}

static void
connections_that_have_died_are_not_told(void **state)
{
	struct acceptfail fail = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_false(acceptfail_note(&fail, ECONNABORTED).tell);
		assert_false(acceptfail_clear(&fail));
	}
	/* What is not known is. */
	assert_true(acceptfail_note(&fail, EPERM).tell);
	assert_false(acceptfail_clear(&fail));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_has_its_class),
		cmocka_unit_test(pauses_are_those_of_the_class),
		cmocka_unit_test(connections_that_have_died_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
