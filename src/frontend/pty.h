/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers on a terminal, which is relayed.
 */

#ifndef MINETD_PTY_H
#define MINETD_PTY_H

#include "frontend/accept.h"

/*
 * Ask main for a handler on a terminal, and relay it; the client's descriptor
 * belongs to the conversation.
 */
void	pty_begin(struct acceptor *acc, const struct client *client,
	    struct monotime now);

#endif
