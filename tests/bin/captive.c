/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Say to main what only a captured frontend would say.
 *
 *	captive PID MODE [PORT]
 *
 * PID is the frontend, whose end of the channel is borrowed (pidfd_getfd(2)).
 *
 *	byte		a message of one byte
 *	version		one of another version
 *	type		one of an unknown type
 *	ready		READY for a second time
 *	bare		START without a descriptor
 *	pair		START with one end of a socketpair
 *	file		START with a file
 *	listening	START with a listening socket of the right port
 *	foreign		START with a connection to the wrong port
 *	index		START for a listener that there is not
 *	peer		START for a peer that sends datagrams, as it may be
 *	untagged	the same without a tag
 *	elsewhere	the same for a port that is not the listener's
 *	families	the same for a peer of another family
 *	carried		the same with a descriptor
 *	attached	PONG with a descriptor
 *	reason		REJECTED for no reason
 *	refused		REJECTED as it may be said; nothing comes of it
 *	others		REJECTED for a service that the listener is not for
 *	stopped		STOPPED without being told to stop
 *	empty		EMPTY for a listener that is not closing
 *	connect		CONNECT to a target that there is not
 *	resolve		RESOLVE for a service without targets
 *	target		DONE with a target that there is not
 *
 * listening takes the PORT of listener 0; peer and those like it take that of
 * listener 2, which is one of datagrams.
 */

#include <sys/socket.h>
#include <sys/syscall.h>

#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/verdict.h"

struct mode {
	const char *name;
	enum channel_type type;
	uint32_t listener;
	int (*open_fd)(uint16_t port);
};

static int
pair_open(uint16_t port)
{
	int ends[2];

	(void)port;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		err(1, "socketpair");
	return ends[0];
}

static int
file_open(uint16_t port)
{
	(void)port;
	return open("/dev/null", O_RDWR);
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* Another listener on the port, if its owner lets us; its own will do, too. */
static int
listening_open(uint16_t port)
{
	struct sockaddr_in sin = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 1) == -1)
		err(1, "port %u", port);
	return fd;
}

/* A connection in good order, to a port of its own. */
static int
foreign_open(uint16_t port)
{
	struct sockaddr_in sin = loopback(0);
	socklen_t len = sizeof(sin);
	int lst = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)port;
	if (bind(lst, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(lst, 1) == -1 ||
	    getsockname(lst, (struct sockaddr *)&sin, &len) == -1 ||
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "a connection");
	return accept(lst, NULL, NULL);
}

static const struct mode modes[] = {
	{ "byte", CHANNEL_PONG, 0, NULL },
	{ "version", CHANNEL_PONG, 0, NULL },
	{ "type", (enum channel_type)999, 0, NULL },
	{ "ready", CHANNEL_READY, 0, NULL },
	{ "bare", CHANNEL_START, 0, NULL },
	{ "pair", CHANNEL_START, 0, pair_open },
	{ "file", CHANNEL_START, 0, file_open },
	{ "listening", CHANNEL_START, 0, listening_open },
	{ "foreign", CHANNEL_START, 0, foreign_open },
	{ "index", CHANNEL_START, 1000000, pair_open },
	{ "peer", CHANNEL_START, 2, NULL },
	{ "untagged", CHANNEL_START, 2, NULL },
	{ "elsewhere", CHANNEL_START, 2, NULL },
	{ "families", CHANNEL_START, 2, NULL },
	{ "carried", CHANNEL_START, 2, pair_open },
	{ "attached", CHANNEL_PONG, 0, pair_open },
	{ "reason", CHANNEL_REJECTED, 0, NULL },
	{ "refused", CHANNEL_REJECTED, 0, NULL },
	{ "others", CHANNEL_REJECTED, 0, NULL },
	{ "stopped", CHANNEL_STOPPED, 0, NULL },
	{ "empty", CHANNEL_EMPTY, 0, NULL },
	{ "connect", CHANNEL_CONNECT, 0, NULL },
	{ "resolve", CHANNEL_RESOLVE, 0, NULL },
	{ "target", CHANNEL_DONE, 0, NULL },
};

static const struct mode *
mode_find(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	errx(64, "no such mode: %s", name);
}

/* A peer that asks listener 2, but for what is wrong with it. */
static void
peer_fill(struct channel_msg *msg, const char *name, uint16_t port)
{
	static const uint8_t host[] = { 127, 0, 0, 1 };
	struct channel_start *start = &msg->start;

	start->service = 2;
	start->peer.port = 40000;
	memcpy(start->peer.bytes, host, sizeof(host));
	start->local = start->peer;
	start->local.port = port;
	start->tag = 77;
	if (strcmp(name, "untagged") == 0)
		start->tag = 0;
	if (strcmp(name, "elsewhere") == 0)
		start->local.port++;
	if (strcmp(name, "families") == 0)
		start->peer.family = ADDR_IP6;
}

static int
channel_borrow(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, 3, 0);

	if (fd == -1)
		err(1, "the channel of %d", (int)pid);
	return fd;
}

static void
message_send(int channel, const struct channel_msg *msg, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char data[sizeof(*msg)];
	struct iovec iov = { data, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(data, msg, sizeof(data));
	if (fd != -1) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_LEN(sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = hdr.msg_controllen;
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	if (sendmsg(channel, &hdr, MSG_NOSIGNAL) == -1)
		err(1, "sendmsg");
}

int
main(int argc, char **argv)
{
	if (argc < 3)
		errx(64, "usage: captive PID MODE [PORT]");

	const struct mode *mode = mode_find(argv[2]);
	uint16_t port = argc > 3 ? (uint16_t)atoi(argv[3]) : 0;
	int channel = channel_borrow((pid_t)atoi(argv[1]));
	struct channel_msg msg = {
		.version = CHANNEL_VERSION,
		.type = (uint16_t)mode->type,
		.listener = mode->listener,
	};

	/* The rest is as it should be. */
	if (mode->type == CHANNEL_START)
		msg.start.peer.family = ADDR_IP4;
	if (mode->listener == 2)
		peer_fill(&msg, mode->name, port);
	if (mode->type == CHANNEL_REJECTED) {
		msg.rejected.count = 1;
		msg.rejected.reason = strcmp(mode->name, "reason") == 0 ?
		    VERDICT_SERVE : VERDICT_FULL;
		msg.rejected.service = strcmp(mode->name, "others") == 0;
	}
	if (strcmp(mode->name, "version") == 0)
		msg.version++;
	message_send(channel, &msg,
	    strcmp(mode->name, "byte") == 0 ? 1 :
	    offsetof(struct channel_msg, text),
	    mode->open_fd != NULL ? mode->open_fd(port) : -1);
	return 0;
}
