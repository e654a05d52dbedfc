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

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

struct admission_listener {
	uint32_t service;	/* index into the services */
	uint8_t transport;	/* enum conf_transport; CONF_FD until LISTEN */
	uint8_t reserved[3];	/* 0 */
};

/* Bytes in the block; see admission_bytes(). */
struct admission_bytes {
	uint32_t offset;
	uint32_t len;
};

/* What happens to who connects. */
enum admission_does {
	ADMISSION_HANDLER,	/* a handler for each connection, or udp peer */
	ADMISSION_WAIT,		/* a handler that gets the listener itself */
	ADMISSION_PTY,		/* a handler on a terminal */
	ADMISSION_BUILTIN,
	ADMISSION_REDIRECT,
};

struct admission_service {
	uint32_t instances;	/* conversations at once; 0: no limit */
	uint32_t first_listener; /* its listeners are consecutive, */
	uint32_t listeners;	/*   but for those that are closing */
	uint32_t first_target;	/* of a redirect; consecutive, in order */
	uint32_t targets;
	uint32_t connect_timeout_msec; /* of each target */
	uint32_t idle_msec;	/* of what is relayed; 0: no limit */
	uint32_t max_runtime_msec; /* of a conversation without a handler; 0:
				 * no limit */
	uint32_t first_byte_msec; /* 0: no limit */
	uint32_t per_source;	/* conversations of one source; 0: no limit */
	uint32_t max_load;	/* hundredths; 0: no limit */
	uint32_t ban_msec;	/* 0: nobody is banned */
	struct conf_rate rate;
	struct conf_rate per_source_rate;
	struct admission_bytes only_from; /* tables, see base/acl.h; len 0: */
	struct admission_bytes no_access; /*   empty */
	struct admission_bytes proxy_from;
	struct admission_bytes windows; /* of struct conf_window */
	struct admission_bytes text; /* of builtin text */
	struct admission_bytes banner[CONF_BANNERS];
	uint8_t on_full;	/* enum conf_on_full */
	uint8_t does;		/* enum admission_does */
	uint8_t builtin;	/* enum conf_builtin */
	uint8_t proxy_out;	/* enum conf_proxy_out */
	uint8_t log_connections; /* enum conf_log_connections */
	bool tcpmux_reply;	/* who comes through tcpmux hears "+Go" first */
	bool shares;		/* wait: one handler for all its listeners */
	uint8_t on_rate;	/* enum conf_on_full */
	uint8_t proxy_protocol;	/* enum conf_proxy_protocol */
	uint8_t source_prefix4;	/* bits of an address that are one source */
	uint8_t source_prefix6;
	bool only_from_set;	/* whom it does not name is denied */
	bool times_set;		/* open in its windows only */
	uint8_t reserved[3];	/* 0 */
};

struct admission_target {
	struct addr addr;	/* tcp */
	uint8_t transport;	/* CONF_TCP or CONF_UNIX: main connects */
	bool named;		/* the address is that of a host name */
	uint8_t reserved[2];	/* 0 */
};

/* A name that tcpmux clients may say; in alphabetical order. */
struct admission_mux {
	struct admission_bytes name; /* lower case */
	uint32_t service;
};

struct admission {
	uint32_t magic;
	uint32_t version;
	uint32_t size;		/* of the block, in bytes */
	uint32_t services;	/* how many */
	uint32_t listeners;	/* how many; those that are closing are last */
	uint32_t closing;	/* how many of the listeners are */
	uint32_t targets;	/* how many */
	uint32_t muxes;		/* how many */
	uint32_t max_children;	/* all services together; 0: no limit */
	uint32_t frontend_uid;	/* whom the frontend becomes */
	uint32_t frontend_gid;
	uint32_t drain_timeout_msec; /* for what is closing; 0: no limit */
	uint32_t pending_max;	/* clients whose preface is awaited */
	uint32_t pending_per_source; /* 0: no limit */
	uint32_t preface_timeout_msec;
	struct admission_bytes exempt; /* a table */
	uint32_t limits_sources; /* 1: services have limits of one source */
	uint32_t connects;	/* 1: there are targets that it connects to */
};

/*
 * Listeners that the configuration does not have any more, but that still have
 * clients in their queues; and the services of those that it does not have,
 * either.  Their indexes follow those of the configuration.
 */
struct admission_leftover {
	const struct conf *conf; /* that svc is of */
	const struct conf_service *svc;
};

struct admission_leftovers {
	const struct admission_leftover *services;
	uint32_t service_count;
	const struct admission_listener *listeners;
	uint32_t listener_count;
};

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
const struct admission_target *admission_targets(const struct admission *adm);
const struct admission_mux *admission_muxes(const struct admission *adm);
/* NULL where there is none. */
const void *admission_table(const struct admission *adm,
	    struct admission_bytes bytes);
const uint8_t *admission_bytes(const struct admission *adm,
	    struct admission_bytes bytes);

#endif
