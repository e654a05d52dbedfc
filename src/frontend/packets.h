/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Datagrams that wait for whom they are for, in the order in which they came.
 *
 * What waits is bounded, for each queue and for all that share a total.
 */

#ifndef MINETD_PACKETS_H
#define MINETD_PACKETS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKETS_MAX = 256,	/* of one queue: as in a socket of the kernel */
	PACKETS_BYTES_MAX = 256 * 1024,	/* likewise */
	PACKETS_ALL_MAX = 16 * 1024 * 1024, /* bytes of all, with their heads */
};

struct packet {
	STAILQ_ENTRY(packet) entry;
	size_t len;
	uint8_t bytes[];
};

STAILQ_HEAD(packet_list, packet);

struct packets {
	struct packet_list list;
	size_t *total;		/* of all queues; not owned */
	size_t bytes;
	uint32_t count;
};

void	packets_init(struct packets *pk, size_t *total);

/* Keep one behind the others; false when it is one too many. */
bool	packets_add(struct packets *pk, const uint8_t *bytes, size_t len);

/*
 * Keep one that had been let go of; only the bytes of all are a limit.  Those
 * before all others are gathered in a queue of their own, and joined.
 */
bool	packets_keep(struct packets *pk, const uint8_t *bytes, size_t len);

/* Move all of later behind those of pk; both share one total. */
void	packets_join(struct packets *pk, struct packets *later);

/* The one that has waited longest; NULL when there is none. */
const struct packet *packets_first(const struct packets *pk);

/* Forget that one, which there is, or all. */
void	packets_drop(struct packets *pk);
void	packets_clear(struct packets *pk);

#endif
