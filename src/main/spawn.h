/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Start one handler on a descriptor, and report why it could not be started.
 *
 * Two ways, one request for both: a child that shares main's memory on a small
 * stack of its own, for which main does not wait, and a plain fork for what
 * that cannot do.  Either way spawn_start() returns at once; how the start
 * went is known when the child is reaped.
 */

#ifndef MINETD_SPAWN_H
#define MINETD_SPAWN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "main/child.h"
#include "main/environment.h"

struct spawner;

enum {
	SPAWN_DESCRIPTORS = 512, /* most that the spawner holds at once */
};

/* What all handlers of a service have in common; see struct child_plan. */
struct spawn_plan {
	struct child_plan child;
	const char *const *env;	/* the variables of every connection */
	size_t env_count;
	unsigned users;		/* children that still read it; ours to count */
	bool fork;		/* needs memory of its own */
	bool log_stderr;	/* fd 2 is a pipe, one for each child */
};

/* What becomes its standard descriptors; all stay the caller's. */
struct spawn_files {
	int socket;		/* fd 0, 1 and 2 */
	const int *fds;		/* fd 3 and those after it */
	int fd_count;
	const char *const *vars; /* variables that go with these */
	size_t var_count;
	char *listen_pid;	/* in the text of one of them: where the child
				 * writes its pid; NULL: nowhere */
	int stderr_fd;		/* fd 2; -1: as the plan has it */
};

/* A child that was started; kept with its process until it is reaped. */
struct spawn_handle {
	pid_t pid;
	int slot;		/* -1: forked */
};

/* Returns NULL with errno ENOMEM.  The loop is not owned. */
struct spawner *spawner_new(struct loop *loop);

/* Forget all children; NULL is fine.  Not while spawner_busy(). */
void	spawner_free(struct spawner *sp);

/* Whether a child still uses our memory, and its plan. */
bool	spawner_busy(struct spawner *sp);

/*
 * Whether a child may still report to us how its start went, which is lost
 * with our memory; and kill those children.  Returns how many they are.
 */
unsigned spawner_count_unreported(struct spawner *sp);
void	spawner_kill_unreported(struct spawner *sp);

/*
 * Start a handler on these files, which stay the caller's and may be closed at
 * once.  The plan stays valid while it has users.  Returns 0 and *handle, or -1
 * with errno of clone(2), fork(2) or pipe2(2); nothing was started then.
 */
int	spawn_start(struct spawner *sp, struct spawn_plan *plan,
	    const struct connection *conn, const struct spawn_files *files,
	    struct spawn_handle *handle);

/*
 * Tell that the child was waited for, once for each success of spawn_start().
 * Returns how its start failed; step CHILD_DONE when it did not.
 */
struct child_report spawn_reaped(struct spawner *sp,
	    const struct spawn_handle *handle);

/*
 * Kill the children that have not executed their program 5 s after they were
 * started: only their own user can have stopped them.  Called each second; the
 * seconds are counted in calls, so that none pass while main itself is
 * stopped.  Returns how many were killed.
 */
unsigned spawn_overdue(struct spawner *sp);

#endif
