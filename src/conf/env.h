/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a service adds to the environment of its handlers.
 */

#ifndef MINETD_ENV_H
#define MINETD_ENV_H

#include "conf/merge.h"

/*
 * Give each variable of `env` one value: an own entry replaces an inherited
 * one; two own entries for one variable are an error.
 */
void	env_check(const struct merge *merge, struct merged *merged);

/* Complain when arguments and environment are more than exec(2) may get. */
void	env_check_size(const struct merge *merge, const struct merged *merged);

#endif
