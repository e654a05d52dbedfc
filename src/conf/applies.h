/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find socket options that no listener of a service can have.
 */

#ifndef MINETD_APPLIES_H
#define MINETD_APPLIES_H

#include "conf/merge.h"

/*
 * Complain about each option that the service sets and that would be ignored,
 * such as nodelay without a tcp listener.  One that comes from `defaults` is
 * reset to the value of the table, plain, instead.
 */
void	applies_check(const struct merge *merge, const struct merged *defaults,
	    struct store *plain, struct merged *merged);

#endif
