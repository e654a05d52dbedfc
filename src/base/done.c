/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Why a conversation was ended.
 */

#include "base/done.h"

#include <stddef.h>

const char *
done_name(uint32_t reason)
{
	static const char *const names[DONE_COUNT] = {
		[DONE_CLOSED] = "closed",
		[DONE_RESET] = "reset",
		[DONE_IDLE] = "idle",
		[DONE_OVERDUE] = "overdue",
		[DONE_UNREACHABLE] = "unreachable",
		[DONE_FAILED] = "failed",
		[DONE_REFUSED] = "refused",
		[DONE_SILENT] = "first_byte",
	};

	return reason < DONE_COUNT ? names[reason] : NULL;
}
