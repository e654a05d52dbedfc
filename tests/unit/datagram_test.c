/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/* Whom built-ins answer, and what relayed datagrams are told from. */

#include "frontend/datagram.h"

#include <sys/socket.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct datagram
from(const char *host, uint16_t port)
{
	struct datagram dg = { .hops = 64 };

	assert_int_equal(addr_parse(&dg.peer, host, strlen(host)), 0);
	dg.peer.port = port;
	return dg;
}

static bool
answers(const char *host, uint16_t port)
{
	struct datagram dg = from(host, port);

	return datagram_answerable(&dg);
}

static void
clients_are_answered(void **state)
{
	(void)state;
	assert_true(answers("127.0.0.1", 40000));
	assert_true(answers("192.0.2.1", 1024));
	assert_true(answers("223.255.255.254", 40000));
	assert_true(answers("2001:db8::1", 40000));
	assert_true(answers("fe80::1", 40000));
	assert_true(answers("192.0.2.1", 8));
}

static void
those_who_answer_are_not(void **state)
{
	static const uint16_t ports[] = {
		0, 7, 13, 17, 19, 37, 53, 69, 111, 123, 137, 161, 389, 514,
		520, 1900, 5353, 11211,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		assert_false(answers("192.0.2.1", ports[i]));
		assert_false(answers("2001:db8::1", ports[i]));
	}
}

static void
those_who_are_many_are_not(void **state)
{
	(void)state;
	assert_false(answers("255.255.255.255", 40000));
	assert_false(answers("224.0.0.1", 40000));
	assert_false(answers("239.255.255.250", 40000));
	assert_false(answers("ff02::1", 40000));
	assert_false(answers("0.0.0.0", 40000));
	assert_false(answers("0.0.0.1", 40000));
	assert_false(answers("::", 40000));
}

static void
what_was_sent_to_many_is_not(void **state)
{
	struct datagram dg = from("192.0.2.1", 40000);

	(void)state;
	assert_true(datagram_answerable(&dg));
	dg.to_group = true;
	assert_false(datagram_answerable(&dg));
}

static void
what_has_come_too_far_is_not(void **state)
{
	struct datagram dg = from("192.0.2.1", 40000);

	(void)state;
	dg.hops = 1;
	assert_false(datagram_answerable(&dg));
	dg.hops = 2;
	assert_true(datagram_answerable(&dg));
	dg.hops = 0;	/* not known */
	assert_true(datagram_answerable(&dg));
}

/* marked: before they are sent, or only when they are taken. */
static void
end_differs(bool early)
{
	uint8_t buf[8];
	int ends[2];
	bool end = false;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	if (early)
		datagram_mark(ends[0]);
	assert_int_equal(send(ends[1], "", 0, 0), 0);
	assert_int_equal(send(ends[1], "x", 1, 0), 1);
	if (!early)
		datagram_mark(ends[0]);
	assert_int_equal(datagram_take(ends[0], buf, sizeof(buf), &end), 0);
	assert_int_equal(datagram_take(ends[0], buf, sizeof(buf), &end), 1);
	assert_int_equal(datagram_take(ends[0], buf, sizeof(buf), &end), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(end);
	assert_int_equal(send(ends[1], "", 0, 0), 0);
	assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
	assert_int_equal(datagram_take(ends[0], buf, sizeof(buf), &end), 0);
	assert_false(end);
	assert_int_equal(datagram_take(ends[0], buf, sizeof(buf), &end), -1);
	assert_true(end);
	close(ends[0]);
	close(ends[1]);
}

static void
the_end_is_no_empty_datagram(void **state)
{
	(void)state;
	end_differs(true);
	end_differs(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_answered),
		cmocka_unit_test(those_who_answer_are_not),
		cmocka_unit_test(those_who_are_many_are_not),
		cmocka_unit_test(what_was_sent_to_many_is_not),
		cmocka_unit_test(what_has_come_too_far_is_not),
		cmocka_unit_test(the_end_is_no_empty_datagram),
	};

	return cmocka_run_group_tests_name("datagram", tests, NULL, NULL);
}
