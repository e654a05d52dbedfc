/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Times of the week at which a service is open.
 */

#include "conf/times.h"

#include <string.h>
#include <strings.h>

enum {
	DAYS = 7,
	EVERY_DAY = (1u << DAYS) - 1,
	MINUTES = 24 * 60,
	TIME_LEN = 5,		/* HH:MM */
	DAY_LEN = 3,
};

static const char day_names[DAYS][DAY_LEN + 1] = {
	"sun", "mon", "tue", "wed", "thu", "fri", "sat",
};

static bool
parse_day(const char *text, size_t len, unsigned *day)
{
	for (*day = 0; len >= DAY_LEN && *day < DAYS; (*day)++)
		if (strncasecmp(text, day_names[*day], DAY_LEN) == 0)
			return true;
	return false;
}

/* One of those between commas. */
static bool
parse_days_part(const char *text, size_t len, uint8_t *days)
{
	unsigned first, last;

	if (!parse_day(text, len, &first))
		return false;
	last = first;
	if (len > DAY_LEN && (text[DAY_LEN] != '-' ||
	    len != 2 * DAY_LEN + 1 ||
	    !parse_day(text + DAY_LEN + 1, DAY_LEN, &last)))
		return false;
	for (unsigned day = first;; day = (day + 1) % DAYS) {
		*days |= (uint8_t)(1u << day);
		if (day == last)
			return true;
	}
}

static bool
parse_days(const char *text, size_t len, uint8_t *days)
{
	const char *comma;

	while ((comma = memchr(text, ',', len)) != NULL) {
		size_t part = (size_t)(comma - text);

		if (!parse_days_part(text, part, days))
			return false;
		text += part + 1;
		len -= part + 1;
	}
	return parse_days_part(text, len, days);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* HH:MM, at most 24:00. */
static bool
parse_time(const char *text, uint16_t *minute)
{
	if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' ||
	    !is_digit(text[3]) || !is_digit(text[4]) || text[3] > '5')
		return false;
	*minute = (uint16_t)(((text[0] - '0') * 10 + (text[1] - '0')) * 60 +
	    (text[3] - '0') * 10 + (text[4] - '0'));
	return *minute <= MINUTES;
}

const char *
times_parse(struct conf_window *window, const char *text, size_t len)
{
	static const char form[] =
	    "must be like \"mon-fri 08:00-18:00\" or \"22:00-06:00\"";
	const char *space = memchr(text, ' ', len);
	struct conf_window read = { .days = 0 };

	if (space == NULL) {
		read.days = EVERY_DAY;
	} else {
		size_t days = (size_t)(space - text);

		if (!parse_days(text, days, &read.days))
			return "the days must be like mon, mon-fri or sat,sun";
		while (days < len && text[days] == ' ')
			days++;
		text += days;
		len -= days;
	}
	if (len != 2 * TIME_LEN + 1 || text[TIME_LEN] != '-' ||
	    !parse_time(text, &read.from) ||
	    !parse_time(text + TIME_LEN + 1, &read.to))
		return form;
	if (read.from == MINUTES)
		return "begins at 24:00, which is 00:00 of the next day";
	if (read.from == read.to)
		return "begins and ends at the same time; a whole day is "
		    "00:00-24:00";
	/* 00:00 as the end is that of the day. */
	if (read.to == 0)
		read.to = MINUTES;
	*window = read;
	return NULL;
}

static bool
window_has(const struct conf_window *window, unsigned weekday, unsigned minute)
{
	bool today = (window->days & (1u << weekday)) != 0;
	bool since_yesterday =
	    (window->days & (1u << (weekday + DAYS - 1) % DAYS)) != 0;

	if (window->from < window->to)
		return today && minute >= window->from && minute < window->to;
	return (today && minute >= window->from) ||
	    (since_yesterday && minute < window->to);
}

bool
times_have(const struct conf_window *windows, size_t count, unsigned weekday,
    unsigned minute)
{
	for (size_t i = 0; i < count; i++)
		if (window_has(&windows[i], weekday, minute))
			return true;
	return false;
}
