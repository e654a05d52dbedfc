/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Open, bind, keep and close the listening sockets.
 *
 * A listener that cannot be opened is degraded: the rest serves, and it is
 * tried again.  This module reads nothing from a client and accepts nothing.
 */

#ifndef MINETD_LISTENER_H
#define MINETD_LISTENER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"

struct listener {
	const struct conf_listen *conf; /* not owned */
	int fd;			/* -1: degraded */
	int error;		/* errno of the last attempt; 0: none */
	const char *step;	/* the call that failed; a literal */
	struct addr local;	/* as bound, with the port the kernel chose */
	dev_t path_dev;		/* unix: the file that bind made, */
	ino_t path_ino;		/*   0: none of ours */
	bool told;		/* the present frontend has it */
};

/* Prepare the listener at index of conf, which outlives it; opens nothing. */
void	listener_init(struct listener *lst, const struct conf *conf,
	    uint32_t index);

/*
 * Open the socket.  Returns 0, or -1 with lst->error and lst->step; the
 * listener is then as before.
 */
int	listener_open(struct listener *lst, const struct conf *conf);

/*
 * Close the socket, and remove its path if it is still the file that
 * listener_open() made.
 */
void	listener_close(struct listener *lst, const struct conf *conf);

/*
 * Write "tcp://127.0.0.1:80" or "unix:///path" as log lines have it, with the
 * port that is really bound; size is LISTENER_TEXT_SIZE.
 */
enum { LISTENER_TEXT_SIZE = 160 };
void	listener_format(const struct listener *lst, const struct conf *conf,
	    char *buf);

/*
 * Whether socket may be a connection that was accepted on the listener: a
 * connected socket of its family and type with its local address, which is
 * stored in *local.
 */
bool	listener_accepted(const struct listener *lst, const struct conf *conf,
	    int socket, struct addr *local);

#endif
