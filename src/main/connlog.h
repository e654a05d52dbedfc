/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Lines about connections and their handlers.
 */

#ifndef MINETD_CONNLOG_H
#define MINETD_CONNLOG_H

#include <sys/resource.h>

#include "main/minetd.h"

/* Add the field of an address; the local one may be the path of a listener. */
void	connlog_address(struct log_line *line, const char *key,
	    const struct addr *addr);
void	connlog_local(struct log_line *line, const struct addr *local,
	    const struct listener *lst);

/* Add who is connected, and the proxy that says so, if one does. */
void	connlog_peer(struct log_line *line, const struct addr *peer,
	    const struct addr *via);

/* A handler was started, and has ended with this status and usage. */
void	connlog_start(const struct proc *proc);
void	connlog_exit(const struct proc *proc, int status,
	    const struct rusage *usage, struct monotime now);

/*
 * One could not be started.  The attempt began at that time; the service may be
 * another one since then.
 */
void	connlog_spawn_failed(struct service *svc,
	    const struct child_report *report, struct monotime began,
	    struct monotime now);

#endif
