/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read the values that configuration keys take.
 *
 * strtonum(3) reads the digits, but it would also take blanks, a plus sign
 * and leading zeros, which mean something else elsewhere: the form is checked
 * first.
 */

#include "conf/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	DIGITS_MAX = 20,	/* with the sign */
	OCTAL_DIGITS_MAX = 4,
	RATE_MAX = 1000000,	/* also of a burst */
	RATE_PER_MSEC_MAX = 1000,
	NSEC_PER_MSEC = 1000000,
};

static const int64_t rate_msec_max = INT64_C(30) * 86400 * 1000;

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit time_units[] = {
	{ "", 1000 },
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", INT64_C(60) * 1000 },
	{ "h", INT64_C(3600) * 1000 },
	{ "d", INT64_C(86400) * 1000 },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "k", INT64_C(1) << 10 },
	{ "m", INT64_C(1) << 20 },
	{ "g", INT64_C(1) << 30 },
	{ NULL, 0 },
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
text_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool
text_is_nocase(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static size_t
count_digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_digit(text[n]))
		n++;
	return n;
}

/* A number followed by the name of one of the units. */
static bool
scaled_number(const char *text, size_t len, const struct unit *units,
    int64_t *value)
{
	size_t digits = count_digits(text, len);
	int64_t number;

	if (!value_number(text, digits, &number))
		return false;
	const struct unit *unit = units;
	while (unit->name != NULL &&
	    !text_is(text + digits, len - digits, unit->name))
		unit++;
	if (unit->name == NULL ||
	    __builtin_mul_overflow(number, unit->factor, &number))
		return false;
	*value = number;
	return true;
}

static bool
one_limit(const char *text, size_t len, bool sizes, uint64_t *value)
{
	int64_t number;

	if (text_is(text, len, "unlimited")) {
		*value = UINT64_MAX;
		return true;
	}
	if (sizes ? !value_size(text, len, &number) :
	    !value_number(text, len, &number))
		return false;
	if (number < 0)
		return false;
	*value = (uint64_t)number;
	return true;
}

bool
value_bool(const char *text, size_t len, bool *value)
{
	if (text_is_nocase(text, len, "yes") ||
	    text_is_nocase(text, len, "true") ||
	    text_is_nocase(text, len, "on"))
		*value = true;
	else if (text_is_nocase(text, len, "no") ||
	    text_is_nocase(text, len, "false") ||
	    text_is_nocase(text, len, "off"))
		*value = false;
	else
		return false;
	return true;
}

bool
value_number(const char *text, size_t len, int64_t *value)
{
	char digits[DIGITS_MAX + 1] = "";
	size_t sign = len > 0 && text[0] == '-' ? 1 : 0;

	if (len == sign || len > DIGITS_MAX ||
	    count_digits(text + sign, len - sign) != len - sign)
		return false;
	if (text[sign] == '0' && len > 1)
		return false;
	memcpy(digits, text, len);
	const char *error = NULL;
	int64_t number = strtonum(digits, INT64_MIN, INT64_MAX, &error);
	if (error != NULL)
		return false;
	*value = number;
	return true;
}

bool
value_octal(const char *text, size_t len, int64_t *value)
{
	int64_t number = 0;

	if (len == 0 || len > OCTAL_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '7')
			return false;
		number = number * 8 + (text[i] - '0');
	}
	*value = number;
	return true;
}

bool
value_duration(const char *text, size_t len, int64_t *msec)
{
	return scaled_number(text, len, time_units, msec);
}

/* A whole number from 1 to max. */
static bool
count_of(const char *text, size_t len, int64_t max, uint32_t *value)
{
	int64_t number;

	if (!value_number(text, len, &number) || number < 1 || number > max)
		return false;
	*value = (uint32_t)number;
	return true;
}

bool
value_rate(const char *text, size_t len, struct conf_rate *rate)
{
	const char *slash = memchr(text, '/', len);
	const char *colon = memchr(text, ':', len);
	const char *end = colon != NULL ? colon : text + len;
	struct conf_rate read;
	char time[DIGITS_MAX + 4] = "1";
	int64_t msec;

	if (slash == NULL || slash > end ||
	    end - slash - 1 > DIGITS_MAX ||
	    !count_of(text, (size_t)(slash - text), RATE_MAX, &read.count))
		return false;
	/* "/s" is "/1s". */
	size_t one = slash + 1 < end && !is_digit(slash[1]);
	size_t time_len = (size_t)(end - slash - 1);
	memcpy(time + one, slash + 1, time_len);
	time_len += one;
	if (time_len == 0 || !value_duration(time, time_len, &msec) ||
	    msec < 1 || msec > rate_msec_max ||
	    read.count > msec * RATE_PER_MSEC_MAX)
		return false;
	read.interval_msec = (uint32_t)msec;
	read.burst = read.count;
	if (colon != NULL && !count_of(colon + 1,
	    (size_t)(text + len - colon - 1), RATE_MAX, &read.burst))
		return false;
	/* The time in which it fills must be a number. */
	if (msec * NSEC_PER_MSEC / read.count >= INT64_MAX / 4 / read.burst)
		return false;
	*rate = read;
	return true;
}

bool
value_hundredths(const char *text, size_t len, int64_t *hundredths)
{
	const char *dot = memchr(text, '.', len);
	size_t whole_len = dot != NULL ? (size_t)(dot - text) : len;
	size_t decimals = dot != NULL ? len - whole_len - 1 : 0;
	int64_t whole, part = 0;

	if (!value_number(text, whole_len, &whole) || whole < 0 ||
	    whole > INT32_MAX || text[0] == '-' ||
	    (dot != NULL && (decimals < 1 || decimals > 2 ||
	    count_digits(dot + 1, decimals) != decimals)))
		return false;
	for (size_t i = 0; i < 2; i++)
		part = part * 10 + (i < decimals ? dot[1 + i] - '0' : 0);
	*hundredths = whole * 100 + part;
	return true;
}

bool
value_size(const char *text, size_t len, int64_t *bytes)
{
	return scaled_number(text, len, size_units, bytes);
}

bool
value_limit(const char *text, size_t len, bool sizes, uint64_t *soft,
    uint64_t *hard)
{
	const char *colon = memchr(text, ':', len);
	size_t soft_len = colon != NULL ? (size_t)(colon - text) : len;
	uint64_t first;
	uint64_t second;

	if (!one_limit(text, soft_len, sizes, &first))
		return false;
	second = first;
	if (colon != NULL &&
	    !one_limit(colon + 1, len - soft_len - 1, sizes, &second))
		return false;
	*soft = first;
	*hard = second;
	return true;
}

bool
value_service_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || (!is_letter(text[i]) &&
		    !is_digit(text[i]) && strchr("._+-", text[i]) == NULL))
			return false;
	return len > 0 && len <= CONF_NAME_MAX;
}

bool
value_variable(const char *text, size_t len)
{
	if (len == 0 || is_digit(text[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) &&
		    text[i] != '_')
			return false;
	return true;
}

bool
value_connection_variable(const char *text, size_t len)
{
	static const char *const names[] = {
		"MINETD_ID", "MINETD_SERVICE", "PROTO", "PROXY_ADDR",
		"PROXY_PORT", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT",
		"TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEIP", "TCPREMOTEPORT",
		"UDPLOCALIP", "UDPLOCALPORT", "UDPREMOTEIP", "UDPREMOTEPORT",
		"UNIXREMOTEGID", "UNIXREMOTEPID", "UNIXREMOTEUID",
		"VSOCKREMOTECID", "VSOCKREMOTEPORT",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len &&
		    memcmp(names[i], text, len) == 0)
			return true;
	return false;
}
