/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Give up everything that the frontend does not need.
 *
 * Afterwards the process has an identity of its own without capabilities, an
 * empty root directory, no way to open a file, and only the system calls that
 * accepting takes.  None of it can be undone.
 */

#ifndef MINETD_CONFINE_H
#define MINETD_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

enum confine_step {
	CONFINE_DONE,
	CONFINE_LIMITS,
	CONFINE_ROOT,
	CONFINE_IDENTITY,
	CONFINE_CAPABILITIES,
	CONFINE_PRIVILEGES,
	CONFINE_LANDLOCK,
	CONFINE_SECCOMP,
};

/*
 * Confine this process.  What takes a capability (the empty root, the change to
 * uid and gid) is left out when main was started without it, and a kernel
 * without Landlock or seccomp is no error.  If it connects, it keeps the calls
 * to do so over IP.  Returns CONFINE_DONE, or the step that failed with its
 * errno; the process must then end.
 */
enum confine_step confine(uint32_t uid, uint32_t gid, bool connects);

#endif
