/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry the daemon from one configuration to the next.
 *
 * The phases follow each other in reload_proceed(); what they wait for are the
 * end of a helper and the states of frontends.  Requests that come meanwhile
 * are one request, which is served afterwards: the last one wins.
 */

#include "main/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "main/banlist.h"
#include "main/front.h"
#include "main/plan.h"
#include "main/retry.h"
#include "main/sourcetell.h"

/* One line of the log for each line of the helper's. */
static unsigned
complaints_log(char *complaints, enum log_level level)
{
	unsigned count = 0;
	char *line;

	while ((line = strsep(&complaints, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		log_message(level, "config", "%s", line);
		count++;
	}
	return count;
}

static void
ready_tell(struct minetd *mi)
{
	char status[96], message[160];

	if (mi->phase != RUN_SERVING)
		return;
	reload_format_status(mi, status, sizeof(status));
	snprintf(message, sizeof(message), "READY=1\nSTATUS=%s", status);
	notify_send(&mi->notify, message);
}

static void
reload_end(struct minetd *mi)
{
	mi->reload.phase = RELOAD_IDLE;
	ready_tell(mi);
}

static void
result_log(const struct minetd *mi, enum log_level level, const char *result,
    unsigned errors)
{
	struct log_line line;

	log_begin(&line, level, "reload");
	log_str(&line, "result", result);
	if (errors > 0)
		log_uint(&line, "errors", errors);
	log_secs(&line, "secs", monotime_secs(mi->reload.began,
	    monotime_now()));
	log_end(&line);
}

static void
success_log(const struct minetd *mi)
{
	const struct reload_plan *plan = &mi->reload.plan;
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "reload");
	log_str(&line, "result", "ok");
	log_uint(&line, "services", mi->edition->conf->services.count);
	log_uint(&line, "kept", plan->kept);
	log_uint(&line, "opened", plan->opened);
	log_uint(&line, "removed", plan->removed);
	log_uint(&line, "degraded", edition_configured(mi->edition) -
	    edition_count_open(mi->edition));
	log_secs(&line, "secs", monotime_secs(mi->reload.began,
	    monotime_now()));
	log_end(&line);
}

static void
deadline_due(void *arg, struct monotime now)
{
	struct minetd *mi = arg;

	(void)now;
	conf_load_expire(mi->reload.loading);
}

int
reload_init(struct minetd *mi)
{
	mi->reload = (struct reload){ .plan.pid_fd = -1 };
	timer_init(&mi->reload.deadline, deadline_due, mi);
	RB_INIT(&mi->services);
	SLIST_INIT(&mi->retired);
	STAILQ_INIT(&mi->dirty);
	STAILQ_INIT(&mi->source_news);
	banlist_init(mi);
	mi->edition = edition_new(conf_empty(), &mi->services);
	return mi->edition != NULL ? 0 : -1;
}

void
reload_request(struct minetd *mi)
{
	mi->reload.wanted = true;
}

static void
load_start(struct minetd *mi, struct monotime now)
{
	struct reload *reload = &mi->reload;
	char message[64];

	reload->wanted = false;
	reload->began = now;
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)(now.nsec / 1000));
	notify_send(&mi->notify, message);
	reload->loading = conf_load_start(mi->options->conf_file);
	if (reload->loading == NULL) {
		log_message(LOG_LEVEL_ERROR, "failed", "%s: %s",
		    mi->options->conf_file, strerror(errno));
		result_log(mi, LOG_LEVEL_ERROR, "failed", 0);
		reload_end(mi);
		return;
	}
	reload->phase = RELOAD_LOADING;
	timer_arm(loop_timers(mi->loop), &reload->deadline,
	    monotime_add_msec(now, CONF_LOAD_MSEC));
}

int
reload_stage(struct minetd *mi, const struct conf *conf, struct monotime now)
{
	struct reload *reload = &mi->reload;

	if (plan_make(mi, conf, &reload->plan) == -1)
		return -1;
	reload->front = front_start(mi, reload->plan.edition, now);
	if (reload->front == NULL) {
		plan_discard(mi, &reload->plan);
		return -1;
	}
	reload->phase = RELOAD_STAGED;
	return 0;
}

/* The helper has ended: go on with what it has read, or report. */
static void
load_end(struct minetd *mi, int status, struct monotime now)
{
	struct reload *reload = &mi->reload;
	char *complaints;
	const struct conf *conf = conf_load_finish(reload->loading, status,
	    &complaints);
	unsigned count = complaints_log(complaints, conf != NULL ?
	    LOG_LEVEL_WARNING : LOG_LEVEL_ERROR);

	free(complaints);
	reload->loading = NULL;
	timer_disarm(loop_timers(mi->loop), &reload->deadline);
	if (conf != NULL && reload_stage(mi, conf, now) == 0)
		return;
	result_log(mi, LOG_LEVEL_ERROR, conf != NULL ? "failed" : "refused",
	    conf != NULL ? 0 : count);
	reload_end(mi);
}

bool
reload_reaped(struct minetd *mi, pid_t pid, int status, struct monotime now)
{
	struct reload *reload = &mi->reload;

	if (reload->loading == NULL || pid != conf_load_pid(reload->loading))
		return false;
	load_end(mi, status, now);
	return true;
}

/* The staged frontend is confined: nothing can go wrong any more. */
static void
stage_commit(struct minetd *mi, struct monotime now)
{
	struct reload *reload = &mi->reload;
	struct front *old = mi->front;

	plan_commit(mi, &reload->plan, now);
	timer_disarm(loop_timers(mi->loop), &mi->respawn.due);
	mi->respawn.backoff_msec = 0;
	mi->front = reload->front;
	mi->front->next_listener = 0;
	reload->front = NULL;
	if (old != NULL)
		front_retire(mi, old);
	reload->phase = RELOAD_SWITCHING;
}

static void
stage_fail(struct minetd *mi, struct monotime now)
{
	plan_discard(mi, &mi->reload.plan);
	/* What the plan had opened is degraded again. */
	retry_update(mi, now);
	if (mi->phase == RUN_STARTING) {
		mi->reload.phase = RELOAD_IDLE;
		mi->phase = RUN_LEAVING;
		mi->exit_status = EX_UNAVAILABLE;
		return;
	}
	log_message(LOG_LEVEL_ERROR, "failed", "the new frontend has died");
	result_log(mi, LOG_LEVEL_ERROR, "failed", 0);
	reload_end(mi);
}

void
reload_proceed(struct minetd *mi, struct monotime now)
{
	struct reload *reload = &mi->reload;

	if (reload->phase == RELOAD_STAGED) {
		if (reload->front == NULL)
			stage_fail(mi, now);
		else if (reload->front->state == FRONT_READY)
			stage_commit(mi, now);
	}
	if (reload->phase == RELOAD_IDLE && reload->wanted &&
	    mi->phase == RUN_SERVING && mi->upgrade.phase == UPGRADE_IDLE)
		load_start(mi, now);
}

bool
reload_settle(struct minetd *mi)
{
	if (mi->reload.phase != RELOAD_SWITCHING || mi->front == NULL ||
	    mi->front->state != FRONT_SERVING)
		return false;
	if (mi->phase == RUN_SERVING)
		success_log(mi);
	reload_end(mi);
	return true;
}

void
reload_cancel(struct minetd *mi)
{
	struct reload *reload = &mi->reload;

	reload->wanted = false;
	if (reload->phase == RELOAD_LOADING) {
		timer_disarm(loop_timers(mi->loop), &reload->deadline);
		conf_load_cancel(reload->loading);
		reload->loading = NULL;
		reload->phase = RELOAD_IDLE;
	}
	if (reload->phase == RELOAD_STAGED) {
		if (reload->front != NULL)
			front_retire(mi, reload->front);
		reload->front = NULL;
		plan_discard(mi, &reload->plan);
		reload->phase = RELOAD_IDLE;
	}
}

void
reload_close_listeners(struct minetd *mi)
{
	for (uint32_t i = 0; i < mi->edition->listener_count; i++)
		listener_close(mi->edition->listeners[i].listener);
}

/* Those who run on are nobody's account any more. */
static void
handlers_forget(struct minetd *mi)
{
	struct proc *proc;
	struct loan *loan;

	while ((loan = loan_first(mi)) != NULL)
		loan_free(mi, loan);
	while ((proc = proc_first(mi->procs)) != NULL) {
		proc_remove(mi->procs, proc);
		listener_unref(proc->listener);
		proc->service->active--;
		service_unref(&mi->services, proc->service);
		proc_free(mi->procs, proc);
	}
}

void
reload_finish(struct minetd *mi)
{
	struct service *svc;

	reload_close_listeners(mi);
	STAILQ_INIT(&mi->dirty);
	sourcetell_forget(mi);
	banlist_fini(mi);
	for (svc = service_first(&mi->services); svc != NULL;
	    svc = service_next(svc)) {
		handler_plan_retire(svc->plan, &mi->retired);
		svc->plan = NULL;
		svc->dirty = false;
	}
	handlers_forget(mi);
	handler_plans_free(&mi->retired);
	edition_unref(mi->edition);
	mi->edition = NULL;
}

void
reload_format_status(struct minetd *mi, char *status, size_t size)
{
	snprintf(status, size, "Serving %u services on %u of %u listeners",
	    mi->edition->conf->services.count, edition_count_open(mi->edition),
	    edition_configured(mi->edition));
}
