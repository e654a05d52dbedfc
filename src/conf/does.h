/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Check that what a service does can be done, and on its listeners.
 */

#ifndef MINETD_DOES_H
#define MINETD_DOES_H

#include "conf/merge.h"

/*
 * Complain unless the service does exactly one thing, each of its listeners
 * can be served that way, and each key that was set for it has a meaning then.
 * What `defaults` say for others just does not apply.
 */
void	does_check(const struct merge *merge, struct merged *merged);

#endif
