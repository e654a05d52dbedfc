/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether a socket is what a frontend says it is.
 */

#ifndef MINETD_ACCEPTED_H
#define MINETD_ACCEPTED_H

#include <stdbool.h>

#include "main/environment.h"
#include "main/listener.h"

/*
 * Whether socket may be a connection that was accepted on the listener: a
 * connected socket of its family and type with its local address, which is
 * stored in conn; and whether conn->peer, as a frontend has it, is one of that
 * family.  The ids of a unix peer are stored as the kernel has them.
 */
bool	accepted_check(const struct listener *lst, int socket,
	    struct connection *conn);

#endif
