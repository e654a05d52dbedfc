/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Undo what the process that started minetd left behind, and remember what
 * handlers are to get of it.
 *
 * Everything that a process inherits and that is not handed on deliberately
 * is reset here, once, so that the path to a handler has nothing to reset.
 */

#ifndef MINETD_STARTER_H
#define MINETD_STARTER_H

#include <sys/resource.h>

#include <stdbool.h>
#include <stdint.h>

#include "main/inherited.h"

struct starter {
	struct inherited inherited; /* sockets; the items are not owned */
	char *const *environment; /* the starter's variables; not owned */
	struct rlimit nofile;	/* as handlers get it */
	bool nofile_raised;	/* main's own differs */
	int nice;
	int oom_score_adj;	/* of main, after the reset */
	uint32_t uid;		/* effective ids of main */
	uint32_t gid;
	bool may_change_user;	/* CAP_SETUID and CAP_SETGID */
	bool may_lower_oom;	/* CAP_SYS_RESOURCE */
	bool real_time;		/* main is scheduled by priority */
};

/* The first act of main(): block all signals, with default dispositions. */
void	starter_block_signals(void);

/* Undo it for what is no daemon, and can be interrupted. */
void	starter_unblock_signals(void);

/*
 * The second one: open /dev/null on those of fd 0 to 2 that are closed, take
 * over sockets that were opened for us, and close everything else but keep_fd
 * (-1: nothing is kept).  Returns 0, or -1 with errno.
 */
int	starter_enter(struct inherited *inherited, int keep_fd);

/*
 * Reset the rest (umask, directory, timers, scheduling class, inheritable and
 * ambient capabilities, session keyring) and fill *st.  Called once, in the
 * process that becomes the daemon.  Returns 0, or -1 with errno.
 */
int	starter_reset(struct starter *st);

/*
 * In another image of the same process, where *st was filled with what the
 * first one had found: reset what execve(2) has not kept.
 */
void	starter_resume(struct starter *st);

/*
 * Let the capabilities of a process that is not root's survive an execve(2),
 * and undo that.
 */
void	starter_keep_capabilities(const struct starter *st);
void	starter_drop_capabilities(const struct starter *st);

/*
 * Raise the number of descriptors that this process may open to count, or as
 * far as it may be raised.  Returns whether that suffices.
 */
bool	starter_raise_nofile(struct starter *st, uint64_t count);

#endif
