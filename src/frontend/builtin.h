/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Services that are answered without a program.
 */

#ifndef MINETD_BUILTIN_H
#define MINETD_BUILTIN_H

#include "frontend/carry.h"

/*
 * Converse with a client of a builtin other than tcpmux; its descriptor belongs
 * to the conversation.
 */
void	builtin_begin(struct carrier *carrier, const struct client *client,
	    struct monotime now);

#endif
