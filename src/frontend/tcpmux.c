/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Lead clients to a service by its name (RFC 1078).
 */

#include "frontend/tcpmux.h"

#include <unistd.h>

void
tcpmux_begin(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	(void)acc;
	(void)now;
	close(client->fd);
}
