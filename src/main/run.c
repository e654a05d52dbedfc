/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Signals, children and the clock: what moves the daemon apart from clients.
 *
 * Signals are read from a signalfd, so there is no handler and nothing that a
 * handler could race with.  The switch in signal_obey() is the whole meaning
 * of signals; minetd(8) lists them in the same order.
 */

#include "main/run.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "main/daemon.h"
#include "main/front.h"
#include "main/lend.h"
#include "main/listenlog.h"
#include "main/logging.h"
#include "main/pidfile.h"
#include "main/reload.h"
#include "main/resolve.h"
#include "main/retry.h"
#include "main/serve.h"
#include "main/tell.h"
#include "main/trouble.h"
#include "main/upgrade.h"

enum {
	TICK_MSEC = 1000,
	LEAVE_MSEC = 5000,	/* after KILL: for what cannot be killed */
	WORDS_MSEC = 500,	/* for what the last handler has said */
};

static void
children_reap(struct minetd *mi, struct monotime now)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		struct proc *proc = proc_find(mi->procs, pid);

		if (proc != NULL)
			serve_reaped(mi, proc, status, &usage, now);
		else if (!front_reaped(mi, pid, status, now) &&
		    !reload_reaped(mi, pid, status, now) &&
		    !upgrade_reaped(mi, pid, status, now) &&
		    !resolve_reaped(mi, pid))
			log_message(LOG_LEVEL_DEBUG, "orphan", "pid %d", pid);
	}
}

static void
leave(struct minetd *mi)
{
	mi->phase = RUN_LEAVING;
	loop_stop(mi->loop);
}

/* Leave with the last handler, but for a moment in which it can be read. */
static void
leave_if_idle(struct minetd *mi, struct monotime now)
{
	if (mi->phase != RUN_STOPPING || proc_count(mi->procs) > 0)
		return;
	if (mi->killed_all || !lend_reads(mi)) {
		leave(mi);
	} else if (!mi->last_words) {
		mi->last_words = true;
		timer_arm(loop_timers(mi->loop), &mi->kill_due,
		    monotime_add_msec(now, WORDS_MSEC));
	}
}

static void
handlers_kill_all(struct minetd *mi, struct monotime now)
{
	struct proc *proc;

	if (!mi->killed_all)
		log_message(LOG_LEVEL_WARNING, "kill", "%zu handlers did not "
		    "end in time", proc_count(mi->procs));
	mi->killed_all = true;
	for (proc = proc_first(mi->procs); proc != NULL;
	    proc = proc_next(proc))
		serve_kill(proc, SIGKILL);
	timer_arm(loop_timers(mi->loop), &mi->kill_due,
	    monotime_add_msec(now, LEAVE_MSEC));
}

/* Kill those whose grace is over, and come back for the next. */
static void
kill_due(void *arg, struct monotime now)
{
	struct minetd *mi = arg;
	struct monotime next = { INT64_MAX };
	struct proc *proc;
	unsigned killed = 0;

	if (mi->killed_all || mi->last_words) {
		leave(mi);
		return;
	}
	for (proc = proc_first(mi->procs); proc != NULL;
	    proc = proc_next(proc)) {
		struct monotime end = monotime_add_msec(mi->stopped,
		    proc->service->kill_grace_msec);

		if (!monotime_before(now, end)) {
			serve_kill(proc, SIGKILL);
			killed++;
		} else if (monotime_before(end, next)) {
			next = end;
		}
	}
	if (killed > 0)
		log_message(LOG_LEVEL_WARNING, "kill", "%u handlers did not "
		    "end in time", killed);
	if (next.nsec == INT64_MAX) {
		mi->killed_all = true;
		next = monotime_add_msec(now, LEAVE_MSEC);
	}
	timer_arm(loop_timers(mi->loop), &mi->kill_due, next);
}

static void
stop_log(const struct minetd *mi, const char *signal_name)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "stop");
	log_str(&line, "signal", signal_name);
	log_uint(&line, "handlers", proc_count(mi->procs));
	log_end(&line);
}

/*
 * No new connections; handlers get their signal, and KILL when their grace is
 * over.
 */
static void
stop(struct minetd *mi, const char *signal_name, struct monotime now)
{
	struct proc *proc;

	if (mi->phase == RUN_LEAVING)
		return;
	if (mi->phase == RUN_STOPPING) {
		handlers_kill_all(mi, now);
		return;
	}
	if (mi->phase == RUN_STARTING)
		mi->exit_status = EX_UNAVAILABLE;
	mi->phase = RUN_STOPPING;
	mi->stopped = now;
	notify_send(&mi->notify, "STOPPING=1");
	stop_log(mi, signal_name);
	retry_stop(mi);
	upgrade_cancel(mi);
	reload_cancel(mi);
	resolve_cancel(mi);
	front_stop_all(mi, now);
	reload_close_listeners(mi);
	trouble_drop_all(mi);
	/* Without listeners, to read what handlers say at their end. */
	if (lend_reads(mi))
		front_respawn(mi, now);
	for (proc = proc_first(mi->procs); proc != NULL;
	    proc = proc_next(proc))
		serve_stop(proc);
	kill_due(mi, now);
}

static void
signal_obey(struct minetd *mi, uint32_t number, struct monotime now)
{
	switch (number) {
	case SIGTERM:
		stop(mi, "TERM", now);
		break;
	case SIGINT:
		stop(mi, "INT", now);
		break;
	case SIGQUIT:
		stop_log(mi, "QUIT");
		notify_send(&mi->notify, "STOPPING=1");
		leave(mi);
		break;
	case SIGHUP:
		reload_request(mi);
		break;
	case SIGUSR1:
		logging_reopen();
		break;
	case SIGUSR2:
		upgrade_request(mi);
		break;
	case SIGCHLD:
		/* Reaped below, whichever signals came. */
		break;
	default:
		break;
	}
}

static void
signals_ready(void *arg, uint32_t events, struct monotime now)
{
	struct minetd *mi = arg;
	struct signalfd_siginfo infos[8];
	ssize_t len = read(mi->signals.fd, infos, sizeof(infos));

	(void)events;
	children_reap(mi, now);
	for (ssize_t i = 0; len > 0 && i < len / (ssize_t)sizeof(infos[0]);
	    i++)
		signal_obey(mi, infos[i].ssi_signo, now);
	leave_if_idle(mi, now);
}

static void
overdue_log(unsigned killed)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "kill");
	log_str(&line, "reason", "stopped before exec");
	log_uint(&line, "handlers", killed);
	log_end(&line);
}

/* What must happen though no event says so: also when a signal was lost. */
static void
tick_due(void *arg, struct monotime now)
{
	struct minetd *mi = arg;
	unsigned killed;

	children_reap(mi, now);
	front_tick(mi);
	handler_plans_free(&mi->retired);
	killed = spawn_overdue(mi->spawner);
	if (killed > 0)
		overdue_log(killed);
	leave_if_idle(mi, now);
	timer_arm(loop_timers(mi->loop), &mi->tick,
	    monotime_add_msec(now, TICK_MSEC));
}

static void
ready_announce(struct minetd *mi)
{
	uint32_t total = edition_configured(mi->edition);
	uint32_t open = edition_count_open(mi->edition);
	char status[96];
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "ready");
	log_str(&line, "version", MINETD_VERSION);
	log_uint(&line, "services", mi->edition->conf->services.count);
	log_uint(&line, "listeners", open);
	log_uint(&line, "degraded", total - open);
	log_end(&line);
	listenlog_unclaimed(mi->edition, &mi->starter.inherited);
	log_flush();
	reload_format_status(mi, status, sizeof(status));
	mi->phase = RUN_SERVING;

	bool background = mi->notify.parent_fd != -1;
	notify_ready(&mi->notify, status);
	if (background)
		daemon_null_stderr();
}

static void
changes_proceed(struct minetd *mi, struct monotime now)
{
	reload_proceed(mi, now);
	upgrade_proceed(mi, now);
}

/* After each wake-up: go on with changes, tell frontends, write the log. */
static void
wakeup_end(void *arg, struct monotime now)
{
	struct minetd *mi = arg;

	changes_proceed(mi, now);
	tell_flush(mi, now);
	/* What waits for the end of a change can begin. */
	if (reload_settle(mi) || upgrade_settle(mi))
		changes_proceed(mi, now);
	if (mi->phase == RUN_STARTING && mi->front != NULL &&
	    mi->front->state == FRONT_SERVING)
		ready_announce(mi);
	if (mi->last_words)
		leave_if_idle(mi, now);
	if (mi->phase == RUN_LEAVING)
		loop_stop(mi->loop);
	log_flush();
}

static int
signals_open(struct minetd *mi)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGUSR1,
	    SIGUSR2, SIGHUP, SIGCHLD };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd == -1)
		return -1;
	mi->signals.fd = fd;
	return loop_arm(mi->loop, &mi->signals, EPOLLIN);
}

int
run_init(struct minetd *mi)
{
	mi->loop = loop_new();
	if (mi->loop == NULL)
		return -1;
	watch_init(&mi->signals, -1, signals_ready, mi);
	front_init(mi);
	TAILQ_INIT(&mi->resolutions);
	loan_table_init(&mi->loans);
	retry_init(mi);
	upgrade_init(mi);
	mi->spawner = spawner_new(mi->loop);
	mi->procs = proc_table_new();
	if (mi->spawner == NULL || mi->procs == NULL ||
	    reload_init(mi) == -1 || signals_open(mi) == -1)
		return -1;
	mi->next_id = 1;
	mi->phase = RUN_STARTING;
	timer_init(&mi->tick, tick_due, mi);
	timer_init(&mi->kill_due, kill_due, mi);
	timer_arm(loop_timers(mi->loop), &mi->tick,
	    monotime_add_msec(monotime_now(), TICK_MSEC));
	loop_after(mi->loop, wakeup_end, mi);
	return 0;
}

/* Release what run_init() and the start have made, as far as they came. */
static void
run_fini(struct minetd *mi)
{
	if (mi->loop == NULL)
		return;
	retry_stop(mi);
	upgrade_cancel(mi);
	reload_cancel(mi);
	resolve_cancel(mi);
	front_stop_all(mi, monotime_now());
	pidfile_release(&mi->pid_fd, &mi->pid_path);
	if (mi->edition != NULL)
		reload_close_listeners(mi);
	/* A child before execve reads its plan and the configuration here. */
	if (mi->spawner != NULL && spawner_busy(mi->spawner))
		return;
	if (mi->edition != NULL)
		reload_finish(mi);
	spawner_free(mi->spawner);
	proc_table_free(mi->procs);
	loop_disarm(mi->loop, &mi->signals);
	if (mi->signals.fd != -1)
		close(mi->signals.fd);
	loop_free(mi->loop);
}

int
run_loop(struct minetd *mi)
{
	struct monotime now = monotime_now();

	mi->exit_status = EX_OK;
	/* What waits already; later it is done after each wake-up. */
	children_reap(mi, now);
	wakeup_end(mi, now);
	if (loop_run(mi->loop) == -1) {
		log_message(LOG_LEVEL_ERROR, "failed", "waiting: %s",
		    strerror(errno));
		mi->exit_status = EX_OSERR;
	}
	run_fini(mi);
	return mi->exit_status;
}

int
run(struct minetd *mi, const struct conf *conf)
{
	if (run_init(mi) == -1) {
		log_message(LOG_LEVEL_ERROR, "failed", "%s", strerror(errno));
		conf_free(conf);
	} else if (reload_stage(mi, conf, monotime_now()) == 0) {
		return run_loop(mi);
	}
	run_fini(mi);
	return EX_UNAVAILABLE;
}
