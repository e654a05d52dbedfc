/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read one pattern of an access rule.
 *
 * What looks like an address must be one: a rule that silently meant something
 * else would let the wrong people in.
 */

#include "conf/rule.h"

#include <string.h>

#include "conf/value.h"

enum {
	BITS4 = 32,
	BITS6 = 128,
	BITS_MAPPED = 96,	/* of ::ffff:0:0 */
	NAME_MAX_LEN = 253,
};

static bool
starts_with(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(text, prefix, n) == 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Nobody means a host name by it: there is a colon, the last word behind a dot
 * begins with a digit, or it is a number as a whole.
 */
static bool
looks_numeric(const char *text, size_t len)
{
	size_t digits = 0;	/* and dots */
	bool last = false;	/* the last word behind a dot does */

	for (size_t i = 0; i < len; i++) {
		if (text[i] == ':')
			return true;
		digits += is_digit(text[i]) || text[i] == '.';
		if (i > 0 && text[i - 1] == '.')
			last = is_digit(text[i]);
	}
	return last || digits == len || (len > 1 && text[0] == '0' &&
	    (text[1] == 'x' || text[1] == 'X'));
}

static bool
is_host_name(const char *text, size_t len)
{
	if (len == 0 || len > NAME_MAX_LEN || text[0] == '-' || text[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		    (c == '.' && text[i - 1] != '.')))
			return false;
	}
	return true;
}

/* The bits of 255.255.0.0; false when its ones are not in front. */
static bool
netmask_bits(const struct addr *mask, int64_t *bits)
{
	uint32_t word = 0;

	for (size_t i = 0; i < 4; i++)
		word = word << 8 | mask->bytes[i];
	if ((~word & (~word + 1)) != 0)
		return false;
	*bits = 0;
	for (; word != 0; word <<= 1)
		(*bits)++;
	return true;
}

/* Whether any bit behind the first ones is set. */
static bool
has_host_bits(const struct addr *addr, unsigned bits, unsigned all)
{
	for (unsigned i = bits; i < all; i++)
		if ((addr->bytes[i / 8] & (0x80u >> i % 8)) != 0)
			return true;
	return false;
}

static const char *
parse_bits(struct rule *rule, const char *text, size_t len, bool mapped)
{
	int64_t all = rule->addr.family == ADDR_IP4 && !mapped ? BITS4 : BITS6;
	int64_t bits;
	struct addr mask;

	if (!value_number(text, len, &bits)) {
		if (rule->addr.family != ADDR_IP4 || mapped ||
		    memchr(text, ':', len) != NULL ||
		    addr_parse(&mask, text, len) == -1 ||
		    mask.family != ADDR_IP4)
			return "what follows the slash is no number of bits "
			    "and no netmask";
		if (!netmask_bits(&mask, &bits))
			return "the ones of a netmask must be in front";
	}
	if (text[0] == '-' || bits > all)
		return all == BITS4 ?
		    "an IPv4 network has 0 to 32 bits" :
		    "an IPv6 network has 0 to 128 bits";
	if (mapped && bits < BITS_MAPPED)
		return "an IPv4-mapped network has at least 96 bits";
	rule->bits = (uint8_t)(mapped ? bits - BITS_MAPPED : bits);
	if (has_host_bits(&rule->addr, rule->bits,
	    rule->addr.family == ADDR_IP4 ? BITS4 : BITS6))
		return "has bits set behind those of the network: write its "
		    "first address, or more bits";
	return NULL;
}

/* What is wrong with what is no network; rule_parse() takes names and files. */
static const char *
no_net_sentence(const char *text, size_t len)
{
	if (starts_with(text, len, "file:"))
		return "a file of rules cannot name another one";
	if (!looks_numeric(text, len) && is_host_name(text, len))
		return "a host name cannot stand in a file of rules: write "
		    "its addresses";
	if (text[0] == '[')
		return "an address stands without brackets here";
	return "is no address; write all four numbers of an IPv4 "
	    "one, in decimal and without leading zeros";
}

static const char *
parse_net(struct rule *rule, const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t addr_len = slash != NULL ? (size_t)(slash - text) : len;
	bool mapped;

	if (memchr(text, '%', addr_len) != NULL)
		return "a rule is about addresses on every interface: leave "
		    "out the %";
	if (addr_parse(&rule->addr, text, addr_len) == -1)
		return no_net_sentence(text, len);
	mapped = rule->addr.family == ADDR_IP4 &&
	    memchr(text, ':', addr_len) != NULL;
	if (slash != NULL)
		return parse_bits(rule, slash + 1, len - addr_len - 1,
		    mapped);
	rule->bits = rule->addr.family == ADDR_IP4 ? BITS4 : BITS6;
	return NULL;
}

static const char *
parse_account(struct rule *rule, const char *text, size_t len)
{
	int64_t id;

	rule->name = text;
	rule->name_len = len;
	if (len == 0)
		return "a name or number must follow the colon";
	rule->numeric = value_number(text, len, &id);
	if (rule->numeric && (id < 0 || id >= UINT32_MAX))
		return "is no number of a user or group";
	if (!rule->numeric && (text[0] == '-' || is_digit(text[0]) ||
	    memchr(text, '\0', len) != NULL))
		return "is no number, and no name, of a user or group";
	rule->id = rule->numeric ? (uint32_t)id : 0;
	return NULL;
}

const char *
rule_parse_line(struct rule *rule, const char *text, size_t len)
{
	memset(rule, 0, sizeof(*rule));
	if (len == 0)
		return "must not be empty";
	if (starts_with(text, len, "uid:")) {
		rule->kind = RULE_UID;
		return parse_account(rule, text + 4, len - 4);
	}
	if (starts_with(text, len, "gid:")) {
		rule->kind = RULE_GID;
		return parse_account(rule, text + 4, len - 4);
	}
	rule->kind = RULE_NET;
	return parse_net(rule, text, len);
}

const char *
rule_parse(struct rule *rule, const char *text, size_t len)
{
	if (starts_with(text, len, "file:")) {
		memset(rule, 0, sizeof(*rule));
		rule->kind = RULE_FILE;
		rule->name = text + 5;
		rule->name_len = len - 5;
		return rule->name_len > 0 && rule->name[0] == '/' ? NULL :
		    "must be file:/PATH";
	}
	if (!looks_numeric(text, len) && is_host_name(text, len)) {
		memset(rule, 0, sizeof(*rule));
		rule->kind = RULE_NAME;
		rule->name = text;
		rule->name_len = len;
		return NULL;
	}
	return rule_parse_line(rule, text, len);
}

bool
rule_is_of_unix(const struct rule *rule)
{
	return rule->kind == RULE_UID || rule->kind == RULE_GID;
}
