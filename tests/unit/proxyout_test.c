/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * PROXY protocol headers, byte by byte as the specification has them.
 */

#include "frontend/proxyout.h"

#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct addr
address(const char *text, uint16_t port)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text, strlen(text)), 0);
	addr.port = port;
	return addr;
}

/* As accept(2) returns a client that came over IPv4 to a socket of IPv6. */
static struct addr
mapped(uint16_t port)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = (uint16_t)(port << 8 | port >> 8),
		.sin6_addr.s6_addr = { [10] = 0xff, 0xff, 192, 0, 2, 7 },
	};
	struct addr addr;

	addr_from_sockaddr(&addr, (const struct sockaddr *)&sin6,
	    sizeof(sin6));
	return addr;
}

static void
wanted(enum conf_proxy_out version, const struct proxyout *ends,
    const void *bytes, size_t len)
{
	uint8_t buf[PROXYOUT_MAX + 1];

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(proxyout_format(version, ends, buf), len);
	assert_memory_equal(buf, bytes, len);
	assert_int_equal(buf[PROXYOUT_MAX], 0xa5);
}

static void
wanted_v1(const struct proxyout *ends, const char *text)
{
	wanted(CONF_PROXY_OUT_V1, ends, text, strlen(text));
}

static void
nothing_is_said_unless_wanted(void **state)
{
	const struct proxyout ends = {
		.src = address("192.0.2.7", 1), .dst = address("192.0.2.1", 2),
	};

	(void)state;
	wanted(CONF_PROXY_OUT_NONE, &ends, "", 0);
}

static void
version_1_of_ipv4(void **state)
{
	const struct proxyout ends = {
		.src = address("255.255.255.255", 65535),
		.dst = address("192.0.2.1", 80),
	};

	(void)state;
	wanted_v1(&ends,
	    "PROXY TCP4 255.255.255.255 192.0.2.1 65535 80\r\n");
}

static void
version_1_of_ipv6_has_no_scope(void **state)
{
	struct proxyout ends = {
		.src = address("2001:db8::7", 40000),
		.dst = address("fe80::1", 443),
	};

	(void)state;
	ends.dst.scope = 1;
	wanted_v1(&ends, "PROXY TCP6 2001:db8::7 fe80::1 40000 443\r\n");
}

static void
version_1_knows_no_other_family(void **state)
{
	const struct sockaddr_un path = { AF_UNIX, "/run/socket" };
	struct proxyout ends = {
		.src = addr_from_cred(1, 2, 3), .path = &path,
	};

	(void)state;
	wanted_v1(&ends, "PROXY UNKNOWN\r\n");
	ends.src = addr_from_vsock(3, 4);
	wanted_v1(&ends, "PROXY UNKNOWN\r\n");
	ends.src = address("192.0.2.7", 1);
	ends.dst = address("2001:db8::7", 1);
	wanted_v1(&ends, "PROXY UNKNOWN\r\n");
}

static void
a_mapped_address_is_one_of_ipv4(void **state)
{
	const struct proxyout ends = { .src = mapped(258), .dst = mapped(80) };

	(void)state;
	wanted_v1(&ends, "PROXY TCP4 192.0.2.7 192.0.2.7 258 80\r\n");
	wanted(CONF_PROXY_OUT_V2, &ends,
	    SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x07"
	    "\x01\x02\x00\x50", 28);
}

static void
version_2_of_ipv4(void **state)
{
	const struct proxyout ends = {
		.src = address("192.0.2.7", 0x1234),
		.dst = address("198.51.100.1", 80),
	};

	(void)state;
	wanted(CONF_PROXY_OUT_V2, &ends,
	    SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01"
	    "\x12\x34\x00\x50", 28);
}

static void
version_2_of_ipv6(void **state)
{
	const struct proxyout ends = {
		.src = address("2001:db8::7", 0x1234),
		.dst = address("2001:db8::1", 443),
	};

	(void)state;
	wanted(CONF_PROXY_OUT_V2, &ends,
	    SIGNATURE "\x21\x21\x00\x24"
	    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
	    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
	    "\x12\x34\x01\xbb", 52);
}

static void
version_2_of_a_unix_socket(void **state)
{
	const struct sockaddr_un path = { AF_UNIX, "/run/socket" };
	const struct proxyout ends = {
		.src = addr_from_cred(1, 2, 3), .path = &path,
	};
	uint8_t bytes[232] = SIGNATURE "\x21\x31\x00\xd8";

	(void)state;
	memcpy(bytes + 16 + 108, "/run/socket", 11);
	wanted(CONF_PROXY_OUT_V2, &ends, bytes, sizeof(bytes));
}

static void
version_2_of_what_it_does_not_know(void **state)
{
	struct proxyout ends = {
		.src = addr_from_vsock(3, 4), .dst = addr_from_vsock(2, 5),
	};

	(void)state;
	wanted(CONF_PROXY_OUT_V2, &ends, SIGNATURE "\x21\x00\x00\x00", 16);
	ends.src = (struct addr){ .family = ADDR_NONE };
	wanted(CONF_PROXY_OUT_V2, &ends, SIGNATURE "\x21\x00\x00\x00", 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_unless_wanted),
		cmocka_unit_test(version_1_of_ipv4),
		cmocka_unit_test(version_1_of_ipv6_has_no_scope),
		cmocka_unit_test(version_1_knows_no_other_family),
		cmocka_unit_test(a_mapped_address_is_one_of_ipv4),
		cmocka_unit_test(version_2_of_ipv4),
		cmocka_unit_test(version_2_of_ipv6),
		cmocka_unit_test(version_2_of_a_unix_socket),
		cmocka_unit_test(version_2_of_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
