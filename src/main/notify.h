/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Tell whoever started minetd how it is doing: sd_notify(3) messages to
 * $NOTIFY_SOCKET, and a newline on the descriptor of -r.
 *
 * Never blocks, and nobody listening is no error.
 */

#ifndef MINETD_NOTIFY_H
#define MINETD_NOTIFY_H

struct notify {
	const char *socket;	/* path, or @abstract; NULL: none.  Not owned */
	int ready_fd;		/* of -r; -1: none.  Owned */
	int parent_fd;		/* of the process that waits, before it exits,
				 * until we are ready; -1: none.  Owned */
};

/* Send one message, such as "STOPPING=1", to the service manager. */
void	notify_send(const struct notify *notify, const char *message);

/* Say that the start has succeeded, everywhere, and close the descriptors. */
void	notify_ready(struct notify *notify, const char *status);

/* Let the waiting parent exit with the status of a failed start. */
void	notify_failed(struct notify *notify, int exit_status);

#endif
