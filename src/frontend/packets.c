/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Datagrams that wait for whom they are for.
 */

#include "frontend/packets.h"

#include <stdlib.h>
#include <string.h>

/* What it takes of the total: one without bytes takes memory, too. */
static size_t
cost(size_t len)
{
	return sizeof(struct packet) + len;
}

void
packets_init(struct packets *pk, size_t *total)
{
	*pk = (struct packets){ .total = total };
	STAILQ_INIT(&pk->list);
}

bool
packets_keep(struct packets *pk, const uint8_t *bytes, size_t len)
{
	struct packet *packet;

	if (*pk->total + cost(len) > PACKETS_ALL_MAX)
		return false;
	packet = malloc(cost(len));
	if (packet == NULL)
		return false;
	packet->len = len;
	if (len > 0)
		memcpy(packet->bytes, bytes, len);
	STAILQ_INSERT_TAIL(&pk->list, packet, entry);
	pk->count++;
	pk->bytes += len;
	*pk->total += cost(len);
	return true;
}

bool
packets_add(struct packets *pk, const uint8_t *bytes, size_t len)
{
	return pk->count < PACKETS_MAX &&
	    pk->bytes + len <= PACKETS_BYTES_MAX &&
	    packets_keep(pk, bytes, len);
}

void
packets_join(struct packets *pk, struct packets *later)
{
	STAILQ_CONCAT(&pk->list, &later->list);
	pk->count += later->count;
	pk->bytes += later->bytes;
	later->count = 0;
	later->bytes = 0;
}

const struct packet *
packets_first(const struct packets *pk)
{
	return STAILQ_FIRST(&pk->list);
}

void
packets_drop(struct packets *pk)
{
	struct packet *packet = STAILQ_FIRST(&pk->list);

	STAILQ_REMOVE_HEAD(&pk->list, entry);
	pk->count--;
	pk->bytes -= packet->len;
	*pk->total -= cost(packet->len);
	free(packet);
}

void
packets_clear(struct packets *pk)
{
	while (packets_first(pk) != NULL)
		packets_drop(pk);
}
