/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Options of sockets: what is configured and nothing else, there and back
 * again; and listeners that take no new clients.  plan_test has those options
 * that a configuration can be seen to change.
 */

#include "main/sockopt.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

enum {
	WAIT_MSEC = 10000,
	STATE_ESTABLISHED = 1,	/* of struct tcp_info */
	NOBODY = 65534,
};

static const struct conf_socket nothing = {
	.dscp = CONF_KEEP, .uid = UINT32_MAX, .gid = UINT32_MAX,
};

static const struct sockopt_kind kinds[] = {
	{ AF_INET, SOCK_STREAM, IPPROTO_TCP, false },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, false },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, true },
	{ AF_UNIX, SOCK_STREAM, 0, false },
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDP, false },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, true },
	{ AF_UNIX, SOCK_DGRAM, 0, false },
	{ AF_UNIX, SOCK_SEQPACKET, 0, false },
};

static int
socket_open(const struct sockopt_kind *kind)
{
	int fd = socket(kind->family, kind->type | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, kind->protocol);

	assert_int_not_equal(fd, -1);
	return fd;
}

static int
option(int fd, int level, int number)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, number, &value, &len), 0);
	return value;
}

static int
tcp_state(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len),
	    0);
	return info.tcpi_state;
}

/* Each int option that a configuration can have. */
static const struct {
	int level;
	int number;
} options_known[] = {
	{ SOL_SOCKET, SO_SNDBUF }, { SOL_SOCKET, SO_RCVBUF },
	{ SOL_SOCKET, SO_BUF_LOCK }, { SOL_SOCKET, SO_REUSEPORT },
	{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_MARK },
	{ IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_FREEBIND },
	{ IPPROTO_IP, IP_TRANSPARENT }, { IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT }, { IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT },
	{ IPPROTO_IPV6, IPV6_TCLASS }, { IPPROTO_IPV6, IPV6_FREEBIND },
	{ IPPROTO_IPV6, IPV6_TRANSPARENT },
};

/* The two sockets have the same options as far as both have them. */
static void
expect_same(int a, int b)
{
	for (size_t i = 0; i < sizeof(options_known) /
	    sizeof(options_known[0]); i++) {
		int level = options_known[i].level;
		int number = options_known[i].number;
		int left = -1, right = -1;
		socklen_t len = sizeof(int);

		getsockopt(a, level, number, &left, &len);
		len = sizeof(int);
		getsockopt(b, level, number, &right, &len);
		if (left != right)
			fail_msg("option %d of level %d: %d and %d", number,
			    level, left, right);
	}
}

static void
what_is_not_configured_is_left_alone(void **state)
{
	const char *step;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int set = socket_open(&kinds[i]);
		int fresh = socket_open(&kinds[i]);

		assert_int_equal(sockopt_set(set, &kinds[i], &nothing, &step),
		    0);
		expect_same(set, fresh);
		assert_int_equal(option(set, SOL_SOCKET, SO_REUSEADDR),
		    kinds[i].family != AF_UNIX &&
		    kinds[i].type == SOCK_STREAM);
		if (kinds[i].family == AF_INET6)
			assert_int_equal(option(set, IPPROTO_IPV6,
			    IPV6_V6ONLY), !kinds[i].dual);
		close(set);
		close(fresh);
	}
}

/* All that an ordinary user can set. */
static struct conf_socket
all_options(void)
{
	struct conf_socket all = nothing;

	all.keepalive_time = 71;
	all.keepalive_interval = 11;
	all.keepalive_probes = 3;
	all.defer_accept = 3;
	all.send_buffer = 20000;
	all.receive_buffer = 30000;
	all.dscp = 46;
	all.reuse_port = true;
	all.freebind = true;
	all.nodelay = true;
	all.keepalive = true;
	return all;
}

/* A change comes to the same as a new socket, and back. */
static void
everything_comes_and_goes(void **state)
{
	const struct conf_socket all = all_options();
	const char *step;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct sockopt_kind *kind = &kinds[i];
		int changed = socket_open(kind);
		int full = socket_open(kind);
		int fresh = socket_open(kind);

		assert_int_equal(sockopt_set(full, kind, &all, &step), 0);
		assert_int_equal(option(full, SOL_SOCKET, SO_RCVBUF), 60000);
		assert_int_equal(sockopt_set(changed, kind, &nothing, &step),
		    0);
		for (int round = 0; round < 2; round++) {
			assert_int_equal(sockopt_change(changed, kind,
			    &nothing, &all, &step), 0);
			expect_same(changed, full);
			assert_int_equal(sockopt_change(changed, kind, &all,
			    &nothing, &step), 0);
			expect_same(changed, fresh);
		}
		close(changed);
		close(full);
		close(fresh);
	}
}

static void
both_families_of_a_wildcard_are_marked(void **state)
{
	struct conf_socket sock = nothing;
	const char *step;

	(void)state;
	sock.dscp = 46;
	int fd = socket_open(&kinds[2]);
	assert_int_equal(sockopt_set(fd, &kinds[2], &sock, &step), 0);
	assert_int_equal(option(fd, IPPROTO_IP, IP_TOS), 46 * 4);
	assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_TCLASS), 46 * 4);
	close(fd);
}

/* The first failure is told, and the rest is done. */
static void
a_failure_is_named_and_does_not_end_a_change(void **state)
{
	struct conf_socket sock = nothing;
	const char *step = NULL;
	bool root = geteuid() == 0;

	(void)state;
	sock.mark = 7;
	sock.nodelay = true;
	sock.keepalive_probes = 100000;
	int fd = socket_open(&kinds[0]);
	assert_int_equal(root ? seteuid(NOBODY) : 0, 0);
	int set = sockopt_set(fd, &kinds[0], &sock, &step);
	int error = errno;
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_int_equal(set, -1);
	assert_int_equal(error, EPERM);
	assert_string_equal(step, "mark");
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 0);

	step = NULL;
	assert_int_equal(root ? seteuid(NOBODY) : 0, 0);
	set = sockopt_change(fd, &kinds[0], &nothing, &sock, &step);
	error = errno;
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_int_equal(set, -1);
	assert_int_equal(error, EPERM);
	assert_string_equal(step, "mark");
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	close(fd);
}

/* A listener on the loopback address of a family, and where it is. */
struct place {
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;
};

static struct place
listener_open(const struct sockopt_kind *kind)
{
	struct place place = { .len = sizeof(struct sockaddr_in),
		.fd = socket_open(kind) };
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&place.ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)&place.ss;
	struct sockaddr *sa = (struct sockaddr *)&place.ss;

	sa->sa_family = (sa_family_t)kind->family;
	if (kind->family == AF_INET)
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (kind->family == AF_INET6)
		sin6->sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	if (kind->family == AF_INET6)
		place.len = sizeof(*sin6);
	/* The kernel gives a unix socket a name without a file. */
	if (kind->family == AF_UNIX)
		place.len = sizeof(sa_family_t);
	assert_int_equal(bind(place.fd, sa, place.len), 0);
	place.len = sizeof(place.ss);
	assert_int_equal(getsockname(place.fd, sa, &place.len), 0);
	assert_int_equal(listen(place.fd, 8), 0);
	return place;
}

/* Begin to connect; on the loopback interface that is all it takes. */
static int
client_open(const struct sockopt_kind *kind, const struct place *place)
{
	int fd = socket_open(kind);

	if (connect(fd, (const struct sockaddr *)&place->ss, place->len) == -1)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

static void
wait_for(int fd, short events)
{
	struct pollfd wait = { fd, events, 0 };

	assert_int_equal(poll(&wait, 1, WAIT_MSEC), 1);
	assert_int_equal(wait.revents & events, events);
}

static int
client_accept(const struct place *place)
{
	wait_for(place->fd, POLLIN);
	int fd = accept4(place->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

/* Both ends hear each other. */
static void
expect_talk(int a, int b)
{
	const int ends[] = { a, b, a };
	char byte;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(write(ends[i], "x", 1), 1);
		wait_for(ends[i + 1], POLLIN);
		assert_int_equal(read(ends[i + 1], &byte, 1), 1);
	}
}

/* What an attempt to connect has come to. */
static int
connect_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	wait_for(fd, POLLOUT);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len),
	    0);
	return error;
}

/* Without another listener; those in the queue are served. */
static void
new_clients_do_not_find_a_hidden_listener(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct place place = listener_open(&kinds[i]);
		int early = client_open(&kinds[i], &place);

		assert_int_equal(tcp_state(early), STATE_ESTABLISHED);
		sockopt_hide(place.fd);
		int late = client_open(&kinds[i], &place);
		assert_int_equal(connect_error(late), ECONNREFUSED);
		int served = client_accept(&place);
		expect_talk(early, served);
		/* What a handler gets is an ordinary connection. */
		assert_int_equal(option(served, SOL_SOCKET, SO_BINDTOIFINDEX),
		    0);
		assert_int_equal(accept(place.fd, NULL, NULL), -1);
		assert_int_equal(errno, EAGAIN);
		close(early);
		close(late);
		close(served);
		close(place.fd);
	}
}

/* One on the same address, and one on all addresses. */
static void
new_clients_find_the_one_beside_a_hidden_listener(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct sockopt_kind *kind = &kinds[i / 2];
		struct place place = listener_open(kind);
		struct place beside = place;
		struct sockaddr *sa = (struct sockaddr *)&beside.ss;
		const int yes = 1;

		/* As all listeners have it: connections hold the port, too. */
		assert_int_equal(setsockopt(place.fd, SOL_SOCKET, SO_REUSEADDR,
		    &yes, sizeof(yes)), 0);
		int early = client_open(kind, &place);

		if (i % 2 == 1 && kind->family == AF_INET)
			((struct sockaddr_in *)sa)->sin_addr.s_addr =
			    htonl(INADDR_ANY);
		else if (i % 2 == 1)
			((struct sockaddr_in6 *)sa)->sin6_addr = in6addr_any;
		beside.fd = socket_open(kind);
		assert_int_equal(setsockopt(beside.fd, SOL_SOCKET,
		    SO_REUSEADDR, &yes, sizeof(yes)), 0);
		assert_int_equal(sockopt_share_port(place.fd, true), 0);
		assert_int_equal(sockopt_share_port(beside.fd, true), 0);
		assert_int_equal(bind(beside.fd, sa, beside.len), 0);
		sockopt_hide(place.fd);
		assert_int_equal(listen(beside.fd, 8), 0);
		int late = client_open(kind, &place);
		int served = client_accept(&beside);
		expect_talk(late, served);
		int first = client_accept(&place);
		expect_talk(early, first);
		close(early);
		close(late);
		close(served);
		close(first);
		close(beside.fd);
		close(place.fd);
	}
}

/* The listener waits for data, which come when it is hidden. */
static void
handshakes_under_way_go_on(void **state)
{
	const int seconds = 5;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct place place = listener_open(&kinds[i]);

		assert_int_equal(setsockopt(place.fd, IPPROTO_TCP,
		    TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)), 0);
		int client = client_open(&kinds[i], &place);
		assert_int_equal(tcp_state(client), STATE_ESTABLISHED);
		assert_int_equal(accept(place.fd, NULL, NULL), -1);
		sockopt_hide(place.fd);
		assert_int_equal(write(client, "y", 1), 1);
		int served = client_accept(&place);
		wait_for(served, POLLIN);
		char byte = 0;
		assert_int_equal(read(served, &byte, 1), 1);
		assert_int_equal(byte, 'y');
		expect_talk(client, served);
		close(client);
		close(served);
		close(place.fd);
	}
}

static void
hiding_twice_or_in_vain_is_harmless(void **state)
{
	(void)state;
	struct place place = listener_open(&kinds[0]);
	sockopt_hide(place.fd);
	sockopt_hide(place.fd);
	int client = client_open(&kinds[0], &place);
	assert_int_equal(connect_error(client), ECONNREFUSED);
	close(client);
	close(place.fd);
	/* No socket at all. */
	sockopt_hide(-1);
}

static void
a_port_is_shared_while_both_say_so(void **state)
{
	(void)state;
	struct place first = listener_open(&kinds[0]);
	struct sockaddr *sa = (struct sockaddr *)&first.ss;
	int second = socket_open(&kinds[0]);

	assert_int_equal(sockopt_share_port(second, true), 0);
	assert_int_equal(bind(second, sa, first.len), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(sockopt_share_port(first.fd, true), 0);
	assert_int_equal(bind(second, sa, first.len), 0);
	assert_int_equal(sockopt_share_port(first.fd, false), 0);
	assert_int_equal(sockopt_share_port(second, false), 0);
	assert_int_equal(option(first.fd, SOL_SOCKET, SO_REUSEPORT), 0);
	/* The kernel remembers that it was, but not for who does not ask. */
	int third = socket_open(&kinds[0]);
	assert_int_equal(bind(third, sa, first.len), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(first.fd);
	close(second);
	close(third);
	assert_int_equal(sockopt_share_port(-1, true), -1);
	assert_int_equal(errno, EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_configured_is_left_alone),
		cmocka_unit_test(everything_comes_and_goes),
		cmocka_unit_test(both_families_of_a_wildcard_are_marked),
		cmocka_unit_test(a_failure_is_named_and_does_not_end_a_change),
		cmocka_unit_test(new_clients_do_not_find_a_hidden_listener),
		cmocka_unit_test(
		    new_clients_find_the_one_beside_a_hidden_listener),
		cmocka_unit_test(handshakes_under_way_go_on),
		cmocka_unit_test(hiding_twice_or_in_vain_is_harmless),
		cmocka_unit_test(a_port_is_shared_while_both_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
