/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether handlers that wait take what they are started for.
 *
 * A datagram has a time stamp, which the kernel sets once.  Of a tcp socket the
 * length of the queue is known, and an edge-triggered epoll tells whether
 * anybody has come meanwhile: if nobody has, the length says it all.  Of unix
 * sockets main knows who is first.  Of others nothing is known.
 */

#include "frontend/rest.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "conf/transport.h"

enum {
	FIRST_MSEC = 50,
	LAST_MSEC = 5000,
	DOUBT_MSEC = 10,	/* a handler may have work to do, but not all of
				 * the processor's time */
	EVENTS = 16,
};

/*
 * The time stamp of the datagram in front, in nanoseconds; 0 when there is
 * none.  The option is set for the one call: a handler must not find it.
 */
static uint64_t
stamp_peek(int fd)
{
	int on = 1, off = 0;
	char control[CMSG_SPACE(sizeof(struct timespec)) + 64]
	    __attribute__((aligned(8)));
	char byte;
	struct iovec iov = { &byte, sizeof(byte) };
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	uint64_t stamp = 0;
	ssize_t n;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == -1)
		return 0;
	n = recvmsg(fd, &hdr, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);
	for (struct cmsghdr *cmsg = n >= 0 ? CMSG_FIRSTHDR(&hdr) : NULL;
	    cmsg != NULL; cmsg = CMSG_NXTHDR(&hdr, cmsg)) {
		struct timespec ts;

		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(cmsg), sizeof(ts));
		stamp = (uint64_t)ts.tv_sec * 1000000000 +
		    (uint64_t)ts.tv_nsec;
	}
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &off, sizeof(off));
	return stamp;
}

/* tcp(7): of a listening socket, tcpi_unacked is the length of the queue. */
static int64_t
queue_length(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1 ||
	    info.tcpi_state != TCP_LISTEN)
		return -1;
	return info.tcpi_unacked;
}

/* Note at which sockets somebody has come since this was asked last. */
static void
arrivals_note(int arrivals)
{
	struct epoll_event events[EVENTS];
	int n;

	do {
		n = epoll_wait(arrivals, events, EVENTS, 0);
		for (int i = 0; i < n; i++)
			((struct rest *)events[i].data.ptr)->arrived = true;
	} while (n == EVENTS);
}

uint32_t
rest_msec(const struct rest *rest)
{
	uint32_t msec = FIRST_MSEC;

	if (rest->left <= 1)
		return rest->doubts > REST_DOUBTS ? DOUBT_MSEC : 0;
	for (unsigned i = 2; i < rest->left && msec < LAST_MSEC; i++)
		msec *= 2;
	return msec < LAST_MSEC ? msec : LAST_MSEC;
}

bool
rest_is_over(const struct rest *rest)
{
	return rest->left > REST_TRIES;
}

static void
queue_begin(struct rest *rest, int arrivals, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN | (uint32_t)EPOLLET, .data.ptr = rest,
	};

	rest->queue = -1;
	if (epoll_ctl(arrivals, EPOLL_CTL_ADD, fd, &event) == -1)
		return;
	/* It begins with those who are there already. */
	arrivals_note(arrivals);
	rest->arrived = false;
	rest->queue = queue_length(fd);
}

void
rest_begin(struct rest *rest, int arrivals, int fd,
    enum conf_transport transport, bool there)
{
	rest->asked = true;
	rest->again = false;
	rest->there = there;
	rest->stamp = there && transport_is_dgram(transport) ?
	    stamp_peek(fd) : 0;
	if (transport == CONF_TCP)
		queue_begin(rest, arrivals, fd);
}

static enum rest_outcome
queue_end(struct rest *rest, int arrivals, int fd)
{
	/* In this order: who comes in between may make it seem that somebody
	 * was taken, but never that nobody was.  With an empty queue epoll
	 * tells of nobody; it is shorter than before then. */
	int64_t queue = queue_length(fd);

	arrivals_note(arrivals);
	epoll_ctl(arrivals, EPOLL_CTL_DEL, fd, NULL);
	if (rest->queue == -1 || queue == -1)
		return REST_UNSURE;
	if (!rest->arrived)
		return queue < rest->queue ? REST_TAKEN : REST_LEFT;
	return queue <= rest->queue ? REST_TAKEN : REST_UNSURE;
}

static enum rest_outcome
outcome_of(struct rest *rest, int arrivals, int fd,
    enum conf_transport transport, enum channel_took took)
{
	enum rest_outcome outcome = REST_UNSURE;

	if (transport == CONF_TCP)
		outcome = queue_end(rest, arrivals, fd);
	else if (rest->stamp != 0)
		outcome = stamp_peek(fd) == rest->stamp ? REST_LEFT :
		    REST_TAKEN;
	if (took == CHANNEL_TOOK_SOME)
		return REST_TAKEN;
	if (took == CHANNEL_TOOK_NOTHING)
		outcome = REST_LEFT;
	return rest->there || outcome == REST_TAKEN ? outcome : REST_IDLE;
}

enum rest_outcome
rest_end(struct rest *rest, int arrivals, int fd,
    enum conf_transport transport, enum channel_took took)
{
	enum rest_outcome outcome = outcome_of(rest, arrivals, fd, transport,
	    took);

	rest->asked = false;
	rest->again = outcome == REST_LEFT || outcome == REST_UNSURE;
	rest->left += outcome == REST_LEFT;
	rest->doubts += outcome == REST_UNSURE;
	return outcome;
}

void
rest_doubt(struct rest *rest)
{
	rest->doubts += rest->left;
	rest->left = 0;
}

void
rest_reset(struct rest *rest)
{
	rest->left = 0;
	rest->doubts = 0;
	rest->again = false;
	rest->rested = false;
}
