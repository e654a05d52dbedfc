/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Arbitrary values: the parsers read no byte behind them, and what they
 * accept is in its range.
 */

#include "conf/value.h"

#include <stdlib.h>
#include <string.h>

#include "conf/suggest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
check_numbers(const char *text, size_t len)
{
	int64_t number;
	bool yes;

	value_bool(text, len, &yes);
	value_number(text, len, &number);
	if (value_octal(text, len, &number))
		require(number >= 0 && number <= 07777);
	if (value_duration(text, len, &number))
		require(number >= 0);
	if (value_size(text, len, &number))
		require(number >= 0);
}

static void
check_limits(const char *text, size_t len)
{
	uint64_t soft = 1;
	uint64_t hard = 1;

	if (value_limit(text, len, false, &soft, &hard) &&
	    memchr(text, ':', len) == NULL)
		require(soft == hard);
	if (value_limit(text, len, true, &soft, &hard) &&
	    memchr(text, ':', len) == NULL)
		require(soft == hard);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct suggestion best = { 0 };
	char *text = malloc(size > 0 ? size : 1);

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	check_numbers(text, size);
	check_limits(text, size);
	value_service_name(text, size);
	value_variable(text, size);
	suggest(&best, text, size, "log_connections");
	free(text);
	return 0;
}
