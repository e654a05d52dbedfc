/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The loop: who is called, with what, and who is no longer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"

enum {
	PEERS = 100,		/* more than one batch */
};

struct bench;

/* One end of a pair of sockets, watched, and what its callback does. */
struct peer {
	struct bench *bench;
	struct watch watch;
	int other;
	int calls;
	uint32_t events;	/* of the last call */
	struct monotime now;
	struct peer *disarm;	/* by the callback */
	uint32_t rearm;		/* that one then for these events */
	struct peer *narrow;	/* to EPOLLIN, by the callback */
};

struct bench {
	struct loop *loop;
	struct peer peers[PEERS];
	int called[1000];	/* indices in order */
	int calls;
	int wakeups;
	int wakeups_max;	/* the loop stops then */
};

static void
peer_ready(void *arg, uint32_t events, struct monotime now)
{
	struct peer *peer = arg;
	struct bench *bench = peer->bench;

	assert_in_range(bench->calls, 0, 999);
	bench->called[bench->calls++] = (int)(peer - bench->peers);
	peer->calls++;
	peer->events = events;
	peer->now = now;
	if (peer->disarm != NULL) {
		loop_disarm(bench->loop, &peer->disarm->watch);
		if (peer->rearm != 0)
			assert_int_equal(loop_arm(bench->loop,
			    &peer->disarm->watch, peer->rearm), 0);
	}
	if (peer->narrow != NULL)
		assert_int_equal(loop_arm(bench->loop, &peer->narrow->watch,
		    EPOLLIN), 0);
}

static void
wakeup_over(void *arg, struct monotime now)
{
	struct bench *bench = arg;

	(void)now;
	if (++bench->wakeups >= bench->wakeups_max)
		loop_stop(bench->loop);
}

static void
bench_run(struct bench *bench, int wakeups)
{
	bench->wakeups = 0;
	bench->wakeups_max = wakeups;
	bench->calls = 0;
	assert_int_equal(loop_run(bench->loop), 0);
	assert_int_equal(bench->wakeups, wakeups);
}

static int
setup(void **state)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	bench.loop = loop_new();
	assert_non_null(bench.loop);
	loop_after(bench.loop, wakeup_over, &bench);
	for (int i = 0; i < PEERS; i++) {
		int fds[2];

		assert_int_equal(socketpair(AF_UNIX,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
		bench.peers[i].bench = &bench;
		bench.peers[i].other = fds[1];
		watch_init(&bench.peers[i].watch, fds[0], peer_ready,
		    &bench.peers[i]);
	}
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < PEERS; i++) {
		loop_disarm(bench->loop, &bench->peers[i].watch);
		close(bench->peers[i].watch.fd);
		if (bench->peers[i].other != -1)
			close(bench->peers[i].other);
	}
	loop_free(bench->loop);
	return 0;
}

static void
arm(struct bench *bench, int i, uint32_t events)
{
	assert_int_equal(loop_arm(bench->loop, &bench->peers[i].watch, events),
	    0);
}

/* Make peer i readable. */
static void
poke(struct bench *bench, int i)
{
	assert_int_equal(write(bench->peers[i].other, "x", 1), 1);
}

static void
test_calls_who_is_ready(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 4; i++)
		arm(bench, i, EPOLLIN);
	poke(bench, 1);
	poke(bench, 3);
	/* Not armed. */
	poke(bench, 5);
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 2);
	assert_int_equal(bench->peers[1].calls, 1);
	assert_int_equal(bench->peers[1].events, EPOLLIN);
	assert_int_equal(bench->peers[3].calls, 1);
	/* One time for all of a wake-up. */
	assert_int_equal(bench->peers[1].now.nsec, bench->peers[3].now.nsec);
	/* Level-triggered: still unread. */
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 2);
}

static void
test_disarmed_by_an_earlier_callback(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 3; i++) {
		arm(bench, i, EPOLLIN);
		poke(bench, i);
	}
	/* Whichever is first strikes another one of the batch. */
	bench->peers[0].disarm = &bench->peers[1];
	bench->peers[1].disarm = &bench->peers[0];
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 2);
	assert_int_equal(bench->peers[0].calls + bench->peers[1].calls, 1);
	assert_int_equal(bench->peers[2].calls, 1);
	assert_int_equal(bench->peers[0].watch.events != 0,
	    bench->peers[0].calls == 1);
	bench_run(bench, 3);
	assert_int_equal(bench->calls, 6);
}

static void
test_disarms_itself(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 3; i++) {
		arm(bench, i, EPOLLIN);
		poke(bench, i);
	}
	bench->peers[1].disarm = &bench->peers[1];
	bench_run(bench, 2);
	assert_int_equal(bench->peers[0].calls, 2);
	assert_int_equal(bench->peers[1].calls, 1);
	assert_int_equal(bench->peers[2].calls, 2);
}

static void
test_rearmed_waits_for_the_next_wakeup(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 2; i++) {
		arm(bench, i, EPOLLIN);
		poke(bench, i);
		bench->peers[i].disarm = &bench->peers[1 - i];
		bench->peers[i].rearm = EPOLLIN;
	}
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 1);
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 1);
}

static void
test_events_no_longer_wanted_are_not_told(void **state)
{
	struct bench *bench = *state;

	arm(bench, 0, EPOLLIN | EPOLLOUT);
	bench_run(bench, 1);
	assert_int_equal(bench->peers[0].events, EPOLLOUT);
	poke(bench, 0);
	bench_run(bench, 1);
	assert_int_equal(bench->peers[0].events, EPOLLIN | EPOLLOUT);
	arm(bench, 0, EPOLLIN);
	bench_run(bench, 1);
	assert_int_equal(bench->peers[0].events, EPOLLIN);
	arm(bench, 0, 0);
	assert_int_equal(bench->peers[0].watch.events, 0);
}

static void
test_narrowed_by_an_earlier_callback(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 2; i++) {
		arm(bench, i, EPOLLIN | EPOLLOUT);
		bench->peers[i].narrow = &bench->peers[1 - i];
	}
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 1);
}

static void
test_hangup_is_always_told(void **state)
{
	struct bench *bench = *state;

	arm(bench, 0, EPOLLIN);
	close(bench->peers[0].other);
	bench->peers[0].other = -1;
	bench_run(bench, 1);
	assert_int_equal(bench->peers[0].events, EPOLLIN | EPOLLHUP);
}

static void
test_more_than_a_batch(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < PEERS; i++) {
		arm(bench, i, EPOLLIN);
		poke(bench, i);
	}
	bench_run(bench, 2);
	for (int i = 0; i < PEERS; i++)
		assert_in_range(bench->peers[i].calls, 1, 2);
}

/* A descriptor that epoll does not know any more shows who asks epoll. */
static void
test_arm_alike_asks_nobody(void **state)
{
	struct bench *bench = *state;
	struct watch *watch = &bench->peers[0].watch;
	int fd = watch->fd;

	arm(bench, 0, EPOLLIN);
	watch->fd = -1;
	assert_int_equal(loop_arm(bench->loop, watch, EPOLLIN), 0);
	assert_int_equal(loop_arm(bench->loop, watch, EPOLLOUT), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(watch->events, EPOLLIN);
	watch->fd = fd;
}

static void
test_arm_fails(void **state)
{
	struct bench *bench = *state;
	struct watch watch;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	watch_init(&watch, fd, peer_ready, &bench->peers[0]);
	assert_int_equal(loop_arm(bench->loop, &watch, EPOLLIN), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(watch.events, 0);
	loop_disarm(bench->loop, &watch);
	close(fd);
}

static void
timer_due(void *arg, struct monotime now)
{
	struct bench *bench = arg;

	assert_false(monotime_before(monotime_now(), now));
	loop_disarm(bench->loop, &bench->peers[0].watch);
}

static void
test_timers_run_after_events(void **state)
{
	struct bench *bench = *state;
	struct monotime begin = monotime_now();
	struct timer timer;

	timer_init(&timer, timer_due, bench);
	arm(bench, 0, EPOLLIN);
	poke(bench, 0);
	timer_arm(loop_timers(bench->loop), &timer, begin);
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 1);
	assert_int_equal(bench->peers[0].watch.events, 0);

	/* And they wake the loop, not too early. */
	timer_arm(loop_timers(bench->loop), &timer,
	    monotime_add_msec(begin, 20));
	bench_run(bench, 1);
	assert_true(monotime_msec_until(begin, monotime_now()) >= 20);
	assert_false(timer.armed);
}

static void
nothing_signal(int number)
{
	(void)number;
}

static void
test_interrupted_wait_goes_on(void **state)
{
	struct bench *bench = *state;
	struct sigaction action = { .sa_handler = nothing_signal };
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct itimerval never = { 0 };
	struct timer timer;

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	timer_init(&timer, timer_due, bench);
	timer_arm(loop_timers(bench->loop), &timer,
	    monotime_add_msec(monotime_now(), 20));
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	bench_run(bench, 1);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_false(timer.armed);
}

static void
test_stop_before_run(void **state)
{
	struct bench *bench = *state;

	loop_stop(bench->loop);
	assert_int_equal(loop_run(bench->loop), 0);
	assert_int_equal(bench->wakeups, 0);
	arm(bench, 0, EPOLLOUT);
	bench_run(bench, 1);
	assert_int_equal(bench->calls, 1);
}

static void
test_new_without_descriptors(void **state)
{
	struct rlimit old, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct loop *loop = loop_new();
	int error = errno;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(loop);
	assert_int_equal(error, EMFILE);
	loop_free(NULL);
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_calls_who_is_ready),
		TEST(test_disarmed_by_an_earlier_callback),
		TEST(test_disarms_itself),
		TEST(test_rearmed_waits_for_the_next_wakeup),
		TEST(test_events_no_longer_wanted_are_not_told),
		TEST(test_narrowed_by_an_earlier_callback),
		TEST(test_hangup_is_always_told),
		TEST(test_more_than_a_batch),
		TEST(test_arm_alike_asks_nobody),
		TEST(test_arm_fails),
		TEST(test_timers_run_after_events),
		TEST(test_interrupted_wait_goes_on),
		TEST(test_stop_before_run),
		cmocka_unit_test(test_new_without_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
