/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Open a destination of log lines, and write to it without waiting.
 *
 * The inherited standard error is the hard one: it may be a pipe that nobody
 * reads, and O_NONBLOCK set there would reach every process that shares the
 * description.  So it is opened a second time through /proc, which gives a
 * description of our own; sockets, which cannot be opened so, take
 * MSG_DONTWAIT; for the rest poll(2) tells whether a pipe has a free page.
 */

#include "base/logdest.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum {
	BACKOFF_MIN_MSEC = 1000,
	BACKOFF_MAX_MSEC = 30000,
};

static const char syslog_path[] = "/dev/log";

static const struct facility {
	const char *name;
	int code;
} facilities[] = {
	{ "auth", LOG_AUTH },
	{ "authpriv", LOG_AUTHPRIV },
	{ "cron", LOG_CRON },
	{ "daemon", LOG_DAEMON },
	{ "ftp", LOG_FTP },
	{ "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
	{ "lpr", LOG_LPR },
	{ "mail", LOG_MAIL },
	{ "news", LOG_NEWS },
	{ "syslog", LOG_SYSLOG },
	{ "user", LOG_USER },
	{ "uucp", LOG_UUCP },
};

/* What follows the prefix, or NULL. */
static const char *
text_after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The path of a file destination, or NULL. */
static const char *
file_path(const char *text)
{
	const char *path = text_after(text, "file:");

	if (path == NULL || *path != '/' || strlen(path) >= PATH_MAX)
		return NULL;
	return path;
}

/* The facility of a syslog destination, or -1. */
static int
syslog_facility(const char *text)
{
	const char *name = text_after(text, "syslog:");

	if (strcmp(text, "syslog") == 0)
		return LOG_DAEMON;
	if (name == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(facilities) / sizeof(*facilities); i++) {
		if (strcmp(name, facilities[i].name) == 0)
			return facilities[i].code;
	}
	return -1;
}

/* Whether systemd says that this file is its journal. */
static bool
is_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char wanted[64];

	if (stream == NULL)
		return false;
	snprintf(wanted, sizeof(wanted), "%ju:%ju", (uintmax_t)st->st_dev,
	    (uintmax_t)st->st_ino);
	return strcmp(stream, wanted) == 0;
}

static void
open_stderr(struct logdest *dest)
{
	int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;

	*dest = (struct logdest){ .kind = LOGDEST_NULL, .fd = -1 };
	if (fstat(STDERR_FILENO, &st) == -1 ||
	    (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return;
	/* Without a facility: the journal would take that as text. */
	if (is_journal(&st))
		dest->head.style = LOGHEAD_PRIORITY;
	if (S_ISSOCK(st.st_mode)) {
		dest->kind = LOGDEST_STDERR_SOCKET;
		return;
	}
	if (S_ISREG(st.st_mode))
		flags |= O_APPEND;
	dest->fd = open("/proc/self/fd/2", flags);
	dest->kind = dest->fd != -1 ? LOGDEST_STDERR : LOGDEST_STDERR_POLL;
}

/* Try one type of socket; returns it connected, or -1 with errno. */
static int
connect_socket(const char *path, int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void
pause_syslog(struct logdest *dest, struct monotime now)
{
	dest->backoff_msec *= 2;
	if (dest->backoff_msec < BACKOFF_MIN_MSEC)
		dest->backoff_msec = BACKOFF_MIN_MSEC;
	if (dest->backoff_msec > BACKOFF_MAX_MSEC)
		dest->backoff_msec = BACKOFF_MAX_MSEC;
	dest->retry = monotime_add_msec(now, dest->backoff_msec);
}

/* A syslog that has worked was perhaps restarted, and is there again. */
static void
disconnect_syslog(struct logdest *dest)
{
	close(dest->fd);
	dest->fd = -1;
	if (dest->proven)
		dest->backoff_msec = 0;
	else
		pause_syslog(dest, monotime_now());
	dest->proven = false;
}

static bool
connect_syslog(struct logdest *dest)
{
	struct monotime now = monotime_now();

	if (monotime_before(now, dest->retry))
		return false;
	dest->fd = connect_socket(dest->path, SOCK_DGRAM);
	dest->stream = false;
	if (dest->fd == -1 && errno == EPROTOTYPE) {
		dest->fd = connect_socket(dest->path, SOCK_STREAM);
		dest->stream = true;
	}
	if (dest->fd == -1)
		pause_syslog(dest, now);
	return dest->fd != -1;
}

/* A pipe with POLLOUT has a free page, and takes PIPE_BUF at once. */
static ssize_t
write_polled(const char *data, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&pfd, 1, 0) == -1)
		return -1;
	if (pfd.revents & (POLLERR | POLLHUP | POLLNVAL)) {
		errno = EPIPE;
		return -1;
	}
	if (!(pfd.revents & POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDERR_FILENO, data, len < PIPE_BUF ? len : PIPE_BUF);
}

static ssize_t
write_any(const struct logdest *dest, const char *data, size_t len)
{
	switch (dest->kind) {
	case LOGDEST_FILE:
	case LOGDEST_STDERR:
		return write(dest->fd, data, len);
	case LOGDEST_STDERR_SOCKET:
		return send(STDERR_FILENO, data, len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	case LOGDEST_STDERR_POLL:
		return write_polled(data, len);
	case LOGDEST_SYSLOG:
		return send(dest->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	case LOGDEST_NULL:
		break;
	}
	return (ssize_t)len;
}

/* What errno means: a full disk is emptied, a closed pipe stays closed. */
static enum logdest_error
write_error(struct logdest *dest)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
		return LOGDEST_LATER;
	case EMSGSIZE:
		return LOGDEST_REFUSED;
	}
	if (dest->kind == LOGDEST_SYSLOG) {
		disconnect_syslog(dest);
		return LOGDEST_LOST;
	}
	switch (errno) {
	case EPIPE:
	case EBADF:
	case ECONNREFUSED:
	case ECONNRESET:
	case ENOTCONN:
		return LOGDEST_GONE;
	default:
		return LOGDEST_LATER;
	}
}

bool
logdest_valid(const char *text)
{
	return strcmp(text, "stderr") == 0 || syslog_facility(text) != -1 ||
	    file_path(text) != NULL;
}

int
logdest_open(struct logdest *dest, const char *text)
{
	const char *path = file_path(text);
	int facility = syslog_facility(text);

	if (path != NULL)
		return logdest_open_file(dest, path);
	if (facility != -1) {
		logdest_open_syslog(dest, syslog_path, facility);
		return 0;
	}
	if (strcmp(text, "stderr") == 0) {
		open_stderr(dest);
		return 0;
	}
	errno = EINVAL;
	return -1;
}

int
logdest_adopt(struct logdest *dest, const char *text, int fd)
{
	const char *path = file_path(text);

	if (path != NULL && fd != -1) {
		*dest = (struct logdest){
			.kind = LOGDEST_FILE, .fd = fd,
			.head.style = LOGHEAD_TIME,
		};
		strlcpy(dest->path, path, sizeof(dest->path));
		return 0;
	}
	if (logdest_open(dest, text) == -1)
		return -1;
	if (fd == -1)
		return 0;
	/* Standard error may be /dev/null by now; a syslog is connected
	 * anew. */
	if (strcmp(text, "stderr") != 0) {
		close(fd);
		return 0;
	}
	logdest_close(dest);
	dest->kind = LOGDEST_STDERR;
	dest->fd = fd;
	return 0;
}

/*
 * O_NONBLOCK, and fstat(2) after the fact, because a path can be made to name
 * a FIFO or a device, whose open or write would block.  A link could make us
 * write into a file that the one who placed it may not write.
 */
int
logdest_open_file(struct logdest *dest, const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1 || (st.st_uid != 0 && st.st_uid != geteuid())) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	*dest = (struct logdest){
		.kind = LOGDEST_FILE, .fd = fd, .head.style = LOGHEAD_TIME,
	};
	strlcpy(dest->path, path, sizeof(dest->path));
	return 0;
}

void
logdest_open_syslog(struct logdest *dest, const char *path, int facility)
{
	*dest = (struct logdest){
		.kind = LOGDEST_SYSLOG, .fd = -1,
		.head = { .style = LOGHEAD_SYSLOG, .facility = facility },
	};
	strlcpy(dest->path, path, sizeof(dest->path));
}

void
logdest_close(struct logdest *dest)
{
	if (dest->fd != -1)
		close(dest->fd);
	dest->fd = -1;
	dest->kind = LOGDEST_NULL;
}

bool
logdest_same_file(const struct logdest *a, const struct logdest *b)
{
	struct stat sta, stb;

	return a->kind == LOGDEST_FILE && b->kind == LOGDEST_FILE &&
	    fstat(a->fd, &sta) == 0 && fstat(b->fd, &stb) == 0 &&
	    sta.st_dev == stb.st_dev && sta.st_ino == stb.st_ino;
}

bool
logdest_takes_many(const struct logdest *dest)
{
	return dest->kind != LOGDEST_SYSLOG;
}

bool
logdest_ready(struct logdest *dest)
{
	return dest->kind != LOGDEST_SYSLOG || dest->fd != -1 ||
	    connect_syslog(dest);
}

int
logdest_terminator(const struct logdest *dest)
{
	if (dest->kind != LOGDEST_SYSLOG)
		return '\n';
	return dest->stream ? '\0' : -1;
}

ssize_t
logdest_write(struct logdest *dest, const char *data, size_t len,
    enum logdest_error *error)
{
	ssize_t n;

	do
		n = write_any(dest, data, len);
	while (n == -1 && errno == EINTR);
	if (n > 0) {
		dest->proven = true;
		return n;
	}
	*error = n == 0 ? LOGDEST_LATER : write_error(dest);
	return -1;
}
