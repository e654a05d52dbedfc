/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/* What handlers that wait have taken, and how long to rest if they do not. */

#include "frontend/rest.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	CLIENTS_MAX = 8,
};

/* A socket at which somebody may wait, and who does. */
struct scene {
	struct rest rest;
	enum conf_transport transport;
	int arrivals;
	int fd;
	struct sockaddr_in at;
	int clients[CLIENTS_MAX];
	int count;
};

static void
scene_open(struct scene *sc, enum conf_transport transport)
{
	int type = transport == CONF_UDP ? SOCK_DGRAM : SOCK_STREAM;
	socklen_t len = sizeof(sc->at);

	*sc = (struct scene){
		.transport = transport,
		.arrivals = epoll_create1(EPOLL_CLOEXEC),
		.fd = socket(AF_INET, type | SOCK_NONBLOCK, 0),
		.at = {
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		},
	};
	assert_int_not_equal(sc->arrivals, -1);
	assert_int_equal(bind(sc->fd, (struct sockaddr *)&sc->at, len), 0);
	if (transport == CONF_TCP)
		assert_int_equal(listen(sc->fd, CLIENTS_MAX), 0);
	assert_int_equal(getsockname(sc->fd, (struct sockaddr *)&sc->at, &len),
	    0);
}

static void
scene_close(struct scene *sc)
{
	for (int i = 0; i < sc->count; i++)
		close(sc->clients[i]);
	close(sc->fd);
	close(sc->arrivals);
}

/* Somebody connects, or sends a datagram. */
static void
come(struct scene *sc)
{
	int type = sc->transport == CONF_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(AF_INET, type, 0);

	sc->clients[sc->count++] = fd;
	assert_int_equal(connect(fd, (struct sockaddr *)&sc->at,
	    sizeof(sc->at)), 0);
	if (sc->transport == CONF_UDP)
		assert_int_equal(send(fd, "x", 1, 0), 1);
}

/* The handler takes one. */
static void
take(struct scene *sc)
{
	char byte;

	if (sc->transport == CONF_UDP)
		assert_int_equal(recv(sc->fd, &byte, 1, 0), 1);
	else
		close(accept(sc->fd, NULL, NULL));
}

static void
begin(struct scene *sc, bool there)
{
	rest_begin(&sc->rest, sc->arrivals, sc->fd, sc->transport, there);
}

static enum rest_outcome
end_knowing(struct scene *sc, enum channel_took took)
{
	return rest_end(&sc->rest, sc->arrivals, sc->fd, sc->transport, took);
}

static enum rest_outcome
end(struct scene *sc)
{
	return end_knowing(sc, CHANNEL_TOOK_UNKNOWN);
}

/* Before the handler, meanwhile, and what follows from it. */
struct row {
	const char *name;
	enum conf_transport transport;
	int before;
	const char *meanwhile;	/* c: one comes; t: one is taken; in order */
	enum rest_outcome wanted;
};

static const struct row rows[] = {
	{ "tcp, nothing", CONF_TCP, 1, "", REST_LEFT },
	{ "tcp, of two", CONF_TCP, 2, "", REST_LEFT },
	{ "tcp, taken", CONF_TCP, 1, "t", REST_TAKEN },
	{ "tcp, one of two", CONF_TCP, 2, "t", REST_TAKEN },
	{ "tcp, taken, then another", CONF_TCP, 1, "tc", REST_TAKEN },
	{ "tcp, another, then taken", CONF_TCP, 1, "ct", REST_TAKEN },
	{ "tcp, two come, one taken", CONF_TCP, 1, "ctc", REST_UNSURE },
	{ "tcp, one comes", CONF_TCP, 1, "c", REST_UNSURE },
	{ "tcp, nobody there", CONF_TCP, 0, "", REST_IDLE },
	{ "tcp, comes later", CONF_TCP, 0, "c", REST_IDLE },
	{ "tcp, comes later, taken", CONF_TCP, 0, "ct", REST_IDLE },
	{ "tcp, comes later, one of two", CONF_TCP, 0, "cct", REST_IDLE },
	{ "tcp, all taken", CONF_TCP, 2, "tctt", REST_TAKEN },
	{ "udp, nothing", CONF_UDP, 1, "", REST_LEFT },
	{ "udp, of two", CONF_UDP, 2, "", REST_LEFT },
	{ "udp, taken", CONF_UDP, 1, "t", REST_TAKEN },
	{ "udp, one of two", CONF_UDP, 2, "t", REST_TAKEN },
	{ "udp, taken, then another", CONF_UDP, 1, "tc", REST_TAKEN },
	{ "udp, one comes", CONF_UDP, 1, "c", REST_LEFT },
	{ "udp, nobody there", CONF_UDP, 0, "", REST_IDLE },
	{ "udp, comes later", CONF_UDP, 0, "c", REST_IDLE },
};

static void
what_was_taken_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct scene sc;

		scene_open(&sc, row->transport);
		for (int n = 0; n < row->before; n++)
			come(&sc);
		begin(&sc, row->before > 0);
		assert_true(sc.rest.asked);
		for (const char *at = row->meanwhile; *at != '\0'; at++) {
			if (*at == 'c')
				come(&sc);
			else
				take(&sc);
		}
		if (end(&sc) != row->wanted)
			fail_msg("%s", row->name);
		assert_false(sc.rest.asked);
		scene_close(&sc);
	}
}

/* The same datagram is the same at each look, and the option is off. */
static void
a_datagram_is_known_again(void **state)
{
	struct scene sc;
	int value = -1;
	socklen_t len = sizeof(value);

	(void)state;
	scene_open(&sc, CONF_UDP);
	come(&sc);
	come(&sc);
	for (unsigned i = 1; i <= 5; i++) {
		begin(&sc, true);
		assert_int_equal(end(&sc), REST_LEFT);
		assert_int_equal(sc.rest.left, i);
	}
	getsockopt(sc.fd, SOL_SOCKET, SO_TIMESTAMPNS, &value, &len);
	assert_int_equal(value, 0);
	begin(&sc, true);
	take(&sc);
	assert_int_equal(end(&sc), REST_TAKEN);
	scene_close(&sc);
}

/* Main has the last word; a transport of which nothing is known has nothing. */
static void
what_main_knows_goes_first(void **state)
{
	struct scene sc;

	(void)state;
	scene_open(&sc, CONF_TCP);
	come(&sc);
	begin(&sc, true);
	come(&sc);
	assert_int_equal(end_knowing(&sc, CHANNEL_TOOK_NOTHING), REST_LEFT);
	begin(&sc, true);
	assert_int_equal(end_knowing(&sc, CHANNEL_TOOK_SOME), REST_TAKEN);
	sc.transport = CONF_UNIX;
	begin(&sc, true);
	assert_int_equal(end(&sc), REST_UNSURE);
	begin(&sc, false);
	assert_int_equal(end_knowing(&sc, CHANNEL_TOOK_NOTHING), REST_IDLE);
	scene_close(&sc);
}

static void
rests_are_doubled_up_to_five_seconds(void **state)
{
	static const uint32_t wanted[] = {
		0, 0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000,
	};
	struct rest rest = { .left = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		rest.left = (unsigned)i;
		assert_int_equal(rest_msec(&rest), wanted[i]);
		assert_false(rest_is_over(&rest));
	}
	rest.left = REST_TRIES + 1;
	assert_true(rest_is_over(&rest));
}

static void
doubts_delay_a_little_and_throw_nobody_away(void **state)
{
	struct rest rest = { .doubts = REST_DOUBTS };

	(void)state;
	assert_int_equal(rest_msec(&rest), 0);
	rest.doubts = 1000000;
	assert_int_equal(rest_msec(&rest), 10);
	assert_false(rest_is_over(&rest));
	rest.left = 10;
	rest_doubt(&rest);
	assert_int_equal(rest_msec(&rest), 10);
	rest_reset(&rest);
	assert_int_equal(rest_msec(&rest), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_taken_is_seen),
		cmocka_unit_test(a_datagram_is_known_again),
		cmocka_unit_test(what_main_knows_goes_first),
		cmocka_unit_test(rests_are_doubled_up_to_five_seconds),
		cmocka_unit_test(doubts_delay_a_little_and_throw_nobody_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
