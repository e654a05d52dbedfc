/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Stop on a broken invariant, in every build.
 *
 * For what only an error in this program can cause.  A supervisor restarts the
 * daemon, running handlers go on, and a corrupt table run as root is worse.
 */

#ifndef MINETD_BUG_H
#define MINETD_BUG_H

#include <stdio.h>
#include <stdlib.h>

#define BUG(what)							\
	do {								\
		fprintf(stderr, "minetd: bug: %s:%d: %s\n", __FILE__,	\
		    __LINE__, (what));					\
		abort();						\
	} while (0)

#endif
