/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Decide whether a peer may be served, and name the reason.
 *
 * One pure function of values: it opens nothing, counts nothing and knows no
 * service.  Everything that has to be asked before a peer is served is asked
 * here, whichever way the peer came.
 */

#ifndef MINETD_ADMIT_H
#define MINETD_ADMIT_H

#include <stdint.h>

#include "base/verdict.h"

/* What is alive, and how much may be; a limit of 0 is none. */
struct admit_load {
	uint32_t active;	/* handlers of the service */
	uint32_t instances;
	uint32_t children;	/* handlers of all services */
	uint32_t max_children;
};

enum verdict admit_check(const struct admit_load *load);

#endif
