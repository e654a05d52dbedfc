/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The variables of a connection, as minetd-handler(7) lists them.
 */

#include "main/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct addr
address(const char *text, uint16_t port)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text, strlen(text)), 0);
	addr.port = port;
	return addr;
}

static void
check(const struct connection *conn, const char *const *wanted)
{
	char text[ENVIRONMENT_TEXT];
	const char *vars[ENVIRONMENT_VARS];
	size_t n = environment_format(conn, text, vars);

	for (size_t i = 0; i < n; i++) {
		assert_non_null(wanted[i]);
		assert_string_equal(vars[i], wanted[i]);
	}
	assert_null(wanted[n]);
}

static void
tcp_over_ipv4(void **state)
{
	const struct connection conn = {
		.id = 18446744073709551615u,
		.peer = address("192.0.2.7", 65535),
		.local = address("127.0.0.1", 13),
	};
	static const char *const wanted[] = {
		"MINETD_ID=18446744073709551615", "PROTO=TCP",
		"TCPLOCALIP=127.0.0.1", "TCPLOCALPORT=13",
		"TCPREMOTEIP=192.0.2.7", "TCPREMOTEPORT=65535",
		"REMOTE_ADDR=192.0.2.7", "REMOTE_PORT=65535",
		"REMOTE_HOST=192.0.2.7", NULL,
	};

	(void)state;
	check(&conn, wanted);
}

static void
tcp_over_ipv6_is_called_tcp_too(void **state)
{
	const struct connection conn = {
		.id = 1,
		.peer = address("2001:db8::1", 9),
		.local = address("::1", 13),
	};
	static const char *const wanted[] = {
		"MINETD_ID=1", "PROTO=TCP", "TCPLOCALIP=::1",
		"TCPLOCALPORT=13", "TCPREMOTEIP=2001:db8::1",
		"TCPREMOTEPORT=9", "REMOTE_ADDR=2001:db8::1", "REMOTE_PORT=9",
		"REMOTE_HOST=2001:db8::1", NULL,
	};

	(void)state;
	check(&conn, wanted);
}

static void
unix_peers_have_ids(void **state)
{
	const struct connection conn = {
		.id = 3,
		.peer = addr_from_cred(10, 4294967294u, 0),
		.local = { .family = ADDR_UNIX },
	};
	static const char *const wanted[] = {
		"MINETD_ID=3", "PROTO=UNIX", "UNIXREMOTEUID=4294967294",
		"UNIXREMOTEGID=0", "UNIXREMOTEPID=10", NULL,
	};

	(void)state;
	check(&conn, wanted);
}

static void
vsock_peers_have_a_context(void **state)
{
	const struct connection conn = {
		.id = 4,
		.peer = addr_from_vsock(3, 4294967294u),
		.local = addr_from_vsock(2, 1024),
	};
	static const char *const wanted[] = {
		"MINETD_ID=4", "PROTO=VSOCK", "VSOCKREMOTECID=3",
		"VSOCKREMOTEPORT=4294967294", NULL,
	};

	(void)state;
	check(&conn, wanted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_over_ipv4),
		cmocka_unit_test(tcp_over_ipv6_is_called_tcp_too),
		cmocka_unit_test(unix_peers_have_ids),
		cmocka_unit_test(vsock_peers_have_a_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
