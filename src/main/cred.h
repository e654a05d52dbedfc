/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Become another user in a child that may still share main's memory.
 */

#ifndef MINETD_CRED_H
#define MINETD_CRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cred {
	bool change;		/* false: main may not, and keeps its own */
	uint32_t uid;
	uint32_t gid;
	const uint32_t *groups;	/* the whole supplementary set; not owned */
	size_t group_count;
};

enum cred_step {
	CRED_DONE,
	CRED_GROUPS,
	CRED_GID,
	CRED_UID,
	CRED_VERIFY,		/* the ids are not what was asked for */
};

/*
 * Take on the identity.  The saved ids stay 0 until execve(2) replaces them
 * with the effective ones.  Raw system calls only.  Returns the step that
 * failed, with its errno in *error, or CRED_DONE.
 */
enum cred_step cred_become(const struct cred *cred, int *error);

#endif
