/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A batch of messages that is filled during a wake-up and sent at its end.
 */

#include "frontend/outbox.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

bool
outbox_has_room(const struct outbox *box)
{
	return box->count < OUTBOX_SIZE - OUTBOX_RESERVE;
}

struct channel_msg *
outbox_add(struct outbox *box, enum channel_type type, uint32_t listener,
    int fd)
{
	struct channel_item *item;

	if (box->count == OUTBOX_SIZE)
		return NULL;
	item = &box->items[box->count++];
	memset(item, 0, sizeof(*item));
	item->msg.type = (uint16_t)type;
	item->msg.listener = listener;
	item->fd = fd;
	return &item->msg;
}

int
outbox_flush(struct outbox *box, int channel)
{
	while (box->count > 0) {
		int sent = channel_send(channel, box->items, box->count);

		if (sent == -1)
			return -1;
		for (int i = 0; i < sent; i++)
			if (box->items[i].fd != -1)
				close(box->items[i].fd);
		box->count -= sent;
		memmove(box->items, box->items + sent,
		    (size_t)box->count * sizeof(box->items[0]));
	}
	return 0;
}
