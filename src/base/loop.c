/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Wait for descriptors and timers, and call those who wait for them.
 *
 * epoll hands back the address of the watch.  Between epoll_wait() and the
 * call, another callback may disarm and free that watch; therefore the batch
 * lies in struct loop, and loop_disarm() strikes the watch from what is left
 * of it.  A batch is small, so this is a short scan, and only while one is
 * being served.
 */

#include "base/loop.h"

#include <sys/epoll.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bug.h"

enum {
	LOOP_BATCH = 64,	/* events served per wake-up */
};

struct loop {
	int epfd;
	bool stopping;
	struct timer_set timers;
	timer_fn *after;
	void *after_arg;
	int next, count;	/* what is left of the batch; else equal */
	struct epoll_event batch[LOOP_BATCH];
};

/* The part of an event that the watch still waits for. */
static uint32_t
wanted_events(const struct watch *watch, const struct epoll_event *event)
{
	return event->events & (watch->events | EPOLLERR | EPOLLHUP);
}

static void
serve_batch(struct loop *loop, struct monotime now)
{
	while (loop->next < loop->count) {
		const struct epoll_event *event = &loop->batch[loop->next++];
		const struct watch *watch = event->data.ptr;

		if (watch == NULL)
			continue;

		uint32_t events = wanted_events(watch, event);

		if (events != 0)
			watch->fn(watch->arg, events, now);
	}
}

static void
serve_wakeup(struct loop *loop, int count)
{
	struct monotime now = monotime_now();

	loop->next = 0;
	loop->count = count;
	serve_batch(loop, now);
	timer_run(&loop->timers, now);
	if (loop->after != NULL)
		loop->after(loop->after_arg, now);
}

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	timer_set_init(&loop->timers);
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epfd == -1) {
		int saved = errno;

		free(loop);
		errno = saved;
		return NULL;
	}
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	close(loop->epfd);
	free(loop);
}

void
watch_init(struct watch *watch, int fd, loop_fn *fn, void *arg)
{
	*watch = (struct watch){ .fd = fd, .fn = fn, .arg = arg };
}

int
loop_arm(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (events == watch->events)
		return 0;
	if (events == 0) {
		loop_disarm(loop, watch);
		return 0;
	}

	int op = watch->events != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(loop->epfd, op, watch->fd, &event) == -1)
		return -1;
	watch->events = events;
	return 0;
}

void
loop_disarm(struct loop *loop, struct watch *watch)
{
	if (watch->events == 0)
		return;
	/* It only fails when the descriptor was closed first.  Then epoll may
	 * keep a pointer to the watch for good, and not even know it. */
	if (epoll_ctl(loop->epfd, EPOLL_CTL_DEL, watch->fd, NULL) == -1)
		BUG("watched descriptor closed before it was disarmed");
	watch->events = 0;
	for (int i = loop->next; i < loop->count; i++) {
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

struct timer_set *
loop_timers(struct loop *loop)
{
	return &loop->timers;
}

void
loop_after(struct loop *loop, timer_fn *fn, void *arg)
{
	loop->after = fn;
	loop->after_arg = arg;
}

int
loop_run(struct loop *loop)
{
	while (!loop->stopping) {
		/* Not the time of the last wake-up: what was done since may
		 * have taken long, or the process have been stopped. */
		int msec = timer_timeout(&loop->timers, monotime_now());
		int count = epoll_wait(loop->epfd, loop->batch, LOOP_BATCH,
		    msec);

		if (count == -1 && errno != EINTR)
			return -1;
		if (count >= 0)
			serve_wakeup(loop, count);
	}
	loop->stopping = false;
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stopping = true;
}
