/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Why a conversation was ended, and the names of that in log lines.
 */

#ifndef MINETD_DONE_H
#define MINETD_DONE_H

#include <stdint.h>

/* The numbers cross the channel. */
enum done_reason {
	DONE_CLOSED,		/* by both sides, or there was no more to say */
	DONE_RESET,		/* a side has broken off */
	DONE_IDLE,		/* `idle` has passed without a byte */
	DONE_OVERDUE,		/* `max_runtime` has passed */
	DONE_UNREACHABLE,	/* no target could be connected to */
	DONE_FAILED,		/* no descriptors, or no memory */
	DONE_REFUSED,		/* a preface that made no sense, or came late */
	DONE_SILENT,		/* `first_byte` has passed without one */
	DONE_COUNT,		/* how many there are */
};

/* The `end` of an exit line; NULL for other numbers. */
const char *done_name(uint32_t reason);

#endif
