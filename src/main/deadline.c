/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * End handlers whose time is over.
 *
 * The connection is the handler's, and main keeps no descriptor of it: the
 * kernel is asked what has moved on it when a deadline is due that depends on
 * that, and the answer says when to ask again.
 */

#include "main/deadline.h"

#include <net/if.h>
#include <signal.h>

#include "base/done.h"
#include "main/serve.h"
#include "main/tcpmoved.h"

enum {
	AGAIN_MSEC = 1000,	/* when the kernel could not be asked */
};

static const struct monotime never = { INT64_MAX };

static struct monotime
earlier(struct monotime a, struct monotime b)
{
	return monotime_before(a, b) ? a : b;
}

static struct monotime
end_of(struct monotime from, uint32_t msec)
{
	return msec != 0 ? monotime_add_msec(from, msec) : never;
}

/* When the first of its deadlines is due, as far as we know. */
static struct monotime
next_end(const struct proc *proc)
{
	const struct deadline *dl = &proc->deadline;

	return earlier(end_of(proc->started, dl->max_runtime_msec),
	    earlier(end_of(proc->started, dl->first_byte_msec),
	    end_of(dl->touched, dl->idle_msec)));
}

/* Bring touched up to date: a byte may have moved since then. */
static void
touched_find(struct deadline *dl, const struct tcpmoved *moved,
    struct monotime now)
{
	uint64_t bytes = moved->received + moved->sent;
	struct monotime last = monotime_add_msec(now,
	    -(int64_t)moved->quiet_msec);

	/* What nobody confirms does not move, however often it is sent. */
	if ((bytes != dl->moved || !moved->repeating) &&
	    monotime_before(dl->touched, last))
		dl->touched = last;
	dl->moved = bytes;
}

static struct tcpmoved_key
key_of(const struct proc *proc)
{
	const struct connection *conn = &proc->conn;
	const char *interface = proc->listener->id.interface;
	bool proxied = conn->via.family != ADDR_NONE;

	return (struct tcpmoved_key){
		.local = proxied ? conn->asked : conn->local,
		.peer = proxied ? conn->via : conn->peer,
		.interface = interface[0] != '\0' ?
		    if_nametoindex(interface) : 0,
	};
}

/* Nothing is known of it, and will be. */
static void
unwatch(struct proc *proc)
{
	log_message(LOG_LEVEL_DEBUG, "deadline", "the kernel knows nothing of "
	    "the connection of pid %d", proc->handle.pid);
	proc->deadline.first_byte_msec = 0;
	proc->deadline.idle_msec = 0;
}

/*
 * What of the two that silence ends, ends it now; DONE_CLOSED: neither does,
 * and *next is when to look again.
 */
static enum done_reason
silence_find(struct proc *proc, struct monotime now, struct monotime *next)
{
	struct deadline *dl = &proc->deadline;
	const struct tcpmoved_key key = key_of(proc);
	bool first_due = !monotime_before(now,
	    end_of(proc->started, dl->first_byte_msec));
	struct tcpmoved moved = { 0 };

	switch (tcpmoved_look(&moved, &key)) {
	case TCPMOVED_FOUND:
		dl->seen = true;
		if (first_due && moved.received <= dl->preface)
			return DONE_SILENT;
		touched_find(dl, &moved, now);
		break;
	case TCPMOVED_GONE:
		break;
	case TCPMOVED_MISSING:
		if (!dl->seen)
			unwatch(proc);
		break;
	default:
		*next = monotime_add_msec(now, AGAIN_MSEC);
		return DONE_CLOSED;
	}
	if (first_due)
		dl->first_byte_msec = 0;
	*next = next_end(proc);
	return monotime_before(now, end_of(dl->touched, dl->idle_msec)) ?
	    DONE_CLOSED : DONE_IDLE;
}

static enum done_reason
reason_find(struct proc *proc, struct monotime now, struct monotime *next)
{
	struct monotime last = end_of(proc->started,
	    proc->deadline.max_runtime_msec);
	enum done_reason reason;

	if (!monotime_before(now, last))
		return DONE_OVERDUE;
	*next = next_end(proc);
	if (monotime_before(now, *next))
		return DONE_CLOSED;
	reason = silence_find(proc, now, next);
	*next = earlier(*next, last);
	return reason;
}

static void
arm(struct proc *proc, struct monotime due)
{
	struct deadline *dl = &proc->deadline;

	if (due.nsec != never.nsec)
		timer_arm(loop_timers(dl->mi->loop), &dl->due, due);
}

static void
deadline_due(void *arg, struct monotime now)
{
	struct proc *proc = arg;
	struct deadline *dl = &proc->deadline;
	struct monotime next;

	if (dl->reason != DONE_CLOSED) {
		serve_kill(proc, SIGKILL);
		return;
	}
	dl->reason = (uint8_t)reason_find(proc, now, &next);
	if (dl->reason == DONE_CLOSED) {
		arm(proc, next);
		return;
	}
	serve_stop(proc);
	dl->kill = monotime_add_msec(now, proc->service->kill_grace_msec);
	arm(proc, dl->kill);
}

/* Of others the frontend relays what moves, or nothing can be known. */
static bool
is_watched(const struct proc *proc)
{
	const struct connection *conn = &proc->conn;

	return !conn->terminal && !conn->datagrams &&
	    (conn->local.family == ADDR_IP4 || conn->local.family == ADDR_IP6);
}

void
deadline_begin(struct minetd *mi, struct proc *proc,
    const struct conf_service *svc, uint32_t preface)
{
	struct deadline *dl = &proc->deadline;

	dl->max_runtime_msec = svc->max_runtime_msec;
	dl->touched = proc->started;
	dl->preface = preface;
	if (is_watched(proc)) {
		dl->first_byte_msec = svc->first_byte_msec;
		dl->idle_msec = svc->idle_set ? svc->idle_msec : 0;
	}
	deadline_resume(mi, proc);
}

void
deadline_resume(struct minetd *mi, struct proc *proc)
{
	struct deadline *dl = &proc->deadline;

	dl->mi = mi;
	timer_init(&dl->due, deadline_due, proc);
	arm(proc, dl->reason == DONE_CLOSED ? next_end(proc) : dl->kill);
}

void
deadline_cancel(struct proc *proc)
{
	struct deadline *dl = &proc->deadline;

	timer_disarm(loop_timers(dl->mi->loop), &dl->due);
}
