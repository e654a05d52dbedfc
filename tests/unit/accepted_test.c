/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A connection of each kind is one of its own listener, and of no other.
 */

#include "main/accepted.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/transport.h"

enum {
	WAIT_MSEC = 10000,
	KINDS = 9,
};

/* What clients connect to, and a connection that was accepted. */
struct sample {
	const char *name;
	struct listener_id id;
	struct listener *lst;
	int client;
	int socket;
};

static char paths[3][64];

static const struct addr localhost4 = {
	.family = ADDR_IP4, .bytes = { 127, 0, 0, 1 },
};
static const struct addr another4 = {
	.family = ADDR_IP4, .bytes = { 127, 0, 0, 2 },
};
static const struct addr localhost6 = {
	.family = ADDR_IP6, .bytes = { [15] = 1 },
};
static const struct addr any4 = { .family = ADDR_IP4 };
static const struct addr any6 = { .family = ADDR_IP6 };

static void
client_open(struct sample *sample)
{
	const struct listener *lst = sample->lst;
	struct sockaddr_storage ss;
	struct sockaddr *sa = (struct sockaddr *)&ss;
	socklen_t len = sizeof(ss);
	int type = lst->transport == CONF_UNIX_SEQPACKET ? SOCK_SEQPACKET :
	    SOCK_STREAM;

	assert_int_equal(getsockname(lst->fd, sa, &len), 0);
	sample->client = socket(sa->sa_family, type | SOCK_CLOEXEC, 0);
	assert_int_not_equal(sample->client, -1);
	assert_int_equal(connect(sample->client, sa, len), 0);
}

static void
sample_open(struct sample *sample)
{
	static const struct inherited none = { 0 };
	static const struct conf_socket options = {
		.dscp = CONF_KEEP, .uid = UINT32_MAX, .gid = UINT32_MAX,
		.mode = 0666, .backlog = 4,
	};
	struct listener *lst = listener_new(&sample->id, &options);

	assert_non_null(lst);
	if (listener_bind(lst, &none, false) == -1)
		fail_msg("%s: %s: %s", sample->name, lst->step,
		    strerror(lst->error));
	assert_int_equal(listener_listen(lst), 0);
	sample->lst = lst;
	client_open(sample);
	struct pollfd wait = { lst->fd, POLLIN, 0 };
	assert_int_equal(poll(&wait, 1, WAIT_MSEC), 1);
	sample->socket = accept4(lst->fd, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(sample->socket, -1);
}

static void
sample_close(struct sample *sample)
{
	close(sample->client);
	close(sample->socket);
	listener_unref(sample->lst);
}

/* What a frontend would say of the peer. */
static struct addr
peer_of(const struct sample *sample)
{
	if (transport_is_unix(sample->id.transport))
		return (struct addr){ .family = ADDR_UNIX };
	return localhost4;
}

static bool
check(const struct sample *listener, const struct sample *accepted)
{
	struct connection conn = { .peer = peer_of(accepted) };

	return accepted_check(listener->lst, accepted->socket, &conn);
}

static void
samples_open(struct sample samples[KINDS])
{
	const struct sample all[KINDS] = {
		{ "tcp", { CONF_TCP, .addr = localhost4 } },
		{ "tcp at another address", { CONF_TCP, .addr = another4 } },
		{ "tcp at every address", { CONF_TCP, .addr = any4 } },
		{ "tcp6", { CONF_TCP, .addr = localhost6 } },
		{ "both", { CONF_TCP, CONF_V6_DUAL, .addr = any6 } },
		{ "unix", { CONF_UNIX, .path = paths[0] } },
		{ "seqpacket", { CONF_UNIX_SEQPACKET, .path = paths[1] } },
		{ "abstract", { CONF_UNIX, .path = paths[2] } },
		{ "abstract seqpacket",
		    { CONF_UNIX_SEQPACKET, .path = paths[2] } },
	};

	for (size_t i = 0; i < KINDS; i++) {
		samples[i] = all[i];
		if (samples[i].id.path == NULL)
			samples[i].id.path = "";
		samples[i].id.interface = "";
		sample_open(&samples[i]);
	}
}

static void
each_is_one_of_its_own_listener_only(void **state)
{
	struct sample samples[KINDS];

	(void)state;
	samples_open(samples);
	for (size_t i = 0; i < KINDS; i++)
		for (size_t j = 0; j < KINDS; j++)
			if (check(&samples[i], &samples[j]) != (i == j))
				fail_msg("one of \"%s\" at \"%s\"",
				    samples[j].name, samples[i].name);
	for (size_t i = 0; i < KINDS; i++)
		sample_close(&samples[i]);
}

static void
what_is_no_connection_is_none(void **state)
{
	struct sample samples[KINDS];
	struct connection conn;

	(void)state;
	samples_open(samples);
	for (size_t i = 0; i < KINDS; i++) {
		const struct sample *sample = &samples[i];

		/* The listener itself, and the other end. */
		conn.peer = peer_of(sample);
		assert_false(accepted_check(sample->lst, sample->lst->fd,
		    &conn));
		if (transport_is_unix(sample->id.transport))
			assert_false(accepted_check(sample->lst,
			    sample->client, &conn));
		assert_false(accepted_check(sample->lst, STDIN_FILENO, &conn));
		assert_false(accepted_check(sample->lst, -1, &conn));
		/* And none of a listener that is closed. */
		assert_true(check(sample, sample));
		listener_close(sample->lst);
		assert_false(check(sample, sample));
	}
	for (size_t i = 0; i < KINDS; i++)
		sample_close(&samples[i]);
}

static void
the_ids_of_unix_peers_are_not_the_frontends_word(void **state)
{
	struct sample samples[KINDS];

	(void)state;
	samples_open(samples);
	for (size_t i = 5; i < KINDS; i++) {
		struct connection conn = {
			.peer = addr_from_cred(1, 2, 3),
		};

		assert_true(accepted_check(samples[i].lst, samples[i].socket,
		    &conn));
		assert_int_equal(addr_cred(&conn.peer).pid, getpid());
		assert_int_equal(addr_cred(&conn.peer).uid, geteuid());
		assert_int_equal(conn.local.family, ADDR_UNIX);
	}
	for (size_t i = 0; i < KINDS; i++)
		sample_close(&samples[i]);
}

static void
a_peer_is_of_the_family_of_its_socket(void **state)
{
	struct sample samples[KINDS];
	struct connection conn = { .peer = addr_from_vsock(3, 4) };

	(void)state;
	samples_open(samples);
	assert_false(accepted_check(samples[0].lst, samples[0].socket, &conn));
	conn.peer = (struct addr){ .family = ADDR_UNIX };
	assert_false(accepted_check(samples[0].lst, samples[0].socket, &conn));
	conn.peer = another4;
	assert_true(accepted_check(samples[0].lst, samples[0].socket, &conn));
	assert_int_equal(conn.local.port, samples[0].lst->local.port);
	for (size_t i = 0; i < KINDS; i++)
		sample_close(&samples[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_one_of_its_own_listener_only),
		cmocka_unit_test(what_is_no_connection_is_none),
		cmocka_unit_test(
		    the_ids_of_unix_peers_are_not_the_frontends_word),
		cmocka_unit_test(a_peer_is_of_the_family_of_its_socket),
	};
	char dir[] = "/tmp/minetd-accepted-test.XXXXXX";

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(paths[0], sizeof(paths[0]), "%s/stream", dir);
	snprintf(paths[1], sizeof(paths[1]), "%s/packets", dir);
	snprintf(paths[2], sizeof(paths[2]), "@%s", dir);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
