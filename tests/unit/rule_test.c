/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Patterns of access rules: what each is, and what is none.
 */

#include "conf/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows)	(sizeof(rows) / sizeof(*(rows)))

/* Words of sentences. */
#define ADDRESS	"is no address; write all four numbers"
#define BITS4	"an IPv4 network has 0 to 32 bits"
#define BITS6	"an IPv6 network has 0 to 128 bits"
#define BITS	"no number of bits and no netmask"
#define BEHIND	"has bits set behind those of the network"
#define FRONT	"the ones of a netmask must be in front"
#define MAPPED	"an IPv4-mapped network has at least 96 bits"
#define SCOPE	"leave out the %"
#define ID	"is no number of a user or group"
#define ACCOUNT	"is no number, and no name, of a user or group"

static const struct {
	const char *text;
	const char *wanted;	/* as describe() has it; NULL: an error */
	const char *sentence;	/* is in the error */
} rows[] = {
	{ "192.0.2.1", "192.0.2.1/32", NULL },
	{ "0.0.0.0", "0.0.0.0/32", NULL },
	{ "255.255.255.255", "255.255.255.255/32", NULL },
	{ "192.0.2.1/32", "192.0.2.1/32", NULL },
	{ "192.0.2.0/24", "192.0.2.0/24", NULL },
	{ "192.0.2.254/31", "192.0.2.254/31", NULL },
	{ "192.0.2.128/25", "192.0.2.128/25", NULL },
	{ "128.0.0.0/1", "128.0.0.0/1", NULL },
	{ "10.0.0.0/8", "10.0.0.0/8", NULL },
	{ "0.0.0.0/0", "0.0.0.0/0", NULL },
	{ "2001:db8::1", "2001:db8::1/128", NULL },
	{ "2001:DB8::A/128", "2001:db8::a/128", NULL },
	{ "2001:db8::/32", "2001:db8::/32", NULL },
	{ "fe80::/10", "fe80::/10", NULL },
	{ "8000::/1", "8000::/1", NULL },
	{ "::/0", "::/0", NULL },
	{ "::", "::/128", NULL },

	{ "192.0.2.0/33", NULL, BITS4 },
	{ "192.0.2.0/256", NULL, BITS4 },
	{ "192.0.2.0/4294967320", NULL, BITS4 },
	{ "192.0.2.0/-1", NULL, BITS4 },
	{ "0.0.0.0/-0", NULL, BITS },
	{ "192.0.2.0/+24", NULL, BITS },
	{ "192.0.2.0/024", NULL, BITS },
	{ "192.0.2.0/0x18", NULL, BITS },
	{ "192.0.2.0/24x", NULL, BITS },
	{ "192.0.2.0/24 ", NULL, BITS },
	{ "192.0.2.0/ 24", NULL, BITS },
	{ "192.0.2.0/24/24", NULL, BITS },
	{ "192.0.2.0/", NULL, BITS },
	{ "192.0.2.0/99999999999999999999", NULL, BITS },
	{ "192.0.2.0/2001:db8::", NULL, BITS },
	{ "2001:db8::/129", NULL, BITS6 },
	{ "::/129", NULL, BITS6 },
	{ "::/-1", NULL, BITS6 },
	{ "::/", NULL, BITS },
	{ "2001:db8::/32x", NULL, BITS },
	{ "/24", NULL, ADDRESS },
	{ "/", NULL, ADDRESS },
	{ "", NULL, "must not be empty" },

	{ "192.0.2.1/24", NULL, BEHIND },
	{ "192.0.2.1/31", NULL, BEHIND },
	{ "128.0.0.0/0", NULL, BEHIND },
	{ "192.0.2.1/0", NULL, BEHIND },
	{ "192.0.2.192/25", NULL, BEHIND },
	{ "2001:db8::1/127", NULL, BEHIND },
	{ "2001:db8::1/64", NULL, BEHIND },
	{ "fec0::/9", NULL, BEHIND },
	{ "::1/0", NULL, BEHIND },

	{ "192.0.2.0/255.255.255.0", "192.0.2.0/24", NULL },
	{ "192.0.2.1/255.255.255.255", "192.0.2.1/32", NULL },
	{ "192.0.2.254/255.255.255.254", "192.0.2.254/31", NULL },
	{ "128.0.0.0/128.0.0.0", "128.0.0.0/1", NULL },
	{ "0.0.0.0/0.0.0.0", "0.0.0.0/0", NULL },
	{ "192.0.2.1/255.255.255.0", NULL, BEHIND },
	{ "192.0.2.0/255.0.255.0", NULL, FRONT },
	{ "192.0.2.0/0.0.0.255", NULL, FRONT },
	{ "0.0.0.0/127.255.255.255", NULL, FRONT },
	{ "192.0.2.0/255.255.255.1", NULL, FRONT },
	{ "192.0.2.0/255.255.255", NULL, BITS },
	{ "192.0.2.0/255.255.255.256", NULL, BITS },
	{ "192.0.2.0/255.255.255.00", NULL, BITS },
	{ "192.0.2.0/::ffff:255.255.255.0", NULL, BITS },
	{ "2001:db8::/255.255.0.0", NULL, BITS },
	{ "2001:db8::/ffff::", NULL, BITS },

	{ "1.2.3", NULL, ADDRESS },
	{ "10.1", NULL, ADDRESS },
	{ "10.", NULL, ADDRESS },
	{ "10", NULL, ADDRESS },
	{ "10/8", NULL, ADDRESS },
	{ "10.0.0/8", NULL, ADDRESS },
	{ "167772161", NULL, ADDRESS },
	{ "1.2.3.4.5", NULL, ADDRESS },
	{ "1.2.3.256", NULL, ADDRESS },
	{ "1..3.4", NULL, ADDRESS },
	{ ".1.2.3.4", NULL, ADDRESS },
	{ "1.2.3.4.", NULL, ADDRESS },
	{ "010.0.0.1", NULL, ADDRESS },
	{ "10.0.0.01", NULL, ADDRESS },
	{ "010.0.0.0/8", NULL, ADDRESS },
	{ "0x7f.1", NULL, ADDRESS },
	{ "0x7f000001", NULL, ADDRESS },
	{ "0X7F", NULL, ADDRESS },
	{ "0x7f.0.0.1", NULL, ADDRESS },
	{ "127.0x0.0.1", NULL, ADDRESS },
	{ "1.2.3.4junk", NULL, ADDRESS },
	{ "1.2.3.4 ", NULL, ADDRESS },
	{ " 1.2.3.4", NULL, ADDRESS },
	{ "1.2.3.4\n", NULL, ADDRESS },
	{ "1.2.3.4,1.2.3.5", NULL, ADDRESS },
	{ "1.2.3.4-1.2.3.9", NULL, ADDRESS },
	{ "1.2.3.*", NULL, ADDRESS },
	{ "1.2.3.4:80", NULL, ADDRESS },
	{ "-1.2.3.4", NULL, ADDRESS },
	{ "!1.2.3.4", NULL, ADDRESS },
	{ "*", NULL, ADDRESS },
	{ ":", NULL, ADDRESS },
	{ ":::", NULL, ADDRESS },
	{ "1:2:3:4:5:6:7", NULL, ADDRESS },
	{ "1:2:3:4:5:6:7:8:9", NULL, ADDRESS },
	{ "1::2::3", NULL, ADDRESS },
	{ "::12345", NULL, ADDRESS },
	{ "::g", NULL, ADDRESS },
	{ "::1junk", NULL, ADDRESS },
	{ "[::1]", NULL, "without brackets" },
	{ "[2001:db8::]/32", NULL, "without brackets" },
	{ "[192.0.2.1]", NULL, "without brackets" },
	{ "fe80::1%lo", NULL, SCOPE },
	{ "fe80::%lo/10", NULL, SCOPE },
	{ "fe80::1%no-such-one", NULL, SCOPE },
	{ "1.2.3.4%lo", NULL, SCOPE },
	{ "fe80::/10%lo", NULL, BITS },

	{ "::ffff:192.0.2.1", "192.0.2.1/32", NULL },
	{ "::FFFF:c000:201", "192.0.2.1/32", NULL },
	{ "::ffff:192.0.2.1/128", "192.0.2.1/32", NULL },
	{ "::ffff:192.0.2.0/120", "192.0.2.0/24", NULL },
	{ "::ffff:128.0.0.0/97", "128.0.0.0/1", NULL },
	{ "::ffff:0.0.0.0/96", "0.0.0.0/0", NULL },
	{ "::ffff:0:0/96", "0.0.0.0/0", NULL },
	{ "::ffff:0:0/95", NULL, MAPPED },
	{ "::ffff:192.0.2.0/24", NULL, MAPPED },
	{ "::ffff:0:0/0", NULL, MAPPED },
	{ "::ffff:192.0.2.1/129", NULL, BITS6 },
	{ "::ffff:192.0.2.1/-1", NULL, BITS6 },
	{ "::ffff:192.0.2.1/120", NULL, BEHIND },
	{ "::ffff:192.0.2.1/96", NULL, BEHIND },
	{ "::ffff:192.0.2.0/255.255.255.0", NULL, BITS },
	{ "::ffff:010.0.0.1", NULL, ADDRESS },
	{ "::ffff:1.2.3", NULL, ADDRESS },
	/* Not mapped, and the same for no peer of IPv4. */
	{ "::192.0.2.1", "::192.0.2.1/128", NULL },
	{ "64:ff9b::/96", "64:ff9b::/96", NULL },

	{ "uid:0", "uid 0", NULL },
	{ "uid:1000", "uid 1000", NULL },
	{ "uid:4294967294", "uid 4294967294", NULL },
	{ "gid:4294967294", "gid 4294967294", NULL },
	{ "gid:0", "gid 0", NULL },
	{ "uid:root", "uid name root", NULL },
	{ "gid:adm", "gid name adm", NULL },
	{ "uid:a.b_c-1", "uid name a.b_c-1", NULL },
	{ "uid:_x", "uid name _x", NULL },
	{ "uid:", NULL, "must follow the colon" },
	{ "gid:", NULL, "must follow the colon" },
	{ "uid:-1", NULL, ID },
	{ "uid:4294967295", NULL, ID },
	{ "gid:4294967295", NULL, ID },
	{ "uid:4294967296", NULL, ID },
	{ "uid:-4294967295", NULL, ID },
	{ "uid:99999999999999999999", NULL, ACCOUNT },
	{ "uid:007", NULL, ACCOUNT },
	{ "uid:-0", NULL, ACCOUNT },
	{ "gid:0x10", NULL, ACCOUNT },
	{ "uid:1000x", NULL, ACCOUNT },
	{ "uid:-root", NULL, ACCOUNT },
	{ "UID:0", NULL, ADDRESS },
	{ "user:root", NULL, ADDRESS },
	{ " uid:0", NULL, ADDRESS },
};

static const struct {
	const char *text;
	const char *wanted;	/* in a list */
	const char *sentence;	/* in a list, or NULL */
	const char *line;	/* in a line of a file */
} list_rows[] = {
	{ "localhost", "name localhost", NULL, "cannot stand in a file" },
	{ "www.example.com", "name www.example.com", NULL,
	    "cannot stand in a file" },
	{ "10.example", "name 10.example", NULL, "cannot stand in a file" },
	{ "1e3", "name 1e3", NULL, "cannot stand in a file" },
	{ "dead.beef", "name dead.beef", NULL, "cannot stand in a file" },
	{ "_under_score", "name _under_score", NULL, "cannot stand" },
	{ "a-b.c", "name a-b.c", NULL, "cannot stand in a file" },
	{ "trailing.dot.", "name trailing.dot.", NULL, "cannot stand" },
	{ "localhost/8", NULL, ADDRESS, ADDRESS },
	{ "a..b", NULL, ADDRESS, ADDRESS },
	{ ".example.com", NULL, ADDRESS, ADDRESS },
	{ "-a", NULL, ADDRESS, ADDRESS },
	{ "a b", NULL, ADDRESS, ADDRESS },
	{ "a,b", NULL, ADDRESS, ADDRESS },
	{ "b\303\274cher", NULL, ADDRESS, ADDRESS },
	{ "host.1", NULL, ADDRESS, ADDRESS },
	{ "a.1b", NULL, ADDRESS, ADDRESS },
	{ "*.example.com", NULL, ADDRESS, ADDRESS },
	{ "file:/etc/rules", "file /etc/rules", NULL, "cannot name another" },
	{ "file:/", "file /", NULL, "cannot name another" },
	{ "file:rules", NULL, "must be file:/PATH", "cannot name another" },
	{ "file:", NULL, "must be file:/PATH", "cannot name another" },
	{ "file:./x", NULL, "must be file:/PATH", "cannot name another" },
	{ "FILE:/x", NULL, ADDRESS, ADDRESS },
	{ "/etc/rules", NULL, ADDRESS, ADDRESS },
};

typedef const char *parse_fn(struct rule *, const char *, size_t);

/* What a rule is, in words. */
static void
describe(const struct rule *rule, char *out, size_t size)
{
	static const char *const kinds[] = {
		[RULE_NAME] = "name", [RULE_UID] = "uid name",
		[RULE_GID] = "gid name", [RULE_FILE] = "file",
	};
	char host[ADDR_TEXT_SIZE];

	if (rule->kind == RULE_NET) {
		addr_format_host(&rule->addr, host);
		snprintf(out, size, "%s/%u", host, rule->bits);
	} else if (rule->numeric) {
		snprintf(out, size, "%.3s %u", kinds[rule->kind], rule->id);
	} else {
		snprintf(out, size, "%s %.*s", kinds[rule->kind],
		    (int)rule->name_len, rule->name);
	}
}

/* Parse it where its end is the end of memory, and compare. */
static void
check(parse_fn *parse, const char *text, const char *wanted,
    const char *sentence)
{
	size_t len = strlen(text);
	char *copy = test_malloc(len + 1);
	struct rule rule;
	const char *answer;
	char got[300] = "";

	memcpy(copy, text, len);
	copy[len] = '7';	/* Goes on, but not for the parser. */
	memset(&rule, 0xff, sizeof(rule));
	answer = parse(&rule, copy, len);
	if ((answer == NULL) != (wanted != NULL))
		fail_msg("%s: %s", text, answer != NULL ? answer : "taken");
	if (answer != NULL && strstr(answer, sentence) == NULL)
		fail_msg("%s: %s", text, answer);
	if (answer == NULL)
		describe(&rule, got, sizeof(got));
	if (answer == NULL && strcmp(got, wanted) != 0)
		fail_msg("%s: %s", text, got);
	test_free(copy);
}

static void
each_pattern_is_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		check(rule_parse, rows[i].text, rows[i].wanted,
		    rows[i].sentence);
		check(rule_parse_line, rows[i].text, rows[i].wanted,
		    rows[i].sentence);
	}
}

static void
names_and_files_stand_in_lists_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(list_rows); i++) {
		check(rule_parse, list_rows[i].text, list_rows[i].wanted,
		    list_rows[i].sentence);
		check(rule_parse_line, list_rows[i].text, NULL,
		    list_rows[i].line);
	}
}

/* Those of every length, and one bit more, in both ways to write them. */
static void
networks_of_every_length(void **state)
{
	char text[80];
	char wanted[80];

	(void)state;
	for (unsigned bits = 0; bits <= 32; bits++) {
		uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
		uint32_t more = ~mask;
		char net[20];

		snprintf(net, sizeof(net), "%u.%u.%u.%u", mask >> 24,
		    mask >> 16 & 255, mask >> 8 & 255, mask & 255);
		snprintf(wanted, sizeof(wanted), "%s/%u", net, bits);
		check(rule_parse, wanted, wanted, NULL);
		snprintf(text, sizeof(text), "%s/%s", net, net);
		check(rule_parse, text, wanted, NULL);
		snprintf(text, sizeof(text), "::ffff:%s/%u", net, bits + 96);
		check(rule_parse, text, wanted, NULL);
		snprintf(text, sizeof(text), "255.255.255.255/%s", net);
		check(rule_parse, text, bits == 32 ? wanted : NULL, BEHIND);
		snprintf(text, sizeof(text), "0.0.0.0/%u.%u.%u.%u", more >> 24,
		    more >> 16 & 255, more >> 8 & 255, more & 255);
		check(rule_parse, text, bits == 0 ? "0.0.0.0/32" :
		    bits == 32 ? "0.0.0.0/0" : NULL, FRONT);
	}
	for (unsigned bits = 0; bits <= 128; bits++) {
		snprintf(text, sizeof(text), "::/%u", bits);
		check(rule_parse, text, text, NULL);
		snprintf(text, sizeof(text),
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/%u", bits);
		check(rule_parse, text, bits == 128 ? text : NULL, BEHIND);
	}
}

static void
names_have_253_characters(void **state)
{
	char text[255];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[254] = '\0';
	check(rule_parse, text, NULL, ADDRESS);
	text[253] = '\0';
	struct rule rule;
	assert_null(rule_parse(&rule, text, 253));
	assert_int_equal(rule.kind, RULE_NAME);
	assert_int_equal(rule.name_len, 253);
}

/* What is behind a NUL is no less a part of the pattern. */
static void
a_nul_ends_nothing(void **state)
{
#define NUL(text)	{ text, sizeof(text) - 1 }
	static const struct {
		const char *text;
		size_t len;
	} nuls[] = {
		NUL("192.0.2.1\0"), NUL("192.0.2.0/24\0"), NUL("::1\0x"),
		NUL("192.0.2.0/255.255.255.0\0"), NUL("uid:0\0"),
		NUL("uid:root\0x"), NUL("gid:adm\0"), NUL("localhost\0x"),
		NUL("\0"), NUL("uid:\0"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(nuls); i++) {
		struct rule rule;

		if (rule_parse(&rule, nuls[i].text, nuls[i].len) == NULL)
			fail_msg("list: %s", nuls[i].text);
		if (rule_parse_line(&rule, nuls[i].text, nuls[i].len) == NULL)
			fail_msg("line: %s", nuls[i].text);
	}
}

static void
users_and_groups_are_of_unix(void **state)
{
	static const struct {
		const char *text;
		bool wanted;
	} of[] = {
		{ "uid:0", true }, { "gid:adm", true }, { "::1", false },
		{ "localhost", false }, { "file:/x", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		struct rule rule;

		assert_null(rule_parse(&rule, of[i].text, strlen(of[i].text)));
		assert_int_equal(rule_is_of_unix(&rule), of[i].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pattern_is_what_it_says),
		cmocka_unit_test(names_and_files_stand_in_lists_only),
		cmocka_unit_test(networks_of_every_length),
		cmocka_unit_test(names_have_253_characters),
		cmocka_unit_test(a_nul_ends_nothing),
		cmocka_unit_test(users_and_groups_are_of_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
