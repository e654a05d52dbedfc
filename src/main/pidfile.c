/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * flock(2) on an open file description, so that the lock survives the fork
 * into the background and an execve.  libbsd's pidfile_open() keeps its state
 * in a handle that does not.
 */

#include "main/pidfile.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Whether path still names the file that fd is. */
static bool
path_names(const char *path, int fd)
{
	struct stat by_path, by_fd;

	return stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0 &&
	    by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino;
}

/* Nothing else is written to, and removed at the end. */
static bool
is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static pid_t
pid_read(int fd)
{
	char buf[16];
	ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);

	buf[len > 0 ? len : 0] = '\0';
	return (pid_t)strtol(buf, NULL, 10);
}

int
pidfile_lock(const char *path, pid_t *other)
{
	*other = 0;
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK, 0644);

		if (fd == -1)
			return -1;
		if (!is_regular(fd)) {
			close(fd);
			errno = EINVAL;
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			int saved = errno;

			*other = pid_read(fd);
			close(fd);
			errno = saved;
			return -1;
		}
		/* Its owner may have removed it between open and flock. */
		if (path_names(path, fd))
			return fd;
		close(fd);
	}
}

int
pidfile_write_pid(int fd)
{
	char buf[16];
	int len = snprintf(buf, sizeof(buf), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) == -1)
		return -1;
	return pwrite(fd, buf, (size_t)len, 0) == len ? 0 : -1;
}

void
pidfile_unlock(int fd, const char *path)
{
	if (path_names(path, fd))
		unlink(path);
	close(fd);
}

void
pidfile_release(int *fd, char **path)
{
	if (*fd != -1 && *path != NULL)
		pidfile_unlock(*fd, *path);
	free(*path);
	*fd = -1;
	*path = NULL;
}
