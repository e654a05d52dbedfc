/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One event, one line, and never a wait.
 *
 * This is the front of four modules: logtext escapes, loghead puts the time
 * in front, logsink keeps the lines, logdest writes them.  Between log_begin()
 * and log_end() there is no system call and no stdio, because every connection
 * passes here.
 */

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/logdest.h"
#include "base/loghead.h"
#include "base/logsink.h"
#include "base/logtext.h"

enum {
	LIMIT_PAUSE_MSEC = 10000,
	DIGITS_MAX = 20,	/* of an integer of 64 bits */
};

struct logger {
	bool ready;		/* it has a destination */
	enum log_format format;
	enum log_level level;
	struct logsink sink;
};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* The one logger of the process; before anything else it is stderr. */
static struct logger *
logger(void)
{
	static struct logger the_logger;
	struct logdest dest;

	if (the_logger.ready)
		return &the_logger;

	int saved = errno;

	the_logger.ready = true;
	the_logger.level = LOG_LEVEL_INFO;
	logsink_init(&the_logger.sink);
	if (logdest_open(&dest, "stderr") == 0)
		logsink_use(&the_logger.sink, &dest);
	errno = saved;
	return &the_logger;
}

/* Write the digits so that they end before end; returns their beginning. */
static char *
format_digits(char *end, uint64_t value, int min_digits)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (--min_digits > 0 || value != 0);
	return end;
}

/* Nanoseconds since 1970. */
static int64_t
wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Take over what was opened; errno is kept. */
static int
use_destination(const struct logdest *dest)
{
	int saved = errno;

	logsink_use(&logger()->sink, dest);
	errno = saved;
	return 0;
}

int
log_open(const char *destination)
{
	int saved = errno;
	struct logdest dest;

	if (logdest_open(&dest, destination) == -1)
		return -1;
	errno = saved;
	return use_destination(&dest);
}

bool
log_destination_valid(const char *destination)
{
	return logdest_valid(destination);
}

int
log_reopen(void)
{
	const struct logdest *present = &logger()->sink.dest;
	int saved = errno;
	struct logdest dest;

	if (present->kind != LOGDEST_FILE)
		return 0;
	if (logdest_open_file(&dest, present->path) == -1)
		return -1;
	errno = saved;
	return use_destination(&dest);
}

void
log_set_format(enum log_format format)
{
	logger()->format = format;
}

void
log_set_level(enum log_level level)
{
	logger()->level = level;
}

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

void
log_begin(struct log_line *line, enum log_level level, const char *verb)
{
	const struct logger *log = logger();

	line->wanted = level <= log->level;
	if (!line->wanted)
		return;
	line->level = level;
	line->json = log->format == LOG_FORMAT_JSON;
	logtext_begin(line, verb);
}

void
log_str(struct log_line *line, const char *key, const char *value)
{
	if (value == NULL)
		value = "-";
	log_strn(line, key, value, strlen(value));
}

void
log_strn(struct log_line *line, const char *key, const char *value, size_t len)
{
	if (line->wanted)
		logtext_value(line, key, value, len);
}

void
log_int(struct log_line *line, const char *key, int64_t value)
{
	char text[DIGITS_MAX + 1];
	char *end = text + sizeof(text);
	/* Unsigned, because -INT64_MIN is no int64_t. */
	uint64_t amount = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char *begin = format_digits(end, amount, 1);

	if (value < 0)
		*--begin = '-';
	if (line->wanted)
		logtext_bare(line, key, begin, (size_t)(end - begin));
}

void
log_uint(struct log_line *line, const char *key, uint64_t value)
{
	char text[DIGITS_MAX];
	char *end = text + sizeof(text);
	char *begin = format_digits(end, value, 1);

	if (line->wanted)
		logtext_bare(line, key, begin, (size_t)(end - begin));
}

void
log_secs(struct log_line *line, const char *key, double value)
{
	char text[DIGITS_MAX + 2];
	char *end = text + sizeof(text);
	double amount = value < 0 ? -value : value;
	/* What is not a number, or not a time, must not be converted. */
	uint64_t msec = amount < 1e15 ? (uint64_t)(amount * 1e3 + 0.5) : 0;
	char *begin = format_digits(end, msec % 1000, 3);

	*--begin = '.';
	begin = format_digits(begin, msec / 1000, 1);
	if (value < 0 && msec != 0)
		*--begin = '-';
	if (line->wanted)
		logtext_bare(line, key, begin, (size_t)(end - begin));
}

void
log_errno(struct log_line *line, const char *key, int errnum)
{
	int saved = errno;

	if (line->wanted)
		log_str(line, key, strerror(errnum));
	errno = saved;
}

void
log_end(struct log_line *line)
{
	int saved = errno;

	if (!line->wanted)
		return;
	logtext_end(line);

	struct logrecord record = {
		.wall_nsec = wall_clock(),
		.len = (uint16_t)line->len,
		.level = (uint8_t)line->level,
		.json = line->json,
	};

	logsink_put(&logger()->sink, &record, line->text);
	errno = saved;
}

void
log_message(enum log_level level, const char *verb, const char *format, ...)
{
	int saved = errno;
	char message[LOG_LINE_SIZE];
	struct log_line line;
	va_list args;

	log_begin(&line, level, verb);
	if (!line.wanted)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	log_str(&line, "message", message);
	log_end(&line);
	errno = saved;
}

bool
log_limit_pass(struct log_limit *limit, struct monotime now,
    unsigned long *left_out)
{
	*left_out = 0;
	if (monotime_before(now, limit->next)) {
		limit->left_out++;
		return false;
	}
	*left_out = limit->left_out;
	limit->left_out = 0;
	limit->next = monotime_add_msec(now, LIMIT_PAUSE_MSEC);
	return true;
}

bool
log_flush(void)
{
	int saved = errno;
	bool done = logsink_flush(&logger()->sink);

	errno = saved;
	return done;
}

uint64_t
log_waiting(void)
{
	return logsink_waiting(&logger()->sink);
}

int
log_adopt(const char *destination, int fd, uint64_t lost)
{
	int saved = errno;
	struct logdest dest;

	if (logdest_adopt(&dest, destination, fd) == -1)
		return -1;
	errno = saved;
	use_destination(&dest);

	const struct logrecord record = {
		.wall_nsec = wall_clock(),
		.json = logger()->format == LOG_FORMAT_JSON,
	};

	logsink_lose(&logger()->sink, lost, &record);
	return 0;
}

uint64_t
log_dropped(void)
{
	return logger()->sink.dropped;
}

int
log_fd(void)
{
	return logger()->sink.dest.fd;
}
