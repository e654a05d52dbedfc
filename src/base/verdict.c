/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The names of refusals.
 */

#include "base/verdict.h"

#include <stddef.h>

static const char *const reasons[VERDICT_COUNT] = {
	[VERDICT_FULL] = "full",
};

const char *
verdict_reason(uint32_t verdict)
{
	return verdict < VERDICT_COUNT ? reasons[verdict] : NULL;
}
