/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry bytes between two connected stream sockets.
 *
 * A pipe is filled only when it is empty: when splice(2) then says EAGAIN, it
 * is the socket that has nothing, and a pipe that does not become empty means
 * that the other side does not take more.  Each state of a way so has one event
 * that it waits for.  A side that waits for none is still watched for errors,
 * once each (EPOLLET), so that a reset is not found out by the next byte only.
 */

#include "frontend/relay.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	FILL_MAX = 1024 * 1024,	/* of one call; a pipe takes less */
	FILL_MUCH = 32 * 1024,	/* who had so much has more by now */
	ROUNDS = 4,		/* before others get a turn */
};

/* What came of moving bytes. */
enum moved {
	MOVED_SOME,
	MOVED_NONE,		/* the socket is not ready */
	MOVED_BROKEN,		/* nor will it be */
	MOVED_FAILED,		/* no descriptors, or no memory */
};

static enum moved
moved_of_errno(void)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
		return MOVED_NONE;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return MOVED_FAILED;
	default:
		return MOVED_BROKEN;
	}
}

/* Take bytes from the side into the pipe of its way, which is empty. */
static enum moved
way_fill(struct relay *relay, int from)
{
	struct relay_way *way = &relay->ways[from];
	ssize_t n;

	if (way->pipe == NULL)
		way->pipe = pipes_take(relay->pipes);
	if (way->pipe == NULL)
		return MOVED_FAILED;
	n = splice(relay->sides[from].fd, NULL, way->pipe->ends[1], NULL,
	    FILL_MAX, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n == -1)
		return moved_of_errno();
	way->held = (size_t)n;
	way->taken += (uint64_t)n;
	way->ended = n == 0;
	return MOVED_SOME;
}

/* Give the other side what is in the pipe, as far as it takes it. */
static enum moved
way_drain(struct relay *relay, int from)
{
	struct relay_way *way = &relay->ways[from];

	while (way->held > 0) {
		ssize_t n = splice(way->pipe->ends[0], NULL,
		    relay->sides[!from].fd, NULL, way->held,
		    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

		if (n == -1)
			return moved_of_errno();
		way->held -= (size_t)n;
		way->given += (uint64_t)n;
	}
	return MOVED_SOME;
}

/* The other side does not listen any more; what it says is still heard. */
static void
way_break(struct relay *relay, int from)
{
	struct relay_way *way = &relay->ways[from];

	pipes_drop(relay->pipes, way->pipe);
	way->pipe = NULL;
	way->held = 0;
	way->over = true;
	relay->broken = true;
}

/* All that was said has arrived; so does that it was all. */
static void
way_finish(struct relay *relay, int from)
{
	shutdown(relay->sides[!from].fd, SHUT_WR);
	relay->ways[from].over = true;
}

static void
pipe_release(struct relay *relay, struct relay_way *way)
{
	if (way->pipe == NULL || way->held > 0)
		return;
	pipes_give(relay->pipes, way->pipe);
	way->pipe = NULL;
}

/*
 * One round; MOVED_SOME when another one may be worth it, as it is when the end
 * is known to be near.
 */
static enum moved
way_round(struct relay *relay, int from, bool ends)
{
	struct relay_way *way = &relay->ways[from];
	uint64_t taken = way->taken;
	bool filled = way->held == 0;
	enum moved moved;

	if (filled && (moved = way_fill(relay, from)) != MOVED_SOME)
		return moved;
	moved = way_drain(relay, from);
	if (moved == MOVED_BROKEN) {
		way_break(relay, from);
		return MOVED_NONE;
	}
	if (moved != MOVED_SOME)
		return moved;
	if (way->ended)
		way_finish(relay, from);
	return filled && !ends && way->taken - taken < FILL_MUCH ?
	    MOVED_NONE : MOVED_SOME;
}

/* Move what there is, for a while; why to end at once, or DONE_CLOSED. */
static enum done_reason
way_turn(struct relay *relay, int from, bool ends, struct monotime now)
{
	struct relay_way *way = &relay->ways[from];
	uint64_t before = way->taken + way->given;
	enum moved moved = MOVED_SOME;

	for (int i = 0; i < ROUNDS && moved == MOVED_SOME && !way->over; i++)
		moved = way_round(relay, from, ends);
	pipe_release(relay, way);
	if (way->taken + way->given != before)
		relay->user->moved(relay->arg, now);
	if (moved == MOVED_BROKEN)
		return DONE_RESET;
	return moved == MOVED_FAILED ? DONE_FAILED : DONE_CLOSED;
}

/* Wait for what moves things on from or to this side. */
static int
side_arm(struct relay *relay, int side)
{
	const struct relay_way *out = &relay->ways[side];
	const struct relay_way *in = &relay->ways[!side];
	uint32_t events = 0;

	if (!out->over && !out->ended && out->held == 0)
		events |= EPOLLIN | EPOLLRDHUP;
	if (in->held > 0)
		events |= EPOLLOUT;
	return loop_arm(relay->loop, &relay->sides[side],
	    events != 0 ? events : (uint32_t)EPOLLET);
}

/* After turns: the end, or the next event. */
static void
relay_settle(struct relay *relay, enum done_reason reason, struct monotime now)
{
	bool over = relay->ways[0].over && relay->ways[1].over;

	if (reason == DONE_CLOSED && over && relay->broken)
		reason = DONE_RESET;
	if (reason == DONE_CLOSED && !over &&
	    (side_arm(relay, 0) == -1 || side_arm(relay, 1) == -1))
		reason = DONE_FAILED;
	if (reason != DONE_CLOSED || over)
		relay->user->ended(relay->arg, reason, now);
}

/* Whether the way from this side will not find an error by reading. */
static bool
way_deaf(const struct relay_way *way)
{
	return way->over || way->ended || way->held > 0;
}

static void
side_ready(struct relay *relay, int side, uint32_t events, struct monotime now)
{
	enum done_reason reason = DONE_CLOSED;
	bool ends = (events & EPOLLRDHUP) != 0;

	if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		reason = way_turn(relay, side, ends, now);
	if (reason == DONE_CLOSED &&
	    (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
		reason = way_turn(relay, !side, false, now);
	if (reason == DONE_CLOSED && (events & EPOLLERR) != 0 &&
	    way_deaf(&relay->ways[side]) && !relay->ways[!side].over)
		reason = DONE_RESET;
	relay_settle(relay, reason, now);
}

static void
first_ready(void *arg, uint32_t events, struct monotime now)
{
	side_ready(arg, 0, events, now);
}

static void
second_ready(void *arg, uint32_t events, struct monotime now)
{
	side_ready(arg, 1, events, now);
}

void
relay_init(struct relay *relay, struct loop *loop, struct pipes *pipes,
    const struct relay_user *user, void *arg)
{
	*relay = (struct relay){
		.loop = loop,
		.pipes = pipes,
		.user = user,
		.arg = arg,
	};
	watch_init(&relay->sides[0], -1, NULL, NULL);
	watch_init(&relay->sides[1], -1, NULL, NULL);
}

void
relay_start(struct relay *relay, int fd, int other_fd, struct monotime now)
{
	relay->sides[0].fd = fd;
	relay->sides[0].fn = first_ready;
	relay->sides[0].arg = relay;
	relay->sides[1].fd = other_fd;
	relay->sides[1].fn = second_ready;
	relay->sides[1].arg = relay;
	/* Who has come has often spoken by now. */
	relay_settle(relay, way_turn(relay, 0, false, now), now);
}

/* Make the close of a side a reset. */
static void
side_reset(const struct relay *relay, int side)
{
	const struct linger now = { 1, 0 };

	setsockopt(relay->sides[side].fd, SOL_SOCKET, SO_LINGER, &now,
	    sizeof(now));
}

void
relay_stop(struct relay *relay, bool breaks_off)
{
	for (int side = 0; side < 2; side++) {
		struct relay_way *in = &relay->ways[!side];

		loop_disarm(relay->loop, &relay->sides[side]);
		if (breaks_off && !(in->over && in->ended))
			side_reset(relay, side);
		if (in->held > 0)
			pipes_drop(relay->pipes, in->pipe);
		else
			pipe_release(relay, in);
		in->pipe = NULL;
		in->held = 0;
	}
}
