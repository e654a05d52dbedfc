/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What counts as one source of connections.
 */

#include "base/origin.h"

/* Keep the first bits. */
static void
cut(struct addr *addr, unsigned bits)
{
	for (unsigned i = 0; i < sizeof(addr->bytes); i++, bits -= bits < 8 ?
	    bits : 8)
		if (bits < 8)
			addr->bytes[i] &= (uint8_t)(0xff00u >> bits);
}

struct addr
origin_of(const struct addr *peer, unsigned bits4, unsigned bits6)
{
	struct addr origin = *peer;

	origin.port = 0;
	switch (peer->family) {
	case ADDR_IP4:
		cut(&origin, bits4);
		break;
	case ADDR_IP6:
		cut(&origin, bits6);
		break;
	case ADDR_UNIX:
		origin = addr_from_cred(0, addr_cred(peer).uid, 0);
		break;
	case ADDR_VSOCK:
		origin = addr_from_vsock(addr_vsock(peer).cid, 0);
		break;
	default:
		break;
	}
	return origin;
}
