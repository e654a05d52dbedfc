/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What is done when no target of a redirect answers.
 *
 * Nothing of it is kept: a frontend that knows the addresses of the
 * configuration only, since it is new, asks again when these do not answer.
 */

#include "main/resolve.h"

#include <stdlib.h>

#include "conf/lookup.h"
#include "main/carried.h"

enum {
	AT_ONCE_MAX = 8,	/* services whose names are looked up */
	AGAIN_MSEC = 5000,	/* between lookups of a service */
};

/* An address that the frontend is to be told of. */
struct news {
	uint32_t target;
	struct addr addr;
};

struct resolution {
	TAILQ_ENTRY(resolution) entry;
	struct edition *edition; /* referenced; the names are of it */
	uint32_t service;
	struct lookup *lookup;	/* NULL: it has ended */
	struct timer deadline;
	struct news *news;	/* one for each target, at most */
	uint32_t count;
	uint32_t sent;
};

static void
unreachable_log(struct service *svc, const char *target, int error,
    struct monotime now)
{
	struct log_line line;
	unsigned long left_out;

	if (!log_limit_pass(&svc->unreachable_limit, now, &left_out))
		return;
	log_begin(&line, LOG_LEVEL_WARNING, "unreachable");
	log_str(&line, "service", svc->name);
	log_str(&line, "target", target);
	log_errno(&line, "error", error);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

static void
resolution_free(struct minetd *mi, struct resolution *res)
{
	timer_disarm(loop_timers(mi->loop), &res->deadline);
	if (res->lookup != NULL)
		lookup_cancel(res->lookup);
	TAILQ_REMOVE(&mi->resolutions, res, entry);
	edition_unref(res->edition);
	free(res->news);
	free(res);
}

static void
deadline_due(void *arg, struct monotime now)
{
	const struct resolution *res = arg;

	(void)now;
	lookup_expire(res->lookup);
}

/* Whether no more may be looked up now, or this service may not. */
static bool
must_wait(const struct minetd *mi, const struct service *svc,
    struct monotime now)
{
	const struct resolution *res;
	unsigned count = 0;

	TAILQ_FOREACH(res, &mi->resolutions, entry)
		count++;
	return count >= AT_ONCE_MAX || (svc->resolved.nsec != 0 &&
	    monotime_before(now, monotime_add_msec(svc->resolved,
	    AGAIN_MSEC)));
}

/* Without memory or a process there are no news; who needs them asks again. */
static void
names_look_up(struct minetd *mi, uint32_t service, struct monotime now)
{
	struct edition_service *entry = &mi->edition->services[service];
	const struct conf *conf = entry->home != NULL ? entry->home->conf :
	    mi->edition->conf;
	struct resolution *res;

	if (must_wait(mi, entry->service, now) ||
	    !lookup_has_names(conf, entry->conf))
		return;
	entry->service->resolved = now;
	res = calloc(1, sizeof(*res));
	if (res == NULL)
		return;
	res->edition = edition_ref(mi->edition);
	res->service = service;
	timer_init(&res->deadline, deadline_due, res);
	TAILQ_INSERT_TAIL(&mi->resolutions, res, entry);
	res->news = calloc(entry->conf->targets.count, sizeof(*res->news));
	if (res->news != NULL)
		res->lookup = lookup_start(conf, entry->conf);
	if (res->lookup == NULL)
		resolution_free(mi, res);
	else
		timer_arm(loop_timers(mi->loop), &res->deadline,
		    monotime_add_msec(now, LOOKUP_MSEC));
}

int
resolve_obey(struct minetd *mi, const struct front *front,
    const struct channel_msg *msg, struct monotime now)
{
	const struct channel_connect *last = &msg->connect;
	const struct conf_target *target;
	const struct conf *conf;

	/* It was started by the image before an upgrade. */
	if (front->edition == NULL)
		return 0;
	target = carried_target(front, last->service, last->target, &conf);
	if (target == NULL)
		return -1;
	if (last->error != 0)
		unreachable_log(front->edition->services[
		    last->service].service,
		    conf_string(conf, target->text), last->error, now);
	/* Others have hardly any clients that still need a target. */
	if (front == mi->front && front->state == FRONT_SERVING)
		names_look_up(mi, last->service, now);
	return 0;
}

static void
news_add(void *arg, uint32_t target, const struct addr *addr)
{
	struct resolution *res = arg;

	res->news[res->count++] = (struct news){ target, *addr };
}

bool
resolve_reaped(struct minetd *mi, pid_t pid)
{
	struct resolution *res;

	TAILQ_FOREACH(res, &mi->resolutions, entry)
		if (res->lookup != NULL && lookup_pid(res->lookup) == pid)
			break;
	if (res == NULL)
		return false;
	timer_disarm(loop_timers(mi->loop), &res->deadline);
	lookup_finish(res->lookup, news_add, res);
	res->lookup = NULL;
	return true;
}

static bool
news_send(const struct front *front, struct resolution *res)
{
	struct channel_item item;

	item.fd = -1;
	for (; res->sent < res->count; res->sent++) {
		const struct news *news = &res->news[res->sent];

		channel_msg_init(&item.msg, CHANNEL_TARGET);
		item.msg.target.service = res->service;
		item.msg.target.target = news->target;
		item.msg.target.addr = news->addr;
		if (channel_send(front->channel.fd, &item, 1) != 1)
			return false;
	}
	return true;
}

/* One whose names were looked up; NULL: none. */
static struct resolution *
first_found(struct minetd *mi)
{
	struct resolution *res;

	TAILQ_FOREACH(res, &mi->resolutions, entry)
		if (res->lookup == NULL)
			break;
	return res;
}

bool
resolve_send(struct minetd *mi, const struct front *front)
{
	struct resolution *res;

	while ((res = first_found(mi)) != NULL) {
		/* Another one reads the names of another configuration. */
		if (res->edition == front->edition && !news_send(front, res))
			return false;
		resolution_free(mi, res);
	}
	return true;
}

void
resolve_cancel(struct minetd *mi)
{
	struct resolution *res;

	while ((res = TAILQ_FIRST(&mi->resolutions)) != NULL)
		resolution_free(mi, res);
}
