/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A configuration: an immutable value in one block of memory.
 *
 * Reading it.  Offset 0 is the empty string, and a list that is not set; the
 * configuration of no services is therefore nothing but a head.
 */

#include "conf/conf.h"

#include <sys/mman.h>

#include "base/log.h"
#include "conf/block.h"

static const struct conf empty_conf = {
	.magic = BLOCK_MAGIC,
	.version = BLOCK_VERSION,
	.size = sizeof(struct conf),
	.log_format = LOG_FORMAT_LOGFMT,
	.log_level = LOG_LEVEL_INFO,
	.drain_timeout_msec = 3600 * 1000,
};

static const void *
block_at(const struct conf *conf, uint32_t offset)
{
	return (const char *)conf + offset;
}

void
conf_free(const struct conf *conf)
{
	if (conf == NULL || conf == &empty_conf)
		return;
	/* munmap(2) knows no const; nobody writes through this pointer. */
	munmap((void *)(uintptr_t)conf, conf->size);
}

const struct conf *
conf_empty(void)
{
	return &empty_conf;
}

const char *
conf_string(const struct conf *conf, struct conf_str str)
{
	return str.offset != 0 ? block_at(conf, str.offset) : "";
}

const struct conf_str *
conf_strings(const struct conf *conf, struct conf_list list)
{
	return block_at(conf, list.offset);
}

const struct conf_service *
conf_services(const struct conf *conf)
{
	return block_at(conf, conf->services.offset);
}

const struct conf_listen *
conf_listens(const struct conf *conf)
{
	return block_at(conf, conf->listens.offset);
}

const struct conf_identity *
conf_identity(const struct conf *conf, const struct conf_service *svc)
{
	return block_at(conf, svc->identity);
}

const struct conf_socket *
conf_socket(const struct conf *conf, const struct conf_service *svc)
{
	return block_at(conf, svc->socket);
}

const struct conf_target *
conf_targets(const struct conf *conf, const struct conf_service *svc)
{
	return block_at(conf, svc->targets.offset);
}

const uint8_t *
conf_bytes(const struct conf *conf, struct conf_bytes bytes)
{
	return block_at(conf, bytes.offset);
}

const uint32_t *
conf_groups(const struct conf *conf, const struct conf_identity *identity)
{
	return block_at(conf, identity->groups.offset);
}

const struct conf_limit *
conf_limits(const struct conf *conf, const struct conf_identity *identity)
{
	return block_at(conf, identity->limits.offset);
}
