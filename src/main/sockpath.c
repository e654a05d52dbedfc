/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Unix sockets in the file system.
 *
 * A socket is made with mode 0600, its owner and mode are set through a
 * descriptor of that very file, and only then does its owner listen: there is
 * no moment at which somebody can connect who may not.
 */

#include "main/sockpath.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Remove a socket that nobody answers any more, to make way for another one.
 * Only ECONNREFUSED says so: one whose queue is full, or of another type, is
 * in use.
 */
static void
stale_remove(const struct sockaddr_un *sun, socklen_t len, int another)
{
	struct sockpath_file file;
	struct stat st;
	int fd, type;
	socklen_t size = sizeof(type);
	bool stale;

	if (lstat(sun->sun_path, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    getsockopt(another, SOL_SOCKET, SO_TYPE, &type, &size) == -1)
		return;
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	stale = connect(fd, (const struct sockaddr *)sun, len) == -1 &&
	    errno == ECONNREFUSED;
	close(fd);
	file = (struct sockpath_file){ st.st_dev, st.st_ino };
	if (stale)
		sockpath_remove(sun->sun_path, &file);
}

/*
 * Others may not be able to replace what is in the directory, or the owner and
 * mode that are set below could go to a file of theirs.
 */
static int
directory_check(const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');
	size_t len = slash == path ? 1 : (size_t)(slash - path);
	struct stat st;

	memcpy(dir, path, len);
	dir[len] = '\0';
	if (stat(dir, &st) == -1)
		return -1;
	if ((st.st_mode & 022) == 0 || geteuid() != 0 ||
	    ((st.st_mode & S_ISVTX) != 0 && st.st_uid == 0))
		return 0;
	errno = EPERM;
	return -1;
}

/* Open the very file that a bind of ours has made; it can only be looked at. */
static int
file_open(const char *path, struct stat *st)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISSOCK(st->st_mode))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

/*
 * Between the steps nobody may do what neither the old owner and mode nor the
 * new ones allow.
 */
static int
owner_set(int fd, mode_t present, uid_t uid, gid_t gid, mode_t mode)
{
	char proc[40];

	/* A descriptor of O_PATH takes no fchmod(2). */
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (chmod(proc, present & mode) == -1 ||
	    fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == -1)
		return -1;
	return chmod(proc, mode);
}

static int
path_claim(const char *path, const struct conf_socket *options,
    struct sockpath_file *file, const char **step)
{
	struct stat st;
	int fd = file_open(path, &st);
	int rc, saved;

	*step = "open";
	if (fd == -1)
		return -1;
	*step = "owner";
	errno = EEXIST;
	rc = -1;
	if (st.st_uid == geteuid())
		rc = owner_set(fd, st.st_mode & 0777, options->uid,
		    options->gid, options->mode);
	saved = errno;
	close(fd);
	errno = saved;
	if (rc == 0)
		*file = (struct sockpath_file){ st.st_dev, st.st_ino };
	return rc;
}

int
sockpath_bind(int fd, const char *path, const struct conf_socket *options,
    struct sockpath_file *file, const char **step)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path) + 1);

	*step = "bind";
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*step = "directory";
	if (directory_check(path) == -1)
		return -1;
	stale_remove(&sun, len, fd);
	/* The mode of the socket becomes the mode of the file. */
	*step = "mode";
	if (fchmod(fd, 0600) == -1)
		return -1;
	*step = "bind";
	if (bind(fd, (struct sockaddr *)&sun, len) == -1)
		return -1;
	if (path_claim(path, options, file, step) == 0)
		return 0;
	int saved = errno;
	unlink(path);
	errno = saved;
	return -1;
}

int
sockpath_change(const char *path, const struct conf_socket *options,
    const struct sockpath_file *file, const char **step)
{
	struct stat st;
	int fd = file_open(path, &st);
	int rc = -1;
	int saved;

	*step = "owner";
	if (fd == -1)
		return -1;
	errno = EEXIST;
	/* What is not configured any more is as of a new one. */
	if (st.st_dev == file->dev && st.st_ino == file->ino)
		rc = owner_set(fd, st.st_mode & 0777,
		    options->uid != UINT32_MAX ? options->uid : geteuid(),
		    options->gid != UINT32_MAX ? options->gid : getegid(),
		    options->mode);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

bool
sockpath_intact(const char *path, const struct sockpath_file *file)
{
	struct stat st;

	return file->ino != 0 && lstat(path, &st) == 0 &&
	    st.st_dev == file->dev && st.st_ino == file->ino;
}

void
sockpath_remove(const char *path, struct sockpath_file *file)
{
	if (sockpath_intact(path, file))
		unlink(path);
	*file = (struct sockpath_file){ 0 };
}
