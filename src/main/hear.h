/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What frontends say of their clients.
 */

#ifndef MINETD_HEAR_H
#define MINETD_HEAR_H

#include "base/channel.h"
#include "main/minetd.h"

/*
 * Do what the message says, and take care of its descriptor.  Returns 0, or -1
 * when no frontend of ours in this state can have sent it.
 */
int	hear_item(struct front *front, const struct channel_item *item,
	    struct monotime now);

#endif
