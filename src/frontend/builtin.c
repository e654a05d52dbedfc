/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Services that are answered without a program.
 */

#include "frontend/builtin.h"

#include <unistd.h>

void
builtin_begin(struct carrier *carrier, const struct client *client,
    struct monotime now)
{
	(void)carrier;
	(void)now;
	close(client->fd);
}
