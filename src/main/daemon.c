/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The fork into the background.
 *
 * The parent waits, so that whoever starts minetd knows from its exit status
 * whether the services can be reached.
 */

#include "main/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static int
child_wait(int fd)
{
	unsigned char status;
	ssize_t len;

	do {
		len = read(fd, &status, 1);
	} while (len == -1 && errno == EINTR);
	return len == 1 ? status : EX_UNAVAILABLE;
}

enum daemon_side
daemon_detach(int *parent_fd, int *status)
{
	int ends[2];
	pid_t pid = -1;

	*status = EX_OSERR;
	if (pipe2(ends, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == -1) {
		perror("minetd");
		return DAEMON_PARENT;
	}
	if (pid > 0) {
		close(ends[1]);
		*status = child_wait(ends[0]);
		return DAEMON_PARENT;
	}
	close(ends[0]);
	setsid();
	*parent_fd = ends[1];
	return DAEMON_CHILD;
}

int
daemon_null_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int rc = -1;

	if (fd == -1)
		return -1;
	if (dup2(fd, STDIN_FILENO) != -1 && dup2(fd, STDOUT_FILENO) != -1)
		rc = 0;
	close(fd);
	return rc;
}

void
daemon_null_stderr(void)
{
	dup2(STDIN_FILENO, STDERR_FILENO);
}
