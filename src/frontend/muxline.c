/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The line by which a tcpmux client asks for a service (RFC 1078).
 *
 * What can be no line any more is refused at its first wrong byte: whoever
 * speaks another protocol here is not waited for.
 */

#include "frontend/muxline.h"

#include <stdbool.h>

static bool
printable(uint8_t byte)
{
	return byte >= ' ' && byte < 0x7f;
}

enum muxline
muxline_parse(const uint8_t *bytes, size_t len, size_t *name_len,
    size_t *line_len)
{
	size_t n = 0;
	size_t end;

	while (n < len && n <= MUXLINE_NAME_MAX && printable(bytes[n]))
		n++;
	if (n > MUXLINE_NAME_MAX)
		return MUXLINE_REFUSE;
	if (n == len)
		return MUXLINE_MORE;
	end = bytes[n] == '\r' ? n + 1 : n;
	if (n == 0 || (end < len && bytes[end] != '\n'))
		return MUXLINE_REFUSE;
	if (end == len)
		return MUXLINE_MORE;
	*name_len = n;
	*line_len = end + 1;
	return MUXLINE_NAME;
}
