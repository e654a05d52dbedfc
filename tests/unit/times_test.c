/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Times of the week: what is one, what is none, and which minutes are in them.
 */

#include "conf/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	DAYS = 7,
	MINUTES = 24 * 60,
	WEEK = DAYS * MINUTES,
	ROUNDS = 300,
	WINDOWS_MAX = 4,
	SUN = 1, MON = 2, TUE = 4, WED = 8, THU = 16, FRI = 32, SAT = 64,
	ALL = 127,
};

struct valid_row {
	const char *text;
	unsigned days;
	unsigned from;
	unsigned to;
};

static void
what_is_a_window(void **state)
{
	static const struct valid_row rows[] = {
		{ "08:00-18:00", ALL, 480, 1080 },
		{ "00:00-24:00", ALL, 0, 1440 },
		{ "00:00-00:01", ALL, 0, 1 },
		{ "23:59-24:00", ALL, 1439, 1440 },
		{ "22:00-06:00", ALL, 1320, 360 },
		{ "22:00-00:00", ALL, 1320, 1440 },
		{ "mon 08:00-18:00", MON, 480, 1080 },
		{ "MON 08:00-18:00", MON, 480, 1080 },
		{ "mon   08:00-18:00", MON, 480, 1080 },
		{ "sun 00:00-24:00", SUN, 0, 1440 },
		{ "mon-fri 08:00-18:00", MON | TUE | WED | THU | FRI, 480,
		    1080 },
		{ "fri-mon 08:00-18:00", FRI | SAT | SUN | MON, 480, 1080 },
		{ "sat-sun 08:00-18:00", SAT | SUN, 480, 1080 },
		{ "sun-sat 08:00-18:00", ALL, 480, 1080 },
		{ "mon-sun 08:00-18:00", ALL, 480, 1080 },
		{ "tue-tue 08:00-18:00", TUE, 480, 1080 },
		{ "sat,sun 08:00-18:00", SAT | SUN, 480, 1080 },
		{ "wed,wed 08:00-18:00", WED, 480, 1080 },
		{ "mon-tue,thu,sat-sun 08:00-18:00",
		    MON | TUE | THU | SAT | SUN, 480, 1080 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct valid_row *row = &rows[i];
		struct conf_window window = { .days = 0 };
		const char *error = times_parse(&window, row->text,
		    strlen(row->text));

		if (error != NULL || window.days != row->days ||
		    window.from != row->from || window.to != row->to)
			fail_msg("\"%s\": %s: days %x, %u to %u", row->text,
			    error != NULL ? error : "is one", window.days,
			    window.from, window.to);
	}
}

static void
what_is_none(void **state)
{
	static const char *const rows[] = {
		"", " ", "mon", "mon ", "mon-fri", "08:00", "08:00-",
		"-18:00", "8:00-18:00", "08:00-18", "08:00-18:0",
		"08:00-18:000", "08:00 - 18:00", " 08:00-18:00",
		"08:00-18:00 ", "08:00-18:00 mon", "08.00-18.00",
		"08:60-18:00", "08:00-18:60", "24:01-18:00", "08:00-24:01",
		"25:00-26:00", "99:99-00:00", "-8:00-18:00", "+8:00-18:00",
		"0x:00-18:00", "24:00-08:00", "24:00-24:00", "08:00-08:00",
		"00:00-00:00", "08:00-18:00,20:00-22:00",
		"monday 08:00-18:00", "mo 08:00-18:00", "m 08:00-18:00",
		"xyz 08:00-18:00", "mon, 08:00-18:00", ",mon 08:00-18:00",
		"mon,,tue 08:00-18:00", "mon- 08:00-18:00",
		"-fri 08:00-18:00", "mon-fri-sun 08:00-18:00",
		"mon--fri 08:00-18:00", "mon,tue wed 08:00-18:00",
		"1-5 08:00-18:00", "* 08:00-18:00", "mon\t08:00-18:00",
		"montue 08:00-18:00", "mon-frix 08:00-18:00",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conf_window window = { .days = 0 };

		if (times_parse(&window, rows[i], strlen(rows[i])) == NULL)
			fail_msg("\"%s\" is one", rows[i]);
		/* Nothing of it stays. */
		assert_int_equal(window.days, 0);
	}
}

/* Neither is what stands behind the text read, nor what is cut off known. */
static void
length_counts(void **state)
{
	static const char text[] = "mon-fri 08:00-18:00";
	char exact[sizeof(text) - 1];
	struct conf_window window;

	(void)state;
	for (size_t len = 0; len < sizeof(exact); len++) {
		memcpy(exact, text, len);
		assert_non_null(times_parse(&window, exact, len));
	}
	memcpy(exact, text, sizeof(exact));
	assert_null(times_parse(&window, exact, sizeof(exact)));
	assert_null(times_parse(&window, "08:00-18:00:00", 11));
	assert_int_equal(window.to, 1080);
	assert_non_null(times_parse(&window, "mon\0 08:00-18:00", 16));
}

static bool
have(const struct conf_window *window, unsigned weekday, unsigned minute)
{
	return times_have(window, 1, weekday, minute);
}

static void
a_window_belongs_to_the_day_on_which_it_begins(void **state)
{
	static const char text[] = "sat 22:00-06:00";
	struct conf_window window;

	(void)state;
	assert_null(times_parse(&window, text, strlen(text)));
	assert_false(have(&window, 6, 0));
	assert_false(have(&window, 6, 359));
	assert_false(have(&window, 6, 1319));
	assert_true(have(&window, 6, 1320));
	assert_true(have(&window, 6, 1439));
	assert_true(have(&window, 0, 0));
	assert_true(have(&window, 0, 359));
	assert_false(have(&window, 0, 360));
	assert_false(have(&window, 0, 1320));
}

static void
no_window_is_never(void **state)
{
	(void)state;
	for (unsigned minute = 0; minute < WEEK; minute++)
		assert_false(times_have(NULL, 0, minute / MINUTES,
		    minute % MINUTES));
}

/* The same sequence each time. */
static unsigned
random_below(uint64_t *seed, unsigned limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (unsigned)(*seed >> 33) % limit;
}

struct model {
	bool week[WEEK];	/* from Sunday, minute by minute */
	char text[128];
};

/* Some days: their text is added, and they are marked in days. */
static void
model_days(struct model *model, bool days[DAYS], uint64_t *seed)
{
	static const char names[] = "SunMonTueWedThuFriSat";
	unsigned parts = random_below(seed, 4);
	size_t len = 0;

	for (unsigned day = 0; day < DAYS; day++)
		days[day] = parts == 0;
	for (unsigned i = 0; i < parts; i++) {
		unsigned first = random_below(seed, DAYS);
		unsigned more = random_below(seed, DAYS);

		for (unsigned day = 0; day <= more; day++)
			days[(first + day) % DAYS] = true;
		len += (size_t)snprintf(model->text + len,
		    sizeof(model->text) - len, "%s%.3s", i == 0 ? "" : ",",
		    names + (size_t)first * 3);
		if (more > 0)
			len += (size_t)snprintf(model->text + len,
			    sizeof(model->text) - len, "-%.3s",
			    names + (size_t)((first + more) % DAYS) * 3);
	}
	snprintf(model->text + len, sizeof(model->text) - len, "%s",
	    parts == 0 ? "" : " ");
}

/* One window more: minute by minute from its beginning to its end. */
static void
model_add(struct model *model, uint64_t *seed)
{
	bool days[DAYS];
	unsigned from = random_below(seed, MINUTES);
	unsigned length = 1 + random_below(seed, MINUTES - 1);
	unsigned to = (from + length) % MINUTES;
	size_t len;

	model_days(model, days, seed);
	for (unsigned day = 0; day < DAYS; day++)
		for (unsigned i = 0; days[day] && i < length; i++)
			model->week[(day * MINUTES + from + i) % WEEK] = true;
	/* The end of a day has two names. */
	if (to == 0 && random_below(seed, 2) == 0)
		to = MINUTES;
	len = strlen(model->text);
	snprintf(model->text + len, sizeof(model->text) - len,
	    "%02u:%02u-%02u:%02u", from / 60, from % 60, to / 60, to % 60);
}

static void
each_minute_is_as_if_it_were_counted(void **state)
{
	static struct model model;
	uint64_t seed = 5;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct conf_window windows[WINDOWS_MAX];
		unsigned count = 1 + random_below(&seed, WINDOWS_MAX);

		memset(model.week, 0, sizeof(model.week));
		for (unsigned i = 0; i < count; i++) {
			model_add(&model, &seed);
			if (times_parse(&windows[i], model.text,
			    strlen(model.text)) != NULL)
				fail_msg("\"%s\" is none", model.text);
		}
		for (unsigned i = 0; i < WEEK; i++)
			if (times_have(windows, count, i / MINUTES,
			    i % MINUTES) != model.week[i])
				fail_msg("round %u: day %u, %02u:%02u; last "
				    "\"%s\"", round, i / MINUTES,
				    i % MINUTES / 60, i % 60, model.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_window),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(length_counts),
		cmocka_unit_test(
		    a_window_belongs_to_the_day_on_which_it_begins),
		cmocka_unit_test(no_window_is_never),
		cmocka_unit_test(each_minute_is_as_if_it_were_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
