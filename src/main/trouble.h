/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Services whose handlers cannot be started, or fail as soon as they are.
 *
 * Such a service rests: the frontend leaves its clients in the queue until it
 * is tried again.  When there is no process to be had, the connections that
 * were accepted already are kept, and tried again for PATIENCE_MSEC.  A service
 * that fails again and again rests by its breaker.
 *
 * A line says when it begins, and another one when all is well again.
 */

#ifndef MINETD_TROUBLE_H
#define MINETD_TROUBLE_H

#include <sys/resource.h>

#include "main/minetd.h"
#include "main/serve.h"

/*
 * A handler could not be started for want of a process: error is errno.  The
 * service rests for a moment.  Returns whether the connection is kept; then its
 * socket and proc, whose service is referenced, belong to this module.
 */
bool	trouble_no_process(struct minetd *mi, const struct arrival *arrival,
	    struct proc *proc, int error, struct monotime now);

/* A handler was started: where there was trouble, that is a sign. */
void	trouble_started(struct minetd *mi, struct service *svc,
	    struct monotime now);

/* A handler was reaped with this report and status. */
void	trouble_reaped(struct minetd *mi, const struct proc *proc,
	    const struct child_report *report, int status,
	    struct monotime now);

/* The service is another one: what was wrong with it says nothing any more. */
void	trouble_forget(struct minetd *mi, struct service *svc);

/* What a service had; it keeps no connections.  NULL is fine. */
void	trouble_free(struct trouble *trouble);

/* Let go of all connections that are kept. */
void	trouble_drop_all(struct minetd *mi);

#endif
