/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The order in which admission is asked: our own limits first, because the
 * answer to them can be to wait.
 */

#include "frontend/admit.h"

#include <stdbool.h>

static bool
below(uint32_t count, uint32_t limit)
{
	return limit == 0 || count < limit;
}

enum verdict
admit_check(const struct admit_load *load)
{
	if (!below(load->active, load->instances) ||
	    !below(load->children, load->max_children))
		return VERDICT_FULL;
	return VERDICT_SERVE;
}
