/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find what a daemon that is not root's could not do for a service.
 */

#ifndef MINETD_PRIVILEGE_H
#define MINETD_PRIVILEGE_H

#include "conf/merge.h"

/* Complain about each such key; users and groups are identity.h's. */
void	privilege_check(const struct merge *merge,
	    const struct merged *merged);

#endif
