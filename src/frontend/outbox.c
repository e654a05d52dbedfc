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
	box->kept[box->count] = false;
	item = &box->items[box->count++];
	channel_msg_init(&item->msg, type);
	item->msg.listener = listener;
	item->fd = fd;
	return &item->msg;
}

struct channel_msg *
outbox_add_kept(struct outbox *box, enum channel_type type, uint32_t listener,
    int fd)
{
	struct channel_msg *msg = outbox_add(box, type, listener, fd);

	if (msg != NULL)
		box->kept[box->count - 1] = true;
	return msg;
}

int
outbox_flush(struct outbox *box, int channel)
{
	int done = 0;
	int rc = 0;

	while (done < box->count && rc == 0) {
		int sent = channel_send(channel, box->items + done,
		    box->count - done);

		if (sent == -1)
			rc = -1;
		for (int i = done; i < done + sent; i++)
			if (box->items[i].fd != -1 && !box->kept[i])
				close(box->items[i].fd);
		if (sent > 0)
			done += sent;
	}
	int saved = errno;
	box->count -= done;
	memmove(box->items, box->items + done,
	    (size_t)box->count * sizeof(box->items[0]));
	memmove(box->kept, box->kept + done,
	    (size_t)box->count * sizeof(box->kept[0]));
	errno = saved;
	return rc;
}
