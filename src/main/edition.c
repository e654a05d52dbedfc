/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Editions of the configuration.
 */

#include "main/edition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bug.h"
#include "conf/admission.h"

static int
services_place(struct edition *ed)
{
	const struct conf *conf = ed->conf;

	for (uint32_t i = 0; i < ed->service_count; i++) {
		struct edition_service *entry = &ed->services[i];

		entry->conf = &conf_services(conf)[i];
		/* A disabled one may have the name of another. */
		if (entry->conf->disabled)
			continue;
		entry->service = service_get(ed->table,
		    conf_string(conf, entry->conf->name));
		if (entry->service == NULL)
			return -1;
		entry->service->next_index = i;
	}
	for (uint32_t i = 0; i < ed->listener_count; i++)
		ed->listeners[i].service = conf_listens(conf)[i].service;
	return 0;
}

/* An edition of so many entries, which are empty. */
static struct edition *
edition_allocate(struct service_table *table, uint32_t services,
    uint32_t listeners)
{
	struct edition *ed = calloc(1, sizeof(*ed));

	if (ed == NULL)
		return NULL;
	ed->refs = 1;
	ed->conf_refs = 1;
	ed->table = table;
	ed->admission_fd = -1;
	ed->services = calloc(services + 1, sizeof(*ed->services));
	ed->listeners = calloc(listeners + 1, sizeof(*ed->listeners));
	if (ed->services == NULL || ed->listeners == NULL) {
		free(ed->services);
		free(ed->listeners);
		free(ed);
		errno = ENOMEM;
		return NULL;
	}
	ed->service_count = services;
	ed->listener_count = listeners;
	return ed;
}

struct edition *
edition_new(const struct conf *conf, struct service_table *table)
{
	struct edition *ed = edition_allocate(table, conf->services.count,
	    conf->listens.count);

	if (ed == NULL)
		return NULL;
	ed->conf = conf;
	if (services_place(ed) == 0)
		return ed;
	ed->conf = NULL;	/* still the caller's */
	edition_unref(ed);
	errno = ENOMEM;
	return NULL;
}

struct edition *
edition_new_bare(struct service_table *table, uint32_t services,
    uint32_t listeners)
{
	struct edition *ed = edition_allocate(table, services, listeners);

	if (ed != NULL)
		ed->conf = conf_empty();
	return ed;
}

struct edition *
edition_ref(struct edition *ed)
{
	ed->refs++;
	return ed;
}

void
edition_unref(struct edition *ed)
{
	if (ed == NULL)
		return;
	if (ed->refs == 0)
		BUG("an edition was given up twice");
	if (--ed->refs > 0)
		return;
	for (uint32_t i = 0; i < ed->listener_count; i++)
		listener_unref(ed->listeners[i].listener);
	for (uint32_t i = 0; i < ed->service_count; i++) {
		service_unref(ed->table, ed->services[i].service);
		edition_unref_conf(ed->services[i].home);
	}
	free(ed->listeners);
	free(ed->services);
	if (ed->admission_fd != -1)
		close(ed->admission_fd);
	edition_unref_conf(ed);
}

struct edition *
edition_ref_conf(struct edition *ed)
{
	ed->conf_refs++;
	return ed;
}

void
edition_unref_conf(struct edition *ed)
{
	if (ed == NULL || --ed->conf_refs > 0)
		return;
	conf_free(ed->conf);
	free(ed);
}

/* The index of the service in ed, which is being made, or SERVICE_NO_INDEX. */
static uint32_t
service_lookup(const struct edition *ed, const struct service *svc)
{
	uint32_t index = svc->next_index;

	return index < ed->service_count &&
	    ed->services[index].service == svc ? index : SERVICE_NO_INDEX;
}

static void *
array_grow(void *items, uint32_t count, size_t size)
{
	char *grown = reallocarray(items, (size_t)count + 1, size);

	if (grown != NULL)
		memset(grown + count * size, 0, size);
	return grown;
}

/* Take over the service as the other edition has it. */
static uint32_t
service_add_leftover(struct edition *ed, struct edition *from,
    const struct edition_service *entry)
{
	struct edition_service *services = array_grow(ed->services,
	    ed->service_count, sizeof(*services));
	struct edition *home = entry->home != NULL ? entry->home : from;

	if (services == NULL)
		return SERVICE_NO_INDEX;
	ed->services = services;
	services[ed->service_count] = (struct edition_service){
		.service = service_ref(entry->service),
		.conf = entry->conf,
		.home = edition_ref_conf(home),
	};
	entry->service->next_index = ed->service_count;
	return ed->service_count++;
}

int
edition_add_leftover(struct edition *ed, struct edition *from,
    const struct edition_listener *entry)
{
	const struct edition_service *svc = &from->services[entry->service];
	uint32_t service = service_lookup(ed, svc->service);
	struct edition_listener *listeners;

	/* One that an earlier image has left is known by name only. */
	if (service == SERVICE_NO_INDEX && svc->conf == NULL)
		return 0;
	if (service == SERVICE_NO_INDEX)
		service = service_add_leftover(ed, from, svc);
	if (service == SERVICE_NO_INDEX)
		return -1;
	listeners = array_grow(ed->listeners, ed->listener_count,
	    sizeof(*listeners));
	if (listeners == NULL)
		return -1;
	ed->listeners = listeners;
	listeners[ed->listener_count++] = (struct edition_listener){
		.listener = listener_ref(entry->listener),
		.service = service,
	};
	return 0;
}

int
edition_finish(struct edition *ed)
{
	const struct conf *conf = ed->conf;
	struct admission_leftovers left = {
		.service_count = ed->service_count - conf->services.count,
		.listener_count = ed->listener_count - conf->listens.count,
	};
	struct admission_leftover *services = calloc(left.service_count + 1,
	    sizeof(*services));
	struct admission_listener *listeners = calloc(left.listener_count + 1,
	    sizeof(*listeners));

	left.services = services;
	left.listeners = listeners;
	if (services != NULL && listeners != NULL) {
		for (uint32_t i = 0; i < left.service_count; i++) {
			const struct edition_service *entry =
			    &ed->services[conf->services.count + i];

			services[i] = (struct admission_leftover){
				entry->home->conf, entry->conf,
			};
		}
		for (uint32_t i = 0; i < left.listener_count; i++) {
			const struct edition_listener *entry =
			    &ed->listeners[conf->listens.count + i];

			listeners[i].service = entry->service;
			listeners[i].transport = entry->listener->id.transport;
		}
		ed->admission_fd = admission_export(conf, &left);
	}
	int saved = errno;
	free(services);
	free(listeners);
	errno = saved;
	return ed->admission_fd != -1 ? 0 : -1;
}

uint32_t
edition_configured(const struct edition *ed)
{
	return ed->conf->listens.count;
}

uint32_t
edition_count_open(const struct edition *ed)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < edition_configured(ed); i++)
		open += ed->listeners[i].listener->listening;
	return open;
}

const struct edition_service *
edition_reached(const struct edition *ed, uint32_t listener, uint32_t service)
{
	const struct edition_service *entry, *at;

	if (listener >= ed->listener_count || service >= ed->service_count ||
	    ed->services[service].service == NULL)
		return NULL;
	entry = &ed->services[service];
	at = &ed->services[ed->listeners[listener].service];
	return entry == at || (at->conf->builtin == CONF_BUILTIN_TCPMUX &&
	    entry->conf->mux_names.count > 0) ? entry : NULL;
}

const char *
edition_service_name(const struct edition *ed, uint32_t listener)
{
	return ed->services[ed->listeners[listener].service].service->name;
}
