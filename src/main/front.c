/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Frontends, from fork to their end.
 *
 * Everything that comes from one is checked before it is believed; whoever says
 * what no frontend of ours would say is captured, and is killed.
 */

#include "main/front.h"

#include <sys/epoll.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/channel.h"
#include "main/carried.h"
#include "main/hear.h"
#include "main/lend.h"

enum {
	UNANSWERED_MAX = 5,	/* seconds without a PONG, or STOPPED */
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

/* The one variable that a frontend may have, or NULL: its daytime is local. */
static char *
time_zone(void)
{
	/* Started with none, there may not even be an empty one. */
	for (char **var = environ; var != NULL && *var != NULL; var++)
		if (strncmp(*var, "TZ=", 3) == 0)
			return *var;
	return NULL;
}

/* The frontend is this very binary, whatever its path holds by now. */
static void __attribute__((noreturn))
frontend_exec(int channel)
{
	char name[] = "minetd";
	char role[] = "--frontend";
	char *argv[] = { name, role, NULL };
	char *envp[] = { time_zone(), NULL };

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

/* One that was retired has left as it should, or not. */
static void
ended_log(const struct front *front, int status)
{
	bool left = front->state == FRONT_DRAINING && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
	struct log_line line;

	log_begin(&line, left ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	    "frontend");
	log_str(&line, "event", left ? "left" : "ended");
	log_int(&line, "pid", front->pid);
	log_int(&line, "status", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	log_int(&line, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	log_end(&line);
}

/* End it at once, and say why, unless it ended by itself. */
static void
frontend_kill(struct front *front, const char *why)
{
	if (front->killed)
		return;
	front->killed = true;
	if (why != NULL)
		event_log(LOG_LEVEL_ERROR, why, front);
	if (!front->reaped && (why != NULL || front->state != FRONT_DRAINING))
		kill(front->pid, SIGKILL);
	loop_disarm(front->mi->loop, &front->channel);
}

/* It says why it cannot serve, and would end by itself. */
static int
failed_obey(struct front *front, const struct channel_msg *msg)
{
	struct log_line line;

	if (front->killed)
		return 0;

	log_begin(&line, LOG_LEVEL_ERROR, "frontend");
	log_str(&line, "event", "failed");
	log_int(&line, "pid", front->pid);
	log_uint(&line, "step", msg->failed.step);
	log_errno(&line, "error", msg->failed.error);
	log_end(&line);
	frontend_kill(front, NULL);
	return 0;
}

static int
ready_obey(struct front *front)
{
	if (front->state != FRONT_CONFINING)
		return -1;
	front->state = FRONT_READY;
	return 0;
}

/* It has time to carry on what it has begun. */
static void
drain_begin(struct front *front, const struct edition *ed, struct monotime now)
{
	front->state = FRONT_DRAINING;
	if (ed->conf->drain_timeout_msec != 0)
		timer_arm(loop_timers(front->mi->loop), &front->drain_end,
		    monotime_add_msec(now, ed->conf->drain_timeout_msec));
}

static int
stopped_obey(struct front *front, struct monotime now)
{
	if (front->state != FRONT_STOPPING)
		return -1;
	drain_begin(front, front->edition, now);
	return 0;
}

/*
 * Do what a message says, if a frontend in this state may send it, and take
 * care of its descriptor; -1 when it may not.
 */
static int
item_obey(struct front *front, const struct channel_item *item,
    struct monotime now)
{
	if (item->msg.type == CHANNEL_START)
		return hear_item(front, item, now);
	if (item->fd != -1) {
		channel_discard(item->fd);
		return -1;
	}
	switch (item->msg.type) {
	case CHANNEL_READY:
		return ready_obey(front);
	case CHANNEL_PONG:
		front->unanswered = 0;
		return 0;
	case CHANNEL_STOPPED:
		return stopped_obey(front, now);
	case CHANNEL_FAILED:
		return failed_obey(front, &item->msg);
	default:
		return hear_item(front, item, now);
	}
}

/* Take what the frontend sent; false when nothing more is to come now. */
static bool
channel_read(struct front *front, struct monotime now)
{
	struct channel_item items[CHANNEL_BATCH];
	int n = channel_recv(front->channel.fd, items, CHANNEL_BATCH);

	if (n == 0)
		frontend_kill(front, NULL);
	for (int i = 0; i < n; i++) {
		if (item_obey(front, &items[i], now) == 0)
			continue;
		for (int j = i + 1; j < n; j++)
			channel_discard(items[j].fd);
		frontend_kill(front, "malformed");
		return false;
	}
	return n == CHANNEL_BATCH;
}

/* What a frontend had handed over before it ended is still served. */
static void
channel_drain(struct front *front, struct monotime now)
{
	while (!front->killed && channel_read(front, now))
		;
}

static void
channel_ready(void *arg, uint32_t events, struct monotime now)
{
	struct front *front = arg;

	/* EPOLLOUT alone: the flush after this wake-up does the work. */
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	for (int i = 0; i < BATCHES_PER_WAKEUP; i++)
		if (!channel_read(front, now))
			return;
}

/* To wake up is all: the flush follows. */
static void
send_retry_due(void *arg, struct monotime now)
{
	(void)arg;
	(void)now;
}

static void
drain_end_due(void *arg, struct monotime now)
{
	(void)now;
	frontend_kill(arg, "overdue");
}

static void
respawn_due(void *arg, struct monotime now)
{
	front_respawn(arg, now);
}

void
front_init(struct minetd *mi)
{
	TAILQ_INIT(&mi->fronts);
	mi->front = NULL;
	mi->respawn = (struct respawn){ .backoff_msec = 0 };
	timer_init(&mi->respawn.due, respawn_due, mi);
}

/* The account of one that runs, or is about to. */
static struct front *
front_new(struct minetd *mi, struct edition *edition, int channel)
{
	struct front *front = calloc(1, sizeof(*front));
	uint32_t listeners = edition != NULL ? edition->listener_count : 0;

	if (front == NULL)
		return NULL;
	front->told = calloc(listeners + 1, sizeof(*front->told));
	if (front->told == NULL) {
		free(front);
		return NULL;
	}
	front->mi = mi;
	front->pid = -1;
	answers_init(&front->answers);
	if (edition != NULL)
		front->edition = edition_ref(edition);
	watch_init(&front->channel, channel, channel_ready, front);
	timer_init(&front->send_retry, send_retry_due, front);
	timer_init(&front->drain_end, drain_end_due, front);
	TAILQ_INSERT_TAIL(&mi->fronts, front, entry);
	return front;
}

static void
front_free(struct front *front)
{
	struct minetd *mi = front->mi;

	loop_disarm(mi->loop, &front->channel);
	timer_disarm(loop_timers(mi->loop), &front->send_retry);
	timer_disarm(loop_timers(mi->loop), &front->drain_end);
	if (front->channel.fd != -1)
		close(front->channel.fd);
	TAILQ_REMOVE(&mi->fronts, front, entry);
	if (mi->front == front)
		mi->front = NULL;
	if (mi->reload.front == front)
		mi->reload.front = NULL;
	carried_forget(mi, front);
	lend_forget(mi, front);
	edition_unref(front->edition);
	answers_fini(&front->answers);
	free(front->told);
	free(front);
}

struct front *
front_start(struct minetd *mi, struct edition *edition, struct monotime now)
{
	struct front *front = NULL;
	int ends[2] = { -1, -1 };
	int saved;

	if (channel_open(ends) == -1)
		goto fail;
	front = front_new(mi, edition, ends[0]);
	if (front == NULL) {
		close(ends[0]);
		goto fail;
	}
	front->pid = fork();
	if (front->pid == 0)
		frontend_exec(ends[1]);
	if (front->pid == -1 ||
	    loop_arm(mi->loop, &front->channel, EPOLLIN) == -1)
		goto fail;
	close(ends[1]);
	front->state = FRONT_CONFINING;
	front->started = now;
	event_log(LOG_LEVEL_DEBUG, "confining", front);
	return front;

fail:
	saved = errno;
	if (ends[1] != -1)
		close(ends[1]);
	/* A child without a channel ends by itself. */
	if (front != NULL)
		front_free(front);
	log_message(LOG_LEVEL_ERROR, "frontend", "cannot be started: %s",
	    strerror(saved));
	errno = saved;
	return NULL;
}

/* Start the next one later, later each time. */
static void
respawn_arrange(struct minetd *mi, struct monotime now)
{
	struct respawn *respawn = &mi->respawn;
	unsigned next = respawn->backoff_msec * 2;

	timer_arm(loop_timers(mi->loop), &respawn->due,
	    monotime_add_msec(now, respawn->backoff_msec));
	if (next < BACKOFF_FIRST_MSEC)
		next = BACKOFF_FIRST_MSEC;
	respawn->backoff_msec = next < BACKOFF_LAST_MSEC ? next :
	    BACKOFF_LAST_MSEC;
}

void
front_respawn(struct minetd *mi, struct monotime now)
{
	if (mi->front != NULL)
		return;
	mi->front = front_start(mi, mi->edition, now);
	if (mi->front == NULL)
		respawn_arrange(mi, now);
	else
		mi->front->replaces = mi->respawn.needed;
}

void
front_retire(struct minetd *mi, struct front *front)
{
	if (mi->front == front)
		mi->front = NULL;
	if (front->state == FRONT_SERVING)
		front->stop_due = true;
	else
		frontend_kill(front, NULL);
}

bool
front_any_stopping(const struct minetd *mi)
{
	const struct front *front;

	TAILQ_FOREACH(front, &mi->fronts, entry)
		if (front->stop_due || front->state == FRONT_STOPPING)
			return true;
	return false;
}

void
front_stop_all(struct minetd *mi, struct monotime now)
{
	struct front *front;

	timer_disarm(loop_timers(mi->loop), &mi->respawn.due);
	TAILQ_FOREACH(front, &mi->fronts, entry)
		kill(front->pid, SIGKILL);
	while ((front = TAILQ_FIRST(&mi->fronts)) != NULL) {
		while (waitpid(front->pid, NULL, 0) == -1 && errno == EINTR)
			;
		front->reaped = true;
		channel_drain(front, now);
		front_free(front);
	}
}

void
front_tick(struct minetd *mi)
{
	struct front *front;

	TAILQ_FOREACH(front, &mi->fronts, entry) {
		/* One that leaves by itself has had the time to. */
		if (front->killed && !front->reaped)
			kill(front->pid, SIGKILL);
		if (front->killed)
			continue;
		/* Counted in ticks: while main itself is stopped, none
		 * pass. */
		if (front->unanswered++ >= UNANSWERED_MAX ||
		    (front->state == FRONT_STOPPING &&
		    front->stopping++ >= UNANSWERED_MAX))
			frontend_kill(front, "hung");
		front->ping_due = true;
	}
}

bool
front_reaped(struct minetd *mi, pid_t pid, int status, struct monotime now)
{
	struct front *front;
	bool healthy, needed;

	TAILQ_FOREACH(front, &mi->fronts, entry)
		if (front->pid == pid)
			break;
	if (front == NULL)
		return false;
	front->reaped = true;
	channel_drain(front, now);
	ended_log(front, status);
	healthy = !monotime_before(now, monotime_add_msec(front->started,
	    HEALTHY_MSEC));
	needed = front == mi->front;
	front_free(front);
	if (!needed)
		return true;
	mi->respawn.needed = true;
	if (healthy)
		mi->respawn.backoff_msec = 0;
	respawn_arrange(mi, now);
	return true;
}

struct front *
front_adopt(struct minetd *mi, pid_t pid, int channel, struct monotime now)
{
	struct front *front = front_new(mi, NULL, channel);

	if (front == NULL)
		return NULL;
	front->pid = pid;
	front->setup_sent = true;
	front->started = now;
	drain_begin(front, mi->edition, now);
	if (loop_arm(mi->loop, &front->channel, EPOLLIN) == 0)
		return front;
	front->channel.fd = -1;	/* still the caller's */
	front_free(front);
	return NULL;
}
