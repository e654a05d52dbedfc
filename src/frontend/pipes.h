/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Pipes to splice through, lent while there is something in them.
 *
 * Whoever waits needs none, so a few serve thousands of conversations.  Some
 * are large, for those who move much; the others are as the kernel makes them,
 * which is smaller when this user has many (pipe-user-pages-soft).
 */

#ifndef MINETD_PIPES_H
#define MINETD_PIPES_H

#include <sys/queue.h>

#include <stdbool.h>

enum {
	PIPES_LARGE = 1024 * 1024, /* bytes of a large one */
};

struct pipe_pair {
	SLIST_ENTRY(pipe_pair) entry; /* among those that nobody has */
	int ends[2];		/* to read from, to write to */
	bool large;
};

SLIST_HEAD(pipe_list, pipe_pair);

struct pipes {
	struct pipe_list large;	/* that nobody has; all are empty */
	struct pipe_list small;
	unsigned large_count;	/* of all there are */
	unsigned idle_count;	/* of the small ones that nobody has */
};

void	pipes_init(struct pipes *pipes);

/* Take an empty one; NULL with errno of pipe2(2) or ENOMEM. */
struct pipe_pair *pipes_take(struct pipes *pipes);

/* Give it back, empty. */
void	pipes_give(struct pipes *pipes, struct pipe_pair *pipe);

/* Give up one with what is still in it.  NULL is fine. */
void	pipes_drop(struct pipes *pipes, struct pipe_pair *pipe);

#endif
