/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Addresses: what is one, how it prints, what the kernel returned.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/un.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

#define COUNT(rows)	(sizeof(rows) / sizeof(*(rows)))

static const struct {
	const char *name;
	const char *text;
	int error;		/* of addr_parse(), 0 for none */
	const char *wanted;	/* as it prints again */
} parse_rows[] = {
	{ "loopback", "127.0.0.1", 0, "127.0.0.1" },
	{ "any", "0.0.0.0", 0, "0.0.0.0" },
	{ "highest", "255.255.255.255", 0, "255.255.255.255" },
	{ "digits", "1.20.103.9", 0, "1.20.103.9" },
	{ "three parts", "1.2.3", EINVAL, NULL },
	{ "one part", "16909060", EINVAL, NULL },
	{ "five parts", "1.2.3.4.5", EINVAL, NULL },
	{ "octal", "010.0.0.1", EINVAL, NULL },
	{ "leading zero", "1.2.3.04", EINVAL, NULL },
	{ "hexadecimal", "0x7f.1", EINVAL, NULL },
	{ "hexadecimal parts", "0x7f.0.0.1", EINVAL, NULL },
	{ "junk behind", "1.2.3.4junk", EINVAL, NULL },
	{ "space before", " 1.2.3.4", EINVAL, NULL },
	{ "space behind", "1.2.3.4 ", EINVAL, NULL },
	{ "newline behind", "1.2.3.4\n", EINVAL, NULL },
	{ "part too large", "1.2.3.256", EINVAL, NULL },
	{ "empty part", "1..3.4", EINVAL, NULL },
	{ "sign", "1.2.3.+4", EINVAL, NULL },
	{ "port", "1.2.3.4:80", EINVAL, NULL },
	{ "prefix length", "10.0.0.0/8", EINVAL, NULL },
	{ "scope on IPv4", "1.2.3.4%lo", EINVAL, NULL },
	{ "nothing", "", EINVAL, NULL },
	{ "name", "localhost", EINVAL, NULL },
	{ "star", "*", EINVAL, NULL },

	{ "loopback 6", "::1", 0, "::1" },
	{ "any 6", "::", 0, "::" },
	{ "capitals", "2001:DB8::A", 0, "2001:db8::a" },
	{ "long", "2001:0db8:0000:0000:0001:0002:0003:0004", 0,
	    "2001:db8::1:2:3:4" },
	{ "brackets", "[::1]", EINVAL, NULL },
	{ "two gaps", "1::2::3", EINVAL, NULL },
	{ "one colon", ":1", EINVAL, NULL },
	{ "nine groups", "1:2:3:4:5:6:7:8:9", EINVAL, NULL },
	{ "group too long", "::12345", EINVAL, NULL },

	{ "mapped", "::ffff:10.1.2.3", 0, "10.1.2.3" },
	{ "mapped in hex", "::ffff:a01:203", 0, "10.1.2.3" },
	{ "mapped in capitals", "::FFFF:10.1.2.3", 0, "10.1.2.3" },
	{ "mapped octal", "::ffff:010.1.2.3", EINVAL, NULL },
	{ "mapped with scope", "::ffff:10.1.2.3%lo", EINVAL, NULL },
	{ "compatible is not mapped", "::10.1.2.3", 0, "::10.1.2.3" },

	{ "scope", "fe80::1%lo", 0, "fe80::1%lo" },
	{ "scope by number", "fe80::1%1", 0, "fe80::1%lo" },
	{ "scope gone", "fe80::1%4000000000", 0, "fe80::1%4000000000" },
	{ "link-local without", "fe80::1", 0, "fe80::1" },
	{ "scope unknown", "fe80::1%nosuchif", ENODEV, NULL },
	{ "scope 0", "fe80::1%0", ENODEV, NULL },
	{ "scope too large", "fe80::1%4294967296", ENODEV, NULL },
	{ "scope with junk", "fe80::1%1x", ENODEV, NULL },
	{ "scope empty", "fe80::1%", EINVAL, NULL },
	{ "scope on global", "2001:db8::1%lo", EINVAL, NULL },
	{ "scope on loopback", "::1%lo", EINVAL, NULL },
	{ "two scopes", "fe80::1%lo%lo", ENODEV, NULL },
	{ "too long", "fe80::1%aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", EINVAL,
	    NULL },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parse_rows); i++) {
		const char *text = parse_rows[i].text;
		char buf[ADDR_TEXT_SIZE];
		struct addr addr;

		errno = 0;
		int result = addr_parse(&addr, text, strlen(text));

		if (result != (parse_rows[i].error == 0 ? 0 : -1) ||
		    (result == -1 && errno != parse_rows[i].error))
			fail_msg("%s: %d %d", parse_rows[i].name, result,
			    errno);
		if (result == -1)
			continue;
		assert_int_equal(addr.port, 0);

		size_t len = addr_format_host(&addr, buf);

		assert_int_equal(len, strlen(buf));
		if (strcmp(buf, parse_rows[i].wanted) != 0)
			fail_msg("%s: %s", parse_rows[i].name, buf);
	}
}

static void
test_parse_takes_len_bytes(void **state)
{
	struct addr addr;

	(void)state;
	assert_int_equal(addr_parse(&addr, "10.0.0.1/8", 8), 0);
	assert_int_equal(addr.bytes[3], 1);
	assert_int_equal(addr_parse(&addr, "10.0.0.1\0008", 10), -1);
	assert_int_equal(errno, EINVAL);
}

static const struct {
	const char *name;
	struct addr addr;
	const char *host;
	const char *full;
} format_rows[] = {
	{ "ip4", { ADDR_IP4, 80, 0, { 127, 0, 0, 1 } }, "127.0.0.1",
	    "127.0.0.1:80" },
	{ "ip4 extremes", { ADDR_IP4, 65535, 0, { 255, 255, 255, 255 } },
	    "255.255.255.255", "255.255.255.255:65535" },
	{ "ip6", { ADDR_IP6, 0, 0, { [15] = 1 } }, "::1", "[::1]:0" },
	{ "ip6 scope", { ADDR_IP6, 7, 1, { 0xfe, 0x80, [15] = 2 } },
	    "fe80::2%lo", "[fe80::2%lo]:7" },
	{ "ip6 longest", { ADDR_IP6, 65535, UINT32_MAX,
	    { 0xfe, 0x80, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
	    0x11, 0x11, 0x11, 0x11, 0x11, 0x11 } },
	    "fe80:1111:1111:1111:1111:1111:1111:1111%4294967295",
	    "[fe80:1111:1111:1111:1111:1111:1111:1111%4294967295]:65535" },
	{ "none", { ADDR_NONE, 9, 9, { 9 } }, "-", "-" },
	{ "unknown family", { 4711, 9, 9, { 9 } }, "-", "-" },
};

static void
test_format(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(format_rows); i++) {
		const struct addr *addr = &format_rows[i].addr;
		char buf[ADDR_TEXT_SIZE];

		errno = 4711;
		assert_int_equal(addr_format_host(addr, buf),
		    strlen(format_rows[i].host));
		assert_string_equal(buf, format_rows[i].host);
		assert_int_equal(addr_format(addr, buf),
		    strlen(format_rows[i].full));
		assert_string_equal(buf, format_rows[i].full);
		assert_int_equal(errno, 4711);
	}
}

static void
test_cred(void **state)
{
	struct addr addr = addr_from_cred(4194304, UINT32_MAX, 7);
	char buf[ADDR_TEXT_SIZE];

	(void)state;
	assert_int_equal(addr_cred(&addr).pid, 4194304);
	assert_int_equal(addr_cred(&addr).uid, UINT32_MAX);
	assert_int_equal(addr_cred(&addr).gid, 7);
	addr_format_host(&addr, buf);
	assert_string_equal(buf, "uid:4294967295");
	addr_format(&addr, buf);
	assert_string_equal(buf, "uid:4294967295,pid:4194304");

	struct addr other = addr_from_cred(4194304, UINT32_MAX, 8);
	struct addr none = { .family = ADDR_NONE, .bytes = { 1 } };

	assert_true(addr_equal(&addr, &addr));
	assert_false(addr_equal(&addr, &other));
	assert_int_equal(addr_cred(&none).pid, 0);
}

static void
test_sockaddr_there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(format_rows); i++) {
		const struct addr *addr = &format_rows[i].addr;
		bool inet = addr->family == ADDR_IP4 ||
		    addr->family == ADDR_IP6;
		struct sockaddr_storage ss;
		struct addr back;
		socklen_t len = addr_to_sockaddr(addr, &ss);

		assert_int_equal(len != 0, inet);
		if (!inet)
			continue;
		addr_from_sockaddr(&back, (struct sockaddr *)&ss, len);
		assert_memory_equal(&back, addr, sizeof(back));
		/* One byte less is not an address. */
		addr_from_sockaddr(&back, (struct sockaddr *)&ss, len - 1);
		assert_int_equal(back.family, ADDR_NONE);
	}
}

static void
test_sockaddr_of_the_kernel(void **state)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(4007),
		.sin6_scope_id = 3,
		.sin6_addr.s6_addr = { [10] = 0xff, 0xff, 192, 0, 2, 1 },
	};
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr odd = { .sa_family = AF_PACKET };
	char buf[ADDR_TEXT_SIZE];
	struct addr addr;

	(void)state;
	addr_from_sockaddr(&addr, (struct sockaddr *)&sin6, sizeof(sin6));
	assert_int_equal(addr.family, ADDR_IP4);
	assert_int_equal(addr.scope, 0);
	addr_format(&addr, buf);
	assert_string_equal(buf, "192.0.2.1:4007");

	/* A scope means nothing where the address is unique. */
	sin6.sin6_addr.s6_addr[0] = 0x20;
	addr_from_sockaddr(&addr, (struct sockaddr *)&sin6, sizeof(sin6));
	assert_int_equal(addr.family, ADDR_IP6);
	assert_int_equal(addr.scope, 0);

	/* An unnamed peer has no more than a family. */
	addr_from_sockaddr(&addr, (struct sockaddr *)&sun,
	    sizeof(sun.sun_family));
	addr_format(&addr, buf);
	assert_string_equal(buf, "uid:0,pid:0");

	addr_from_sockaddr(&addr, &odd, sizeof(odd));
	assert_int_equal(addr.family, ADDR_NONE);
	addr_from_sockaddr(&addr, (struct sockaddr *)&sun, 0);
	assert_int_equal(addr.family, ADDR_NONE);
}

static void
test_equal(void **state)
{
	struct addr a = { ADDR_IP6, 80, 2, { 0xfe, 0x80, [15] = 1 } };
	struct addr b = a;

	(void)state;
	assert_true(addr_equal(&a, &b));
	b.port = 81;
	assert_false(addr_equal(&a, &b));
	b = a;
	b.scope = 3;
	assert_false(addr_equal(&a, &b));
	b = a;
	b.bytes[15] = 2;
	assert_false(addr_equal(&a, &b));

	/* What the family does not use is not compared. */
	a = b = (struct addr){ ADDR_IP4, 80, 0, { 10, 0, 0, 1 } };
	b.bytes[4] = 1;
	b.scope = 1;
	assert_true(addr_equal(&a, &b));
	b.family = ADDR_IP6;
	assert_false(addr_equal(&a, &b));
}

static void
test_is_any(void **state)
{
	struct addr addr = { .family = ADDR_IP4, .port = 80 };

	(void)state;
	assert_true(addr_is_any(&addr));
	addr.bytes[3] = 1;
	assert_false(addr_is_any(&addr));
	addr = (struct addr){ .family = ADDR_IP6 };
	assert_true(addr_is_any(&addr));
	addr.bytes[15] = 1;
	assert_false(addr_is_any(&addr));
	addr = addr_from_cred(0, 0, 0);
	assert_false(addr_is_any(&addr));
	addr = (struct addr){ .family = ADDR_NONE };
	assert_false(addr_is_any(&addr));
}

static void
test_vsock(void **state)
{
	static const struct {
		uint32_t cid;
		uint32_t port;
		const char *host;
		const char *both;
	} rows[] = {
		{ 2, 1024, "2", "2:1024" },
		{ 0, 0, "0", "0:0" },
		{ UINT32_MAX, 7, "*", "*:7" },
		{ UINT32_MAX - 1, UINT32_MAX - 1, "4294967294",
		    "4294967294:4294967294" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr addr = addr_from_vsock(rows[i].cid, rows[i].port);
		char buf[ADDR_TEXT_SIZE];

		assert_int_equal(addr.family, ADDR_VSOCK);
		assert_int_equal(addr.port, 0);
		assert_int_equal(addr_vsock(&addr).cid, rows[i].cid);
		assert_int_equal(addr_vsock(&addr).port, rows[i].port);
		assert_int_equal(addr_format_host(&addr, buf),
		    strlen(rows[i].host));
		assert_string_equal(buf, rows[i].host);
		assert_int_equal(addr_format(&addr, buf),
		    strlen(rows[i].both));
		assert_string_equal(buf, rows[i].both);
	}
	/* Nothing but a vsock address has such a part. */
	struct addr cred = addr_from_cred(1, 2, 3);
	assert_int_equal(addr_vsock(&cred).cid, 0);
	assert_int_equal(addr_vsock(&cred).port, 0);
}

static void
test_vsock_there_and_back(void **state)
{
	struct addr addr = addr_from_vsock(3, 70000);
	struct addr other = addr_from_vsock(3, 70001);
	struct sockaddr_storage ss;
	struct addr back;
	socklen_t len = addr_to_sockaddr(&addr, &ss);

	(void)state;
	assert_int_equal(ss.ss_family, AF_VSOCK);
	addr_from_sockaddr(&back, (struct sockaddr *)&ss, len);
	assert_memory_equal(&back, &addr, sizeof(back));
	assert_true(addr_equal(&back, &addr));
	assert_false(addr_equal(&back, &other));
	addr_from_sockaddr(&back, (struct sockaddr *)&ss, len - 1);
	assert_int_equal(back.family, ADDR_NONE);
	addr = addr_from_vsock(0, 0);
	assert_false(addr_is_any(&addr));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_takes_len_bytes),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_cred),
		cmocka_unit_test(test_sockaddr_there_and_back),
		cmocka_unit_test(test_sockaddr_of_the_kernel),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_is_any),
		cmocka_unit_test(test_vsock),
		cmocka_unit_test(test_vsock_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
