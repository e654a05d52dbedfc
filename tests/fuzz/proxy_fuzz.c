/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whatever comes: a header is one for its own bytes alone, fewer bytes are none
 * yet, and what was refused stays so with more.
 */

#include <stdint.h>

#include "base/bug.h"
#include "frontend/proxy.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy proxy = { .len = 0 };
	struct proxy again = { .len = 0 };
	enum proxy_found all = proxy_parse(data, size, &proxy);

	if (all == PROXY_HEADER && (proxy.len == 0 || proxy.len > size ||
	    proxy.len > PROXY_MAX))
		BUG("a header of an odd length");
	if (all == PROXY_MORE && size >= PROXY_MAX)
		BUG("more is asked for than a header has");
	if (all == PROXY_HEADER && (proxy_parse(data, proxy.len, &again) !=
	    PROXY_HEADER || again.len != proxy.len))
		BUG("bytes behind the header have a say");
	if (proxy.source.family != ADDR_NONE && all == PROXY_HEADER &&
	    proxy.source.family != ADDR_IP4 &&
	    proxy.source.family != ADDR_IP6)
		BUG("a client of an odd family");
	for (size_t len = 0; len < size && len <= PROXY_MAX; len++) {
		enum proxy_found some = proxy_parse(data, len, &again);

		if (some == PROXY_HEADER && (all != PROXY_HEADER ||
		    proxy.len > len))
			BUG("fewer bytes are a header");
		if ((some == PROXY_BAD || some == PROXY_NONE) && all != some)
			BUG("what was refused is not any more");
	}
	return 0;
}
