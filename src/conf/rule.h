/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read one pattern of an access rule.
 *
 * Pure functions of bytes: names are recognised here, and looked up elsewhere.
 */

#ifndef MINETD_RULE_H
#define MINETD_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum rule_kind {
	RULE_NET,		/* an address, or a network */
	RULE_NAME,		/* a host name */
	RULE_UID,		/* a user of this machine: number or name */
	RULE_GID,
	RULE_FILE,		/* a file of rules */
};

struct rule {
	enum rule_kind kind;
	struct addr addr;	/* NET: its first address */
	uint8_t bits;		/* NET: of the address that count */
	bool numeric;		/* UID, GID: id is valid */
	uint32_t id;
	const char *name;	/* NAME, UID, GID, FILE: in the text */
	size_t name_len;
};

/*
 * ADDRESS, ADDRESS/BITS, ADDRESS/NETMASK, NAME, uid:USER, gid:GROUP or
 * file:/PATH.  IPv4-mapped IPv6 is IPv4.  Returns NULL, or what is wrong with
 * the text, as a sentence that is good until the next call.
 */
const char *rule_parse(struct rule *rule, const char *text, size_t len);

/* Whether it is about peers on unix sockets. */
bool	rule_is_of_unix(const struct rule *rule);

/* The same for a line of a file: no NAME and no FILE. */
const char *rule_parse_line(struct rule *rule, const char *text, size_t len);

#endif
