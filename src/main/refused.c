/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that a service has no room for, or that could not be accepted.
 *
 * Frontends know when there is none, and main does not believe one that asks
 * all the same.  Two exceptions: one that drains is not told of the handlers of
 * others; and when such a one has led a client on, the one that serves may have
 * asked before it heard of that handler.  Whoever did not answer for as long as
 * that is excused here is killed as hung.
 */

#include "main/refused.h"

#include <sys/resource.h>

#include <errno.h>
#include <stdlib.h>

#include "base/verdict.h"
#include "main/connlog.h"
#include "main/listenlog.h"
#include "main/serve.h"
#include "main/sourcetell.h"
#include "main/tell.h"

enum {
	LATE_MSEC = 10000,
};

/* Each reason is counted, and has lines, for itself. */
static void
reject_log(struct service *svc, const struct addr *peer, uint32_t reason,
    uint32_t count, struct monotime now)
{
	struct refused *refused;
	struct log_line line;
	unsigned long left_out;

	if (svc->refused == NULL)
		svc->refused = calloc(VERDICT_COUNT, sizeof(*svc->refused));
	if (svc->refused == NULL)
		return;
	refused = &svc->refused[reason];
	refused->count += count;
	if (!log_limit_pass(&refused->limit, now, &left_out)) {
		refused->limit.left_out += count - 1;
		return;
	}
	left_out += count - 1;
	log_begin(&line, LOG_LEVEL_WARNING, "reject");
	log_str(&line, "service", svc->name);
	connlog_address(&line, "peer", peer);
	log_str(&line, "reason", verdict_reason(reason));
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

int
refused_peers(const struct front *front, const struct channel_msg *msg,
    struct monotime now)
{
	const struct channel_rejected *rejected = &msg->rejected;
	const struct edition_service *entry = edition_reached(front->edition,
	    msg->listener, rejected->service);

	if (entry == NULL || verdict_reason(rejected->reason) == NULL ||
	    rejected->count == 0)
		return -1;
	reject_log(entry->service, &rejected->peer, rejected->reason,
	    rejected->count, now);
	return 0;
}

bool
refused_connection(struct minetd *mi, const struct front *front,
    struct service *svc, const struct channel_msg *msg, struct monotime now)
{
	if (front->state != FRONT_DRAINING) {
		if (!monotime_before(now, monotime_add_msec(mi->late,
		    LATE_MSEC)))
			return false;
		/* It has counted this one. */
		svc->told++;
		tell_count(mi, svc);
		sourcetell_note(mi, svc, &msg->start.peer, -1);
	}
	reject_log(svc, &msg->start.peer, VERDICT_FULL, 1, now);
	return true;
}

static void
accept_failed_log(const struct listener *lst,
    const struct channel_failed *failed, unsigned long left_out)
{
	char text[LISTENER_TEXT_SIZE];
	struct rlimit nofile;
	struct log_line line;

	listener_format(lst, text);
	log_begin(&line, LOG_LEVEL_WARNING, "accept_failed");
	log_str(&line, "addr", text);
	log_errno(&line, "error", failed->error);
	/* The frontend has the same. */
	if (failed->error == EMFILE && getrlimit(RLIMIT_NOFILE, &nofile) == 0)
		log_uint(&line, "limit", nofile.rlim_max);
	if (failed->msec != 0)
		log_uint(&line, "msec", failed->msec);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

int
refused_accept(struct minetd *mi, const struct front *front,
    const struct channel_msg *msg, struct monotime now)
{
	const struct edition_listener *at = serve_listener(front,
	    msg->listener);
	const struct channel_failed *failed = &msg->failed;
	unsigned long left_out;
	struct log_line line;
	struct listener *lst;

	if (at == NULL)
		return -1;
	lst = at->listener;
	if (failed->error == 0) {
		if (!lst->fails)
			return 0;
		lst->fails = false;
		log_begin(&line, LOG_LEVEL_INFO, "resume");
		listenlog_fields(&line, front->edition, msg->listener);
		log_end(&line);
		return 0;
	}
	/* It goes on as it began. */
	if (lst->fails || !log_limit_pass(&mi->accept_limit, now, &left_out))
		return 0;
	left_out += failed->count > 0 ? failed->count - 1 : 0;
	lst->fails = failed->msec != 0;
	accept_failed_log(lst, failed, left_out);
	return 0;
}
