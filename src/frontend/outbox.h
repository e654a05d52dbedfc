/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a frontend has to tell main and could not yet send.
 *
 * A fixed number of places: when they are taken, the frontend stops accepting
 * until main has read on.  Connections that were accepted are never dropped
 * for want of room.
 */

#ifndef MINETD_OUTBOX_H
#define MINETD_OUTBOX_H

#include <stdbool.h>

#include "base/channel.h"

enum {
	OUTBOX_SIZE = 4 * CHANNEL_BATCH,
	OUTBOX_RESERVE = 16,	/* places that connections leave to the rest */
};

struct outbox {
	struct channel_item items[OUTBOX_SIZE];
	bool kept[OUTBOX_SIZE];	/* the descriptor is somebody else's */
	int count;
};

/* Whether another connection may be accepted. */
bool	outbox_has_room(const struct outbox *box);

/*
 * Take a place and return its message, emptied; fd, which may be -1, now
 * belongs to the outbox.  NULL when all places are taken; the caller of a
 * message without a descriptor tries again later.
 */
struct channel_msg *outbox_add(struct outbox *box, enum channel_type type,
	    uint32_t listener, int fd);

/*
 * The same with a descriptor that stays the caller's.  He keeps it open until
 * main has answered.
 */
struct channel_msg *outbox_add_kept(struct outbox *box, enum channel_type type,
	    uint32_t listener, int fd);

/*
 * Send what the channel takes and close the descriptors sent.  Returns 0 when
 * nothing is left, or -1 with errno of channel_send().
 */
int	outbox_flush(struct outbox *box, int channel);

#endif
