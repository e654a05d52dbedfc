/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find listeners that are in each other's way.
 *
 * Two listeners overlap when protocol, port and interface agree and one
 * address covers the other; a unix path overlaps with itself, whatever type its
 * sockets have, an abstract name and an inherited one with themselves.  Port 0,
 * which the kernel chooses, never does.
 */

#ifndef MINETD_OVERLAP_H
#define MINETD_OVERLAP_H

#include "conf/complaint.h"
#include "conf/listen.h"

/*
 * Complain about each listener that overlaps with another one, unless both
 * have reuse_port; names are those of the services, in the configuration.
 */
void	overlap_check(const struct listeners *listeners,
	    const struct conf *conf, const struct conf_service *services,
	    struct complaints *complaints);

#endif
