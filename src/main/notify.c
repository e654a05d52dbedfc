/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Readiness, in the three ways that supervisors understand.
 */

#include "main/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
notify_send(const struct notify *notify, const char *message)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (notify->socket == NULL)
		return;
	len = strlcpy(sun.sun_path, notify->socket, sizeof(sun.sun_path));
	if (len >= sizeof(sun.sun_path) ||
	    (sun.sun_path[0] != '/' && sun.sun_path[0] != '@'))
		return;
	if (sun.sun_path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	sendto(fd, message, strlen(message), MSG_NOSIGNAL,
	    (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

static void
byte_write(int *fd, char byte)
{
	struct pollfd pfd = { .fd = *fd, .events = POLLOUT };

	if (*fd == -1)
		return;
	/* Not O_NONBLOCK, which whoever made the pipe would share. */
	if (poll(&pfd, 1, 0) == 1)
		while (write(*fd, &byte, 1) == -1 && errno == EINTR)
			;
	close(*fd);
	*fd = -1;
}

void
notify_ready(struct notify *notify, const char *status)
{
	char message[256];

	snprintf(message, sizeof(message), "READY=1\nMAINPID=%d\nSTATUS=%s",
	    (int)getpid(), status);
	notify_send(notify, message);
	byte_write(&notify->ready_fd, '\n');
	byte_write(&notify->parent_fd, '\0');
}

void
notify_failed(struct notify *notify, int exit_status)
{
	byte_write(&notify->parent_fd, (char)exit_status);
}
