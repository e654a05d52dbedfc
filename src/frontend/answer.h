/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What the built-in services say, as pure functions of the time and of what
 * was asked.
 *
 * The local time zone is what tzset(3) has read last.  Nothing here reads a
 * file or a clock, so that it works in a confined process.
 */

#ifndef MINETD_ANSWER_H
#define MINETD_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "conf/conf.h"

enum {
	ANSWER_TIME = 4,	/* bytes of RFC 868 */
	ANSWER_LINE = 74,	/* bytes of a line of RFC 864, with its CRLF */
	ANSWER_LINES = 95,	/* different ones, then they begin again */
	ANSWER_DAYTIME_MAX = 64, /* bytes of RFC 867, at most */
	ANSWER_DATAGRAM_MAX = 512, /* bytes of chargen in a datagram */
};

/*
 * The daytime of RFC 867: ctime(3) in local time, ended by CRLF instead.
 * Returns its length; a buffer of ANSWER_DAYTIME_MAX bytes is enough.
 */
size_t	answer_daytime(time_t now, uint8_t *buf, size_t size);

/* The time of RFC 868: seconds since 1900, which begin again in 2036. */
void	answer_time(time_t now, uint8_t buf[ANSWER_TIME]);

/* The given line of RFC 864, counted from 0. */
void	answer_chargen_line(uint64_t line, uint8_t buf[ANSWER_LINE]);

/* A datagram, and when it came. */
struct answer_request {
	const uint8_t *bytes;	/* not owned; NULL when len is 0 */
	size_t len;
	time_t now;
};

/*
 * The reply of a builtin to a datagram, or 0 for none.  That of echo and
 * chargen is never longer than what was asked, and none is longer than size.
 */
size_t	answer_make(enum conf_builtin builtin,
	    const struct answer_request *request, uint8_t *buf, size_t size);

#endif
