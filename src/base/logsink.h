/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Keep lines until their destination takes them, and say which it missed.
 *
 * Lines wait in a ring.  When it is full the oldest go first, except one that
 * is already written in part; a line "lost n=COUNT" then takes the place of
 * those that are missing.
 */

#ifndef MINETD_LOGSINK_H
#define MINETD_LOGSINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/logdest.h"
#include "base/loghead.h"

enum {
	LOGSINK_BATCH = 64,	/* lines per write, at most */
	LOGSINK_OUT_SIZE = 4 * LOG_LINE_SIZE,
};

/* Records and their texts, one after the other, around the end. */
struct logring {
	size_t head;		/* offset of the oldest record */
	size_t used;		/* bytes */
	unsigned char bytes[LOG_BUFFER_SIZE];
};

struct logsink {
	struct logdest dest;
	bool blocked;		/* the last write was not taken */

	/* The line that the destination has begun to take: before all. */
	bool torn;
	size_t torn_written;	/* bytes, head included */
	struct logrecord torn_record;
	char torn_text[LOG_LINE_SIZE];

	/* What is missing between the torn line and the ring. */
	uint64_t dropped;	/* lines, ever */
	uint64_t unsaid;	/* of those, not logged yet */
	struct logrecord last_dropped;

	struct logring ring;

	/* The first lines as the destination gets them; built anew for each
	 * write. */
	size_t out_len;
	size_t out_count;
	size_t out_ends[LOGSINK_BATCH];
	char out[LOGSINK_OUT_SIZE];
};

/* Prepare zeroed storage; lines vanish until there is a destination. */
void	logsink_init(struct logsink *sink);

/* Take over *dest and close the present destination.  Lines stay. */
void	logsink_use(struct logsink *sink, const struct logdest *dest);

/*
 * Queue a line of record->len bytes.  A full buffer is written first, as far
 * as that goes; then the oldest lines make room.
 */
void	logsink_put(struct logsink *sink, const struct logrecord *record,
	    const char *text);

/* How many lines wait, or are missing and not said to be. */
uint64_t logsink_waiting(const struct logsink *sink);

/*
 * Say that so many lines are missing before all that waits, the last of them
 * with this head.
 */
void	logsink_lose(struct logsink *sink, uint64_t lines,
	    const struct logrecord *last);

/* As log_flush(). */
bool	logsink_flush(struct logsink *sink);

#endif
