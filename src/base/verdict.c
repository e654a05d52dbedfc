/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The names of refusals.
 */

#include "base/verdict.h"

#include <stddef.h>

static const char *const reasons[VERDICT_COUNT] = {
	[VERDICT_FULL] = "full",
	[VERDICT_RATE] = "rate",
	[VERDICT_BAN] = "ban",
	[VERDICT_ACL] = "acl",
	[VERDICT_TIMES] = "times",
	[VERDICT_LOAD] = "load",
	[VERDICT_PER_SOURCE] = "per_source",
	[VERDICT_PER_SOURCE_RATE] = "per_source_rate",
	[VERDICT_PREFACE] = "preface",
};

const char *
verdict_reason(uint32_t verdict)
{
	return verdict < VERDICT_COUNT ? reasons[verdict] : NULL;
}
