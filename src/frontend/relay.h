/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry bytes between two connected stream sockets, both ways, until both have
 * said all.
 *
 * They go through pipes by splice(2) and are never copied here.  A side that
 * does not take them is not read for: its pipe holds what is there, and the
 * other side's kernel holds back the sender.  The end of one way is told to the
 * side it leads to, and the other way goes on.  What breaks on one side breaks
 * on the other, too: nobody takes half of an answer for a whole.
 */

#ifndef MINETD_RELAY_H
#define MINETD_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/done.h"
#include "base/loop.h"
#include "frontend/pipes.h"

/* From one side to the other. */
struct relay_way {
	struct pipe_pair *pipe;	/* NULL: nothing is under way */
	size_t held;		/* bytes in it */
	uint64_t taken;		/* bytes, from the one side */
	uint64_t given;		/* bytes, to the other */
	bool ended;		/* the one side has said all, */
	bool over;		/* and the other knows; or will not hear it */
};

/* Who is told. */
struct relay_user {
	void (*moved)(void *arg, struct monotime now);
	/* It has ended by itself; first thing to do is relay_stop(). */
	void (*ended)(void *arg, enum done_reason reason, struct monotime now);
};

struct relay {
	struct loop *loop;	/* not owned */
	struct pipes *pipes;	/* not owned */
	const struct relay_user *user;
	void *arg;		/* of user */
	struct watch sides[2];	/* the sockets, not owned */
	struct relay_way ways[2]; /* by the side that they begin at */
	bool broken;		/* a side did not hear all */
};

/*
 * Prepare storage; the sockets come later.  A side's watch is the caller's
 * until then, also armed.
 */
void	relay_init(struct relay *relay, struct loop *loop, struct pipes *pipes,
	    const struct relay_user *user, void *arg);

/*
 * Begin, between two non-blocking sockets.  It may end before this returns.
 */
void	relay_start(struct relay *relay, int fd, int other_fd,
	    struct monotime now);

/*
 * Let go of the sockets, which the caller closes then.  When it breaks off, a
 * side that has not heard all will see a reset instead of an end of file.
 */
void	relay_stop(struct relay *relay, bool breaks_off);

#endif
