/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Groups first, then the group, then the user: each step needs the rights that
 * the last one gives away.
 *
 * Why the saved ids stay 0: to look into a process, or to trace it, all three
 * of its user ids must be the looker's (ptrace(2)).  With the saved id at 0 the
 * new user cannot read main's memory through a child that has not called
 * execve(2) yet, whatever fs.suid_dumpable makes of the shared memory.
 * execve(2) then sets the saved ids to the effective ones.
 */

#include "main/cred.h"

#include <errno.h>

#include "main/sys.h"

static bool
ids_verified(long number, uint32_t wanted, uint32_t saved)
{
	uint32_t ids[3] = { 0 };

	if (sys_call(number, (long)&ids[0], (long)&ids[1], (long)&ids[2], 0) !=
	    0)
		return false;
	return ids[0] == wanted && ids[1] == wanted && ids[2] == saved;
}

enum cred_step
cred_become(const struct cred *cred, int *error)
{
	long rc;

	if (!cred->change)
		return CRED_DONE;
	rc = sys_call(SYS_setgroups, (long)cred->group_count,
	    (long)cred->groups, 0, 0);
	if (rc < 0) {
		*error = (int)-rc;
		return CRED_GROUPS;
	}
	rc = sys_call(SYS_setresgid, cred->gid, cred->gid, 0, 0);
	if (rc < 0) {
		*error = (int)-rc;
		return CRED_GID;
	}
	rc = sys_call(SYS_setresuid, cred->uid, cred->uid, 0, 0);
	if (rc < 0) {
		*error = (int)-rc;
		return CRED_UID;
	}
	if (!ids_verified(SYS_getresuid, cred->uid, 0) ||
	    !ids_verified(SYS_getresgid, cred->gid, 0)) {
		*error = EPERM;
		return CRED_VERIFY;
	}
	return CRED_DONE;
}
