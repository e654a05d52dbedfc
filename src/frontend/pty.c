/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers on a terminal, which is relayed.
 */

#include "frontend/pty.h"

#include <unistd.h>

void
pty_begin(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	(void)acc;
	(void)now;
	close(client->fd);
}
