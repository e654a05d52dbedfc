/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether handlers that wait take what they are started for.
 */

#include "frontend/rest.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "conf/transport.h"

enum {
	FIRST_MSEC = 50,
	LAST_MSEC = 5000,
	DOUBTS = 3,
	SHORT_MSEC = 1000,	/* a life in which nothing was accepted, where
				 * nothing can be counted */
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
static uint32_t
queue_length(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return info.tcpi_unacked;
}

/* How many are surely left. */
static unsigned
certain(unsigned left, enum conf_transport transport)
{
	if (transport_is_dgram(transport))
		return left;
	return left > DOUBTS ? left - DOUBTS : 0;
}

bool
rest_is_over(unsigned left, enum conf_transport transport)
{
	return certain(left, transport) > REST_TRIES;
}

uint32_t
rest_msec(unsigned left, enum conf_transport transport)
{
	uint32_t msec = FIRST_MSEC;

	left = certain(left, transport);
	if (left <= 1)
		return 0;
	for (unsigned i = 2; i < left && msec < LAST_MSEC; i++)
		msec *= 2;
	return msec < LAST_MSEC ? msec : LAST_MSEC;
}

bool
rest_counts(enum conf_transport transport)
{
	return transport == CONF_TCP;
}

void
rest_begin(struct rest *rest, int fd, enum conf_transport transport,
    struct monotime now)
{
	rest->asked = true;
	rest->moved = false;
	rest->first = true;
	rest->since = now;
	rest->stamp = transport_is_dgram(transport) ? stamp_peek(fd) : 0;
	rest->queue = rest_counts(transport) ? queue_length(fd) : 0;
}

void
rest_arrival(struct rest *rest, int fd)
{
	uint32_t queue = queue_length(fd);

	if (queue < rest->queue + (rest->first ? 0 : 1))
		rest->moved = true;
	rest->first = false;
	rest->queue = queue;
}

bool
rest_same(const struct rest *rest, int fd, enum conf_transport transport,
    struct monotime now)
{
	if (transport_is_dgram(transport))
		return rest->stamp != 0 && stamp_peek(fd) == rest->stamp;
	if (rest_counts(transport))
		return !rest->moved && queue_length(fd) >= rest->queue;
	return monotime_before(now,
	    monotime_add_msec(rest->since, SHORT_MSEC));
}
