/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Arbitrary patterns of access rules: the parser reads no byte behind them, a
 * network prints as a pattern of itself, and a table of it has its first and
 * its last address.
 */

#include "conf/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/acl.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
check_net(const struct rule *rule)
{
	char text[ADDR_TEXT_SIZE + 8];
	size_t len = addr_format_host(&rule->addr, text);
	struct rule again;

	require(rule->addr.scope == 0 && rule->addr.port == 0);
	len += (size_t)snprintf(text + len, 8, "/%u", rule->bits);
	require(rule_parse(&again, text, len) == NULL &&
	    again.kind == RULE_NET && again.bits == rule->bits &&
	    addr_equal(&again.addr, &rule->addr));
}

static void
check_table(const struct rule *rule)
{
	bool is4 = rule->addr.family == ADDR_IP4;
	unsigned all = is4 ? 32 : 128;
	struct acl_net net = { .bits = rule->bits };
	struct acl_source source = {
		.nets4 = &net, .nets6 = &net, .count4 = is4, .count6 = !is4,
	};
	struct addr peer = rule->addr;
	size_t size;

	require(is4 || rule->addr.family == ADDR_IP6);
	require(rule->bits <= all);
	memcpy(net.bytes, rule->addr.bytes, all / 8);

	void *table = acl_make(&source, &size);
	require(table != NULL);
	require(acl_match(table, &peer, NULL, 0) == rule->bits);
	for (unsigned i = rule->bits; i < all; i++)
		peer.bytes[i / 8] |= (uint8_t)(0x80u >> i % 8);
	require(acl_match(table, &peer, NULL, 0) == rule->bits);
	for (unsigned i = 0; i < rule->bits; i++) {
		peer.bytes[i / 8] ^= (uint8_t)(0x80u >> i % 8);
		require(acl_match(table, &peer, NULL, 0) == ACL_NONE);
		peer.bytes[i / 8] ^= (uint8_t)(0x80u >> i % 8);
	}
	free(table);
}

static void
check_rule(const struct rule *rule, const char *text, size_t len)
{
	if (rule->kind == RULE_NET) {
		check_net(rule);
		check_table(rule);
	} else if (rule->numeric) {
		require(rule_is_of_unix(rule) && rule->id != UINT32_MAX);
	} else {
		require(rule->name >= text && rule->name_len > 0 &&
		    rule->name + rule->name_len == text + len);
		require(rule->kind == RULE_FILE ||
		    memchr(rule->name, '\0', rule->name_len) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1);
	struct rule rule;
	struct rule line;
	bool taken;

	require(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	taken = rule_parse(&rule, text, size) == NULL;
	if (taken)
		check_rule(&rule, text, size);
	/* A line of a file is the same, or nothing. */
	if (rule_parse_line(&line, text, size) == NULL)
		require(taken && memcmp(&line, &rule, sizeof(line)) == 0);
	else
		require(!taken || rule.kind == RULE_NAME ||
		    rule.kind == RULE_FILE);
	free(text);
	return 0;
}
