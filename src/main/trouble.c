/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Services whose handlers cannot be started, or fail as soon as they are.
 *
 * Failures that clients can cause, such as crashes, close the door for the
 * first pause only, however often they come: who knows how to crash a handler
 * must not be able to keep others from it for long.  The status that a program
 * ends with says nothing, but for those that shells and we ourselves give to
 * what could not be executed.
 */

#include "main/trouble.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/done.h"
#include "main/breaker.h"
#include "main/child.h"
#include "main/connlog.h"
#include "main/deadline.h"
#include "main/launch.h"
#include "main/tell.h"

enum {
	PATIENCE_MSEC = 5000,	/* with a connection */
	AGAIN_FIRST_MSEC = 50,	/* until the next attempt; then twice that */
	AGAIN_LAST_MSEC = 1600,
	KEPT_MAX = 1024,	/* connections, of all services */
	EARLY_MSEC = 1000,	/* who fails within this could do nothing */
};

/* A connection for which there was no process. */
struct kept {
	TAILQ_ENTRY(kept) entry;
	struct proc *proc;	/* owned, and in no table */
	int socket;		/* owned */
	uint32_t preface;	/* bytes that were read of it */
	struct monotime until;
};

TAILQ_HEAD(kept_list, kept);

struct trouble {
	struct minetd *mi;
	struct service *svc;
	struct breaker breaker;
	struct timer due;	/* of the breaker: the end of its pause, or of
				 * the time that a handler has to fail */
	struct timer again;	/* when to look for a process again */
	struct kept_list kept;
	unsigned again_msec;	/* the last pause */
	bool no_process;	/* the last attempt to start one has failed */
	bool logged;		/* that there is trouble */
};

/* Whether the service rests is told, and what is wrong, once. */
static void
rest_update(struct trouble *tr)
{
	struct service *svc = tr->svc;
	bool rests = tr->breaker.state == BREAKER_OPEN || tr->again.armed;

	if (rests == svc->rests)
		return;
	svc->rests = rests;
	tell_count(tr->mi, svc);
}

static void
begin_log(struct trouble *tr, const char *reason, uint32_t msec,
    struct monotime now)
{
	unsigned long left_out;
	struct log_line line;

	if (tr->logged ||
	    !log_limit_pass(&tr->svc->throttle_limit, now, &left_out))
		return;
	tr->logged = true;
	log_begin(&line, LOG_LEVEL_WARNING, "throttle");
	log_str(&line, "service", tr->svc->name);
	log_str(&line, "reason", reason);
	log_uint(&line, "msec", msec);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

static void
end_log(struct trouble *tr)
{
	struct log_line line;

	if (!tr->logged || tr->no_process ||
	    tr->breaker.state != BREAKER_CLOSED)
		return;
	tr->logged = false;
	log_begin(&line, LOG_LEVEL_INFO, "resume");
	log_str(&line, "service", tr->svc->name);
	log_end(&line);
}

static void
kept_free(struct trouble *tr, struct kept *kept)
{
	TAILQ_REMOVE(&tr->kept, kept, entry);
	tr->mi->kept--;
	if (kept->socket != -1)
		close(kept->socket);
	free(kept);
}

static void
kept_give_up(struct trouble *tr, struct kept *kept, int error,
    struct monotime now)
{
	struct proc *proc = kept->proc;

	kept_free(tr, kept);
	serve_give_up(tr->mi, proc, error, now);
}

/* NULL when the service, as it is now, has no handlers for connections. */
static const struct conf_service *
conf_now(const struct trouble *tr)
{
	const struct edition *ed = tr->mi->edition;
	const struct conf_service *conf;

	if (tr->svc->index == SERVICE_NO_INDEX)
		return NULL;
	conf = ed->services[tr->svc->index].conf;
	return conf->exec.count > 0 && !conf->wait && !conf->pty ? conf : NULL;
}

/* Returns 0, or -1 with errno. */
static int
kept_start(struct trouble *tr, struct kept *kept, struct monotime now)
{
	struct minetd *mi = tr->mi;
	const struct conf_service *conf = conf_now(tr);
	const struct spawn_files files = {
		.socket = kept->socket, .stderr_fd = -1,
	};
	struct spawn_plan *plan;

	if (conf == NULL) {
		errno = ENOENT;
		return -1;
	}
	plan = launch_plan(mi, tr->svc, NULL, NULL, now);
	if (plan == NULL || launch(mi, kept->proc, plan, &files) == -1)
		return -1;
	serve_started(mi, kept->proc, conf, kept->preface);
	kept_free(tr, kept);
	return 0;
}

static bool
is_no_process(int error)
{
	return error == EAGAIN || error == ENOMEM;
}

/* Look for processes for those that are kept, oldest first. */
static void
again_due(void *arg, struct monotime now)
{
	struct trouble *tr = arg;
	struct kept *kept;

	while ((kept = TAILQ_FIRST(&tr->kept)) != NULL) {
		if (kept_start(tr, kept, now) == 0) {
			tr->no_process = false;
			continue;
		}
		if (is_no_process(errno) && monotime_before(now, kept->until))
			break;
		kept_give_up(tr, kept, errno, now);
	}
	if (kept != NULL) {
		tr->again_msec = tr->again_msec < AGAIN_LAST_MSEC / 2 ?
		    tr->again_msec * 2 : AGAIN_LAST_MSEC;
		timer_arm(loop_timers(tr->mi->loop), &tr->again,
		    monotime_add_msec(now, tr->again_msec));
	}
	rest_update(tr);
	end_log(tr);
}

/* Open it no more; or nothing has failed for long enough. */
static void
breaker_due(void *arg, struct monotime now)
{
	struct trouble *tr = arg;

	(void)now;
	if (tr->breaker.state == BREAKER_OPEN)
		breaker_try(&tr->breaker);
	else
		breaker_succeed(&tr->breaker);
	rest_update(tr);
	end_log(tr);
}

/* NULL for want of memory: there is less patience then. */
static struct trouble *
trouble_of(struct minetd *mi, struct service *svc)
{
	struct trouble *tr = svc->trouble;

	if (tr != NULL)
		return tr;
	tr = calloc(1, sizeof(*tr));
	if (tr == NULL)
		return NULL;
	tr->mi = mi;
	tr->svc = svc;
	TAILQ_INIT(&tr->kept);
	timer_init(&tr->due, breaker_due, tr);
	timer_init(&tr->again, again_due, tr);
	svc->trouble = tr;
	return tr;
}

/* What a frontend relays has nothing here that could be kept. */
static bool
can_be_kept(const struct minetd *mi, const struct arrival *arrival)
{
	return arrival->tag == 0 && !arrival->conn.terminal &&
	    !arrival->entry->conf->wait && mi->kept < KEPT_MAX &&
	    mi->phase == RUN_SERVING;
}

static bool
kept_add(struct trouble *tr, const struct arrival *arrival, struct proc *proc,
    struct monotime now)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (kept == NULL)
		return false;
	*kept = (struct kept){
		.proc = proc,
		.socket = arrival->files.socket,
		.preface = arrival->preface,
		.until = monotime_add_msec(now, PATIENCE_MSEC),
	};
	TAILQ_INSERT_TAIL(&tr->kept, kept, entry);
	tr->mi->kept++;
	return true;
}

bool
trouble_no_process(struct minetd *mi, const struct arrival *arrival,
    struct proc *proc, int error, struct monotime now)
{
	struct trouble *tr = is_no_process(error) ?
	    trouble_of(mi, proc->service) : NULL;
	bool kept;

	if (tr == NULL)
		return false;
	kept = can_be_kept(mi, arrival) && kept_add(tr, arrival, proc, now);
	tr->no_process = true;
	if (!tr->again.armed) {
		tr->again_msec = AGAIN_FIRST_MSEC;
		timer_arm(loop_timers(mi->loop), &tr->again,
		    monotime_add_msec(now, tr->again_msec));
	}
	begin_log(tr, "no_process", tr->again_msec, now);
	rest_update(tr);
	return kept;
}

void
trouble_started(struct minetd *mi, struct service *svc, struct monotime now)
{
	struct trouble *tr = svc->trouble;

	if (tr == NULL)
		return;
	tr->no_process = false;
	if (tr->breaker.state == BREAKER_HALF_OPEN && !tr->due.armed)
		timer_arm(loop_timers(mi->loop), &tr->due,
		    monotime_add_msec(now, EARLY_MSEC));
	end_log(tr);
}

/* What only a program that is broken ends with, and no client asks for. */
static bool
is_crash(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) >= CHILD_EXIT_FAILED &&
		    WEXITSTATUS(status) <= CHILD_EXIT_NOT_FOUND;
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGSYS:
	case SIGTRAP:
		return true;
	default:
		return false;
	}
}

static void
failed(struct minetd *mi, struct service *svc, const char *reason, bool grows,
    struct monotime now)
{
	struct trouble *tr = trouble_of(mi, svc);
	uint32_t msec = tr != NULL ? breaker_fail(&tr->breaker, grows, now) :
	    0;

	if (msec == 0)
		return;
	timer_arm(loop_timers(mi->loop), &tr->due,
	    monotime_add_msec(now, msec));
	begin_log(tr, reason, msec, now);
	rest_update(tr);
}

void
trouble_reaped(struct minetd *mi, const struct proc *proc,
    const struct child_report *report, int status, struct monotime now)
{
	struct service *svc = proc->service;
	struct trouble *tr = svc->trouble;
	bool early = monotime_msec_until(proc->started, now) < EARLY_MSEC;

	if (report->step != CHILD_DONE) {
		/* It was as patient itself; its user has too many. */
		if (report->step != CHILD_EXEC || report->error != EAGAIN)
			failed(mi, svc, "spawn_failed", true, now);
	} else if (early && is_crash(status) &&
	    proc->deadline.reason == DONE_CLOSED) {
		failed(mi, svc, "crashed", false, now);
	} else if (tr != NULL) {
		breaker_succeed(&tr->breaker);
		end_log(tr);
	}
}

void
trouble_forget(struct minetd *mi, struct service *svc)
{
	struct trouble *tr = svc->trouble;

	if (tr == NULL)
		return;
	timer_disarm(loop_timers(mi->loop), &tr->due);
	tr->breaker = (struct breaker){ 0 };
	rest_update(tr);
	end_log(tr);
	if (!TAILQ_EMPTY(&tr->kept) || tr->again.armed)
		return;
	svc->trouble = NULL;
	free(tr);
}

void
trouble_free(struct trouble *tr)
{
	if (tr == NULL)
		return;
	timer_disarm(loop_timers(tr->mi->loop), &tr->due);
	timer_disarm(loop_timers(tr->mi->loop), &tr->again);
	free(tr);
}

void
trouble_drop_all(struct minetd *mi)
{
	struct service *svc;

	for (svc = service_first(&mi->services); svc != NULL;
	    svc = service_next(svc)) {
		struct trouble *tr = svc->trouble;
		struct kept *kept;

		if (tr == NULL)
			continue;
		service_ref(svc);
		while ((kept = TAILQ_FIRST(&tr->kept)) != NULL)
			kept_give_up(tr, kept, EAGAIN, monotime_now());
		service_unref(&mi->services, svc);
	}
}
