/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write down what the daemon is, and become another image of it.
 *
 * execve(2) keeps the process: its pid, its children, and those descriptors
 * that are not close-on-exec.  The next image finds the state in a sealed memfd
 * whose number stands in its arguments.
 */

#ifndef MINETD_HANDOVER_H
#define MINETD_HANDOVER_H

#include <stdbool.h>

#include "main/minetd.h"
#include "main/state.h"

/* What stands in the arguments of the next image, and how they are read. */
#define HANDOVER_CHECK "--upgrade-check"
#define HANDOVER_TAKE "--upgrade-take"
#define HANDOVER_BACK "--upgrade-back"

struct handover {
	int state_fd;
	int conf_fd;		/* of conf_import() */
	int exe_fd;		/* the present image */
	int back_conf_fd;	/* the configuration as that wants it */
};

/*
 * Write the state, in which conf_fd is the configuration, into a new sealed
 * memfd.  Changes numbers that only an edition under construction has.
 * Returns the descriptor, or -1 with errno.
 */
int	handover_write(struct minetd *mi, int conf_fd);

/* Read a state, and map its bytes.  NULL, or why that cannot be: a literal. */
const char *handover_read(int state_fd, struct state *state);

/* Read the arguments of an image that takes over; 0, or -1. */
int	handover_parse(struct handover *ho, int argc, char **argv);

/*
 * Close every descriptor above the standard ones but those of the state and of
 * ho, which become close-on-exec.  Returns 0, or -1 with errno.
 */
int	handover_close_others(const struct handover *ho,
	    const struct state *state);

/* Let the descriptors of a state survive an execve(2), or not. */
void	handover_keep(const struct state *state, bool keep);

/*
 * Become the program at path, or with NULL the image that ho->exe_fd is, in
 * this mode, with the variables of the first image.  The descriptors of the
 * state are kept.  Returns only when that fails, with errno and everything as
 * it was.
 */
void	handover_exec(const struct handover *ho, const struct state *state,
	    const char *path, const char *mode, char *const *env);

#endif
