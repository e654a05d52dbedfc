/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Open a destination of log lines, and write to it without waiting.
 *
 * The kinds differ in what a line needs around it, in how a write is kept from
 * blocking, and in what an error means for the lines that wait; that is all
 * decided here.  Nothing is remembered of the lines themselves.
 */

#ifndef MINETD_LOGDEST_H
#define MINETD_LOGDEST_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loghead.h"
#include "base/monotime.h"

enum logdest_kind {
	LOGDEST_NULL,		/* takes everything, keeps nothing */
	LOGDEST_FILE,
	LOGDEST_STDERR,		/* re-opened, with O_NONBLOCK of its own */
	LOGDEST_STDERR_SOCKET,	/* the inherited descriptor */
	LOGDEST_STDERR_POLL,	/* the same, neither re-opened nor a socket */
	LOGDEST_SYSLOG,
};

/* What became of a write that moved no byte. */
enum logdest_error {
	LOGDEST_LATER,		/* keep the lines and try again */
	LOGDEST_LOST,		/* the connection: begin the line anew */
	LOGDEST_GONE,		/* nobody will ever read them */
	LOGDEST_REFUSED,	/* this line will never be taken */
};

struct logdest {
	enum logdest_kind kind;
	int fd;			/* -1: none; the owner is logdest_close() */
	bool stream;		/* syslog: lines end in NUL */
	bool proven;		/* it has taken something since it is open */
	struct monotime retry;	/* syslog: no connection before then */
	int64_t backoff_msec;	/* syslog: the pause before that */
	struct loghead head;	/* what it wants in front of a line */
	char path[PATH_MAX];	/* of the file or the syslog socket */
};

/* Whether the text names a destination. */
bool	logdest_valid(const char *text);

/*
 * Open what the text names.  A syslog is connected when it is first written
 * to, which cannot fail here.  Returns 0, or -1 with errno as log_open().
 */
int	logdest_open(struct logdest *dest, const char *text);

/*
 * Go on with a descriptor that another image of this process had opened for
 * the same text; -1, or one that is not of use, opens it anew.
 */
int	logdest_adopt(struct logdest *dest, const char *text, int fd);

/* The file alone; the path is absolute and shorter than PATH_MAX. */
int	logdest_open_file(struct logdest *dest, const char *path);

/* A syslog at that path. */
void	logdest_open_syslog(struct logdest *dest, const char *path,
	    int facility);

/* Close what is the destination's own. */
void	logdest_close(struct logdest *dest);

/* Whether both are the same open file, so that a torn line can go on. */
bool	logdest_same_file(const struct logdest *a, const struct logdest *b);

/* Whether several lines may be written as one. */
bool	logdest_takes_many(const struct logdest *dest);

/* Whether a write has a chance.  Connects a syslog when it is time to. */
bool	logdest_ready(struct logdest *dest);

/*
 * The byte that ends a line for the connection that logdest_ready() made, or
 * -1 for none.
 */
int	logdest_terminator(const struct logdest *dest);

/*
 * Write without blocking, when ready.  Returns the number of bytes taken, at
 * least 1, or -1 with *error.
 */
ssize_t	logdest_write(struct logdest *dest, const char *data, size_t len,
	    enum logdest_error *error);

#endif
