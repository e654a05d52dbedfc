/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * One frontend at a time, from fork to its replacement.
 *
 * Everything that comes from it is checked before it is believed; whoever says
 * what no frontend of ours would say is captured, and is killed.
 */

#include "main/front.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/channel.h"
#include "conf/admission.h"
#include "main/serve.h"
#include "main/tell.h"

enum {
	UNANSWERED_MAX = 5,	/* seconds without a PONG */
	BACKOFF_FIRST_MSEC = 1000,
	BACKOFF_LAST_MSEC = 30000,
	HEALTHY_MSEC = 2000,	/* who lived as long died of something new */
	CHANNEL_FD = 3,		/* of the frontend */
	BATCHES_PER_WAKEUP = 4,	/* before others get a turn */
};

/* Where a sanitiser reports what it found. */
#ifdef MINETD_SANITIZED
static const bool stderr_kept = true;
#else
static const bool stderr_kept = false;
#endif

/* The frontend is this very binary, whatever its path holds by now. */
static void __attribute__((noreturn))
frontend_exec(int channel)
{
	char name[] = "minetd";
	char role[] = "--frontend";
	char *argv[] = { name, role, NULL };
	char *envp[] = { NULL };

	dup2(0, 1);
	if (!stderr_kept)
		dup2(0, 2);
	if (channel == CHANNEL_FD)
		fcntl(channel, F_SETFD, 0);
	else
		dup2(channel, CHANNEL_FD);
	close_range(CHANNEL_FD + 1, ~0U, 0);
	execve("/proc/self/exe", argv, envp);
	_exit(CHILD_EXIT_NOT_EXECUTABLE);
}

static void
event_log(enum log_level level, const char *event, const struct front *front)
{
	struct log_line line;

	log_begin(&line, level, "frontend");
	log_str(&line, "event", event);
	log_int(&line, "pid", front->pid);
	log_end(&line);
}

static void
ended_log(const struct front *front, int status)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "frontend");
	log_str(&line, "event", "ended");
	log_int(&line, "pid", front->pid);
	log_int(&line, "status", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	log_int(&line, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	log_end(&line);
}

/* End it at once, and say why, unless it ended by itself. */
static void
frontend_kill(struct minetd *mi, const char *why)
{
	struct front *front = &mi->front;

	if (front->killed)
		return;
	front->killed = true;
	if (why != NULL)
		event_log(LOG_LEVEL_ERROR, why, front);
	if (!front->reaped)
		kill(front->pid, SIGKILL);
	loop_disarm(mi->loop, &front->channel);
}

/* It says why it cannot serve, and would end by itself. */
static int
failed_obey(struct minetd *mi, const struct channel_msg *msg)
{
	struct front *front = &mi->front;
	struct log_line line;

	if (front->killed)
		return 0;

	log_begin(&line, LOG_LEVEL_ERROR, "frontend");
	log_str(&line, "event", "failed");
	log_int(&line, "pid", front->pid);
	log_uint(&line, "step", msg->failed.step);
	log_errno(&line, "error", msg->failed.error);
	log_end(&line);
	frontend_kill(mi, NULL);
	return 0;
}

static int
accept_failed_log(struct minetd *mi, const struct channel_msg *msg,
    struct monotime now)
{
	char text[LISTENER_TEXT_SIZE];
	unsigned long left_out;
	struct log_line line;

	if (msg->listener >= mi->conf->listens.count)
		return -1;
	if (!log_limit_pass(&mi->accept_limit, now, &left_out))
		return 0;
	left_out += msg->failed.count > 0 ? msg->failed.count - 1 : 0;
	listener_format(&mi->listeners[msg->listener], mi->conf, text);
	log_begin(&line, LOG_LEVEL_WARNING, "accept_failed");
	log_str(&line, "addr", text);
	log_errno(&line, "error", msg->failed.error);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
	return 0;
}

/*
 * Do what a message says, if a frontend in this state may send it, and take
 * care of its descriptor; -1 when it may not.
 */
static int
item_obey(struct minetd *mi, const struct channel_item *item,
    struct monotime now)
{
	struct front *front = &mi->front;
	const struct channel_msg *msg = &item->msg;

	if (msg->type == CHANNEL_START && front->state == FRONT_SERVING)
		return serve_connection(mi, item, now);
	if (item->fd != -1) {
		channel_discard(item->fd);
		return -1;
	}
	switch (msg->type) {
	case CHANNEL_READY:
		if (front->state != FRONT_CONFINING)
			return -1;
		front->state = FRONT_READY;
		return 0;
	case CHANNEL_REJECTED:
		return serve_rejected(mi, msg, now);
	case CHANNEL_ACCEPT_FAILED:
		return accept_failed_log(mi, msg, now);
	case CHANNEL_PONG:
		front->unanswered = 0;
		return 0;
	case CHANNEL_FAILED:
		return failed_obey(mi, msg);
	default:
		return -1;
	}
}

/* Take what the frontend sent; false when nothing more is to come now. */
static bool
channel_read(struct minetd *mi, struct monotime now)
{
	struct front *front = &mi->front;
	struct channel_item items[CHANNEL_BATCH];
	int n = channel_recv(front->channel.fd, items, CHANNEL_BATCH);

	if (n == 0)
		frontend_kill(mi, NULL);
	for (int i = 0; i < n; i++) {
		if (item_obey(mi, &items[i], now) == 0)
			continue;
		for (int j = i + 1; j < n; j++)
			channel_discard(items[j].fd);
		frontend_kill(mi, "malformed");
		return false;
	}
	return n == CHANNEL_BATCH;
}

/* What a frontend had handed over before it ended is still served. */
static void
channel_drain(struct minetd *mi, struct monotime now)
{
	while (!mi->front.killed && channel_read(mi, now))
		;
}

static void
channel_ready(void *arg, uint32_t events, struct monotime now)
{
	struct minetd *mi = arg;

	/* EPOLLOUT alone: the flush after this wake-up does the work. */
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	for (int i = 0; i < BATCHES_PER_WAKEUP; i++)
		if (!channel_read(mi, now))
			return;
}

static void
restart_due(void *arg, struct monotime now)
{
	front_start(arg, now);
}

void
front_init(struct minetd *mi)
{
	struct front *front = &mi->front;

	*front = (struct front){ .admission_fd = -1 };
	watch_init(&front->channel, -1, channel_ready, mi);
	timer_init(&front->restart, restart_due, mi);
	tell_init(mi);
}

void
front_fini(struct minetd *mi)
{
	if (mi->front.admission_fd != -1)
		close(mi->front.admission_fd);
}

/* Try again later, later each time. */
static void
restart_arrange(struct minetd *mi, struct monotime now)
{
	struct front *front = &mi->front;
	unsigned next = front->backoff_msec * 2;

	timer_arm(loop_timers(mi->loop), &front->restart,
	    monotime_add_msec(now, front->backoff_msec));
	if (next < BACKOFF_FIRST_MSEC)
		next = BACKOFF_FIRST_MSEC;
	front->backoff_msec = next < BACKOFF_LAST_MSEC ? next :
	    BACKOFF_LAST_MSEC;
}

int
front_start(struct minetd *mi, struct monotime now)
{
	struct front *front = &mi->front;
	int ends[2] = { -1, -1 };
	int saved;

	if (front->admission_fd == -1)
		front->admission_fd = admission_export(mi->conf);
	if (front->admission_fd == -1 || channel_open(ends) == -1)
		goto fail;
	front->pid = fork();
	if (front->pid == -1)
		goto fail;
	if (front->pid == 0)
		frontend_exec(ends[1]);
	close(ends[1]);
	front->state = FRONT_CONFINING;
	front->started = now;
	front->channel.fd = ends[0];
	front->unanswered = 0;
	front->killed = false;
	front->reaped = false;
	tell_everything(mi);
	event_log(LOG_LEVEL_DEBUG, "confining", front);
	return loop_arm(mi->loop, &front->channel, EPOLLIN);

fail:
	saved = errno;
	if (ends[0] != -1) {
		close(ends[0]);
		close(ends[1]);
	}
	log_message(LOG_LEVEL_ERROR, "frontend", "cannot be started: %s",
	    strerror(saved));
	restart_arrange(mi, now);
	errno = saved;
	return -1;
}

/* Let go of the channel and of what was sent to the one that is gone. */
static void
channel_close(struct minetd *mi)
{
	struct front *front = &mi->front;

	loop_disarm(mi->loop, &front->channel);
	timer_disarm(loop_timers(mi->loop), &front->send_retry);
	if (front->channel.fd != -1)
		close(front->channel.fd);
	front->channel.fd = -1;
	front->state = FRONT_NONE;
}

void
front_stop(struct minetd *mi, struct monotime now)
{
	struct front *front = &mi->front;

	timer_disarm(loop_timers(mi->loop), &front->restart);
	if (front->state == FRONT_NONE)
		return;
	kill(front->pid, SIGKILL);
	while (waitpid(front->pid, NULL, 0) == -1 && errno == EINTR)
		;
	front->reaped = true;
	channel_drain(mi, now);
	channel_close(mi);
}

void
front_tick(struct minetd *mi)
{
	struct front *front = &mi->front;

	if (front->state == FRONT_NONE || front->killed)
		return;
	/* Counted in ticks: while main itself is stopped, none pass. */
	if (front->unanswered++ >= UNANSWERED_MAX)
		frontend_kill(mi, "hung");
	front->ping_due = true;
}

bool
front_reaped(struct minetd *mi, pid_t pid, int status, struct monotime now)
{
	struct front *front = &mi->front;
	bool healthy;

	if (front->state == FRONT_NONE || pid != front->pid)
		return false;
	front->reaped = true;
	channel_drain(mi, now);
	ended_log(front, status);
	channel_close(mi);
	front->replaced = true;
	healthy = !monotime_before(now, monotime_add_msec(front->started,
	    HEALTHY_MSEC));
	if (mi->phase == RUN_STARTING) {
		mi->phase = RUN_LEAVING;
		mi->exit_status = EX_UNAVAILABLE;
		return true;
	}
	if (healthy)
		front->backoff_msec = 0;
	restart_arrange(mi, now);
	return true;
}
