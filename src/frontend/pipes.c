/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Pipes to splice through, lent while there is something in them.
 *
 * The last one given back is the next one taken: what moves much finds the
 * large ones, as long as they are not all stuck with slow readers.
 */

#include "frontend/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	LARGE_MAX = 16,		/* together a quarter of the soft limit */
	IDLE_MAX = 32,		/* small ones kept for later */
};

void
pipes_init(struct pipes *pipes)
{
	*pipes = (struct pipes){ .large_count = 0 };
	SLIST_INIT(&pipes->large);
	SLIST_INIT(&pipes->small);
}

static struct pipe_pair *
pipe_new(struct pipes *pipes)
{
	struct pipe_pair *pipe = calloc(1, sizeof(*pipe));

	if (pipe == NULL)
		return NULL;
	if (pipe2(pipe->ends, O_CLOEXEC | O_NONBLOCK) == -1) {
		int saved = errno;

		free(pipe);
		errno = saved;
		return NULL;
	}
	if (pipes->large_count < LARGE_MAX &&
	    fcntl(pipe->ends[1], F_SETPIPE_SZ, PIPES_LARGE) != -1) {
		pipe->large = true;
		pipes->large_count++;
	}
	return pipe;
}

struct pipe_pair *
pipes_take(struct pipes *pipes)
{
	struct pipe_pair *pipe;

	if ((pipe = SLIST_FIRST(&pipes->large)) != NULL) {
		SLIST_REMOVE_HEAD(&pipes->large, entry);
		return pipe;
	}
	if ((pipe = SLIST_FIRST(&pipes->small)) != NULL) {
		SLIST_REMOVE_HEAD(&pipes->small, entry);
		pipes->idle_count--;
		return pipe;
	}
	return pipe_new(pipes);
}

void
pipes_give(struct pipes *pipes, struct pipe_pair *pipe)
{
	if (pipe->large) {
		SLIST_INSERT_HEAD(&pipes->large, pipe, entry);
	} else if (pipes->idle_count < IDLE_MAX) {
		SLIST_INSERT_HEAD(&pipes->small, pipe, entry);
		pipes->idle_count++;
	} else {
		pipes_drop(pipes, pipe);
	}
}

void
pipes_drop(struct pipes *pipes, struct pipe_pair *pipe)
{
	if (pipe == NULL)
		return;
	if (pipe->large)
		pipes->large_count--;
	close(pipe->ends[0]);
	close(pipe->ends[1]);
	free(pipe);
}
