/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Services that are answered without a program, on streams.
 *
 * Bytes that cannot be sent at once are held by echo only, one piece at most,
 * and nothing more is read until they are gone.  What the others say follows
 * from the time of the connection and the number of bytes already sent, so
 * they hold nothing.
 *
 * A conversation goes on until it would have to wait: what can be said at
 * once, and fits, is never polled for.
 */

#include "frontend/builtin.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frontend/answer.h"

enum {
	PIECE = 16384,		/* read, and held, at once */
	TURNS = 4,		/* pieces of one client; then others */
};

/* How a turn has ended. */
enum turn {
	TURN_MORE,		/* there may be more to do at once */
	TURN_WAIT,		/* for what talk->wanted says */
	TURN_CLOSED,
	TURN_RESET,
	TURN_FAILED,		/* no memory */
};

struct talk {
	struct carried carried;
	struct watch watch;
	uint32_t events;	/* that it was called for; 0: it begins */
	uint32_t wanted;	/* events to wait for */
	bool last;		/* the end follows what is sent: it goes with
				 * it, in one packet */
	bool heard;		/* the client has said everything */
	time_t asked;		/* when it has connected */
	uint8_t *held;		/* echo: owned; NULL: nothing */
	size_t held_at;		/* where what is still to send begins */
	size_t held_len;	/* where it ends */
};

static struct talk *
talk_of(struct carried *carried)
{
	return (struct talk *)carried;
}

static enum turn
failure_turn(int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
		return TURN_WAIT;
	case ENOBUFS:
	case ENOMEM:
		return TURN_FAILED;
	default:
		return TURN_RESET;
	}
}

/*
 * Receive into buf.  TURN_MORE: *len bytes have come; TURN_CLOSED: the end;
 * TURN_WAIT: nothing yet.
 */
static enum turn
hear(struct talk *talk, uint8_t buf[PIECE], size_t *len, struct monotime now)
{
	ssize_t n = recv(talk->carried.client.fd, buf, PIECE, MSG_DONTWAIT);

	*len = 0;
	if (n == 0)
		return TURN_CLOSED;
	if (n == -1)
		return failure_turn(errno);
	*len = (size_t)n;
	talk->carried.bytes_in += *len;
	carried_touch(&talk->carried, now);
	return TURN_MORE;
}

/* Send what the socket takes.  TURN_WAIT: not all; *sent bytes of it. */
static enum turn
say(struct talk *talk, const uint8_t *buf, size_t len, size_t *sent,
    struct monotime now)
{
	ssize_t n = send(talk->carried.client.fd, buf, len,
	    MSG_DONTWAIT | MSG_NOSIGNAL | (talk->last ? MSG_MORE : 0));

	*sent = 0;
	if (n == -1)
		return failure_turn(errno);
	*sent = (size_t)n;
	talk->carried.bytes_out += *sent;
	carried_touch(&talk->carried, now);
	return *sent == len ? TURN_MORE : TURN_WAIT;
}

/* Keep what could not be sent. */
static enum turn
hold(struct talk *talk, const uint8_t *buf, size_t len)
{
	talk->held = malloc(len > 0 ? len : 1);
	if (talk->held == NULL)
		return TURN_FAILED;
	memcpy(talk->held, buf, len);
	talk->held_at = 0;
	talk->held_len = len;
	return TURN_WAIT;
}

static void
held_free(struct talk *talk)
{
	free(talk->held);
	talk->held = NULL;
}

/* Send what is held, and let go of it; TURN_MORE when nothing is left. */
static enum turn
held_say(struct talk *talk, struct monotime now)
{
	enum turn turn;
	size_t sent;

	if (talk->held == NULL)
		return TURN_MORE;
	turn = say(talk, talk->held + talk->held_at,
	    talk->held_len - talk->held_at, &sent, now);
	talk->held_at += sent;
	if (turn == TURN_MORE)
		held_free(talk);
	return turn;
}

/* Less than there was room for is all, unless an end was announced, too. */
static enum turn
heard_turn(const struct talk *talk, size_t len)
{
	const uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

	return len == PIECE || talk->events == 0 ||
	    (talk->events & ends) != 0 ? TURN_MORE : TURN_WAIT;
}

static enum turn
echo_turn(struct talk *talk, struct monotime now)
{
	uint8_t buf[PIECE];
	size_t len, sent;
	enum turn turn;

	talk->wanted = EPOLLOUT;
	turn = held_say(talk, now);
	if (turn != TURN_MORE)
		return turn;
	talk->wanted = EPOLLIN | EPOLLRDHUP;
	turn = hear(talk, buf, &len, now);
	if (turn != TURN_MORE)
		return turn;
	talk->last = len < PIECE && (talk->events & EPOLLRDHUP) != 0;
	turn = say(talk, buf, len, &sent, now);
	if (turn == TURN_MORE)
		return heard_turn(talk, len);
	if (turn != TURN_WAIT)
		return turn;
	talk->wanted = EPOLLOUT;
	return hold(talk, buf + sent, len - sent);
}

static enum turn
discard_turn(struct talk *talk, struct monotime now)
{
	uint8_t buf[PIECE];
	size_t len;
	enum turn turn = hear(talk, buf, &len, now);

	talk->wanted = EPOLLIN | EPOLLRDHUP;
	return turn == TURN_MORE ? heard_turn(talk, len) : turn;
}

/* Lines from the given place in the endless text on. */
static size_t
chargen_fill(uint8_t buf[PIECE], uint64_t at)
{
	uint64_t line = at / ANSWER_LINE;
	size_t skip = at % ANSWER_LINE;
	size_t len = 0;

	for (; len + ANSWER_LINE <= PIECE; len += ANSWER_LINE)
		answer_chargen_line(line++, buf + len);
	memmove(buf, buf + skip, len - skip);
	return len - skip;
}

/* What comes next, which may be in buf; *len is 0 when all was said. */
static const uint8_t *
next_piece(const struct talk *talk, uint8_t buf[PIECE], size_t *len)
{
	const struct admission_service *svc = carried_service(&talk->carried);
	const struct admission *adm = talk->carried.carrier->adm;
	uint64_t at = talk->carried.bytes_out;

	switch (svc->builtin) {
	case CONF_BUILTIN_TEXT:
		*len = svc->text.len - at;
		return admission_bytes(adm, svc->text) + at;
	case CONF_BUILTIN_CHARGEN:
		*len = chargen_fill(buf, at);
		return buf;
	default:
		*len = answer_make(svc->builtin, &(struct answer_request){
		    NULL, 0, talk->asked }, buf, PIECE) - at;
		return buf + at;
	}
}

/* Throw away what the client says; it may say nothing, and still listen. */
static enum turn
ignore(struct talk *talk, struct monotime now)
{
	uint8_t buf[PIECE];
	size_t len;
	enum turn turn = hear(talk, buf, &len, now);

	if (turn != TURN_CLOSED)
		return turn;
	talk->heard = true;
	return TURN_WAIT;
}

static enum turn
source_turn(struct talk *talk, struct monotime now)
{
	bool endless = carried_service(&talk->carried)->builtin ==
	    CONF_BUILTIN_CHARGEN;
	const uint8_t *piece;
	uint8_t buf[PIECE];
	size_t len, sent;
	enum turn turn;

	if ((talk->events & EPOLLIN) != 0 && !talk->heard) {
		turn = ignore(talk, now);
		if (turn != TURN_MORE && turn != TURN_WAIT)
			return turn;
	}
	talk->wanted = EPOLLOUT | (talk->heard ? 0 : EPOLLIN);
	piece = next_piece(talk, buf, &len);
	talk->last = !endless;
	turn = say(talk, piece, len, &sent, now);
	if (turn != TURN_MORE || endless)
		return turn;
	talk->carried.lingers = !talk->heard;
	return TURN_CLOSED;
}

/* Nothing is read while it waits: that the peer leaves is seen all the same. */
static enum turn
trap_turn(struct talk *talk, struct monotime now)
{
	uint8_t buf[PIECE];
	size_t len;

	talk->wanted = EPOLLRDHUP;
	return talk->events == 0 ? TURN_WAIT : hear(talk, buf, &len, now);
}

static enum turn
talk_turn(struct talk *talk, struct monotime now)
{
	switch (carried_service(&talk->carried)->builtin) {
	case CONF_BUILTIN_ECHO:
		return echo_turn(talk, now);
	case CONF_BUILTIN_DISCARD:
		return discard_turn(talk, now);
	case CONF_BUILTIN_TRAP:
		return trap_turn(talk, now);
	default:
		return source_turn(talk, now);
	}
}

static void
talk_end(struct talk *talk, enum done_reason reason, struct monotime now)
{
	loop_disarm(talk->carried.carrier->loop, &talk->watch);
	held_free(talk);
	carried_end(&talk->carried, reason, now);
}

static void
talk_wait(struct talk *talk, struct monotime now)
{
	if (loop_arm(talk->carried.carrier->loop, &talk->watch,
	    talk->wanted) == -1)
		talk_end(talk, DONE_FAILED, now);
}

static void
talk_go_on(struct talk *talk, uint32_t events, struct monotime now)
{
	enum turn turn = TURN_MORE;

	talk->events = events;
	for (int i = 0; i < TURNS && turn == TURN_MORE; i++)
		turn = talk_turn(talk, now);
	switch (turn) {
	case TURN_CLOSED:
		talk_end(talk, DONE_CLOSED, now);
		break;
	case TURN_RESET:
		talk_end(talk, DONE_RESET, now);
		break;
	case TURN_FAILED:
		talk_end(talk, DONE_FAILED, now);
		break;
	default:
		talk_wait(talk, now);
	}
}

static void
talk_ready(void *arg, uint32_t events, struct monotime now)
{
	talk_go_on(arg, events, now);
}

static void
talk_expire(struct carried *carried, enum done_reason reason,
    struct monotime now)
{
	struct talk *talk = talk_of(carried);

	/* For the number of bytes: what came into a trap was not read yet. */
	talk->events = EPOLLIN;
	if (carried_service(carried)->builtin == CONF_BUILTIN_TRAP)
		for (int i = 0; i < TURNS; i++)
			if (trap_turn(talk, now) != TURN_MORE)
				break;
	talk_end(talk, reason, now);
}

static void
talk_free(struct carried *carried)
{
	free(talk_of(carried));
}

static const struct carried_kind talk_kind = {
	.expire = talk_expire,
	.free = talk_free,
	.counted = true,
	.reported = true,
};

/* As localtime(3) wants it; time(2) might be a call that is not allowed. */
static time_t
time_of_day(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

void
builtin_begin(struct carrier *carrier, const struct client *client,
    struct monotime now)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	if (talk == NULL) {
		close(client->fd);
		return;
	}
	carried_begin(&talk->carried, carrier, &talk_kind, client, now);
	watch_init(&talk->watch, client->fd, talk_ready, talk);
	talk->asked = time_of_day();
	talk_go_on(talk, 0, now);
}
