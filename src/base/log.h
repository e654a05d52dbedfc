/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One event, one line, and never a wait.
 *
 * A line is a verb and fields.  It is formatted in the caller's storage,
 * escaped (no control byte and no invalid UTF-8 leaves this module) and put
 * into a bounded buffer that log_flush() writes without blocking.  What does
 * not fit is counted, and the count is logged when there is room again.
 *
 * The destination is the one mutable variable at file scope of the program.
 * Every function keeps errno as it found it.
 */

#ifndef MINETD_LOG_H
#define MINETD_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/monotime.h"

enum log_level {
	LOG_LEVEL_ERROR,	/* somebody has to do something */
	LOG_LEVEL_WARNING,	/* somebody may have to */
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_LOGFMT,	/* verb key=value key="a value" */
	LOG_FORMAT_JSON,	/* {"time":…,"level":…,"event":…,"key":…} */
};

enum {
	LOG_LINE_SIZE = 4096,	/* longer lines are cut, marked "..." */
	LOG_BUFFER_SIZE = 65536, /* of lines that wait to be written */
};

/* A line under construction, on the caller's stack. */
struct log_line {
	bool wanted;		/* false: the level is off, nothing is kept */
	bool json;		/* the format when the line was begun */
	bool cut;		/* full: further fields are left out */
	enum log_level level;
	size_t len;
	char text[LOG_LINE_SIZE];
};

/* How often the same cause may be logged; zero-initialised. */
struct log_limit {
	struct monotime next;	/* not before then */
	unsigned long left_out;	/* lines suppressed since the last one */
};

/*
 * Choose where lines go: "stderr", "syslog", "syslog:FACILITY" or
 * "file:/PATH" (PATH is created 0640, O_NOFOLLOW, must be a regular file with
 * one link, owned by root or by the caller).  On failure returns -1 with errno
 * (EINVAL: not a destination) and keeps the present one.  Lines that wait go
 * to the new destination.  Before the first call it is stderr.
 */
int	log_open(const char *destination);

/* Whether log_open() would understand the text; opens nothing. */
bool	log_destination_valid(const char *destination);

/* Open a file destination again, after a rotation; -1 and errno as above. */
int	log_reopen(void);

void	log_set_format(enum log_format format);
void	log_set_level(enum log_level level);

/* The names of configuration files and of the level field. */
const char *log_level_name(enum log_level level);

/*
 * Build and queue one line:
 *
 *	log_begin(&line, LOG_LEVEL_INFO, "listen");
 *	log_str(&line, "service", name);
 *	log_end(&line);
 *
 * verb and keys are literals of [a-z_].  A NULL string is written as "-".
 */
void	log_begin(struct log_line *line, enum log_level level,
	    const char *verb);
void	log_str(struct log_line *line, const char *key, const char *value);
void	log_strn(struct log_line *line, const char *key, const char *value,
	    size_t len);
void	log_int(struct log_line *line, const char *key, int64_t value);
void	log_uint(struct log_line *line, const char *key, uint64_t value);
/* Seconds with milliseconds, "1.250". */
void	log_secs(struct log_line *line, const char *key, double value);
/* strerror(3) of errnum, without its number. */
void	log_errno(struct log_line *line, const char *key, int errnum);
void	log_end(struct log_line *line);

/*
 * A line of one verb and a sentence, in the field "message": for events that
 * have no fields of their own.
 */
void	log_message(enum log_level level, const char *verb,
	    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Whether a cause that was limited may be logged again: the first time at
 * once, then every 10 s.  Sets *left_out to the number of lines suppressed
 * since the last one, which the caller adds to its line when not 0.
 */
bool	log_limit_pass(struct log_limit *limit, struct monotime now,
	    unsigned long *left_out);

/*
 * Write what waits, as far as the destination takes it without blocking.
 * Called after each wake-up, and before the process ends.  Returns true when
 * nothing is left; otherwise call again within a second.
 */
bool	log_flush(void);

/*
 * What another image of this process takes over: the descriptor of log_fd(),
 * and the number of lines that still wait and are lost with this image.
 * log_adopt() continues with them as log_open() would with a destination of its
 * own; the descriptor belongs to the log from then on, and may be -1.
 */
uint64_t log_waiting(void);
int	log_adopt(const char *destination, int fd, uint64_t lost);

/* Lines dropped since the start: the destination was full, gone or blocked. */
uint64_t log_dropped(void);

/*
 * The descriptor of the destination, for those who must not close it (-1:
 * none of its own).
 */
int	log_fd(void);

#endif
