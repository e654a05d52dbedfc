/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find keys that mean nothing to the listeners of a service.
 */

#ifndef MINETD_APPLIES_H
#define MINETD_APPLIES_H

#include "conf/merge.h"

/*
 * Complain about each key that the service sets and that would be ignored,
 * such as nodelay without a tcp listener.  One that comes from `defaults` is
 * reset instead.
 */
void	applies_check(const struct merge *merge, struct merged *merged);

#endif
