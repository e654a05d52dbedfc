/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers that get the listening socket itself, one at a time.
 */

#include "main/waiter.h"

int
waiter_ready(struct minetd *mi, const struct front *front, uint32_t listener,
    struct monotime now)
{
	(void)mi;
	(void)front;
	(void)listener;
	(void)now;
	return -1;
}
