/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Descriptors that a frontend has asked for, on their way to it.
 *
 * The queue is bounded by what a frontend can have asked for in one go: what
 * fits into its channel and its outbox, some times over.
 */

#include "main/answers.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/channel.h"
#include "main/minetd.h"

enum {
	ANSWERS_MAX = 1024,
	ANSWERS_MANY = 512,	/* the frontend is not heard until it has read
				 * some */
};

struct answer {
	STAILQ_ENTRY(answer) entry;
	uint32_t tag;
	int fd;			/* owned; -1: none */
	int error;
};

static void
answer_remove(struct answer_queue *queue)
{
	struct answer *answer = STAILQ_FIRST(&queue->list);

	STAILQ_REMOVE_HEAD(&queue->list, entry);
	queue->count--;
	if (answer->fd != -1)
		close(answer->fd);
	free(answer);
}

void
answers_init(struct answer_queue *queue)
{
	STAILQ_INIT(&queue->list);
	queue->count = 0;
}

void
answers_fini(struct answer_queue *queue)
{
	while (!STAILQ_EMPTY(&queue->list))
		answer_remove(queue);
}

int
answers_add(struct answer_queue *queue, uint32_t tag, int fd, int error)
{
	struct answer *answer = NULL;

	if (queue->count < ANSWERS_MAX)
		answer = calloc(1, sizeof(*answer));
	if (answer == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	answer->tag = tag;
	answer->fd = fd;
	answer->error = fd == -1 && error == 0 ? EIO : error;
	STAILQ_INSERT_TAIL(&queue->list, answer, entry);
	queue->count++;
	return 0;
}

bool
answers_full(const struct answer_queue *queue)
{
	return queue->count >= ANSWERS_MANY;
}

bool
answers_send(struct answer_queue *queue, int channel)
{
	const struct answer *answer;

	while ((answer = STAILQ_FIRST(&queue->list)) != NULL) {
		struct channel_item item;

		channel_msg_init(&item.msg, CHANNEL_PARTNER);
		item.fd = answer->fd;
		item.msg.partner.tag = answer->tag;
		item.msg.partner.error = answer->error;
		if (channel_send(channel, &item, 1) != 1)
			return false;
		answer_remove(queue);
	}
	return true;
}

bool
answers_due(const struct minetd *mi)
{
	const struct front *front;

	TAILQ_FOREACH(front, &mi->fronts, entry)
		if (!front->killed && front->answers.count > 0)
			return true;
	return false;
}
