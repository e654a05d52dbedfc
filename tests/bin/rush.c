/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Many clients that come at the same moment to a service with few places.
 *
 *	rush [-a] [-n COUNT] [-t SECONDS] LIMIT HOST PORT
 *
 * COUNT clients (2000) connect over IPv4, all of them before any is looked at.
 * A handler is to say something as soon as it serves one, and to stay until its
 * client has closed the sending side.  As soon as LIMIT clients are served, or
 * all that are left, and nothing more happens for a moment, these leave; with
 * -a nobody leaves before everybody is served or turned away.  The end is
 *
 *	served=N empty=N reset=N most=N
 *
 * where empty are those that the service closed without a word, and most is how
 * many were served, and had not begun to leave, at the same time.
 *
 * Exit status: 0 all have ended, 2 an error, 3 deadline (-t, 30 s), 64 usage.
 */

#include <sys/epoll.h>
#include <sys/resource.h>
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
#include <unistd.h>

enum {
	RUSH_ERROR = 2,
	RUSH_DEADLINE = 3,
	RUSH_USAGE = 64,
	EVENTS = 256,
	QUIET_MSEC = 30,
};

enum state {
	STATE_WAITS,
	STATE_SERVED,
	STATE_LEAVES,
	STATE_GONE,
};

struct client {
	int fd;
	enum state state;
};

struct rush {
	struct client *clients;
	uint32_t count, limit;
	bool all_first;
	int epfd;
	struct sockaddr_in to;

	uint32_t waiting, held, most;
	uint32_t served, empty, reset;
};

static void
deadline_signal(int sig)
{
	(void)sig;
	_exit(RUSH_DEADLINE);
}

static void
usage(void)
{
	fprintf(stderr, "usage: rush [-a] [-n count] [-t seconds] limit host "
	    "port\n");
	exit(RUSH_USAGE);
}

static void
client_connect(struct rush *rush, struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (client->fd == -1)
		err(RUSH_ERROR, "socket");
	if (connect(client->fd, (struct sockaddr *)&rush->to,
	    sizeof(rush->to)) == -1 && errno != EINPROGRESS)
		err(RUSH_ERROR, "connect");
	if (epoll_ctl(rush->epfd, EPOLL_CTL_ADD, client->fd, &event) == -1)
		err(RUSH_ERROR, "epoll_ctl");
	rush->waiting++;
}

static void
client_end(struct rush *rush, struct client *client, bool reset)
{
	if (client->state == STATE_WAITS)
		rush->waiting--;
	if (client->state == STATE_SERVED)
		errx(RUSH_ERROR, "the service has left first");
	if (reset)
		rush->reset++;
	else if (client->state == STATE_WAITS)
		rush->empty++;
	client->state = STATE_GONE;
	close(client->fd);
}

static void
client_served(struct rush *rush, struct client *client)
{
	if (client->state != STATE_WAITS)
		return;
	client->state = STATE_SERVED;
	rush->waiting--;
	rush->served++;
	if (++rush->held > rush->most)
		rush->most = rush->held;
}

static void
client_ready(struct rush *rush, struct client *client)
{
	char buf[256];
	ssize_t n;

	while ((n = recv(client->fd, buf, sizeof(buf), 0)) > 0)
		client_served(rush, client);
	if (n == 0)
		client_end(rush, client, false);
	else if (errno != EAGAIN)
		client_end(rush, client, true);
}

/* Those who are served make room. */
static void
all_leave(struct rush *rush)
{
	for (uint32_t i = 0; i < rush->count; i++) {
		struct client *client = &rush->clients[i];

		if (client->state != STATE_SERVED)
			continue;
		client->state = STATE_LEAVES;
		shutdown(client->fd, SHUT_WR);
	}
	rush->held = 0;
}

static bool
may_leave(const struct rush *rush)
{
	if (rush->waiting == 0)
		return true;
	return !rush->all_first && rush->held >= rush->limit;
}

static uint32_t
left(const struct rush *rush)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < rush->count; i++)
		count += rush->clients[i].state != STATE_GONE;
	return count;
}

static void
run(struct rush *rush)
{
	struct epoll_event events[EVENTS];

	for (uint32_t i = 0; i < rush->count; i++)
		client_connect(rush, &rush->clients[i]);
	while (left(rush) > 0) {
		int n = epoll_wait(rush->epfd, events, EVENTS, QUIET_MSEC);

		for (int i = 0; i < n; i++)
			client_ready(rush, events[i].data.ptr);
		if (n == 0 && may_leave(rush))
			all_leave(rush);
	}
}

static void
descriptors_raise(void)
{
	struct rlimit nofile;

	if (getrlimit(RLIMIT_NOFILE, &nofile) == -1)
		err(RUSH_ERROR, "getrlimit");
	nofile.rlim_cur = nofile.rlim_max;
	setrlimit(RLIMIT_NOFILE, &nofile);
}

int
main(int argc, char **argv)
{
	struct rush rush = { .count = 2000 };
	unsigned deadline = 30;
	int ch;

	while ((ch = getopt(argc, argv, "an:t:")) != -1) {
		switch (ch) {
		case 'a':
			rush.all_first = true;
			break;
		case 'n':
			rush.count = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			deadline = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 3)
		usage();
	rush.limit = (uint32_t)strtoul(argv[optind], NULL, 10);
	rush.to.sin_family = AF_INET;
	rush.to.sin_port = htons((uint16_t)strtoul(argv[optind + 2], NULL, 10));
	if (inet_pton(AF_INET, argv[optind + 1], &rush.to.sin_addr) != 1)
		usage();
	signal(SIGALRM, deadline_signal);
	alarm(deadline);
	descriptors_raise();
	rush.epfd = epoll_create1(EPOLL_CLOEXEC);
	rush.clients = calloc(rush.count, sizeof(*rush.clients));
	if (rush.epfd == -1 || rush.clients == NULL)
		err(RUSH_ERROR, "start");
	run(&rush);
	printf("served=%u empty=%u reset=%u most=%u\n", rush.served,
	    rush.empty, rush.reset, rush.most);
	return 0;
}
