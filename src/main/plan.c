/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From one edition of the configuration to the next.
 *
 * What is wrong with the world (a port in use, an address that is not there
 * yet) concerns one listener: it is degraded and tried again, and the rest
 * serves.
 */

#include "main/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/transport.h"
#include "main/listenlog.h"
#include "main/logging.h"
#include "main/match.h"
#include "main/pidmove.h"
#include "main/retry.h"
#include "main/swap.h"
#include "main/trouble.h"

enum {
	/* For everything that is no listener. */
	SPARE_DESCRIPTORS = SPAWN_DESCRIPTORS + 256,
	FRONT_DESCRIPTORS = 32,	/* of a frontend, beside those of clients */
};

static const struct conf_socket *
options_of(const struct edition *ed, uint32_t listener)
{
	return conf_socket(ed->conf,
	    ed->services[ed->listeners[listener].service].conf);
}

/* What the old edition has; what clients do not find any more is gone. */
static void
present_fill(const struct edition *ed, struct match_item *items)
{
	for (uint32_t i = 0; i < ed->listener_count; i++) {
		const struct listener *lst = ed->listeners[i].listener;

		items[i] = (struct match_item){
			.id = lst->id,
			.service = edition_service_name(ed, i),
			.bound_port = lst->fd != -1 ? lst->local.port : 0,
			.gone = lst->fd != -1 && !listener_intact(lst),
		};
	}
}

/* The identity of a configured listener; its texts are the configuration's. */
static struct listener_id
id_of(const struct conf *conf, uint32_t index)
{
	const struct conf_listen *listen = &conf_listens(conf)[index];
	const struct conf_socket *sock = conf_socket(conf,
	    &conf_services(conf)[listen->service]);
	bool ip = transport_is_ip(listen->transport);

	return (struct listener_id){
		.transport = listen->transport,
		.v6 = listen->v6,
		.mptcp = listen->transport == CONF_TCP && sock->mptcp,
		.addr = listen->addr,
		.path = conf_string(conf, listen->path),
		.interface = ip ? conf_string(conf, sock->interface) : "",
	};
}

static void
wanted_fill(const struct edition *ed, struct match_item *items)
{
	for (uint32_t i = 0; i < ed->listener_count; i++)
		items[i] = (struct match_item){
			.id = id_of(ed->conf, i),
			.service = edition_service_name(ed, i),
		};
}

/* What an inherited socket is, is known only now. */
static bool
serves(const struct edition *ed, uint32_t index, const struct listener *lst)
{
	const struct conf_service *svc =
	    ed->services[ed->listeners[index].service].conf;

	return lst->id.transport != CONF_FD ||
	    conf_can_serve(svc, lst->transport);
}

static int
socket_place(struct minetd *mi, struct reload_plan *plan,
    const struct match_item *present, uint32_t index)
{
	struct listener *lst = plan->edition->listeners[index].listener;

	if (listener_bind(lst, &mi->starter.inherited, false) == -1)
		return swap_bind(plan, mi->edition, present, lst);
	if (serves(plan->edition, index, lst))
		return 0;
	listener_close(lst);
	lst->error = EPROTOTYPE;
	lst->step = "service";
	return -1;
}

/* Bind a new socket, beside an old one if it must be. */
static void
listener_place(struct minetd *mi, struct reload_plan *plan,
    const struct match_item *present, uint32_t index)
{
	if (socket_place(mi, plan, present, index) == 0) {
		plan->opened++;
		return;
	}
	plan->degraded++;
	listenlog_state(plan->edition, index);
}

/* Place each listener that is wanted; -1 for want of memory. */
static int
wanted_place(struct minetd *mi, struct reload_plan *plan,
    const struct match_item *wanted, const struct match_item *present)
{
	const struct edition_listener *old = mi->edition->listeners;
	struct edition *ed = plan->edition;
	uint32_t count = edition_configured(ed);

	for (uint32_t i = 0; i < count; i++) {
		struct edition_listener *entry = &ed->listeners[i];
		uint32_t other = wanted[i].other;

		if (other != MATCH_NONE && serves(ed, i, old[other].listener))
			entry->listener = listener_ref(old[other].listener);
		else
			entry->listener = listener_new(&wanted[i].id,
			    options_of(ed, i));
		if (entry->listener == NULL)
			return -1;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (ed->listeners[i].listener->fd != -1) {
			plan->kept++;
			continue;
		}
		ed->listeners[i].listener->options = *options_of(ed, i);
		listener_place(mi, plan, present, i);
	}
	return 0;
}

/*
 * Those that are not wanted hand out what is in their queues, but for inherited
 * ones: whoever takes those up next finds it.
 */
static int
leftovers_place(struct reload_plan *plan, struct edition *old,
    const struct match_item *present)
{
	for (uint32_t i = 0; i < old->listener_count; i++) {
		const struct edition_listener *entry = &old->listeners[i];

		if (present[i].other != MATCH_NONE ||
		    !entry->listener->listening)
			continue;
		/* What is left over for longer was counted before. */
		plan->removed += i < edition_configured(old);
		if (entry->listener->id.transport == CONF_FD)
			continue;
		if (edition_add_leftover(plan->edition, old, entry) == -1)
			return -1;
	}
	return 0;
}

static int
listeners_place(struct minetd *mi, struct reload_plan *plan)
{
	struct edition *old = mi->edition;
	struct edition *ed = plan->edition;
	struct match_item *wanted = calloc(ed->listener_count + 1,
	    sizeof(*wanted));
	struct match_item *present = calloc(old->listener_count + 1,
	    sizeof(*present));
	int rc = -1;

	if (wanted != NULL && present != NULL) {
		wanted_fill(ed, wanted);
		present_fill(old, present);
		rc = match_listeners(wanted, ed->listener_count, present,
		    old->listener_count);
	}
	if (rc == 0)
		rc = wanted_place(mi, plan, wanted, present);
	if (rc == 0)
		rc = leftovers_place(plan, old, present);
	if (rc == -1)
		log_message(LOG_LEVEL_ERROR, "failed", "%s", strerror(errno));
	free(wanted);
	free(present);
	return rc;
}

/* Whether what could not be opened is too much. */
static int
degraded_check(const struct minetd *mi, const struct reload_plan *plan)
{
	uint32_t total = edition_configured(plan->edition);
	bool strict = plan->edition->conf->strict;

	if (plan->degraded == 0 || mi->phase == RUN_RESTORING || (!strict &&
	    (mi->phase != RUN_STARTING || plan->degraded < total)))
		return 0;
	log_message(LOG_LEVEL_ERROR, "failed", "%u of %u listeners could not "
	    "be opened%s", plan->degraded, total,
	    strict ? ", and strict = yes" : "");
	return -1;
}

/* How many descriptors main keeps for each handler of a service. */
static uint64_t
loans_of(const struct conf *conf, const struct conf_service *svc)
{
	bool lines = conf_identity(conf, svc)->stderr_mode == CONF_STDERR_LOG;
	bool datagrams = false;

	if (svc->disabled || svc->exec.count == 0)
		return 0;
	for (uint32_t i = 0; i < svc->listens; i++)
		if (transport_is_dgram(conf_listens(conf)[
		    svc->first_listen + i].transport))
			datagrams = !svc->wait;
	return (lines ? 1 : 0) + (datagrams ? 2 : 0);
}

/* How many that may be of all handlers; UINT32_MAX: no limit says. */
static uint64_t
loans_count(const struct conf *conf)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < conf->services.count; i++) {
		const struct conf_service *svc = &conf_services(conf)[i];
		uint64_t each = loans_of(conf, svc);
		uint32_t handlers = svc->instances;

		if (handlers == 0 || (conf->max_children != 0 &&
		    conf->max_children < handlers))
			handlers = conf->max_children;
		if (each != 0 && handlers == 0)
			return UINT32_MAX;
		count += each * handlers;
	}
	return count < UINT32_MAX ? count : UINT32_MAX;
}

static void
descriptors_raise(struct minetd *mi, const struct reload_plan *plan)
{
	uint64_t wanted = (uint64_t)edition_configured(plan->edition) +
	    mi->starter.inherited.count + SPARE_DESCRIPTORS;

	/* For handlers, as far as it may be raised. */
	starter_raise_nofile(&mi->starter, wanted +
	    mi->edition->listener_count + loans_count(plan->edition->conf));
	/* Besides those there are, of which some may be the same. */
	if (!starter_raise_nofile(&mi->starter, wanted +
	    mi->edition->listener_count) &&
	    !starter_raise_nofile(&mi->starter, wanted))
		log_message(LOG_LEVEL_WARNING, "limit", "%u listeners need "
		    "more descriptors than the hard limit allows",
		    edition_configured(plan->edition));
	else if (!starter_raise_nofile(&mi->starter,
	    edition_configured(plan->edition) +
	    (uint64_t)plan->edition->conf->pending_max +
	    FRONT_DESCRIPTORS))
		log_message(LOG_LEVEL_WARNING, "limit", "%u listeners and "
		    "pending_max = %u need more descriptors than the hard "
		    "limit allows", edition_configured(plan->edition),
		    plan->edition->conf->pending_max);
}

int
plan_make(struct minetd *mi, const struct conf *conf, struct reload_plan *plan)
{
	*plan = (struct reload_plan){
		.edition = edition_new(conf, &mi->services),
		.pid_fd = -1,
	};
	if (plan->edition == NULL) {
		log_message(LOG_LEVEL_ERROR, "failed", "%s", strerror(errno));
		conf_free(conf);
		return -1;
	}
	descriptors_raise(mi, plan);
	if (listeners_place(mi, plan) == 0 && degraded_check(mi, plan) == 0 &&
	    pidmove_plan(mi, plan) == 0) {
		if (edition_finish(plan->edition) == 0)
			return 0;
		log_message(LOG_LEVEL_ERROR, "failed", "%s", strerror(errno));
	}
	plan_discard(mi, plan);
	return -1;
}

/* A degraded one is tried again as the present configuration has it. */
static void
degraded_restore(struct edition *ed)
{
	for (uint32_t i = 0; i < edition_configured(ed); i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (lst->fd == -1)
			lst->options = *options_of(ed, i);
	}
}

void
plan_discard(struct minetd *mi, struct reload_plan *plan)
{
	struct edition *ed = plan->edition;

	/* Also those that the present edition has, and that were closed. */
	for (uint32_t i = 0; i < ed->listener_count; i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (lst != NULL && !lst->listening)
			listener_close(lst);
	}
	degraded_restore(mi->edition);
	if (plan->shares_ports)
		swap_end(mi->edition);
	pidmove_discard(mi, plan);
	edition_unref(ed);
	*plan = (struct reload_plan){ .pid_fd = -1 };
}

/* Indexes and what is kept of a configuration are of the new edition. */
static void
services_commit(struct minetd *mi, struct edition *old, struct edition *ed)
{
	struct service *svc;

	while ((svc = STAILQ_FIRST(&mi->dirty)) != NULL) {
		STAILQ_REMOVE_HEAD(&mi->dirty, entry);
		svc->dirty = false;
	}
	for (svc = service_first(&mi->services); svc != NULL;
	    svc = service_next(svc)) {
		svc->index = SERVICE_NO_INDEX;
		trouble_forget(mi, svc);
		handler_plan_retire(svc->plan, &mi->retired);
		svc->plan = NULL;
	}
	for (uint32_t i = 0; i < old->listener_count; i++)
		old->listeners[i].listener->index = LISTENER_NO_INDEX;
	for (uint32_t i = 0; i < ed->listener_count; i++)
		ed->listeners[i].listener->index = i;
	for (uint32_t i = 0; i < ed->service_count; i++) {
		const struct edition_service *entry = &ed->services[i];

		if (entry->service == NULL)
			continue;
		entry->service->index = i;
		entry->service->stop_signal = entry->conf->stop_signal;
		entry->service->kill_grace_msec = entry->conf->kill_grace_msec;
		entry->service->log_connections = entry->conf->log_connections;
	}
}

/* A socket that goes on gets the options of the new edition. */
static void
listener_keep(struct edition *ed, uint32_t index)
{
	struct listener *lst = ed->listeners[index].listener;

	lst->id.addr.port = conf_listens(ed->conf)[index].addr.port;
	if (listener_change(lst, options_of(ed, index)) == -1)
		listenlog_option(ed, index);
}

static void
listeners_commit(struct edition *old, struct edition *ed)
{
	uint32_t count = edition_configured(ed);

	for (uint32_t i = 0; i < count; i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (lst->listening) {
			listener_keep(ed, i);
		} else if (lst->fd != -1) {
			swap_prepare(ed, lst);
			listener_listen(lst);
			listenlog_state(ed, i);
		}
	}
	/* When their successors listen: in between nobody would be found. */
	for (uint32_t i = count; i < ed->listener_count; i++)
		listener_begin_closing(ed->listeners[i].listener);
	swap_complete(ed);
	/* What was opened since the plan was made, and is not wanted.  An
	 * inherited one is in use until the frontend before has stopped. */
	for (uint32_t i = 0; i < old->listener_count; i++) {
		struct listener *lst = old->listeners[i].listener;

		if (lst->index == LISTENER_NO_INDEX &&
		    lst->id.transport != CONF_FD)
			listener_close(lst);
	}
}

void
plan_commit(struct minetd *mi, struct reload_plan *plan, struct monotime now)
{
	struct edition *old = mi->edition;

	services_commit(mi, old, plan->edition);
	listeners_commit(old, plan->edition);
	mi->edition = plan->edition;
	plan->edition = NULL;
	pidmove_commit(mi, plan);
	if (mi->phase == RUN_SERVING)
		logging_change(mi->options, old->conf, mi->edition->conf);
	edition_unref(old);
	handler_plans_free(&mi->retired);
	swap_end(mi->edition);
	retry_update(mi, now);
}

int
plan_empty(struct minetd *mi, const struct front *front, uint32_t listener)
{
	const struct edition *ed = front->edition;
	struct listener *lst;

	if (listener < edition_configured(ed) ||
	    listener >= ed->listener_count)
		return -1;
	/* The next frontend has it from here on, perhaps for good. */
	if (ed != mi->edition)
		return 0;
	lst = ed->listeners[listener].listener;
	if (lst->fd == -1)
		return 0;
	listenlog_close(ed, listener);
	listener_close(lst);
	swap_end(mi->edition);
	/* One that could not be bound because of it, perhaps. */
	retry_soon(mi, monotime_now());
	return 0;
}
