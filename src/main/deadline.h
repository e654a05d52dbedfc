/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * End handlers whose time is over: `max_runtime`, and for those of TCP
 * connections `idle` and `first_byte`.
 *
 * A handler is told to end by the signal of its service, and killed when the
 * grace is over.  It keeps the deadlines that it was started with.
 */

#ifndef MINETD_DEADLINE_H
#define MINETD_DEADLINE_H

#include "main/minetd.h"

/*
 * Begin the deadlines of the service for one that was added to the table.
 * preface is how many bytes of the connection were read before it got that.
 */
void	deadline_begin(struct minetd *mi, struct proc *proc,
	    const struct conf_service *svc, uint32_t preface);

/* Go on with what another image began: its deadline is filled. */
void	deadline_resume(struct minetd *mi, struct proc *proc);

/* It has ended. */
void	deadline_cancel(struct proc *proc);

#endif
