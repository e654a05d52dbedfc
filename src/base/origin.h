/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What counts as one source of connections.
 */

#ifndef MINETD_ORIGIN_H
#define MINETD_ORIGIN_H

#include "base/addr.h"

/*
 * The part of an address that says who is behind it, the rest being 0: a
 * network of so many bits, a user of this machine, or a virtual machine.
 */
struct addr origin_of(const struct addr *peer, unsigned bits4,
	    unsigned bits6);

#endif
