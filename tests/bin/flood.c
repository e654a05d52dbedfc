/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that come again and again, as fast as they can.
 *
 *	flood [-eR] [-c CLIENTS] [-n COUNT] [-s SOURCES] [-t SECONDS] HOST PORT
 *
 * CLIENTS (50) at once connect, over IPv4, and read to the end of file; each is
 * followed by the next one until COUNT have ended, or until TERM.  The first
 * comes from 127.0.0.1, and those that follow from the next addresses in turn,
 * of which there are SOURCES (1).  -e closes the sending side as soon as the
 * connection stands, -R resets it then.  The end is a line on standard output:
 *
 *	ended=N served=N empty=N reset=N refused=N msec=N
 *
 * Served are those to whom something was said, empty those to whom nothing was
 * before the end of file; -R has all of them as reset.
 *
 * Exit status: 0 it ended as it should, 2 an error, 3 deadline (-t, 30 s), 64
 * usage.
 */

#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	FLOOD_ERROR = 2,
	FLOOD_DEADLINE = 3,
	FLOOD_USAGE = 64,
	EVENTS = 64,
};

enum outcome {
	OUTCOME_SERVED,
	OUTCOME_EMPTY,
	OUTCOME_RESET,
	OUTCOME_REFUSED,
	OUTCOMES,
};

struct client {
	int fd;
	bool stands;
	bool heard;
};

struct flood {
	struct client *clients;
	uint32_t at_once, sources;
	uint64_t count, begun, ended;
	uint64_t outcomes[OUTCOMES];
	bool half_close, reset;
	int epfd;
	struct sockaddr_in to;
};

static volatile sig_atomic_t stopping;

static void
stop_signal(int sig)
{
	if (sig == SIGALRM)
		_exit(FLOOD_DEADLINE);
	stopping = 1;
}

static void
usage(void)
{
	fprintf(stderr, "usage: flood [-eR] [-c clients] [-n count] "
	    "[-s sources] [-t seconds]\n"
	    "             host port\n");
	exit(FLOOD_USAGE);
}

static long
now_msec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
client_begin(struct flood *flood, struct client *client)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK +
		    (uint32_t)(flood->begun % flood->sources)),
	};
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = client,
	};
	const int on = 1;

	flood->begun++;
	*client = (struct client){ .fd = socket(AF_INET,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) };
	if (client->fd == -1)
		err(FLOOD_ERROR, "socket");
	setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	if (bind(client->fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		err(FLOOD_ERROR, "bind");
	if (connect(client->fd, (struct sockaddr *)&flood->to,
	    sizeof(flood->to)) == -1 && errno != EINPROGRESS)
		err(FLOOD_ERROR, "connect");
	if (epoll_ctl(flood->epfd, EPOLL_CTL_ADD, client->fd, &event) == -1)
		err(FLOOD_ERROR, "epoll_ctl");
}

/* The next one takes its place. */
static void
client_end(struct flood *flood, struct client *client, enum outcome outcome)
{
	close(client->fd);
	client->fd = -1;
	flood->outcomes[outcome]++;
	flood->ended++;
	if (!stopping && flood->begun < flood->count)
		client_begin(flood, client);
}

/* The connection stands, or never will; returns whether it is still there. */
static bool
client_stands(struct flood *flood, struct client *client)
{
	const struct linger at_once = { .l_onoff = 1 };
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		client_end(flood, client, error == ECONNREFUSED ?
		    OUTCOME_REFUSED : OUTCOME_RESET);
		return false;
	}
	client->stands = true;
	if (flood->half_close)
		shutdown(client->fd, SHUT_WR);
	if (!flood->reset)
		return true;
	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof(at_once));
	client_end(flood, client, OUTCOME_RESET);
	return false;
}

static void
client_ready(struct flood *flood, struct client *client)
{
	char buf[4096];
	ssize_t n;

	if (!client->stands && !client_stands(flood, client))
		return;
	while ((n = recv(client->fd, buf, sizeof(buf), 0)) > 0)
		client->heard = true;
	if (n == 0)
		client_end(flood, client, client->heard ? OUTCOME_SERVED :
		    OUTCOME_EMPTY);
	else if (errno != EAGAIN)
		client_end(flood, client, OUTCOME_RESET);
}

static void
run(struct flood *flood)
{
	struct epoll_event events[EVENTS];

	for (uint32_t i = 0; i < flood->at_once && i < flood->count; i++)
		client_begin(flood, &flood->clients[i]);
	while (!stopping && flood->ended < flood->count) {
		int n = epoll_wait(flood->epfd, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			client_ready(flood, events[i].data.ptr);
	}
}

static void
signals_set(unsigned deadline)
{
	/* Not restarted: the wait for events is to end. */
	struct sigaction action = { .sa_handler = stop_signal };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	alarm(deadline);
}

static void
parse_options(struct flood *flood, unsigned *deadline, int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "c:en:Rs:t:")) != -1) {
		switch (ch) {
		case 'c':
			flood->at_once = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'e':
			flood->half_close = true;
			break;
		case 'n':
			flood->count = strtoull(optarg, NULL, 10);
			break;
		case 'R':
			flood->reset = true;
			break;
		case 's':
			flood->sources = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			*deadline = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 2 || flood->at_once == 0 || flood->sources == 0)
		usage();
	flood->to.sin_family = AF_INET;
	flood->to.sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL,
	    10));
	if (inet_pton(AF_INET, argv[optind], &flood->to.sin_addr) != 1)
		usage();
}

int
main(int argc, char **argv)
{
	struct flood flood = {
		.at_once = 50,
		.sources = 1,
		.count = UINT64_MAX,
	};
	unsigned deadline = 30;
	long from = now_msec();

	parse_options(&flood, &deadline, argc, argv);
	signals_set(deadline);
	flood.epfd = epoll_create1(EPOLL_CLOEXEC);
	flood.clients = calloc(flood.at_once, sizeof(*flood.clients));
	if (flood.epfd == -1 || flood.clients == NULL)
		err(FLOOD_ERROR, "start");
	run(&flood);
	printf("ended=%ju served=%ju empty=%ju reset=%ju refused=%ju "
	    "msec=%ld\n", (uintmax_t)flood.ended,
	    (uintmax_t)flood.outcomes[OUTCOME_SERVED],
	    (uintmax_t)flood.outcomes[OUTCOME_EMPTY],
	    (uintmax_t)flood.outcomes[OUTCOME_RESET],
	    (uintmax_t)flood.outcomes[OUTCOME_REFUSED], now_msec() - from);
	return 0;
}
