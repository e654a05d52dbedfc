/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Start a handler with everything that its service wants to be made for it.
 */

#ifndef MINETD_LAUNCH_H
#define MINETD_LAUNCH_H

#include "main/minetd.h"

/*
 * The plan for handlers of the service: as it is configured now, or, when it
 * was removed, as that entry of that edition has it.  NULL with errno ENOMEM.
 */
struct spawn_plan *launch_plan(struct minetd *mi, struct service *svc,
	    struct edition *ed, const struct edition_service *entry,
	    struct monotime now);

/*
 * Start the child of proc, whose service, connection and time are set, on these
 * files, which stay the caller's.  Returns 0 and
 * proc->handle, or -1 with errno; what was lent for it is given back then.
 */
int	launch(struct minetd *mi, struct proc *proc, struct spawn_plan *plan,
	    const struct spawn_files *given);

#endif
