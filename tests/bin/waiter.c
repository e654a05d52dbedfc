/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A handler for services with wait = yes: it gets the listening socket.
 *
 *	waiter [-n COUNT] [-a] [-r FILE] [-b FILE]
 *
 * Serves COUNT clients (1), or datagrams, and ends: each hears "PID TEXT", the
 * text being a datagram or nothing.  -a: the sockets are those of
 * sd_listen_fds(3) instead of fd 0, and each client hears the number of the
 * descriptor, too.
 * -r FILE: append a report of what it has got, a line, to FILE first.
 * -b FILE: serve nobody, and end, until there is FILE.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SD_FIRST = 3,
	SOCKETS_MAX = 16,
	FDS_MAX = 64,
};

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, SOL_SOCKET, option, &value, &len);
	return value;
}

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "-";
}

/* One line: pid, open descriptors, their flags, the variables. */
static void
report(const char *path, int first, int count)
{
	FILE *out = fopen(path, "ae");
	const char *pid = variable("LISTEN_PID");

	if (out == NULL)
		err(1, "%s", path);
	fprintf(out, "pid=%d fds=", getpid());
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (fd != fileno(out) && fcntl(fd, F_GETFD) != -1)
			fprintf(out, "%d,", fd);
	fprintf(out, " blocking=");
	for (int fd = first; fd < first + count; fd++)
		fprintf(out, "%d", (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	fprintf(out, " types=");
	for (int fd = first; fd < first + count; fd++)
		fprintf(out, "%d,", option_of(fd, SO_TYPE));
	fprintf(out, " stamps=%d", option_of(first, SO_TIMESTAMPNS));
	fprintf(out, " own_pid=%d listen_fds=%s names=%s proto=%s peer=%s\n",
	    atoi(pid) == getpid(), variable("LISTEN_FDS"),
	    variable("LISTEN_FDNAMES"), variable("PROTO"),
	    variable("REMOTE_ADDR"));
	fclose(out);
}

static void
serve_datagram(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char text[1024], reply[1100];
	ssize_t n = recvfrom(fd, text, sizeof(text) - 1, 0,
	    (struct sockaddr *)&ss, &len);

	if (n == -1)
		err(1, "recvfrom");
	text[n] = '\0';
	snprintf(reply, sizeof(reply), "%d %s", getpid(), text);
	sendto(fd, reply, strlen(reply), 0, (struct sockaddr *)&ss, len);
}

static void
serve_client(int fd, bool named)
{
	char reply[64];
	int client = accept(fd, NULL, NULL);

	if (client == -1)
		err(1, "accept");
	snprintf(reply, sizeof(reply), named ? "%d %d\n" : "%d\n", getpid(),
	    fd);
	if (write(client, reply, strlen(reply)) == -1)
		warn("write");
	close(client);
}

static void
serve(int fd, bool named)
{
	if (option_of(fd, SO_TYPE) == SOCK_DGRAM)
		serve_datagram(fd);
	else
		serve_client(fd, named);
}

int
main(int argc, char **argv)
{
	struct pollfd pfds[SOCKETS_MAX];
	bool activated = false;
	const char *needed = NULL, *path = NULL;
	int count = 1, first = 0, sockets = 1;
	int opt;

	while ((opt = getopt(argc, argv, "ab:n:r:")) != -1) {
		if (opt == 'a')
			activated = true;
		else if (opt == 'b')
			needed = optarg;
		else if (opt == 'n')
			count = atoi(optarg);
		else if (opt == 'r')
			path = optarg;
		else
			return 64;
	}
	if (activated) {
		first = SD_FIRST;
		sockets = atoi(variable("LISTEN_FDS"));
	}
	if (path != NULL)
		report(path, first, sockets);
	if (needed != NULL && access(needed, F_OK) == -1)
		return 0;
	for (int i = 0; i < sockets && i < SOCKETS_MAX; i++)
		pfds[i] = (struct pollfd){ .fd = first + i, .events = POLLIN };
	while (count > 0) {
		if (poll(pfds, (nfds_t)sockets, -1) == -1)
			err(1, "poll");
		for (int i = 0; i < sockets && count > 0; i++) {
			if (pfds[i].revents == 0)
				continue;
			serve(pfds[i].fd, activated);
			count--;
		}
	}
	return 0;
}
