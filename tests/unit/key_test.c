/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of keys: consistent in itself, and all of it in the manual.
 */

#include "conf/key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/purpose.h"
#include "conf/suggest.h"

enum {
	MANUAL_MAX = 1 << 20,
};

static void
every_row_is_filled(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		assert_non_null(keys[i].name);
		assert_int_not_equal(keys[i].scopes, 0);
		assert_true(keys[i].shape > KEY_LIST ||
		    keys[i].kind != KIND_NONE);
		assert_true(keys[i].kind != KIND_WORD ||
		    keys[i].words != NULL);
	}
}

static void
names_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const char *name = keys[i].name;
		size_t len = strlen(name);

		assert_ptr_equal(key_find(keys[i].scopes, name, len),
		    &keys[i]);
		assert_ptr_not_equal(key_find(keys[i].scopes, name, len - 1),
		    &keys[i]);
	}
	assert_null(key_find(~0u, "service\0x", 9));
	assert_null(key_find(KEY_IN_DEFAULTS, "listen", 6));
	assert_ptr_equal(key_find(KEY_IN_LIMITS, "nice", 4),
	    &keys[KEY_LIMIT_NICE]);
}

/* What says what a service does has a meaning for all, and so has the rest. */
static void
keys_are_for_some_services(void **state)
{
	static const enum key_id for_all[] = { KEY_LISTEN, KEY_EXEC,
		KEY_BUILTIN, KEY_REDIRECT, KEY_INSTANCES, KEY_DISABLED,
		KEY_LOG_CONNECTIONS };

	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		unsigned inside = KEY_IN_BOTH | KEY_IN_LIMITS;

		assert_true((keys[i].scopes & inside) != 0 ||
		    keys[i].does == 0);
		assert_true(keys[i].home != KEY_HOME_IDENTITY ||
		    keys[i].does == DOES_PROGRAM);
		assert_true(key_applies(&keys[i], 0));
	}
	for (size_t i = 0; i < sizeof(for_all) / sizeof(for_all[0]); i++)
		assert_int_equal(keys[for_all[i]].does, 0);
	assert_true(key_applies(&keys[KEY_TEXT], DOES_TEXT));
	assert_false(key_applies(&keys[KEY_TEXT], DOES_TRAP));
	assert_true(key_applies(&keys[KEY_ACTIVATION], DOES_WAIT));
	assert_false(key_applies(&keys[KEY_ACTIVATION], DOES_EXEC));
	assert_false(key_applies(&keys[KEY_BANNER], DOES_WAIT));
}

static void
purposes(void **state)
{
	const struct conf_list one = { 8, 1 };
	static const struct {
		enum conf_builtin builtin;
		enum purpose wanted;
	} rows[] = {
		{ CONF_BUILTIN_ECHO, DOES_ANSWER },
		{ CONF_BUILTIN_TIME, DOES_ANSWER },
		{ CONF_BUILTIN_TCPMUX, DOES_TCPMUX },
		{ CONF_BUILTIN_TRAP, DOES_TRAP },
		{ CONF_BUILTIN_TEXT, DOES_TEXT },
	};
	struct conf_service svc = { 0 };

	(void)state;
	assert_int_equal(purpose_of(&svc), 0);
	svc.exec = one;
	assert_int_equal(purpose_of(&svc), DOES_EXEC);
	svc.pty = true;
	assert_int_equal(purpose_of(&svc), DOES_PTY);
	svc.wait = true;
	assert_int_equal(purpose_of(&svc), DOES_WAIT);
	svc = (struct conf_service){ .redirect_text = one };
	assert_int_equal(purpose_of(&svc), DOES_REDIRECT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		svc = (struct conf_service){
			.builtin = (uint8_t)rows[i].builtin
		};
		assert_int_equal(purpose_of(&svc), rows[i].wanted);
	}
}

static void
suggestions(void **state)
{
	static const struct {
		const char *text;
		int wanted;	/* -1: none */
	} rows[] = {
		{ "lisen", KEY_LISTEN },
		{ "listne", KEY_LISTEN },
		{ "Listen", KEY_LISTEN },
		{ "exce", KEY_EXEC },
		{ "usr", KEY_USER },
		{ "instance", KEY_INSTANCES },
		{ "log_connection", KEY_LOG_CONNECTIONS },
		{ "keep_alive", KEY_KEEPALIVE },
		{ "xyzzy", -1 },
		{ "", -1 },
		{ "q", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct key *key = key_suggest(KEY_IN_SERVICE,
		    rows[i].text, strlen(rows[i].text));
		int id = key != NULL ? (int)(key - keys) : -1;

		if (id != rows[i].wanted)
			fail_msg("\"%s\" is %s", rows[i].text,
			    key != NULL ? key->name : "unknown");
	}
}

static bool
manual_has(const char *manual, const char *name)
{
	char item[80];
	size_t len = (size_t)snprintf(item, sizeof(item), "\n.It Ic %s", name);

	for (const char *p = strstr(manual, item); p != NULL;
	    p = strstr(p + 1, item))
		if (p[len] == '\n' || p[len] == ' ')
			return true;
	return false;
}

/* The tests run in the directory of the Makefile. */
static char *
read_manual(void)
{
	FILE *in = fopen("man/minetd.conf.5", "r");
	char *text = calloc(1, MANUAL_MAX + 1);

	if (in == NULL)
		fail_msg("man/minetd.conf.5: %s", strerror(errno));
	assert_non_null(text);
	assert_in_range(fread(text, 1, MANUAL_MAX, in), 1, MANUAL_MAX - 1);
	fclose(in);
	return text;
}

static void
manual_is_complete(void **state)
{
	char *manual = read_manual();
	int missing = 0;

	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (manual_has(manual, keys[i].name))
			continue;
		print_error("man/minetd.conf.5 lacks %s\n", keys[i].name);
		missing++;
	}
	free(manual);
	assert_int_equal(missing, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_filled),
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(keys_are_for_some_services),
		cmocka_unit_test(purposes),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(manual_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
