/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Keep lines until their destination takes them, and say which it missed.
 *
 * Three places make one queue: the torn line, the notice of what was lost, the
 * ring.  A write takes the first lines of the queue, as many as fit, without
 * removing them; only what the destination took is removed, and a line that it
 * took in part becomes the torn one.  Until then the ring may drop any line.
 */

#include "base/logsink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/logtext.h"

static void
ring_copy_in(struct logring *ring, const void *data, size_t len)
{
	size_t at = (ring->head + ring->used) % sizeof(ring->bytes);
	size_t first = sizeof(ring->bytes) - at;

	if (first > len)
		first = len;
	memcpy(ring->bytes + at, data, first);
	memcpy(ring->bytes, (const char *)data + first, len - first);
	ring->used += len;
}

/* Copy from offset bytes behind the head. */
static void
ring_copy_out(const struct logring *ring, size_t offset, void *data,
    size_t len)
{
	size_t at = (ring->head + offset) % sizeof(ring->bytes);
	size_t first = sizeof(ring->bytes) - at;

	if (first > len)
		first = len;
	memcpy(data, ring->bytes + at, first);
	memcpy((char *)data + first, ring->bytes, len - first);
}

/* Remove the oldest record and hand out its head. */
static void
ring_remove(struct logring *ring, struct logrecord *record)
{
	ring_copy_out(ring, 0, record, sizeof(*record));

	size_t len = sizeof(*record) + record->len;

	ring->head = (ring->head + len) % sizeof(ring->bytes);
	ring->used -= len;
}

static void
count_dropped(struct logsink *sink, const struct logrecord *record)
{
	sink->dropped++;
	sink->unsaid++;
	sink->last_dropped = *record;
}

static void
drop_oldest(struct logsink *sink)
{
	struct logrecord record;

	ring_remove(&sink->ring, &record);
	count_dropped(sink, &record);
}

static void
drop_all(struct logsink *sink)
{
	if (sink->torn)
		count_dropped(sink, &sink->torn_record);
	sink->torn = false;
	while (sink->ring.used > 0)
		drop_oldest(sink);
}

/* The line that stands for those dropped, at the time of the last of them. */
static void
build_notice(const struct logsink *sink, struct log_line *line,
    struct logrecord *record)
{
	char count[24];
	int len = snprintf(count, sizeof(count), "%" PRIu64, sink->unsaid);

	line->level = LOG_LEVEL_WARNING;
	line->json = sink->last_dropped.json;
	logtext_begin(line, "lost");
	logtext_bare(line, "n", count, (size_t)len);
	logtext_end(line);
	*record = sink->last_dropped;
	record->level = LOG_LEVEL_WARNING;
	record->len = (uint16_t)line->len;
}

/* Append the head of a line; returns where its text goes. */
static char *
begin_out(struct logsink *sink, const struct logrecord *record)
{
	sink->out_len += loghead_format(&sink->dest.head, record,
	    sink->out + sink->out_len);
	return sink->out + sink->out_len;
}

static void
end_out(struct logsink *sink, const struct logrecord *record)
{
	int terminator = logdest_terminator(&sink->dest);

	sink->out_len += record->len;
	if (terminator != -1)
		sink->out[sink->out_len++] = (char)terminator;
	sink->out_ends[sink->out_count++] = sink->out_len;
}

static void
put_torn(struct logsink *sink)
{
	memcpy(begin_out(sink, &sink->torn_record), sink->torn_text,
	    sink->torn_record.len);
	end_out(sink, &sink->torn_record);
}

static void
put_notice(struct logsink *sink)
{
	struct logrecord record;
	struct log_line line;

	build_notice(sink, &line, &record);
	memcpy(begin_out(sink, &record), line.text, record.len);
	end_out(sink, &record);
}

/* The record at that offset of the ring; returns the offset of the next. */
static size_t
put_record(struct logsink *sink, size_t offset)
{
	struct logrecord record;

	ring_copy_out(&sink->ring, offset, &record, sizeof(record));
	offset += sizeof(record);
	ring_copy_out(&sink->ring, offset, begin_out(sink, &record),
	    record.len);
	end_out(sink, &record);
	return offset + record.len;
}

static bool
out_has_room(const struct logsink *sink, size_t max)
{
	return sink->out_count < max &&
	    sink->out_len + LOG_LINE_SIZE <= sizeof(sink->out);
}

/* While the destination does not take anything, one line is enough to ask. */
static void
build_out(struct logsink *sink)
{
	bool many = logdest_takes_many(&sink->dest) && !sink->blocked;
	size_t max = many ? LOGSINK_BATCH : 1;
	size_t offset = 0;

	sink->out_len = 0;
	sink->out_count = 0;
	if (sink->torn)
		put_torn(sink);
	if (sink->unsaid > 0 && out_has_room(sink, max))
		put_notice(sink);
	while (offset < sink->ring.used && out_has_room(sink, max))
		offset = put_record(sink, offset);
}

static void
remove_first(struct logsink *sink)
{
	struct logrecord record;

	if (sink->torn)
		sink->torn = false;
	else if (sink->unsaid > 0)
		sink->unsaid = 0;
	else
		ring_remove(&sink->ring, &record);
}

/* The destination has taken the first n bytes of the first line. */
static void
tear_first(struct logsink *sink, size_t n)
{
	struct logrecord record;
	struct log_line line;

	sink->torn_written = n;
	if (sink->torn)
		return;
	sink->torn = true;
	if (sink->unsaid > 0) {
		build_notice(sink, &line, &sink->torn_record);
		memcpy(sink->torn_text, line.text, line.len);
		sink->unsaid = 0;
		return;
	}
	ring_copy_out(&sink->ring, 0, &record, sizeof(record));
	ring_copy_out(&sink->ring, sizeof(record), sink->torn_text,
	    record.len);
	ring_remove(&sink->ring, &sink->torn_record);
}

/* The destination has taken n bytes of the queue. */
static void
remove_written(struct logsink *sink, size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < sink->out_count && sink->out_ends[i] <= n; i++) {
		remove_first(sink);
		done = sink->out_ends[i];
	}
	if (n > done)
		tear_first(sink, n - done);
}

/* A notice that is refused is not counted: it would never come to an end. */
static void
drop_first(struct logsink *sink)
{
	if (sink->torn) {
		count_dropped(sink, &sink->torn_record);
		sink->torn = false;
	} else if (sink->unsaid > 0) {
		sink->unsaid = 0;
	} else {
		drop_oldest(sink);
	}
}

/* Whether the line that was torn can be gone on with. */
static size_t
already_written(const struct logsink *sink)
{
	/* The head may have become shorter: it has a process id. */
	if (!sink->torn || sink->torn_written >= sink->out_ends[0])
		return 0;
	return sink->torn_written;
}

static bool
is_empty(const struct logsink *sink)
{
	return !sink->torn && sink->unsaid == 0 && sink->ring.used == 0;
}

/* Returns whether to go on writing at once. */
static bool
write_failed(struct logsink *sink, enum logdest_error error)
{
	switch (error) {
	case LOGDEST_LOST:
		sink->torn_written = 0;
		return true;
	case LOGDEST_REFUSED:
		drop_first(sink);
		return true;
	case LOGDEST_GONE:
		drop_all(sink);
		return false;
	case LOGDEST_LATER:
		break;
	}
	return false;
}

void
logsink_init(struct logsink *sink)
{
	sink->dest.kind = LOGDEST_NULL;
	sink->dest.fd = -1;
}

void
logsink_use(struct logsink *sink, const struct logdest *dest)
{
	/* In another place, the torn line begins again. */
	if (!logdest_same_file(&sink->dest, dest))
		sink->torn_written = 0;
	logdest_close(&sink->dest);
	sink->dest = *dest;
	sink->blocked = false;
}

uint64_t
logsink_waiting(const struct logsink *sink)
{
	uint64_t count = sink->unsaid + sink->torn;
	struct logrecord record;
	size_t offset = 0;

	while (offset < sink->ring.used) {
		ring_copy_out(&sink->ring, offset, &record, sizeof(record));
		offset += sizeof(record) + record.len;
		count++;
	}
	return count;
}

void
logsink_lose(struct logsink *sink, uint64_t lines,
    const struct logrecord *last)
{
	if (lines == 0)
		return;
	sink->dropped += lines;
	sink->unsaid += lines;
	sink->last_dropped = *last;
}

bool
logsink_flush(struct logsink *sink)
{
	while (!is_empty(sink)) {
		enum logdest_error error;

		if (!logdest_ready(&sink->dest))
			return false;
		build_out(sink);

		size_t skip = already_written(sink);
		ssize_t n = logdest_write(&sink->dest, sink->out + skip,
		    sink->out_len - skip, &error);

		sink->blocked = n == -1;
		if (n != -1)
			remove_written(sink, skip + (size_t)n);
		else if (!write_failed(sink, error))
			return error == LOGDEST_GONE;
	}
	return true;
}

void
logsink_put(struct logsink *sink, const struct logrecord *record,
    const char *text)
{
	struct logring *ring = &sink->ring;
	size_t len = sizeof(*record) + record->len;

	/* Hundreds of handlers may end in one wake-up. */
	if (sizeof(ring->bytes) - ring->used < len && !sink->blocked)
		logsink_flush(sink);
	while (sizeof(ring->bytes) - ring->used < len)
		drop_oldest(sink);
	ring_copy_in(ring, record, sizeof(*record));
	ring_copy_in(ring, text, record->len);
}
