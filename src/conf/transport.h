/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What transports have in common.
 */

#ifndef MINETD_TRANSPORT_H
#define MINETD_TRANSPORT_H

#include <stdbool.h>

#include "conf/conf.h"

/* An address and a port. */
static inline bool
transport_is_ip(unsigned transport)
{
	return transport == CONF_TCP || transport == CONF_UDP;
}

/* A path, or an abstract name. */
static inline bool
transport_is_unix(unsigned transport)
{
	return transport == CONF_UNIX || transport == CONF_UNIX_DGRAM ||
	    transport == CONF_UNIX_SEQPACKET;
}

/* Datagrams without connections: nothing is accepted. */
static inline bool
transport_is_dgram(unsigned transport)
{
	return transport == CONF_UDP || transport == CONF_UNIX_DGRAM;
}

#endif
