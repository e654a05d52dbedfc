/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Headers of the PROXY protocol: those of the specification, those that an
 * encoder of our own makes, and each of them cut anywhere.
 */

#include "frontend/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	ROOM = 8192,
	STREAM4 = 0x11,
	STREAM6 = 0x21,
	UNIX = 0x31,
};

struct header {
	uint8_t bytes[ROOM];
	size_t len;
};

static void
add(struct header *header, const void *bytes, size_t len)
{
	assert_true(header->len + len <= ROOM);
	memcpy(header->bytes + header->len, bytes, len);
	header->len += len;
}

static void
add_tlv(struct header *header, uint8_t type, const char *value)
{
	const uint8_t head[] = { type, 0, (uint8_t)strlen(value) };

	add(header, head, sizeof(head));
	add(header, value, strlen(value));
}

/* The length of a version 2 header is known when it is complete. */
static void
seal(struct header *header)
{
	size_t len = header->len - 16;

	header->bytes[14] = (uint8_t)(len >> 8);
	header->bytes[15] = (uint8_t)len;
}

static struct header
v2(uint8_t command, uint8_t family)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	const uint8_t rest[] = { command, family, 0, 0 };
	struct header header = { .len = 0 };

	add(&header, signature, 12);
	add(&header, rest, sizeof(rest));
	return header;
}

/* 192.0.2.1:258 has connected to 198.51.100.7:65535. */
static struct header
v2_ip4(uint8_t command, uint8_t family)
{
	static const uint8_t addresses[] = { 192, 0, 2, 1, 198, 51, 100, 7, 1,
		2, 255, 255 };
	struct header header = v2(command, family);

	add(&header, addresses, sizeof(addresses));
	seal(&header);
	return header;
}

/* 2001:db8::1 port 443 has connected to 2001:db8::2 port 1. */
static struct header
v2_ip6(void)
{
	struct header header = v2(0x21, STREAM6);
	uint8_t addresses[36] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1, 0x20, 0x01,
		0x0d, 0xb8, [31] = 2, 1, 187, 0, 1 };

	add(&header, addresses, sizeof(addresses));
	seal(&header);
	return header;
}

static struct header
text(const char *line)
{
	struct header header = { .len = 0 };

	add(&header, line, strlen(line));
	return header;
}

static enum proxy_found
parse(const struct header *header, struct proxy *proxy)
{
	return proxy_parse(header->bytes, header->len, proxy);
}

static void
expect_addr(const struct addr *addr, const char *host, uint16_t port)
{
	struct addr wanted;

	assert_int_equal(addr_parse(&wanted, host, strlen(host)), 0);
	assert_int_equal(addr->family, wanted.family);
	assert_memory_equal(addr->bytes, wanted.bytes, sizeof(wanted.bytes));
	assert_int_equal(addr->port, port);
}

/* Fewer bytes ask for more, and what follows is not looked at. */
static void
expect_whole(const struct header *header)
{
	struct header more = *header;
	struct proxy proxy, again;

	assert_int_equal(parse(header, &proxy), PROXY_HEADER);
	assert_int_equal(proxy.len, header->len);
	for (size_t len = 0; len < header->len; len++)
		assert_int_equal(proxy_parse(header->bytes, len, &again),
		    PROXY_MORE);
	add(&more, "PROXY \r\n\r\n\0", 11);
	assert_int_equal(parse(&more, &again), PROXY_HEADER);
	assert_int_equal(again.len, header->len);
}

static void
version_1(void **state)
{
	const struct header ip4 = text("PROXY TCP4 192.0.2.1 198.51.100.7 258 "
	    "65535\r\n");
	const struct header ip6 = text("PROXY TCP6 2001:db8::1 2001:db8::2 443 "
	    "1\r\n");
	struct proxy proxy;

	(void)state;
	expect_whole(&ip4);
	assert_int_equal(parse(&ip4, &proxy), PROXY_HEADER);
	expect_addr(&proxy.source, "192.0.2.1", 258);
	expect_addr(&proxy.destination, "198.51.100.7", 65535);
	assert_false(proxy.is_local);
	expect_whole(&ip6);
	assert_int_equal(parse(&ip6, &proxy), PROXY_HEADER);
	expect_addr(&proxy.source, "2001:db8::1", 443);
	expect_addr(&proxy.destination, "2001:db8::2", 1);
}

static void
version_1_unknown(void **state)
{
	static const char *const lines[] = { "PROXY UNKNOWN\r\n",
		"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
		"PROXY UNKNOWN what ever it is\r\n" };
	struct proxy proxy;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct header header = text(lines[i]);

		expect_whole(&header);
		assert_int_equal(parse(&header, &proxy), PROXY_HEADER);
		assert_int_equal(proxy.source.family, ADDR_NONE);
	}
}

static void
version_1_damaged(void **state)
{
	static const char *const lines[] = {
		"PROXY \r\n", "PROXY TCP4\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 "
		"1 2\r\n", "PROXY UNKNOWNX\r\n", "PROXY tcp4 1.2.3.4 1.2.3.4 1 "
		"2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
		"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
		"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
		"PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 "
		"2\r\n", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n",
	};
	struct proxy proxy;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct header header = text(lines[i]);

		if (parse(&header, &proxy) != PROXY_BAD)
			fail_msg("%s is accepted", lines[i]);
	}
}

/* 107 bytes with the end of the line, and not one more. */
static void
version_1_has_a_longest_line(void **state)
{
	struct header header = text("PROXY UNKNOWN ");
	struct proxy proxy;

	(void)state;
	while (header.len < 105)
		add(&header, "x", 1);
	struct header longer = header;
	add(&header, "\r\n", 2);
	expect_whole(&header);
	add(&longer, "x", 1);
	assert_int_equal(parse(&longer, &proxy), PROXY_MORE);
	add(&longer, "\r\n", 2);
	assert_int_equal(parse(&longer, &proxy), PROXY_BAD);
}

static void
version_2(void **state)
{
	const struct header ip4 = v2_ip4(0x21, STREAM4);
	const struct header ip6 = v2_ip6();
	struct proxy proxy;

	(void)state;
	expect_whole(&ip4);
	assert_int_equal(parse(&ip4, &proxy), PROXY_HEADER);
	expect_addr(&proxy.source, "192.0.2.1", 258);
	expect_addr(&proxy.destination, "198.51.100.7", 65535);
	assert_false(proxy.is_local);
	expect_whole(&ip6);
	assert_int_equal(parse(&ip6, &proxy), PROXY_HEADER);
	expect_addr(&proxy.source, "2001:db8::1", 443);
	expect_addr(&proxy.destination, "2001:db8::2", 1);
}

static void
version_2_mapped_is_ip4(void **state)
{
	struct header header = v2(0x21, STREAM6);
	uint8_t addresses[36] = { [10] = 255, 255, 192, 0, 2, 1, [26] = 255,
		255, 192, 0, 2, 2, 0, 5, 0, 6 };
	struct proxy proxy;

	(void)state;
	add(&header, addresses, sizeof(addresses));
	seal(&header);
	assert_int_equal(parse(&header, &proxy), PROXY_HEADER);
	expect_addr(&proxy.source, "192.0.2.1", 5);
	expect_addr(&proxy.destination, "192.0.2.2", 6);
}

/* The client is not said, and the connection is the sender's own. */
static void
version_2_local(void **state)
{
	struct header bare = v2(0x20, 0);
	const struct header full = v2_ip4(0x20, STREAM4);
	struct proxy proxy;

	(void)state;
	seal(&bare);
	expect_whole(&bare);
	expect_whole(&full);
	assert_int_equal(parse(&full, &proxy), PROXY_HEADER);
	assert_true(proxy.is_local);
	assert_int_equal(proxy.source.family, ADDR_NONE);
}

static void
version_2_of_others_says_nobody(void **state)
{
	struct header unspecified = v2(0x21, 0);
	struct header local = v2(0x21, UNIX);
	const struct header datagrams = v2_ip4(0x21, 0x12);
	uint8_t paths[216] = "/a";
	struct proxy proxy;

	(void)state;
	seal(&unspecified);
	expect_whole(&unspecified);
	add(&local, paths, sizeof(paths));
	seal(&local);
	expect_whole(&local);
	assert_int_equal(parse(&local, &proxy), PROXY_HEADER);
	assert_int_equal(proxy.source.family, ADDR_NONE);
	assert_int_equal(parse(&datagrams, &proxy), PROXY_HEADER);
	assert_int_equal(proxy.source.family, ADDR_NONE);
}

static void
tlvs_are_skipped(void **state)
{
	struct header header = v2_ip4(0x21, STREAM4);
	struct proxy proxy;

	(void)state;
	add_tlv(&header, 0x01, "h2");
	add_tlv(&header, 0x02, "example.org");
	add_tlv(&header, 0x04, "");
	add_tlv(&header, 0xe4, "of a vendor");
	seal(&header);
	expect_whole(&header);
	assert_int_equal(parse(&header, &proxy), PROXY_HEADER);
	expect_addr(&proxy.source, "192.0.2.1", 258);
}

static void
tlvs_fit(void **state)
{
	struct proxy proxy;

	(void)state;
	for (size_t cut = 1; cut < 5; cut++) {
		struct header header = v2_ip4(0x21, STREAM4);

		add_tlv(&header, 0x01, "h2");
		header.len -= cut;
		seal(&header);
		assert_int_equal(parse(&header, &proxy), PROXY_BAD);
	}
}

/*
 * As it was computed by another program, of this header with zeroes in place of
 * the checksum.
 */
static void
a_checksum_is_verified(void **state)
{
	struct proxy proxy;

	(void)state;
	for (int bit = -1; bit < 8 * (16 + 12 + 3 + 4); bit++) {
		struct header header = v2_ip4(0x21, STREAM4);
		const uint8_t tlv[] = { 0x03, 0, 4, 0x98, 0xc2, 0x56, 0x65 };

		add(&header, tlv, sizeof(tlv));
		seal(&header);
		if (bit == -1) {
			expect_whole(&header);
			continue;
		}
		header.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* Of another type, or behind what cannot be skipped, it is
		 * none. */
		if (parse(&header, &proxy) == PROXY_HEADER)
			assert_true(bit / 8 == 28 || (bit / 8 == 13 &&
			    proxy.source.family == ADDR_NONE));
	}
}

static void
version_2_damaged(void **state)
{
	static const uint8_t commands[][2] = { { 0x11, STREAM4 },
		{ 0x22, STREAM4 }, { 0x2f, STREAM4 }, { 0x01, STREAM4 },
		{ 0x31, STREAM4 }, { 0x21, 0x13 }, { 0x21, 0x41 },
		{ 0x21, 0xf1 }, { 0x21, STREAM6 }, { 0x21, UNIX } };
	struct proxy proxy;

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct header header = v2_ip4(commands[i][0],
		    commands[i][1]);

		if (parse(&header, &proxy) != PROXY_BAD)
			fail_msg("%02x %02x is accepted", commands[i][0],
			    commands[i][1]);
	}
}

/* What would be longer than we read is not waited for. */
static void
version_2_has_a_longest_header(void **state)
{
	struct header header = v2_ip4(0x21, STREAM4);
	struct proxy proxy;
	uint8_t head[3] = { 0x04 };

	(void)state;
	size_t value = PROXY_MAX - header.len - sizeof(head);
	head[1] = (uint8_t)(value >> 8);
	head[2] = (uint8_t)value;
	add(&header, head, sizeof(head));
	header.len = PROXY_MAX;
	seal(&header);
	assert_int_equal(parse(&header, &proxy), PROXY_HEADER);
	header.len++;
	seal(&header);
	assert_int_equal(proxy_parse(header.bytes, 16, &proxy), PROXY_BAD);
}

static void
others_begin_otherwise(void **state)
{
	static const char *const texts[] = { "GET / HTTP/1.0\r\n", "PROXX",
		"P R", "\r\n\r\nx", "\n", "proxy " };
	struct proxy proxy;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct header header = text(texts[i]);

		assert_int_equal(parse(&header, &proxy), PROXY_NONE);
	}
	assert_int_equal(proxy_parse((const uint8_t *)"", 0, &proxy),
	    PROXY_MORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1),
		cmocka_unit_test(version_1_unknown),
		cmocka_unit_test(version_1_damaged),
		cmocka_unit_test(version_1_has_a_longest_line),
		cmocka_unit_test(version_2),
		cmocka_unit_test(version_2_mapped_is_ip4),
		cmocka_unit_test(version_2_local),
		cmocka_unit_test(version_2_of_others_says_nobody),
		cmocka_unit_test(tlvs_are_skipped),
		cmocka_unit_test(tlvs_fit),
		cmocka_unit_test(a_checksum_is_verified),
		cmocka_unit_test(version_2_damaged),
		cmocka_unit_test(version_2_has_a_longest_header),
		cmocka_unit_test(others_begin_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
