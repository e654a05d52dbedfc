/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The memory of a configuration while it is built.
 *
 * What goes in is never changed and refers to itself by offsets; the same
 * bytes are stored once.  Structures have no padding that is not zero, or
 * equal ones would look different.
 */

#ifndef MINETD_BLOCK_H
#define MINETD_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

struct block;

enum {
	BLOCK_MAGIC = 0x4d4e5444, /* of struct conf */
#ifdef MINETD_OTHER_BLOCK	/* a build that tests upgrades */
	BLOCK_VERSION = 9999,
#else
	BLOCK_VERSION = 4,
#endif
};

/* A block that has a zeroed struct conf at its start. */
struct block *block_new(void);
void	block_free(struct block *block);

/*
 * The offset of a copy of these bytes, aligned for any structure of a
 * configuration.
 */
uint32_t block_add(struct block *block, const void *bytes, size_t len);

struct conf_str block_add_string(struct block *block, const char *text);

/* Aligned for nothing. */
struct conf_bytes block_add_bytes(struct block *block, const void *bytes,
	    size_t len);

/* Aligned as block_add() does. */
struct conf_bytes block_add_table(struct block *block, const void *bytes,
	    size_t len);

/* count items of size bytes each; unset when there is none. */
struct conf_list block_add_list(struct block *block, const void *items,
	    size_t count, size_t size);

/*
 * The block as the configuration that it will be, for conf_string() and the
 * like; valid until something is added.
 */
const struct conf *block_conf(const struct block *block);

/* Complete it with its head; size, magic and version are filled in. */
void	block_finish(struct block *block, const struct conf *head);

#endif
