/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Values of `listen` and `redirect`: what is taken apart, what refused.
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
	if (row->port == NULL) {
		assert_string_equal(url.path, row->name);
		return;
	}
	assert_null(url.path);
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
		{ "udp://*:tftp", CONF_UDP, URL_FAMILY_ANY, URL_HOST_ALL,
		    NULL, "tftp" },
		{ "udp4://0.0.0.0:69", CONF_UDP, URL_FAMILY_IP4,
		    URL_HOST_LITERAL, "0.0.0.0", "69" },
		{ "udp6://ntp.example.org:123", CONF_UDP, URL_FAMILY_IP6,
		    URL_HOST_NAME, "ntp.example.org", "123" },
		{ "unix:///run/a b", CONF_UNIX, URL_FAMILY_ANY, URL_HOST_ALL,
		    "/run/a b", NULL },
		{ "unix://@a/b/", CONF_UNIX, URL_FAMILY_ANY, URL_HOST_ALL,
		    "@a/b/", NULL },
		{ "unix-dgram:///dev/log", CONF_UNIX_DGRAM, URL_FAMILY_ANY,
		    URL_HOST_ALL, "/dev/log", NULL },
		{ "unix-dgram://@@", CONF_UNIX_DGRAM, URL_FAMILY_ANY,
		    URL_HOST_ALL, "@@", NULL },
		{ "unix-seqpacket:///x", CONF_UNIX_SEQPACKET, URL_FAMILY_ANY,
		    URL_HOST_ALL, "/x", NULL },
		{ "unix-seqpacket://@x", CONF_UNIX_SEQPACKET, URL_FAMILY_ANY,
		    URL_HOST_ALL, "@x", NULL },
		{ "fd://echo.socket", CONF_FD, URL_FAMILY_ANY, URL_HOST_ALL,
		    "echo.socket", NULL },
		{ "fd:///", CONF_FD, URL_FAMILY_ANY, URL_HOST_ALL, "/", NULL },
		{ "tcpmux://Finger", CONF_TCPMUX, URL_FAMILY_ANY,
		    URL_HOST_ALL, "Finger", NULL },
		{ "tcpmux://helper", CONF_TCPMUX, URL_FAMILY_ANY,
		    URL_HOST_ALL, "helper", NULL },
		{ "tcpmux://a:b*", CONF_TCPMUX, URL_FAMILY_ANY, URL_HOST_ALL,
		    "a:b*", NULL },
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
		"tcp://[fe80::1%no-such-if]:80", "udp://*", "udp://*:",
		"udp4://[::1]:80", "udp6://127.0.0.1:80", "udp:///run/x",
		"unix://", "unix://a", "unix:///a/", "unix://@",
		"unix-dgram://", "unix-dgram://a", "unix-seqpacket:///a/",
		"unix-stream:///a",
		"vsock://", "vsock://1", "vsock://:1", "vsock://*:*",
		"vsock://*:", "vsock://01:1", "vsock://1:01", "vsock://-1:1",
		"vsock://1:4294967295", "vsock://4294967295:1",
		"vsock://1:99999999999999999999", "vsock://1: 1",
		"fd://", "fd://a:b", "fd://a b", "fd://\x7f", "fd://\xc3\xa4",
		"tcpmux://", "tcpmux://a b", "tcpmux://a\n", "tcpmux://help",
		"tcpmux://HeLP", "tcpmux://\xe4",
		"TCP://*:80", " tcp://*:80", "http://*:80",
	};
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_parse(&url, rows[i], strlen(rows[i])) == NULL)
			fail_msg("\"%s\" was accepted", rows[i]);
}

static void
vsock(void **state)
{
	static const struct {
		const char *text;
		uint32_t cid;
		uint32_t port;
	} rows[] = {
		{ "vsock://*:1024", UINT32_MAX, 1024 },
		{ "vsock://0:0", 0, 0 },
		{ "vsock://3:4294967294", 3, 4294967294 },
		{ "vsock://4294967294:1", 4294967294, 1 },
	};
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(url_parse(&url, rows[i].text,
		    strlen(rows[i].text)));
		assert_int_equal(url.transport, CONF_VSOCK);
		assert_int_equal(url.addr.family, ADDR_VSOCK);
		assert_int_equal(addr_vsock(&url.addr).cid, rows[i].cid);
		assert_int_equal(addr_vsock(&url.addr).port, rows[i].port);
	}
}

static void
targets(void **state)
{
	static const char *const good[] = {
		"tcp://127.0.0.1:80", "tcp4://www.example.org:http",
		"tcp6://[::1]:80", "unix:///run/x", "unix://@x",
	};
	static const char *const bad[] = {
		"", "tcp://*:80", "tcp4://*:80", "tcp://127.0.0.1",
		"udp://127.0.0.1:80", "unix-dgram:///x", "unix-seqpacket:///x",
		"vsock://1:1", "fd://x", "tcpmux://x", "unix://x",
		"127.0.0.1:80",
	};
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (url_parse_target(&url, good[i], strlen(good[i])) != NULL)
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (url_parse_target(&url, bad[i], strlen(bad[i])) == NULL)
			fail_msg("\"%s\" was accepted", bad[i]);
}

/* The longest name behind the scheme, and one byte more. */
static void
check_length(const char *scheme, size_t longest)
{
	char text[512];
	size_t len = strlen(scheme) + longest;
	struct url url;

	memset(text, 'x', sizeof(text));
	memcpy(text, scheme, strlen(scheme));
	assert_null(url_parse(&url, text, len));
	if (url_parse(&url, text, len + 1) == NULL)
		fail_msg("%s: %zu bytes were accepted", scheme, longest + 1);
}

static void
lengths(void **state)
{
	(void)state;
	check_length("unix:///", 106);
	check_length("unix://@", 106);
	check_length("unix-dgram:///", 106);
	check_length("unix-seqpacket://@", 106);
	check_length("fd://", 255);
	check_length("tcpmux://", 64);
	check_length("tcp://*:", 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(refused),
		cmocka_unit_test(vsock),
		cmocka_unit_test(targets),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
