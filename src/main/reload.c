/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From configuration to sockets.
 *
 * What is wrong with the world (a port in use, an address that is not there
 * yet) concerns one listener: it is degraded and tried again with a growing
 * delay, and the rest serves.
 */

#include "main/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "main/tell.h"

enum {
	RETRY_FIRST_MSEC = 1000,
	RETRY_LAST_MSEC = 30000,
	/* For everything that is no listener. */
	SPARE_DESCRIPTORS = SPAWN_DESCRIPTORS + 256,
};

static void
listener_log(const struct conf *conf, const struct listener *lst,
    bool open)
{
	const struct conf_service *svc =
	    &conf_services(conf)[lst->conf->service];
	char text[LISTENER_TEXT_SIZE];
	struct log_line line;

	listener_format(lst, conf, text);
	log_begin(&line, open ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    open ? "listen" : "degraded");
	log_str(&line, "service", conf_string(conf, svc->name));
	log_str(&line, "addr", text);
	if (!open) {
		log_str(&line, "step", lst->step);
		log_errno(&line, "error", lst->error);
	}
	log_end(&line);
}

static int
plan_allocate(struct reload_plan *plan, const struct conf *conf)
{
	plan->services = calloc(conf->services.count + 1,
	    sizeof(*plan->services));
	plan->listeners = calloc(conf->listens.count + 1,
	    sizeof(*plan->listeners));
	if (plan->services == NULL || plan->listeners == NULL) {
		log_message(LOG_LEVEL_ERROR, "failed", "%s", strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < conf->services.count; i++)
		service_init(&plan->services[i], conf, i);
	for (uint32_t i = 0; i < conf->listens.count; i++)
		listener_init(&plan->listeners[i], conf, i);
	return 0;
}

static int
plan_listeners_open(struct minetd *mi, struct reload_plan *plan)
{
	const struct conf *conf = plan->conf;
	uint32_t total = conf->listens.count;

	if (!starter_raise_nofile(&mi->starter,
	    (uint64_t)total + SPARE_DESCRIPTORS))
		log_message(LOG_LEVEL_WARNING, "limit", "%u listeners need "
		    "more descriptors than the hard limit allows", total);
	for (uint32_t i = 0; i < total; i++) {
		struct listener *lst = &plan->listeners[i];

		if (listener_open(lst, conf) == -1)
			plan->degraded++;
		listener_log(conf, lst, lst->fd != -1);
	}
	if (plan->degraded == 0)
		return 0;
	if (!conf->strict && plan->degraded < total)
		return 0;
	log_message(LOG_LEVEL_ERROR, "failed", "%u of %u listeners could not "
	    "be opened%s", plan->degraded, total,
	    conf->strict ? ", and strict = yes" : "");
	return -1;
}

int
reload_plan(struct minetd *mi, const struct conf *conf,
    struct reload_plan *plan)
{
	*plan = (struct reload_plan){ .conf = conf };
	if (plan_allocate(plan, conf) == 0 &&
	    plan_listeners_open(mi, plan) == 0)
		return 0;
	reload_discard(plan);
	return -1;
}

static void
listeners_close(struct listener *listeners, const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->listens.count; i++)
		listener_close(&listeners[i], conf);
}

void
reload_discard(struct reload_plan *plan)
{
	if (plan->listeners != NULL)
		listeners_close(plan->listeners, plan->conf);
	free(plan->listeners);
	free(plan->services);
	*plan = (struct reload_plan){ 0 };
}

static void
retry_due(void *arg, struct monotime now)
{
	reload_retry(arg, now);
}

void
reload_commit(struct minetd *mi, const struct reload_plan *plan)
{
	mi->conf = plan->conf;
	mi->services = plan->services;
	mi->listeners = plan->listeners;
	mi->retry_msec = RETRY_FIRST_MSEC;
	timer_init(&mi->retry, retry_due, mi);
	if (plan->degraded > 0)
		timer_arm(loop_timers(mi->loop), &mi->retry,
		    monotime_add_msec(monotime_now(), mi->retry_msec));
}

void
reload_close_listeners(struct minetd *mi)
{
	listeners_close(mi->listeners, mi->conf);
}

void
reload_finish(struct minetd *mi)
{
	listeners_close(mi->listeners, mi->conf);
	for (uint32_t i = 0; i < mi->conf->services.count; i++)
		service_fini(&mi->services[i]);
	free(mi->services);
	free(mi->listeners);
	mi->listeners = NULL;
	mi->services = NULL;
	conf_free(mi->conf);
	mi->conf = conf_empty();
}

void
reload_retry(struct minetd *mi, struct monotime now)
{
	uint32_t degraded = 0;

	for (uint32_t i = 0; i < mi->conf->listens.count; i++) {
		struct listener *lst = &mi->listeners[i];
		int error = lst->error;

		if (lst->fd != -1)
			continue;
		if (listener_open(lst, mi->conf) == 0) {
			listener_log(mi->conf, lst, true);
			tell_listener(mi, i);
			continue;
		}
		/* The same reason again is no news. */
		if (lst->error != error)
			listener_log(mi->conf, lst, false);
		degraded++;
	}
	if (degraded == 0)
		return;
	mi->retry_msec = mi->retry_msec * 2 < RETRY_LAST_MSEC ?
	    mi->retry_msec * 2 : RETRY_LAST_MSEC;
	timer_arm(loop_timers(mi->loop), &mi->retry,
	    monotime_add_msec(now, mi->retry_msec));
}
