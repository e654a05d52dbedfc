/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Many clients of an echo service at the same time.
 *
 *	crowd [-f] [-n COUNT] [-t SECONDS] HOST PORT
 *
 * COUNT clients (-n) connect, over IPv4 and from several addresses of the
 * loopback network in turn.  Each sends a line of its own and waits for it;
 * with -f each sends as much as its socket takes instead, without reading,
 * until none of them gets on.  When all are that far, "here COUNT BYTES" is
 * printed, with the number of bytes sent so far; all stay until the standard
 * input ends.  Then each closes its sending side and reads to the end, and all
 * that was sent must have come back.
 *
 * Exit status: 0 all was well, 2 an error, 3 deadline (-t, 30 s), 64 usage.
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
#include <string.h>
#include <unistd.h>

enum {
	CROWD_ERROR = 2,
	CROWD_DEADLINE = 3,
	CROWD_USAGE = 64,
	SOURCES = 8,
	LINE = 16,		/* bytes of one */
	STUCK_MSEC = 500,	/* nobody has sent anything for so long */
	UNDER_WAY = 512,	/* connections that are being made */
};

struct one {
	int fd;
	uint64_t sent, come;
	bool counted;		/* it is as far as it should be */
};

struct crowd {
	struct one *ones;
	uint32_t count;
	int epfd;
	bool flood;
	struct sockaddr_in to;
};

static void
deadline_signal(int sig)
{
	(void)sig;
	_exit(CROWD_DEADLINE);
}

static void
usage(void)
{
	fprintf(stderr, "usage: crowd [-f] [-n count] [-t seconds] host "
	    "port\n");
	exit(CROWD_USAGE);
}

/* What the given client says, from the given byte on: no two say the same. */
static void
words(uint32_t client, uint64_t at, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++, at++)
		buf[i] = (uint8_t)((client * 31 + at * 7 + (at >> 8)) & 0xff);
}

static void
watch(struct crowd *crowd, struct one *one, int op, uint32_t events)
{
	struct epoll_event event = {
		.events = events,
		.data.u32 = (uint32_t)(one - crowd->ones),
	};

	if (epoll_ctl(crowd->epfd, op, one->fd, &event) == -1)
		err(CROWD_ERROR, "epoll_ctl");
}

static void
one_connect(struct crowd *crowd, struct one *one)
{
	uint32_t source = (uint32_t)(one - crowd->ones) % SOURCES;
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source),
	};
	const int on = 1;

	one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (one->fd == -1)
		err(CROWD_ERROR, "socket");
	setsockopt(one->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	if (bind(one->fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		err(CROWD_ERROR, "bind");
	if (connect(one->fd, (struct sockaddr *)&crowd->to,
	    sizeof(crowd->to)) == -1 && errno != EINPROGRESS)
		err(CROWD_ERROR, "connect");
	watch(crowd, one, EPOLL_CTL_ADD,
	    crowd->flood ? EPOLLOUT : EPOLLOUT | EPOLLIN);
}

/* Send as much as the socket takes, or what is left of the line. */
static void
one_send(struct crowd *crowd, struct one *one)
{
	uint8_t buf[65536];

	while (crowd->flood || one->sent < LINE) {
		size_t len = crowd->flood ? sizeof(buf) :
		    (size_t)(LINE - one->sent);

		words((uint32_t)(one - crowd->ones), one->sent, buf, len);
		ssize_t n = send(one->fd, buf, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			err(CROWD_ERROR, "send");
		one->sent += (uint64_t)n;
	}
	watch(crowd, one, EPOLL_CTL_MOD, EPOLLIN);
}

/* Returns whether the end has come. */
static bool
one_receive(struct crowd *crowd, struct one *one)
{
	uint8_t buf[65536], wanted[65536];

	for (;;) {
		ssize_t n = recv(one->fd, buf, sizeof(buf), 0);

		if (n == -1 && errno == EAGAIN)
			return false;
		if (n == -1)
			err(CROWD_ERROR, "recv");
		if (n == 0)
			return true;
		words((uint32_t)(one - crowd->ones), one->come, wanted,
		    (size_t)n);
		if (memcmp(buf, wanted, (size_t)n) != 0)
			errx(CROWD_ERROR, "something else came back");
		one->come += (uint64_t)n;
	}
}

static uint64_t
all_sent(const struct crowd *crowd)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < crowd->count; i++)
		sum += crowd->ones[i].sent;
	return sum;
}

/* Everybody comes, and gets on as far as he should. */
static void
all_come(struct crowd *crowd)
{
	struct epoll_event events[256];
	uint32_t begun = 0, done = 0;

	for (;;) {
		while (begun < crowd->count && begun - done < UNDER_WAY)
			one_connect(crowd, &crowd->ones[begun++]);
		if (done == crowd->count && !crowd->flood)
			return;

		int n = epoll_wait(crowd->epfd, events, 256,
		    crowd->flood ? STUCK_MSEC : -1);
		if (n == 0 && done == crowd->count)
			return;
		for (int i = 0; i < n; i++) {
			struct one *one = &crowd->ones[events[i].data.u32];

			if (events[i].events & EPOLLOUT)
				one_send(crowd, one);
			if ((events[i].events & EPOLLIN) != 0 &&
			    one_receive(crowd, one))
				errx(CROWD_ERROR, "closed too early");
			if (!one->counted && (crowd->flood ||
			    one->come == LINE)) {
				one->counted = true;
				done++;
			}
		}
	}
}

static void
all_leave(struct crowd *crowd)
{
	struct epoll_event events[256];
	uint32_t left = crowd->count;

	for (uint32_t i = 0; i < crowd->count; i++) {
		shutdown(crowd->ones[i].fd, SHUT_WR);
		watch(crowd, &crowd->ones[i], EPOLL_CTL_MOD, EPOLLIN);
	}
	while (left > 0) {
		int n = epoll_wait(crowd->epfd, events, 256, -1);

		for (int i = 0; i < n; i++) {
			struct one *one = &crowd->ones[events[i].data.u32];

			if (!one_receive(crowd, one))
				continue;
			if (one->come != one->sent)
				errx(CROWD_ERROR, "not all came back");
			close(one->fd);
			left--;
		}
	}
}

static void
stdin_await(void)
{
	char buf[64];

	while (read(0, buf, sizeof(buf)) > 0)
		;
}

static void
descriptors_raise(void)
{
	struct rlimit nofile;

	if (getrlimit(RLIMIT_NOFILE, &nofile) == -1)
		err(CROWD_ERROR, "getrlimit");
	nofile.rlim_cur = nofile.rlim_max;
	setrlimit(RLIMIT_NOFILE, &nofile);
}

int
main(int argc, char **argv)
{
	struct crowd crowd = { .count = 1 };
	unsigned deadline = 30;
	int ch;

	while ((ch = getopt(argc, argv, "fn:t:")) != -1) {
		switch (ch) {
		case 'f':
			crowd.flood = true;
			break;
		case 'n':
			crowd.count = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			deadline = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 2)
		usage();
	crowd.to.sin_family = AF_INET;
	crowd.to.sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL,
	    10));
	if (inet_pton(AF_INET, argv[optind], &crowd.to.sin_addr) != 1)
		usage();
	signal(SIGALRM, deadline_signal);
	alarm(deadline);
	descriptors_raise();
	crowd.epfd = epoll_create1(0);
	crowd.ones = calloc(crowd.count, sizeof(*crowd.ones));
	if (crowd.epfd == -1 || crowd.ones == NULL)
		err(CROWD_ERROR, "start");
	all_come(&crowd);
	printf("here %u %llu\n", crowd.count,
	    (unsigned long long)all_sent(&crowd));
	fflush(stdout);
	stdin_await();
	all_leave(&crowd);
	return 0;
}
