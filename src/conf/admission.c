/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The block that a frontend is given: a head; the services, the listeners, the
 * targets and the names of tcpmux; and the bytes that these refer to.
 */

#include "conf/admission.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sealed.h"
#include "conf/lookup.h"
#include "conf/transport.h"

enum {
	ADMISSION_MAGIC = 0x41444d31,	/* "1MDA" in memory */
	ADMISSION_VERSION = 4,
	TABLE_ALIGNMENT = 8,
	IDLE_MSEC = 60000,	/* where it is not configured */
};

/* What is written: a service, and the configuration that it is of. */
struct export {
	const struct conf *conf;
	const struct admission_leftovers *left;
	struct admission *adm;	/* the block, with its arrays; mapped */
	uint8_t *bytes;		/* of what lies behind the arrays */
	size_t len;
	size_t start;		/* of the bytes, in the block */
	struct placed *tables;	/* written already */
	size_t table_count;
};

/* A table of a configuration, and where it is in the block. */
struct placed {
	const struct conf *conf;
	struct conf_bytes bytes;
	struct admission_bytes at;
};

static size_t
arrays_size(const struct admission *adm)
{
	return sizeof(*adm) + adm->services * sizeof(struct admission_service) +
	    adm->listeners * sizeof(struct admission_listener) +
	    adm->targets * sizeof(struct admission_target) +
	    adm->muxes * sizeof(struct admission_mux);
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

const struct admission_target *
admission_targets(const struct admission *adm)
{
	return (const struct admission_target *)(admission_listeners(adm) +
	    adm->listeners);
}

const struct admission_mux *
admission_muxes(const struct admission *adm)
{
	return (const struct admission_mux *)(admission_targets(adm) +
	    adm->targets);
}

const uint8_t *
admission_bytes(const struct admission *adm, struct admission_bytes bytes)
{
	return (const uint8_t *)adm + bytes.offset;
}

const void *
admission_table(const struct admission *adm, struct admission_bytes bytes)
{
	return bytes.len != 0 ? admission_bytes(adm, bytes) : NULL;
}

static struct admission_leftover
service_at(const struct export *ex, uint32_t index)
{
	uint32_t count = ex->conf->services.count;

	if (index >= count)
		return ex->left->services[index - count];
	return (struct admission_leftover){
		ex->conf, &conf_services(ex->conf)[index],
	};
}

/* The same bytes of neighbours (those of defaults) are written once. */
static struct admission_bytes
bytes_add(struct export *ex, const void *bytes, size_t len)
{
	struct admission_bytes placed = {
		(uint32_t)(ex->start + ex->len), (uint32_t)len
	};

	if (len == 0)
		return (struct admission_bytes){ 0, 0 };
	if (ex->len >= len && memcmp(ex->bytes + ex->len - len, bytes, len) ==
	    0) {
		placed.offset -= (uint32_t)len;
		return placed;
	}
	memcpy(ex->bytes + ex->len, bytes, len);
	ex->len += len;
	return placed;
}

static struct admission_bytes
conf_bytes_add(struct export *ex, const struct conf *conf,
    struct conf_bytes bytes)
{
	return bytes_add(ex, conf_bytes(conf, bytes), bytes.len);
}

/* Tables can be large: each is written once. */
static struct placed *
table_find(const struct export *ex, const struct conf *conf,
    struct conf_bytes bytes)
{
	for (size_t i = ex->table_count; i-- > 0;)
		if (ex->tables[i].conf == conf &&
		    ex->tables[i].bytes.offset == bytes.offset)
			return &ex->tables[i];
	return NULL;
}

/* How much it takes in the block, at most; -1 for want of memory. */
static ssize_t
table_estimate(struct export *ex, const struct conf *conf,
    struct conf_bytes bytes)
{
	struct placed *more;

	if (bytes.len == 0 || table_find(ex, conf, bytes) != NULL)
		return 0;
	more = reallocarray(ex->tables, ex->table_count + 1, sizeof(*more));
	if (more == NULL)
		return -1;
	ex->tables = more;
	more[ex->table_count++] = (struct placed){ conf, bytes, { 0, 0 } };
	return (ssize_t)bytes.len + TABLE_ALIGNMENT;
}

static struct admission_bytes
table_add(struct export *ex, const struct conf *conf, struct conf_bytes bytes)
{
	struct placed *placed;

	if (bytes.len == 0)
		return (struct admission_bytes){ 0, 0 };
	placed = table_find(ex, conf, bytes);
	if (placed->at.len == 0) {
		ex->len += -(ex->start + ex->len) % TABLE_ALIGNMENT;
		placed->at = (struct admission_bytes){
			(uint32_t)(ex->start + ex->len), bytes.len
		};
		memcpy(ex->bytes + ex->len, conf_bytes(conf, bytes),
		    bytes.len);
		ex->len += bytes.len;
	}
	return placed->at;
}

static enum admission_does
does_of(const struct conf_service *svc)
{
	if (svc->builtin != CONF_BUILTIN_NONE)
		return ADMISSION_BUILTIN;
	if (svc->targets.count > 0)
		return ADMISSION_REDIRECT;
	if (svc->wait)
		return ADMISSION_WAIT;
	return svc->pty ? ADMISSION_PTY : ADMISSION_HANDLER;
}

/*
 * Who waits for a program, or for what is behind a redirect, may do so; what
 * has no connection, or serves nobody but the peer, ends some time.
 */
static uint32_t
idle_of(const struct conf_service *svc, enum admission_does does)
{
	if (svc->idle_set)
		return svc->idle_msec;
	return does == ADMISSION_BUILTIN || does == ADMISSION_HANDLER ?
	    IDLE_MSEC : 0;
}

static struct conf_bytes
windows_of(const struct conf_service *svc)
{
	return (struct conf_bytes){ svc->windows.offset,
		svc->windows.count * (uint32_t)sizeof(struct conf_window) };
}

static void
service_fill(struct export *ex, struct admission_service *to,
    const struct admission_leftover *from, uint32_t first_target)
{
	const struct conf_service *svc = from->svc;

	*to = (struct admission_service){
		.instances = svc->instances,
		.first_target = first_target,
		.targets = svc->targets.count,
		.connect_timeout_msec = svc->connect_timeout_msec,
		.idle_msec = idle_of(svc, does_of(svc)),
		.max_runtime_msec = svc->pty ? 0 : svc->max_runtime_msec,
		.first_byte_msec = svc->first_byte_msec,
		.per_source = svc->per_source,
		.max_load = svc->max_load,
		.ban_msec = svc->ban_msec,
		.rate = svc->rate,
		.per_source_rate = svc->per_source_rate,
		.only_from = table_add(ex, from->conf, svc->only_from_acl),
		.no_access = table_add(ex, from->conf, svc->no_access_acl),
		.proxy_from = table_add(ex, from->conf, svc->proxy_from_acl),
		.windows = table_add(ex, from->conf, windows_of(svc)),
		.text = conf_bytes_add(ex, from->conf, svc->text_bytes),
		.on_full = svc->on_full,
		.does = (uint8_t)does_of(svc),
		.builtin = svc->builtin,
		.proxy_out = svc->proxy_out,
		.log_connections = svc->log_connections,
		.tcpmux_reply = svc->tcpmux_reply,
		.on_rate = svc->on_rate,
		.proxy_protocol = svc->proxy_protocol,
		.source_prefix4 = svc->source_prefix4,
		.source_prefix6 = svc->source_prefix6,
		.only_from_set = svc->only_from_set,
		.times_set = svc->access_times_set,
		.shares = svc->wait &&
		    svc->activation == CONF_ACTIVATION_SYSTEMD,
	};
	for (size_t i = 0; i < CONF_BANNERS; i++)
		to->banner[i] = conf_bytes_add(ex, from->conf,
		    svc->banner_bytes[i]);
}

static void
targets_fill(struct admission_target *to,
    const struct admission_leftover *from, uint32_t *connects)
{
	const struct conf_target *targets = conf_targets(from->conf,
	    from->svc);

	for (uint32_t i = 0; i < from->svc->targets.count; i++) {
		to[i] = (struct admission_target){
			.addr = targets[i].addr,
			.transport = targets[i].transport,
			.named = lookup_is_name(from->conf, &targets[i]),
		};
		if (targets[i].transport == CONF_TCP)
			*connects = 1;
	}
}

static void
services_fill(struct export *ex)
{
	struct admission_service *services =
	    (struct admission_service *)(uintptr_t)admission_services(ex->adm);
	struct admission_target *targets =
	    (struct admission_target *)(uintptr_t)admission_targets(ex->adm);
	uint32_t next_target = 0;

	for (uint32_t i = 0; i < ex->adm->services; i++) {
		const struct admission_leftover from = service_at(ex, i);

		service_fill(ex, &services[i], &from, next_target);
		targets_fill(targets + next_target, &from, &ex->adm->connects);
		next_target += from.svc->targets.count;
		if (i >= ex->conf->services.count) {
			/* Of those main does not tell. */
			services[i].per_source = 0;
			continue;
		}
		services[i].first_listener = from.svc->first_listen;
		services[i].listeners = from.svc->listens;
	}
}

static void
listeners_fill(const struct export *ex)
{
	struct admission_listener *listeners =
	    (struct admission_listener *)(uintptr_t)admission_listeners(
	    ex->adm);
	uint32_t count = ex->conf->listens.count;

	for (uint32_t i = 0; i < count; i++) {
		const struct conf_listen *lst = &conf_listens(ex->conf)[i];

		listeners[i] = (struct admission_listener){
			.service = lst->service,
			.transport = lst->transport,
		};
	}
	for (uint32_t i = 0; i < ex->left->listener_count; i++)
		listeners[count + i] = ex->left->listeners[i];
}

static int
names_compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Of the configuration only: what was removed is not reached any more. */
static int
muxes_fill(struct export *ex)
{
	struct admission_mux *muxes =
	    (struct admission_mux *)(uintptr_t)admission_muxes(ex->adm);
	struct pair {
		const char *name;
		uint32_t service;
	} *pairs = calloc(ex->adm->muxes + 1, sizeof(*pairs));
	size_t n = 0;

	if (pairs == NULL)
		return -1;
	for (uint32_t i = 0; i < ex->conf->services.count; i++) {
		const struct conf_list list =
		    conf_services(ex->conf)[i].mux_names;

		for (uint32_t j = 0; j < list.count; j++)
			pairs[n++] = (struct pair){ conf_string(ex->conf,
			    conf_strings(ex->conf, list)[j]), i };
	}
	qsort(pairs, n, sizeof(*pairs), names_compare);
	for (size_t i = 0; i < n; i++)
		muxes[i] = (struct admission_mux){
			bytes_add(ex, pairs[i].name, strlen(pairs[i].name)),
			pairs[i].service,
		};
	free(pairs);
	return 0;
}

/* How much the tables of a service will take at most; likewise -1. */
static ssize_t
tables_estimate(struct export *ex, const struct conf *conf,
    const struct conf_service *svc)
{
	const struct conf_bytes tables[] = { svc->only_from_acl,
		svc->no_access_acl, svc->proxy_from_acl, windows_of(svc) };
	ssize_t sum = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		ssize_t size = table_estimate(ex, conf, tables[i]);

		if (size == -1)
			return -1;
		sum += size;
	}
	return sum;
}

/* How much there will be at most; counts go into the head.  0 for want of
 * memory. */
static size_t
size_estimate(struct export *ex, struct admission *head)
{
	ssize_t tables = table_estimate(ex, ex->conf, ex->conf->exempt_acl);
	size_t bytes = 0;

	if (tables == -1)
		return 0;
	bytes += (size_t)tables;

	for (uint32_t i = 0; i < head->services; i++) {
		const struct admission_leftover from = service_at(ex, i);
		const struct conf_list names = from.svc->mux_names;

		tables = tables_estimate(ex, from.conf, from.svc);
		if (tables == -1)
			return 0;
		bytes += (size_t)tables;
		if (from.svc->per_source != 0 ||
		    from.svc->per_source_rate.count != 0)
			head->limits_sources = 1;
		head->targets += from.svc->targets.count;
		bytes += from.svc->text_bytes.len;
		for (size_t j = 0; j < CONF_BANNERS; j++)
			bytes += from.svc->banner_bytes[j].len;
		if (from.conf != ex->conf)
			continue;
		head->muxes += names.count;
		for (uint32_t j = 0; j < names.count; j++)
			bytes += strlen(conf_string(ex->conf,
			    conf_strings(ex->conf, names)[j]));
	}
	return arrays_size(head) + bytes;
}

/* Mapped: a heap that once had a large table would keep the room for it. */
static struct admission *
block_new(size_t size)
{
	void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);

	return block != MAP_FAILED ? block : NULL;
}

int
admission_export(const struct conf *conf,
    const struct admission_leftovers *left)
{
	struct admission head = {
		.magic = ADMISSION_MAGIC,
		.version = ADMISSION_VERSION,
		.services = conf->services.count + left->service_count,
		.listeners = conf->listens.count + left->listener_count,
		.closing = left->listener_count,
		.max_children = conf->max_children,
		.frontend_uid = conf->frontend_uid,
		.frontend_gid = conf->frontend_gid,
		.drain_timeout_msec = conf->drain_timeout_msec,
		.pending_max = conf->pending_max,
		.pending_per_source = conf->pending_per_source,
		.preface_timeout_msec = conf->preface_timeout_msec,
	};
	struct export ex = { .conf = conf, .left = left };
	size_t size = size_estimate(&ex, &head);
	int fd = -1;

	if (size > UINT32_MAX)
		errno = EFBIG;
	else if (size != 0)
		ex.adm = block_new(size);
	if (ex.adm == NULL)
		goto out;
	*ex.adm = head;
	ex.start = arrays_size(&head);
	ex.bytes = (uint8_t *)ex.adm + ex.start;
	ex.adm->exempt = table_add(&ex, conf, conf->exempt_acl);
	services_fill(&ex);
	listeners_fill(&ex);
	if (muxes_fill(&ex) == 0) {
		ex.adm->size = (uint32_t)(ex.start + ex.len);
		fd = sealed_new("minetd-admission", ex.adm, ex.adm->size);
	}

out:;
	int saved = errno;
	if (ex.adm != NULL)
		munmap(ex.adm, size);
	free(ex.tables);
	errno = saved;
	return fd;
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
	    (size_t)st.st_size != adm->size || adm->size < arrays_size(adm)) {
		errno = EINVAL;
		return NULL;
	}
	return adm;
}
