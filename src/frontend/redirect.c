/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry a client to another server.
 */

#include "frontend/redirect.h"

#include <unistd.h>

void
redirect_begin(struct carrier *carrier, const struct client *client,
    struct monotime now)
{
	(void)carrier;
	(void)now;
	close(client->fd);
}
