/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whatever comes: a line is one for its own bytes alone, is none for fewer, and
 * what was refused stays so with more.
 */

#include <stdint.h>

#include "base/bug.h"
#include "frontend/muxline.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t name_len = 0, line_len = 0;
	size_t name_again = 0, line_again = 0;
	enum muxline all = muxline_parse(data, size, &name_len, &line_len);
	size_t before = all == MUXLINE_NAME ? line_len : size;

	if (all == MUXLINE_NAME && (name_len == 0 || line_len > size ||
	    name_len >= line_len || line_len > MUXLINE_MAX))
		BUG("a line of an odd length");
	if (all == MUXLINE_MORE && size >= MUXLINE_MAX)
		BUG("more is asked for than a line has");
	if (all == MUXLINE_NAME && (muxline_parse(data, line_len, &name_again,
	    &line_again) != MUXLINE_NAME || name_again != name_len ||
	    line_again != line_len))
		BUG("bytes behind the line have a say");
	for (size_t len = 0; len < before && len <= MUXLINE_MAX; len++) {
		enum muxline some = muxline_parse(data, len, &name_again,
		    &line_again);

		if (some == MUXLINE_NAME ||
		    (some == MUXLINE_REFUSE && all != MUXLINE_REFUSE))
			BUG("fewer bytes say something else");
	}
	return 0;
}
