/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The line by which a tcpmux client asks for a service (RFC 1078).
 *
 * A pure parser: bytes in, a verdict out.
 */

#ifndef MINETD_MUXLINE_H
#define MINETD_MUXLINE_H

#include <stddef.h>
#include <stdint.h>

enum {
	MUXLINE_NAME_MAX = 64,	/* bytes of a name */
	MUXLINE_MAX = MUXLINE_NAME_MAX + 2, /* of a line with its end */
};

enum muxline {
	MUXLINE_MORE,		/* it may become a line yet */
	MUXLINE_NAME,
	MUXLINE_REFUSE,		/* it never will */
};

/*
 * Look at the first bytes of a connection.  A line ends with CR LF, or with LF
 * alone, and is printable before that.  For MUXLINE_NAME, *name_len bytes are
 * the name, and *line_len with the end of the line; what follows is not looked
 * at.
 */
enum muxline muxline_parse(const uint8_t *bytes, size_t len, size_t *name_len,
	    size_t *line_len);

#endif
