/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The block that a frontend is given: a head, the services, the listeners.
 */

#include "conf/admission.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sealed.h"

enum {
	ADMISSION_MAGIC = 0x41444d31,	/* "1MDA" in memory */
	ADMISSION_VERSION = 2,
};

static size_t
block_size(uint32_t services, uint32_t listeners)
{
	return sizeof(struct admission) +
	    services * sizeof(struct admission_service) +
	    listeners * sizeof(struct admission_listener);
}

const struct admission_service *
admission_services(const struct admission *adm)
{
	return (const struct admission_service *)(adm + 1);
}

const struct admission_listener *
admission_listeners(const struct admission *adm)
{
	return (const struct admission_listener *)(admission_services(adm) +
	    adm->services);
}

struct admission_service
admission_of(const struct conf_service *svc)
{
	return (struct admission_service){
		.instances = svc->instances,
		.on_full = svc->on_full,
	};
}

static void
services_fill(struct admission_service *services, const struct conf *conf,
    const struct admission_leftovers *left)
{
	uint32_t count = conf->services.count;

	for (uint32_t i = 0; i < count; i++) {
		const struct conf_service *svc = &conf_services(conf)[i];

		services[i] = admission_of(svc);
		services[i].first_listener = svc->first_listen;
		services[i].listeners = svc->listens;
	}
	for (uint32_t i = 0; i < left->service_count; i++)
		services[count + i] = left->services[i];
}

static void
listeners_fill(struct admission_listener *listeners, const struct conf *conf,
    const struct admission_leftovers *left)
{
	uint32_t count = conf->listens.count;

	for (uint32_t i = 0; i < count; i++) {
		const struct conf_listen *lst = &conf_listens(conf)[i];

		listeners[i] = (struct admission_listener){
			.service = lst->service,
			.transport = lst->transport,
		};
	}
	for (uint32_t i = 0; i < left->listener_count; i++)
		listeners[count + i] = left->listeners[i];
}

static void
block_fill(struct admission *adm, const struct conf *conf,
    const struct admission_leftovers *left)
{
	struct admission_service *services =
	    (struct admission_service *)(adm + 1);

	*adm = (struct admission){
		.magic = ADMISSION_MAGIC,
		.version = ADMISSION_VERSION,
		.services = conf->services.count + left->service_count,
		.listeners = conf->listens.count + left->listener_count,
		.closing = left->listener_count,
		.max_children = conf->max_children,
		.frontend_uid = conf->frontend_uid,
		.frontend_gid = conf->frontend_gid,
		.drain_timeout_msec = conf->drain_timeout_msec,
	};
	services_fill(services, conf, left);
	listeners_fill((struct admission_listener *)(services + adm->services),
	    conf, left);
}

int
admission_export(const struct conf *conf,
    const struct admission_leftovers *left)
{
	size_t size = block_size(conf->services.count + left->service_count,
	    conf->listens.count + left->listener_count);
	int fd = sealed_open("minetd-admission");
	struct admission *adm = MAP_FAILED;
	int saved;

	if (fd == -1 || ftruncate(fd, (off_t)size) == -1)
		goto fail;
	adm = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (adm == MAP_FAILED)
		goto fail;
	block_fill(adm, conf, left);
	munmap(adm, size);
	if (sealed_finish(fd) == -1)
		goto fail;
	return fd;

fail:
	saved = errno;
	if (fd != -1)
		close(fd);
	errno = saved;
	return -1;
}

const struct admission *
admission_import(int fd)
{
	struct stat st;
	const struct admission *adm;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (st.st_size < (off_t)sizeof(*adm)) {
		errno = EINVAL;
		return NULL;
	}
	adm = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (adm == MAP_FAILED)
		return NULL;
	if (adm->magic != ADMISSION_MAGIC ||
	    adm->version != ADMISSION_VERSION ||
	    (size_t)st.st_size != block_size(adm->services, adm->listeners)) {
		errno = EINVAL;
		return NULL;
	}
	return adm;
}
