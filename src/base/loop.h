/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Wait for descriptors and timers, and call those who wait for them.
 *
 * Level-triggered epoll(7).  The caller owns each watch; a watch that is
 * disarmed, by whichever callback, is not called again, not even for events
 * that the kernel had already reported.  Descriptors are disarmed before they
 * are closed: epoll follows the open file description, which another process
 * may keep alive.
 */

#ifndef MINETD_LOOP_H
#define MINETD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/monotime.h"
#include "base/timer.h"

struct loop;

/* events are those of epoll_wait(2); the descriptor stays the caller's. */
typedef void loop_fn(void *arg, uint32_t events, struct monotime now);

struct watch {
	int fd;			/* not owned; -1: none */
	uint32_t events;	/* what is waited for; 0 while disarmed */
	loop_fn *fn;
	void *arg;		/* first argument of fn, not owned */
};

/* Returns NULL with errno when epoll or memory is not to be had. */
struct loop *loop_new(void);
void	loop_free(struct loop *loop);

/* Prepare storage; the watch is then disarmed. */
void	watch_init(struct watch *watch, int fd, loop_fn *fn, void *arg);

/*
 * Wait for events (EPOLLIN, EPOLLOUT) on the watch's descriptor.  An armed
 * watch changes what it waits for; events 0 disarms.  Returns 0, or -1 with
 * errno of epoll_ctl(2); the watch is then as before.
 */
int	loop_arm(struct loop *loop, struct watch *watch, uint32_t events);

/* Stop waiting; nothing happens when the watch is not armed. */
void	loop_disarm(struct loop *loop, struct watch *watch);

/* The timers that this loop runs. */
struct timer_set *loop_timers(struct loop *loop);

/*
 * Call fn after each wake-up, when all events and timers of it were served:
 * the place to write out what they gathered.  At most one; NULL for none.
 */
void	loop_after(struct loop *loop, timer_fn *fn, void *arg);

/*
 * Serve events until loop_stop().  Returns 0, or -1 with errno when waiting
 * itself failed, which only a bug can cause.
 */
int	loop_run(struct loop *loop);

/*
 * Make loop_run() return after the present wake-up, or at once when it is not
 * running yet.  After that it can be run again.
 */
void	loop_stop(struct loop *loop);

#endif
