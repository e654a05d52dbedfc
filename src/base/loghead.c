/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write what a destination wants in front of a line: time, priority, name.
 *
 * The program never leaves the C locale, so the months of strftime(3) are the
 * English ones that RFC 3164 asks for.
 */

#include "base/loghead.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define NSEC_PER_SEC	INT64_C(1000000000)

static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARNING] = LOG_WARNING,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* Whether the stamp does not say that second yet. */
static bool
stamp_is_old(const struct logstamp *stamp, time_t second)
{
	return stamp->len == 0 || stamp->second != second;
}

static char *
put_stamp(char *at, const struct logstamp *stamp)
{
	memcpy(at, stamp->text, stamp->len);
	return at + stamp->len;
}

static char *
put_utc(char *at, struct logstamp *stamp, int64_t wall_nsec)
{
	time_t second = (time_t)(wall_nsec / NSEC_PER_SEC);
	int msec = (int)(wall_nsec / 1000000 % 1000);
	struct tm tm;

	if (stamp_is_old(stamp, second) && gmtime_r(&second, &tm) != NULL) {
		stamp->second = second;
		stamp->len = strftime(stamp->text, sizeof(stamp->text),
		    "%Y-%m-%dT%H:%M:%S", &tm);
	}
	at = put_stamp(at, stamp);
	*at++ = '.';
	*at++ = (char)('0' + msec / 100);
	*at++ = (char)('0' + msec / 10 % 10);
	*at++ = (char)('0' + msec % 10);
	*at++ = 'Z';
	return at;
}

static char *
put_local(char *at, struct logstamp *stamp, int64_t wall_nsec)
{
	time_t second = (time_t)(wall_nsec / NSEC_PER_SEC);
	struct tm tm;

	if (stamp_is_old(stamp, second) && localtime_r(&second, &tm) != NULL) {
		stamp->second = second;
		stamp->len = strftime(stamp->text, sizeof(stamp->text),
		    "%b %e %H:%M:%S", &tm);
	}
	return put_stamp(at, stamp);
}

size_t
loghead_format(struct loghead *head, const struct logrecord *record, char *buf)
{
	int priority = head->facility | priorities[record->level];
	char *at = buf;

	if (head->style == LOGHEAD_PRIORITY) {
		at += sprintf(at, "<%d>", priority);
	} else if (head->style == LOGHEAD_SYSLOG) {
		at += sprintf(at, "<%d>", priority);
		at = put_local(at, &head->local, record->wall_nsec);
		at += sprintf(at, " minetd[%d]: ", (int)getpid());
	}
	if (record->json) {
		at = stpcpy(at, "{\"time\":\"");
		at = put_utc(at, &head->utc, record->wall_nsec);
		at = stpcpy(at, "\",");
	} else if (head->style == LOGHEAD_TIME) {
		at = put_utc(at, &head->utc, record->wall_nsec);
		*at++ = ' ';
	}
	return (size_t)(at - buf);
}
