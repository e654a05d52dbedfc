/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write what a destination wants in front of a line: time, priority, name.
 *
 * Lines wait without it, so that they can go to another destination than the
 * one they were meant for.  The last second is kept as text, because many
 * lines share it.
 */

#ifndef MINETD_LOGHEAD_H
#define MINETD_LOGHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/log.h"

enum {
	LOGHEAD_MAX = 80,	/* no head is longer */
};

enum loghead_style {
	LOGHEAD_NONE,		/* the reader adds the time */
	LOGHEAD_TIME,		/* UTC, for files */
	LOGHEAD_PRIORITY,	/* "<6>", for the journal */
	LOGHEAD_SYSLOG,		/* RFC 3164, with "minetd[PID]: " */
};

/* What the head of a line is made of, and the length of its text. */
struct logrecord {
	int64_t wall_nsec;	/* CLOCK_REALTIME of the event */
	uint16_t len;
	uint8_t level;		/* enum log_level */
	bool json;		/* the head ends in {"time":"…", */
};

struct logstamp {
	time_t second;
	size_t len;		/* 0: nothing yet */
	char text[32];
};

/* Zero-initialised but for the style and facility. */
struct loghead {
	enum loghead_style style;
	int facility;		/* shifted, as in <syslog.h> */
	struct logstamp utc;
	struct logstamp local;
};

/* Write the head of the record, without a terminator; returns its length. */
size_t	loghead_format(struct loghead *head, const struct logrecord *record,
	    char *buf);

#endif
