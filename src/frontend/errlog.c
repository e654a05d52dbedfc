/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What handlers say on fd 2, line by line, for the log.
 *
 * A pipe is read in chunks.  When the outbox is full in the middle of one, the
 * rest of it is kept, and the pipe waits; that, an unfinished line and a place
 * in a list are all that a pipe ever takes.
 */

#include "frontend/errlog.h"

#include <sys/epoll.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bucket.h"
#include "frontend/lines.h"

enum {
	READS_PER_WAKEUP = 4,	/* of one pipe; then others get a turn */
};

/* Lines of one handler in the log; it may say more. */
static const struct bucket_rate line_rate = { .nsec = 10000000, .burst = 200 };

struct errpipe {
	TAILQ_ENTRY(errpipe) entry; /* among the reading or the waiting */
	struct watch watch;
	struct errlog *log;
	uint64_t id;		/* of the loan */
	struct lines lines;
	struct bucket bucket;
	uint32_t left_out;	/* lines that main was not told of */
	char *rest;		/* of a chunk; owned; NULL: none */
	size_t rest_len;
	bool waiting;
	bool ended;		/* nothing more comes: REPAID is due */
	bool leaving;		/* nothing more is read */
};

/* Put it in the list where it belongs. */
static void
pipe_wait(struct errpipe *pipe, bool waiting)
{
	struct errlog *el = pipe->log;

	if (pipe->waiting == waiting)
		return;
	pipe->waiting = waiting;
	if (waiting) {
		loop_disarm(el->loop, &pipe->watch);
		TAILQ_REMOVE(&el->reading, pipe, entry);
		TAILQ_INSERT_TAIL(&el->waiting, pipe, entry);
	} else {
		TAILQ_REMOVE(&el->waiting, pipe, entry);
		TAILQ_INSERT_TAIL(&el->reading, pipe, entry);
	}
}

static void
pipe_free(struct errpipe *pipe)
{
	struct errlog *el = pipe->log;

	loop_disarm(el->loop, &pipe->watch);
	if (pipe->watch.fd >= 0)
		close(pipe->watch.fd);
	if (pipe->waiting)
		TAILQ_REMOVE(&el->waiting, pipe, entry);
	else
		TAILQ_REMOVE(&el->reading, pipe, entry);
	free(pipe->lines.text);
	free(pipe->rest);
	free(pipe);
}

/* There is room. */
static void
log_send(struct errpipe *pipe, const struct line *line)
{
	struct channel_msg *msg = outbox_add(pipe->log->outbox, CHANNEL_LOG, 0,
	    -1);

	msg->log.id = pipe->id;
	msg->log.len = line->len;
	msg->log.cut = line->cut;
	msg->log.left_out = pipe->left_out;
	if (line->len > 0)
		memcpy(msg->text, line->text, line->len);
	pipe->left_out = 0;
}

/* Send a line, unless there are too many.  There is room. */
static void
line_send(struct errpipe *pipe, const struct line *line, struct monotime now)
{
	if (line->len == 0 && line->cut == 0)
		return;
	if (line->len == 0 || !bucket_take(&pipe->bucket, &line_rate, now))
		pipe->left_out += pipe->left_out < UINT32_MAX;
	else
		log_send(pipe, line);
}

/* Cut up a chunk as far as there is room, and return how much was. */
static size_t
chunk_send(struct errpipe *pipe, const char *chunk, size_t len,
    struct monotime now)
{
	size_t at = 0;

	while (at < len && outbox_has_room(pipe->log->outbox)) {
		struct line line;

		at += lines_take(&pipe->lines, chunk + at, len - at, &line);
		line_send(pipe, &line, now);
	}
	lines_settle(&pipe->lines);
	return at;
}

/* Send the rest of the last chunk; false when there is no room for all. */
static bool
rest_send(struct errpipe *pipe, struct monotime now)
{
	size_t sent;

	if (pipe->rest == NULL)
		return true;
	sent = chunk_send(pipe, pipe->rest, pipe->rest_len, now);
	pipe->rest_len -= sent;
	memmove(pipe->rest, pipe->rest + sent, pipe->rest_len);
	if (pipe->rest_len > 0)
		return false;
	free(pipe->rest);
	pipe->rest = NULL;
	return true;
}

/* Send what is left at the end; false when there is no room for all. */
static bool
end_send(struct errpipe *pipe, struct monotime now)
{
	const struct line none = { NULL, 0, 0 };
	struct outbox *outbox = pipe->log->outbox;
	struct channel_msg *msg;
	struct line line;

	if (!outbox_has_room(outbox))
		return false;
	lines_end(&pipe->lines, &line);
	line_send(pipe, &line, now);
	if (!outbox_has_room(outbox))
		return false;
	if (pipe->left_out > 0)
		log_send(pipe, &none);
	if (!pipe->ended)
		return true;
	if (!outbox_has_room(outbox))
		return false;
	msg = outbox_add(outbox, CHANNEL_REPAID, 0, -1);
	msg->loan.kind = CHANNEL_LOAN_STDERR;
	msg->loan.id = pipe->id;
	return true;
}

/*
 * Send what it has; the pipe may be no more afterwards.  Returns whether it is
 * read on.
 */
static bool
pipe_proceed(struct errpipe *pipe, struct monotime now)
{
	bool finished = pipe->ended || pipe->leaving;

	if (!rest_send(pipe, now) || (finished && !end_send(pipe, now))) {
		pipe_wait(pipe, true);
		return false;
	}
	if (finished)
		pipe_free(pipe);
	return !finished;
}

/* What was read and finds no room is kept, or left out for want of memory. */
static void
rest_keep(struct errpipe *pipe, const char *rest, size_t len)
{
	if (len == 0)
		return;
	pipe->rest = malloc(len);
	if (pipe->rest == NULL) {
		pipe->left_out += pipe->left_out < UINT32_MAX;
		return;
	}
	memcpy(pipe->rest, rest, len);
	pipe->rest_len = len;
}

static void
pipe_ready(void *arg, uint32_t events, struct monotime now)
{
	struct errpipe *pipe = arg;
	struct errlog *el = pipe->log;

	(void)events;
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		ssize_t len = read(pipe->watch.fd, el->chunk,
		    sizeof(el->chunk));
		size_t sent;

		if (len == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len <= 0) {
			pipe->ended = true;
			pipe_proceed(pipe, now);
			return;
		}
		sent = chunk_send(pipe, el->chunk, (size_t)len, now);
		rest_keep(pipe, el->chunk + sent, (size_t)len - sent);
		if (!outbox_has_room(el->outbox)) {
			pipe_wait(pipe, true);
			return;
		}
	}
}

/* Go on with those that wait; they are read again. */
static void
waiting_proceed(struct errlog *el, struct monotime now)
{
	struct errpipe *pipe, *next;

	TAILQ_FOREACH_SAFE(pipe, &el->waiting, entry, next) {
		if (!outbox_has_room(el->outbox))
			return;
		if (pipe_proceed(pipe, now) &&
		    loop_arm(el->loop, &pipe->watch, EPOLLIN) == 0)
			pipe_wait(pipe, false);
	}
}

static void
resume_due(void *arg, struct monotime now)
{
	waiting_proceed(arg, now);
}

void
errlog_init(struct errlog *el, struct loop *loop, struct outbox *outbox)
{
	el->loop = loop;
	el->outbox = outbox;
	el->stopped = false;
	TAILQ_INIT(&el->reading);
	TAILQ_INIT(&el->waiting);
	timer_init(&el->resume, resume_due, el);
}

void
errlog_add(struct errlog *el, const struct channel_msg *msg, int fd,
    struct monotime now)
{
	struct errpipe *pipe;

	/* It crossed the end of our time. */
	pipe = el->stopped ? NULL : calloc(1, sizeof(*pipe));
	if (pipe == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	pipe->log = el;
	pipe->id = msg->loan.id;
	pipe->ended = fd < 0;
	watch_init(&pipe->watch, fd, pipe_ready, pipe);
	TAILQ_INSERT_TAIL(&el->reading, pipe, entry);
	if (pipe->ended)
		pipe_proceed(pipe, now);
	else if (loop_arm(el->loop, &pipe->watch, EPOLLIN) == -1)
		pipe_wait(pipe, true);
}

/* Not at once: what is to be sent now was sent just before. */
void
errlog_resume(struct errlog *el, struct monotime now)
{
	if (!TAILQ_EMPTY(&el->waiting))
		timer_arm(loop_timers(el->loop), &el->resume, now);
}

void
errlog_stop(struct errlog *el, struct monotime now)
{
	struct errpipe *pipe, *next;

	el->stopped = true;
	TAILQ_FOREACH(pipe, &el->waiting, entry)
		pipe->leaving = true;
	TAILQ_FOREACH_SAFE(pipe, &el->reading, entry, next) {
		pipe->leaving = true;
		pipe_proceed(pipe, now);
	}
}

bool
errlog_report(struct errlog *el, struct monotime now)
{
	waiting_proceed(el, now);
	return TAILQ_EMPTY(&el->waiting);
}
