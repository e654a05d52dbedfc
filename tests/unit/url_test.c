/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What `listen` takes apart, and what it refuses.
 */

#include "conf/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *text;
	enum conf_transport transport;
	enum url_family family;
	enum url_host host;
	const char *name;	/* host name, literal address or path */
	const char *port;
};

static void
check_literal(const struct url *url, const char *wanted)
{
	char text[ADDR_TEXT_SIZE];

	addr_format_host(&url->addr, text);
	assert_string_equal(text, wanted);
}

static void
check_row(const struct row *row)
{
	struct url url;

	assert_null(url_parse(&url, row->text, strlen(row->text)));
	assert_int_equal(url.transport, row->transport);
	if (row->transport == CONF_UNIX) {
		assert_string_equal(url.path, row->name);
		return;
	}
	assert_int_equal(url.family, row->family);
	assert_int_equal(url.host, row->host);
	assert_int_equal(url.port_len, strlen(row->port));
	assert_memory_equal(url.port, row->port, url.port_len);
	if (row->host == URL_HOST_LITERAL)
		check_literal(&url, row->name);
	if (row->host != URL_HOST_NAME)
		return;
	assert_int_equal(url.name_len, strlen(row->name));
	assert_memory_equal(url.name, row->name, url.name_len);
}

static void
accepted(void **state)
{
	static const struct row rows[] = {
		{ "tcp://*:13", CONF_TCP, URL_FAMILY_ANY, URL_HOST_ALL, NULL,
		    "13" },
		{ "tcp4://*:0", CONF_TCP, URL_FAMILY_IP4, URL_HOST_ALL, NULL,
		    "0" },
		{ "tcp6://*:ftp", CONF_TCP, URL_FAMILY_IP6, URL_HOST_ALL,
		    NULL, "ftp" },
		{ "tcp://127.0.0.1:1", CONF_TCP, URL_FAMILY_ANY,
		    URL_HOST_LITERAL, "127.0.0.1", "1" },
		{ "tcp://[::1]:80", CONF_TCP, URL_FAMILY_ANY,
		    URL_HOST_LITERAL, "::1", "80" },
		{ "tcp6://[fe80::1%lo]:80", CONF_TCP, URL_FAMILY_IP6,
		    URL_HOST_LITERAL, "fe80::1%lo", "80" },
		{ "tcp4://[::ffff:10.0.0.1]:80", CONF_TCP, URL_FAMILY_IP4,
		    URL_HOST_LITERAL, "10.0.0.1", "80" },
		{ "tcp://www.example.org:http-alt", CONF_TCP, URL_FAMILY_ANY,
		    URL_HOST_NAME, "www.example.org", "http-alt" },
		{ "tcp6://3com_host.:80", CONF_TCP, URL_FAMILY_IP6,
		    URL_HOST_NAME, "3com_host.", "80" },
		{ "unix:///run/a b", CONF_UNIX, URL_FAMILY_ANY, URL_HOST_ALL,
		    "/run/a b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void
refused(void **state)
{
	static const char *const rows[] = {
		"", "tcp", "tcp:", "tcp:/", "tcp://", "tcp://*", "tcp://*:",
		"tcp://:80", "tcp://::1:80", "tcp://[::1]", "tcp://[::1:80",
		"tcp://[::1]x:80", "tcp://[127.0.0.1]:80", "tcp://10.1:80",
		"tcp://010.0.0.1:80", "tcp://256.1.1.1:80", "tcp://1.2.3.4.:1",
		"tcp://a b:80", "tcp://-a:80", "tcp://.a:80", "tcp://a/b:80",
		"tcp://*:8 0", "tcp4://[::1]:80", "tcp6://127.0.0.1:80",
		"tcp://[fe80::1%no-such-if]:80", "udp://*:80", "fd://x",
		"unix://", "unix://a", "unix:///a/", "unix://@a", "TCP://*:80",
		" tcp://*:80", "http://*:80",
	};
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_parse(&url, rows[i], strlen(rows[i])) == NULL)
			fail_msg("\"%s\" was accepted", rows[i]);
}

static void
path_lengths(void **state)
{
	char text[] = "unix:///23456789012345678901234567890123456789012345678"
		      "901234567890123456789012345678901234567890123456789012"
		      "345678";
	struct url url;

	(void)state;
	size_t len = strlen("unix://") + 107;
	assert_int_equal(strlen(text), len + 1);
	assert_non_null(url_parse(&url, text, len + 1));
	assert_null(url_parse(&url, text, len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(refused),
		cmocka_unit_test(path_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
