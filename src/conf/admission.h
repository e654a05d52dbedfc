/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a frontend may know of a configuration.
 *
 * Main writes it into a sealed memfd, the frontend maps it: for each listener
 * and each service what is needed to accept and admit a peer, and nothing of
 * names, programs, users or environments.  Indexes are those of the struct
 * conf that it was made of.
 */

#ifndef MINETD_ADMISSION_H
#define MINETD_ADMISSION_H

#include <stdint.h>

#include "conf/conf.h"

struct admission_listener {
	uint32_t service;	/* index into the services */
	uint8_t transport;	/* enum conf_transport */
	uint8_t reserved[3];	/* 0 */
};

struct admission_service {
	uint32_t instances;	/* handlers alive at once; 0: no limit */
	uint32_t first_listener; /* its listeners are consecutive, */
	uint32_t listeners;	/*   but for those that are closing */
	uint8_t on_full;	/* enum conf_on_full */
	uint8_t reserved[3];	/* 0 */
};

struct admission {
	uint32_t magic;
	uint32_t version;
	uint32_t services;	/* how many */
	uint32_t listeners;	/* how many; those that are closing are last */
	uint32_t closing;	/* how many of the listeners are */
	uint32_t max_children;	/* all services together; 0: no limit */
	uint32_t frontend_uid;	/* whom the frontend becomes */
	uint32_t frontend_gid;
	uint32_t drain_timeout_msec; /* for what is closing; 0: no limit */
	uint32_t reserved;	/* 0 */
};

/*
 * Listeners that the configuration does not have any more, but that still have
 * clients in their queues; and the services of those that it does not have,
 * either.  Their indexes follow those of the configuration.
 */
struct admission_leftovers {
	const struct admission_service *services;
	uint32_t service_count;
	const struct admission_listener *listeners;
	uint32_t listener_count;
};

/* What admission has to know of a service; it has no listeners yet. */
struct admission_service admission_of(const struct conf_service *svc);

/*
 * Write the block for conf and what is left over of earlier ones into a new
 * sealed memfd.  -1 with errno.
 */
int	admission_export(const struct conf *conf,
	    const struct admission_leftovers *left);

/*
 * Map a block read-only.  NULL with errno EINVAL when fd is not such a block
 * of this version.  The mapping stays until the process ends.
 */
const struct admission *admission_import(int fd);

const struct admission_service *admission_services(
	    const struct admission *adm);
const struct admission_listener *admission_listeners(
	    const struct admission *adm);

#endif
