/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A service manager: open sockets, and execute a program that inherits them,
 * sd_listen_fds(3).
 *
 *	handdown [-n NAMES] [-p PID] [-c COUNT] [SOCKET...] -- COMMAND...
 *
 * LISTEN_FDNAMES is NAMES, or not set; LISTEN_PID is PID instead of the
 * program's own, LISTEN_FDS is COUNT instead of the number of sockets.
 *
 * A SOCKET is one of
 *
 *	tcp4|tcp6|dual|mptcp|udp4|udp6|vsock PORT
 *				of every address; dual: of both families
 *	stream|dgram|seqpacket PATH|@NAME	of unix sockets
 *	bound SOCKET		that does not listen yet
 *	loose SOCKET		that is not even bound
 *	pair			one end of a conversation
 *	netlink			no socket to be listened at
 *	null			/dev/null
 *	gap			nothing: a descriptor that is closed
 *
 * What the kernel has chosen as ports is written to standard output, a line
 * "FD PORT" each.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum {
	FIRST_FD = 3,
	BACKLOG = 7,		/* to be recognised by */
};

struct kind {
	const char *name;
	int domain;
	int type;
	int protocol;
};

static const struct kind kinds[] = {
	{ "tcp4", AF_INET, SOCK_STREAM, 0 },
	{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
	{ "dual", AF_INET6, SOCK_STREAM, 0 },
	{ "mptcp", AF_INET, SOCK_STREAM, IPPROTO_MPTCP },
	{ "udp4", AF_INET, SOCK_DGRAM, 0 },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "vsock", AF_VSOCK, SOCK_STREAM, 0 },
	{ "stream", AF_UNIX, SOCK_STREAM, 0 },
	{ "dgram", AF_UNIX, SOCK_DGRAM, 0 },
	{ "seqpacket", AF_UNIX, SOCK_SEQPACKET, 0 },
	{ NULL, 0, 0, 0 },
};

static int
inet_bind(int fd, const struct kind *kind, const char *port, bool v6only)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	int only = v6only;

	sin.sin_port = sin6.sin6_port = htons((uint16_t)atoi(port));
	if (kind->domain == AF_INET)
		return bind(fd, (struct sockaddr *)&sin, sizeof(sin));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	return bind(fd, (struct sockaddr *)&sin6, sizeof(sin6));
}

static int
unix_bind(int fd, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len >= sizeof(sun.sun_path))
		errx(64, "the path is too long");
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	return bind(fd, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

static int
vsock_bind(int fd, const char *port)
{
	struct sockaddr_vm svm = { .svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY, .svm_port = (unsigned)atoi(port) };

	return bind(fd, (struct sockaddr *)&svm, sizeof(svm));
}

static void
port_print(int fd)
{
	struct sockaddr_in6 sin6 = { 0 };
	socklen_t len = sizeof(sin6);

	if (getsockname(fd, (struct sockaddr *)&sin6, &len) == 0 &&
	    (sin6.sin6_family == AF_INET || sin6.sin6_family == AF_INET6))
		printf("%d %u\n", fd, ntohs(sin6.sin6_port));
}

/* Open what the words describe; returns how many they are. */
static int
socket_open(char **words, int *fd)
{
	bool loose = strcmp(words[0], "loose") == 0;
	bool bound = strcmp(words[0], "bound") == 0;
	const struct kind *kind = kinds;
	int n = loose || bound, rc;

	while (kind->name != NULL && strcmp(kind->name, words[n]) != 0)
		kind++;
	if (kind->name == NULL || words[n + 1] == NULL)
		errx(64, "no such socket: %s", words[n]);
	*fd = socket(kind->domain, kind->type, kind->protocol);
	if (*fd == -1)
		err(1, "%s", kind->name);
	if (loose)
		return n + 2;
	if (kind->domain == AF_UNIX)
		rc = unix_bind(*fd, words[n + 1]);
	else if (kind->domain == AF_VSOCK)
		rc = vsock_bind(*fd, words[n + 1]);
	else
		rc = inet_bind(*fd, kind, words[n + 1],
		    strcmp(kind->name, "dual") != 0);
	if (rc == -1)
		err(1, "bind %s", words[n + 1]);
	if (!bound && kind->type != SOCK_DGRAM && listen(*fd, BACKLOG) == -1)
		err(1, "listen");
	port_print(*fd);
	return n + 2;
}

/* The same for what is no listener; 0 when it is one. */
static int
other_open(const char *word, int *fd)
{
	int ends[2];

	if (strcmp(word, "pair") == 0) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
			err(1, "socketpair");
		/* The other end stays open, behind all that are counted. */
		if (fcntl(ends[1], F_DUPFD, 100) == -1)
			err(1, "fcntl");
		close(ends[1]);
		*fd = ends[0];
	} else if (strcmp(word, "netlink") == 0) {
		*fd = socket(AF_NETLINK, SOCK_RAW, 0);
	} else if (strcmp(word, "null") == 0) {
		*fd = open("/dev/null", O_RDWR);
	} else if (strcmp(word, "gap") == 0) {
		*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} else {
		return 0;
	}
	return 1;
}

static void
number_set(const char *name, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	setenv(name, text, 1);
}

int
main(int argc, char **argv)
{
	const char *names = NULL, *pid = NULL, *count = NULL;
	int next = FIRST_FD, opt;

	while ((opt = getopt(argc, argv, "+n:p:c:")) != -1) {
		if (opt == 'n')
			names = optarg;
		else if (opt == 'p')
			pid = optarg;
		else if (opt == 'c')
			count = optarg;
		else
			return 64;
	}
	/* getopt(3) has skipped a "--" that comes first. */
	if (strcmp(argv[optind - 1], "--") == 0)
		optind--;
	/* The descriptors are to be the lowest ones, but for those that the
	 * program is given on purpose. */
	for (argv += optind; *argv != NULL && strcmp(*argv, "--") != 0;) {
		int fd;
		int words = other_open(*argv, &fd);

		argv += words > 0 ? words : socket_open(argv, &fd);
		if (fd != next)
			errx(1, "descriptor %d is in use", next);
		next++;
	}
	if (*argv == NULL || argv[1] == NULL)
		errx(64, "there is no command");
	fflush(stdout);
	unsetenv("LISTEN_FDNAMES");
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
	number_set("LISTEN_FDS", count != NULL ? atol(count) :
	    next - FIRST_FD);
	number_set("LISTEN_PID", pid != NULL ? atol(pid) : (long)getpid());
	execvp(argv[1], argv + 1);
	err(1, "%s", argv[1]);
}
