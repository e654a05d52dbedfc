/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whatever addr_parse() takes prints as something that it takes again, and
 * that is the same address, also after a trip through a sockaddr.
 */

#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/bug.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct addr addr, again, back;
	struct sockaddr_storage ss;
	char text[ADDR_TEXT_SIZE];

	if (addr_parse(&addr, (const char *)data, size) == -1)
		return 0;

	size_t len = addr_format_host(&addr, text);

	if (len != strlen(text) || addr_parse(&again, text, len) == -1 ||
	    !addr_equal(&addr, &again))
		BUG("it prints as something else");
	addr_from_sockaddr(&back, (struct sockaddr *)&ss,
	    addr_to_sockaddr(&addr, &ss));
	if (memcmp(&addr, &back, sizeof(addr)) != 0)
		BUG("its sockaddr is something else");
	addr_format(&addr, text);
	return 0;
}
