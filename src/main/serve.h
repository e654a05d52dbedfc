/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From a connection to a running handler, and from its end to the account.
 */

#ifndef MINETD_SERVE_H
#define MINETD_SERVE_H

#include <sys/resource.h>

#include "base/channel.h"
#include "main/minetd.h"

/* What was checked, on its way to a handler. */
struct arrival {
	struct front *front;	/* that asks */
	const struct edition_listener *at;
	const struct edition_service *entry;
	struct connection conn;	/* its id is given when it is served */
	struct spawn_files files;
	int master;		/* of its terminal; -1 without one */
	uint32_t tag;		/* udp: of the START */
	uint32_t preface;	/* bytes that the frontend has read of it */
	bool kept;		/* its socket is to be closed by trouble.c */
	int error;		/* errno when it could not be started; 0 */
};

/*
 * Start a handler for it; its files stay the caller's, but for the socket of
 * one that is kept to be tried again.  NULL when that failed, which is logged,
 * or is yet to be seen.
 */
struct proc *serve_arrival(struct minetd *mi, struct arrival *arrival,
	    struct monotime now);

/*
 * What is left to be done for a handler that was started as the service has it,
 * and for one that could not be; error is errno.
 */
void	serve_started(struct minetd *mi, struct proc *proc,
	    const struct conf_service *svc, uint32_t preface);
void	serve_give_up(struct minetd *mi, struct proc *proc, int error,
	    struct monotime now);

/* Whether the frontend may ask for another handler of the service. */
bool	serve_has_room(const struct minetd *mi, const struct front *front,
	    const struct edition_service *entry);

/* The listener of that index in its edition; NULL when there is none. */
const struct edition_listener *serve_listener(const struct front *front,
	    uint32_t index);

/*
 * Start a handler for the connection of a START message, whose socket is
 * closed here.  Returns 0, also when no handler could be started (which is
 * logged), or -1 when no frontend of ours can have sent this.
 */
int	serve_connection(struct minetd *mi, struct front *front,
	    const struct channel_item *item, struct monotime now);

/* Account for a handler that was reaped with this status and usage. */
void	serve_reaped(struct minetd *mi, struct proc *proc, int status,
	    const struct rusage *usage, struct monotime now);

/* Send a signal to the handler and everything in its process group. */
void	serve_kill(const struct proc *proc, int signal_number);

/* Likewise, that by which handlers of its service are told to end. */
void	serve_stop(const struct proc *proc);

#endif
