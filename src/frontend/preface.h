/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that have to say something before it is known who serves them: the
 * line of tcpmux, and whatever else comes before the payload.
 *
 * A preface is looked at without taking it, until it is complete; then exactly
 * that is taken, so that the payload behind it is left to whoever serves the
 * client.  The time for it runs from accept and is not extended by what comes.
 * How many may be pending is bounded, in all and for one source, which is an
 * IPv4 address, an IPv6 network of 64 bits, a user of this machine, or a
 * virtual machine.  When there are too many, the oldest has to go.
 */

#ifndef MINETD_PREFACE_H
#define MINETD_PREFACE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "frontend/carry.h"

enum {
	PREFACE_MAX = 4096,	/* bytes that any kind may look at */
};

/* What a kind makes of the bytes that are there. */
enum preface_found {
	PREFACE_MORE,		/* all of them, and more to come */
	PREFACE_COMPLETE,
	PREFACE_BAD,		/* no such preface begins like this */
};

struct preface;

struct preface_kind {
	const struct carried_kind *carried; /* expire is preface_expire() */
	size_t max;		/* bytes of the longest one; <= PREFACE_MAX */
	/* Look at the first len bytes; how many belong to a complete one. */
	enum preface_found (*look)(const uint8_t *bytes, size_t len,
	    size_t *preface_len);
	/* It was taken, and there is room for a message.  Ended by
	 * preface_end() or preface_pass(), or later, after preface_write(). */
	void (*taken)(struct preface *pref, const uint8_t *bytes, size_t len,
	    struct monotime now);
	/* There is room for what preface_write() was asked for. */
	void (*writable)(struct preface *pref, struct monotime now);
	/* It is not to be: malformed, late, or one of too many.  Ended by
	 * preface_end(). */
	void (*failed)(struct preface *pref, enum done_reason reason,
	    struct monotime now);
};

struct preface_source;
TAILQ_HEAD(preface_list, preface);
RB_HEAD(preface_source_tree, preface_source);

/* Embedded in the conversation that it begins. */
struct preface {
	struct carried carried;	/* the first member */
	const struct preface_kind *kind;
	struct preface_set *set;
	struct preface_source *source;
	TAILQ_ENTRY(preface) entry; /* among the pending, or the waiting */
	TAILQ_ENTRY(preface) sibling; /* among the pending of its source */
	struct watch watch;
	struct timer deadline;
	bool waiting;		/* complete, but there is no room for a
				 * message */
	bool writing;
};

struct preface_set {
	struct carrier *carrier; /* not owned */
	struct preface_source_tree sources; /* of those pending */
	struct preface_list pending; /* oldest first */
	struct preface_list waiting; /* likewise */
	struct timer resume;	/* when to look at the waiting ones */
	uint32_t count;		/* of both lists */
};

void	preface_set_init(struct preface_set *set, struct carrier *carrier);

/*
 * Begin a conversation with a preface; *pref is the caller's storage, which
 * kind->carried->free() releases.  The client's descriptor belongs to the
 * conversation.  kind->failed() may be called from here.
 */
void	preface_begin(struct preface_set *set, struct preface *pref,
	    const struct preface_kind *kind, const struct client *client,
	    struct monotime now);

/* To answer, before it ends: call kind->writable() when that can be done. */
void	preface_write(struct preface *pref, struct monotime now);

/*
 * It is over: the conversation ends with this reason.  What the client has
 * sent is thrown away, so that closing does not destroy what it was told.
 */
void	preface_end(struct preface *pref, enum done_reason reason,
	    struct monotime now);

/*
 * The client goes on to another conversation, which gets the descriptor that
 * is returned; this one ends without a report.
 */
int	preface_pass(struct preface *pref, const struct carried_kind *silent,
	    struct monotime now);

/* For struct carried_kind. */
void	preface_expire(struct carried *carried, enum done_reason reason,
	    struct monotime now);

/* There is room for messages again.  In any callback. */
void	preface_resume(struct preface_set *set);

#endif
