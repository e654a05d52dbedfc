/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Descriptors that a frontend has asked for, on their way to it.
 *
 * Each answer is a PARTNER message, with a descriptor or with an error.  What
 * the channel does not take at once is kept in a queue of the frontend's, and
 * sent when it does.
 */

#ifndef MINETD_ANSWERS_H
#define MINETD_ANSWERS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

struct answer;
struct front;
struct minetd;

STAILQ_HEAD(answer_list, answer);

struct answer_queue {
	struct answer_list list; /* oldest first */
	unsigned count;
};

void	answers_init(struct answer_queue *queue);

/* Close what was not sent. */
void	answers_fini(struct answer_queue *queue);

/*
 * Answer the request with this tag: fd, which now belongs to the queue, or -1
 * and an errno.  Returns 0, or -1 when so many are unread that no frontend of
 * ours can have asked for another one.
 */
int	answers_add(struct answer_queue *queue, uint32_t tag, int fd,
	    int error);

/* Whether so much waits that the frontend should not ask for more. */
bool	answers_full(const struct answer_queue *queue);

/*
 * Send what the channel takes; false with errno of channel_send() when
 * something is left.
 */
bool	answers_send(struct answer_queue *queue, int channel);

/* Whether some frontend that lives has yet to get an answer. */
bool	answers_due(const struct minetd *mi);

#endif
