/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Connect, send, and print what comes until the peer closes.
 *
 *	dial [-ikrR] [-b HOST] [-s TEXT] [-n BYTES] [-t SECONDS]
 *	    [-o FILE] [-c COUNT] [-p COUNT] ADDRESS
 *
 * ADDRESS is tcp://HOST:PORT (HOST numeric, IPv6 in brackets) or unix:///PATH.
 * TEXT (-s), standard input (-i) and N zero bytes (-n) are sent in this order;
 * then the sending side is closed, unless -k keeps it open.  -R resets the
 * connection as soon as it stands, -r after the first byte received.  -c makes
 * that many connections one after the other, each read to its end.  -p makes
 * that many, and holds them without a word until a signal or the deadline.  -b
 * binds to an address first.  -o writes to a file instead of standard output.
 *
 * Exit status: 0 end of file, 1 cannot connect, 2 error (a reset), 3 deadline
 * (-t, 10 s), 64 usage.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	DIAL_OK = 0,
	DIAL_CONNECT = 1,
	DIAL_ERROR = 2,
	DIAL_DEADLINE = 3,
	DIAL_USAGE = 64,
};

struct dial {
	const char *text;	/* left to send, first */
	size_t text_len;
	bool copy_stdin;	/* then this */
	size_t zeroes;		/* then these */
	bool keep;		/* do not half-close */
	bool reset_at_once;
	bool reset_after_byte;
	const char *bind_host;
	int out;
	int deadline_msec;
};

static void
usage(void)
{
	fprintf(stderr, "usage: dial [-ikrR] [-b host] [-s text] [-n bytes] "
	    "[-t seconds]\n"
	    "            [-o file] [-c count] [-p count] address\n");
	exit(DIAL_USAGE);
}

static long
now_msec(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Wait for events until end; exits at the deadline. */
static void
await(int fd, short events, long end)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	for (;;) {
		long left = end - now_msec();
		if (left <= 0)
			exit(DIAL_DEADLINE);
		int n = poll(&pfd, 1, (int)left);
		if (n > 0)
			return;
		if (n == -1 && errno != EINTR)
			err(DIAL_ERROR, "poll");
	}
}

static int
connect_within(int fd, const struct sockaddr *sa, socklen_t len, long end)
{
	if (connect(fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	await(fd, POLLOUT, end);
	int error = 0;
	socklen_t error_len = sizeof(error);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len);
	errno = error;
	return error == 0 ? 0 : -1;
}

static void
deadline_signal(int sig)
{
	(void)sig;
	_exit(DIAL_DEADLINE);
}

static int
dial_unix(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(un.sun_path))
		errx(DIAL_USAGE, "%s: too long", path);
	strcpy(un.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd == -1)
		err(DIAL_CONNECT, "socket");
	/* With a full backlog this waits for room, which poll(2) cannot tell
	 * of: the alarm bounds it. */
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1)
		err(DIAL_CONNECT, "%s", path);
	return fd;
}

static struct addrinfo *
numeric(const char *host, const char *port)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *res;
	int error = getaddrinfo(host, port, &hints, &res);
	if (error != 0)
		errx(DIAL_USAGE, "%s: %s", host, gai_strerror(error));
	return res;
}

static int
dial_tcp(const struct dial *d, const char *text, long end)
{
	char host[256];
	const char *colon = strrchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		errx(DIAL_USAGE, "%s: no port", text);
	bool brackets = *text == '[' && colon[-1] == ']';
	snprintf(host, sizeof(host), "%.*s",
	    (int)(colon - text - (brackets ? 2 : 0)), text + brackets);
	struct addrinfo *res = numeric(host, colon + 1);
	int fd = socket(res->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd == -1)
		err(DIAL_CONNECT, "socket");
	if (d->bind_host != NULL) {
		struct addrinfo *from = numeric(d->bind_host, NULL);
		if (bind(fd, from->ai_addr, from->ai_addrlen) == -1)
			err(DIAL_CONNECT, "bind %s", d->bind_host);
		freeaddrinfo(from);
	}
	if (connect_within(fd, res->ai_addr, res->ai_addrlen, end) == -1)
		err(DIAL_CONNECT, "%s", text);
	freeaddrinfo(res);
	return fd;
}

static int
dial(const struct dial *d, const char *address, long end)
{
	static const char tcp[] = "tcp://", local[] = "unix://";
	int fd;
	if (strncmp(address, tcp, sizeof(tcp) - 1) == 0)
		fd = dial_tcp(d, address + sizeof(tcp) - 1, end);
	else if (strncmp(address, local, sizeof(local) - 1) == 0)
		fd = dial_unix(address + sizeof(local) - 1);
	else
		usage();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void
reset(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void
write_out(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);
		if (n == -1)
			err(DIAL_ERROR, "write");
		buf += n;
		len -= (size_t)n;
	}
}

/* The next piece to send; false when there is no more. */
static bool
next_piece(struct dial *d, const char **piece, size_t *len)
{
	static char buf[65536];
	static const char nothing[65536];
	if (d->text_len > 0) {
		*piece = d->text;
		*len = d->text_len;
		d->text_len = 0;
		return true;
	}
	if (d->copy_stdin) {
		ssize_t n = read(0, buf, sizeof(buf));
		if (n == -1)
			err(DIAL_ERROR, "stdin");
		*piece = buf;
		*len = (size_t)n;
		d->copy_stdin = n > 0;
		if (n > 0)
			return true;
	}
	if (d->zeroes == 0)
		return false;
	*piece = nothing;
	*len = d->zeroes < sizeof(nothing) ? d->zeroes : sizeof(nothing);
	d->zeroes -= *len;
	return true;
}

struct output {
	const char *piece;
	size_t len;
	bool done;
};

/* Send what can be sent; a peer that no longer reads ends the sending. */
static void
send_some(struct dial *d, struct output *out, int fd)
{
	if (out->len == 0 && !next_piece(d, &out->piece, &out->len)) {
		out->done = true;
		if (!d->keep)
			shutdown(fd, SHUT_WR);
		return;
	}
	ssize_t n = send(fd, out->piece, out->len, MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN) {
		out->done = true;
		return;
	}
	if (n > 0) {
		out->piece += n;
		out->len -= (size_t)n;
	}
}

/* Returns whether there may be more to receive. */
static bool
receive_some(const struct dial *d, int fd)
{
	char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n == -1)
		err(DIAL_ERROR, "recv");
	if (n > 0 && d->reset_after_byte) {
		reset(fd);
		exit(DIAL_OK);
	}
	write_out(d->out, buf, (size_t)n);
	return n > 0;
}

static void
converse(struct dial *d, int fd, long end)
{
	struct output out = { .done = false };
	bool more = true;
	while (more) {
		await(fd, out.done ? POLLIN : POLLIN | POLLOUT, end);
		if (!out.done)
			send_some(d, &out, fd);
		more = receive_some(d, fd);
	}
	close(fd);
}

/* Ends by a signal: the deadline's, or the caller's. */
static void
hold(const struct dial *d, const char *address, long count, long end)
{
	for (long i = 0; i < count; i++)
		dial(d, address, end);
	for (;;)
		pause();
}

static long
number(const char *text)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || errno != 0 || n < 0)
		usage();
	return n;
}

int
main(int argc, char **argv)
{
	struct dial d = { .out = 1, .deadline_msec = 10000 };
	long count = 1, held = 0;
	int ch;
	while ((ch = getopt(argc, argv, "b:c:ikn:o:p:rRs:t:")) != -1) {
		switch (ch) {
		case 'b':
			d.bind_host = optarg;
			break;
		case 'c':
			count = number(optarg);
			break;
		case 'i':
			d.copy_stdin = true;
			break;
		case 'k':
			d.keep = true;
			break;
		case 'n':
			d.zeroes = (size_t)number(optarg);
			break;
		case 'o':
			d.out = open(optarg,
			    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
			if (d.out == -1)
				err(DIAL_ERROR, "%s", optarg);
			break;
		case 'p':
			held = number(optarg);
			break;
		case 'r':
			d.reset_after_byte = true;
			break;
		case 'R':
			d.reset_at_once = true;
			break;
		case 's':
			d.text = optarg;
			break;
		case 't':
			d.deadline_msec = (int)number(optarg) * 1000;
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1)
		usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, deadline_signal);
	alarm((unsigned)(d.deadline_msec / 1000 + 1));
	long end = now_msec() + d.deadline_msec;
	if (held > 0)
		hold(&d, argv[optind], held, end);
	for (long i = 0; i < count; i++) {
		struct dial one = d;
		one.text_len = d.text != NULL ? strlen(d.text) : 0;
		int fd = dial(&one, argv[optind], end);
		if (d.reset_at_once)
			reset(fd);
		else
			converse(&one, fd, end);
	}
	return DIAL_OK;
}
