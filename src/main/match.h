/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find, for the listeners that a configuration wants, those that there are.
 *
 * A socket is the same one when family, address, port, type and interface are;
 * its options can be changed.  Of several that could be meant, that of the same
 * service is.  A pure function: it opens nothing.
 */

#ifndef MINETD_MATCH_H
#define MINETD_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "main/listener.h"

enum { MATCH_NONE = UINT32_MAX };

struct match_item {
	struct listener_id id;
	const char *service;	/* its name */
	uint16_t bound_port;	/* of a present one, when the id has port 0 */
	bool gone;		/* it is not to be found any more */
	uint32_t other;		/* index in the other array, or MATCH_NONE */
};

/*
 * Set `other` of each item in both arrays.  A port that the kernel chose stays
 * with its service; it is also found by its number.  Returns 0, or -1 with
 * errno ENOMEM.
 */
int	match_listeners(struct match_item *wanted, uint32_t wanted_count,
	    struct match_item *present, uint32_t present_count);

#endif
