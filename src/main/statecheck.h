/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether a state that was read can be true.
 */

#ifndef MINETD_STATECHECK_H
#define MINETD_STATECHECK_H

#include "main/state.h"

/* NULL, or what is wrong: a literal.  Looks at nothing but the state. */
const char *statecheck(const struct state *state);

#endif
