/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A binary that is to become the daemon first looks at a snapshot of the state,
 * in a process of its own, and says whether it could go on from there.
 */

#ifndef MINETD_PRECHECK_H
#define MINETD_PRECHECK_H

#include <stdint.h>

enum {
	PRECHECK_MAGIC = 0x4b434d4d,
	PRECHECK_CONF_OFFSET = 4096, /* of a configuration in the answer */
	/* Where the checking process finds its descriptors. */
	PRECHECK_STATE_FD = 3,
	PRECHECK_CONF_FD = 4,	/* the configuration, of conf_export() */
	PRECHECK_TEXT_FD = 5,	/* the same as text, of conf_dump() */
	PRECHECK_ANSWER_FD = 6,	/* a memfd for the answer */
};

/* The head of the answer; its layout is for good. */
struct precheck_answer {
	uint32_t magic;
	uint32_t refused;	/* there is a reason */
	uint32_t conf_follows;	/* the configuration as this binary wants it */
	uint32_t reserved;	/* 0 */
	char version[32];	/* of the binary */
	char reason[512];	/* a sentence */
};

/* Look at the state and leave the answer; the exit status of the process. */
int	precheck_run(void);

/* Leave a refusal in place of the binary, which could not be executed. */
void	precheck_refuse(int answer_fd, const char *reason);

#endif
