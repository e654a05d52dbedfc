/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Services by name.
 */

#include "main/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "main/trouble.h"

static int
service_compare(const struct service *a, const struct service *b)
{
	return strcmp(a->name, b->name);
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(service_table, service, by_name, service_compare,
    __attribute__((unused)) static)

struct service *
service_find(struct service_table *table, const char *name)
{
	struct service wanted;

	strlcpy(wanted.name, name, sizeof(wanted.name));
	return RB_FIND(service_table, table, &wanted);
}

struct service *
service_get(struct service_table *table, const char *name)
{
	struct service *svc = service_find(table, name);

	if (svc != NULL)
		return service_ref(svc);
	svc = calloc(1, sizeof(*svc));
	if (svc == NULL)
		return NULL;
	strlcpy(svc->name, name, sizeof(svc->name));
	svc->refs = 1;
	svc->index = SERVICE_NO_INDEX;
	RB_INSERT(service_table, table, svc);
	return svc;
}

struct service *
service_ref(struct service *svc)
{
	svc->refs++;
	return svc;
}

void
service_unref(struct service_table *table, struct service *svc)
{
	if (svc == NULL)
		return;
	if (svc->refs == 0 || (svc->refs == 1 && (svc->active > 0 ||
	    svc->dirty || svc->plan != NULL)))
		BUG("a service was given up while in use");
	if (--svc->refs > 0)
		return;
	RB_REMOVE(service_table, table, svc);
	trouble_free(svc->trouble);
	free(svc->refused);
	free(svc);
}

struct service *
service_first(struct service_table *table)
{
	return RB_MIN(service_table, table);
}

struct service *
service_next(struct service *svc)
{
	return RB_NEXT(service_table, NULL, svc);
}
