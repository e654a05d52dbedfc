/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Descriptors of handlers that main owns and the serving frontend reads.
 *
 * Main never reads bytes that came from handlers or from the network, and
 * frontends are replaced; so main has the descriptors, and lends copies of them
 * to the one frontend that serves.  The next one gets the same copies before
 * it is told GO, when the one before has let go of its own.
 *
 * A loan of the kind CHANNEL_LOAN_STDERR is the read end of a pipe, whose
 * write end is the handler's fd 2; it lives until the frontend has read its
 * end, which may be long after the handler's.  One of CHANNEL_LOAN_DATAGRAMS is
 * the relay's end of a socketpair, the other end of which is the handler's
 * input and output; when the handler has ended, the frontend gets that end as
 * well, and with it what the handler has left unread.
 */

#ifndef MINETD_LOAN_H
#define MINETD_LOAN_H

#include <sys/cdefs.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "main/environment.h"

struct front;
struct listener;
struct minetd;
struct proc;
struct service;

struct loan {
	RB_ENTRY(loan) by_name;
	TAILQ_ENTRY(loan) entry; /* when there is something to say of it */
	struct service *service; /* referenced */
	struct listener *listener; /* datagrams: referenced; NULL: none */
	struct connection conn;	/* its id and the kind name the loan */
	pid_t pid;		/* of the handler; 0: not started yet */
	uint32_t tag;		/* of the START; 0: of another frontend's */
	int fd;			/* what is lent; -1: the start has failed */
	int other_fd;		/* datagrams: the handler's end; else -1 */
	uint8_t kind;		/* enum channel_loan_kind */
	bool due;		/* in the list */
	bool told;		/* the frontend that has the loans has it */
	bool ended;		/* the handler was reaped */
};

RB_HEAD(loan_tree, loan);
TAILQ_HEAD(loan_list, loan);

struct loan_table {
	struct loan_tree all;
	struct loan_list due;	/* of which there is something to say */
	struct front *front;	/* to whom they are lent; NULL: to nobody */
};

/* What a conversation by datagrams is known by. */
struct loan_datagrams {
	struct service *service;
	struct listener *listener; /* that the datagrams come to */
	const struct connection *conn;
	uint32_t tag;		/* of the START */
};

void	loan_table_init(struct loan_table *table);

/*
 * Make what a handler of this connection writes its errors to, before it is
 * started.  Returns the end for the handler, which is the caller's to close
 * after the start, or -1 with errno: nothing was made.
 */
int	loan_stderr_new(struct minetd *mi, struct service *svc,
	    const struct connection *conn);

/*
 * Make what a handler of this connection reads its datagrams from and writes
 * them to, before it is started.  Returns the end for the handler, which stays
 * the loan's, or -1 with errno; the frontend is told of the failure then, but
 * for want of memory.
 */
int	loan_datagrams_new(struct minetd *mi, const struct loan_datagrams *of);

/*
 * The handler was started, or could not be: everything that was made for it is
 * lent from now on, or given back.
 */
void	loan_started(struct minetd *mi, uint64_t id, pid_t pid);
void	loan_failed(struct minetd *mi, uint64_t id);

/* The handler of this connection was reaped. */
void	loan_reaped(struct minetd *mi, uint64_t id);

/* NULL when there is none. */
struct loan *loan_find(struct minetd *mi, enum channel_loan_kind kind,
	    uint64_t id);

/* Walk over all: the first, and the one after; NULL at the end. */
struct loan *loan_first(struct minetd *mi);
struct loan *loan_next(struct loan *loan);

/* A loan that another image has made; the caller fills it.  NULL: ENOMEM. */
struct loan *loan_add(struct minetd *mi, enum channel_loan_kind kind,
	    const struct connection *conn, struct service *svc,
	    struct listener *lst);

/* There is, or is nothing any more, to say of it. */
void	loan_set_due(struct minetd *mi, struct loan *loan, bool due);

/* Close what it has, and forget it. */
void	loan_free(struct minetd *mi, struct loan *loan);

#endif
