/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What handlers say on fd 2, line by line, for the log.
 *
 * The pipes are on loan from main, which has them when this frontend lets go.
 * Each is read on whatever becomes of its lines: those that are too many for
 * the log are counted and left out, so that no handler waits for it.  Only when
 * main itself does not read on, are pipes left alone, too.
 */

#ifndef MINETD_ERRLOG_H
#define MINETD_ERRLOG_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "frontend/outbox.h"

enum {
	ERRLOG_CHUNK = 16384,	/* bytes that are read at once */
};

struct errpipe;

TAILQ_HEAD(errpipe_list, errpipe);

struct errlog {
	struct loop *loop;	/* not owned */
	struct outbox *outbox;	/* not owned; the owner flushes it */
	struct errpipe_list reading;
	struct errpipe_list waiting; /* for room in the outbox */
	struct timer resume;
	bool stopped;		/* it has let go, or does so */
	char chunk[ERRLOG_CHUNK];
};

void	errlog_init(struct errlog *el, struct loop *loop,
	    struct outbox *outbox);

/*
 * Read lines from the pipe of a LOAN message, which belongs to the log from now
 * on; negative: it found no place here.
 */
void	errlog_add(struct errlog *el, const struct channel_msg *msg, int fd,
	    struct monotime now);

/* Main has read on: there is room again. */
void	errlog_resume(struct errlog *el, struct monotime now);

/* Let go of all pipes; what was read of them goes to main. */
void	errlog_stop(struct errlog *el, struct monotime now);

/* Tell main what waits, as far as there is room; whether nothing does. */
bool	errlog_report(struct errlog *el, struct monotime now);

#endif
