/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read the header of the PROXY protocol.
 */

#include "frontend/proxy.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string.h>

#include "conf/value.h"

enum {
	V1_MAX = 107,		/* "108 bytes is always enough", with a NUL */
	V1_FIELDS = 4,
	V2_FIXED = 16,		/* signature, command, family, length */
	V2_VERSION = 0x20,
	V2_LOCAL = 0,
	V2_PROXY = 1,
	V2_STREAM = 1,
	V2_PROTOCOLS = 3,	/* unspecified, stream, datagram */
	V2_IP4 = 1,
	V2_IP6 = 2,
	V2_UNIX = 3,
	V2_FAMILIES = 4,	/* with 0, unspecified */
	V2_LEN4 = 12,		/* of both addresses and ports */
	V2_LEN6 = 36,
	V2_LEN_UNIX = 216,
	TLV_HEAD = 3,
	TLV_CRC32C = 0x03,
	CRC_LEN = 4,
	PORT_MAX = 65535,
};

static const uint8_t v1_signature[] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
static const uint8_t v2_signature[] = { '\r', '\n', '\r', '\n', 0, '\r',
	'\n', 'Q', 'U', 'I', 'T', '\n' };

/* As far as there are bytes, they are those of the signature. */
static bool
begins(const uint8_t *bytes, size_t len, const uint8_t *signature,
    size_t signature_len)
{
	return memcmp(bytes, signature,
	    len < signature_len ? len : signature_len) == 0;
}

/* A field of version 1. */
struct field {
	const char *text;
	size_t len;
};

static bool
field_addr(struct field field, uint16_t family, struct addr *addr)
{
	/* A mapped address is IPv4 by now. */
	return memchr(field.text, '%', field.len) == NULL &&
	    addr_parse(addr, field.text, field.len) == 0 &&
	    (family == ADDR_IP6 ?
	    memchr(field.text, ':', field.len) != NULL :
	    memchr(field.text, ':', field.len) == NULL);
}

static bool
field_port(struct field field, struct addr *addr)
{
	int64_t port;

	if (!value_number(field.text, field.len, &port) || port < 0 ||
	    port > PORT_MAX || field.text[0] == '-')
		return false;
	addr->port = (uint16_t)port;
	return true;
}

/* Exactly so many fields, each after exactly one space. */
static bool
split(const char *text, size_t len, struct field fields[V1_FIELDS])
{
	for (size_t i = 0; i < V1_FIELDS; i++) {
		const char *space;

		if (len == 0 || text[0] != ' ')
			return false;
		text++;
		len--;
		space = memchr(text, ' ', len);
		fields[i].text = text;
		fields[i].len = space != NULL ? (size_t)(space - text) : len;
		text += fields[i].len;
		len -= fields[i].len;
	}
	return len == 0;
}

/* What is between "PROXY " and the end of the line. */
static bool
v1_line(const char *text, size_t len, struct proxy *proxy)
{
	struct field fields[V1_FIELDS];
	uint16_t family;

	/* "the receiver must ignore anything presented before the CRLF" */
	if (len >= 7 && memcmp(text, "UNKNOWN", 7) == 0)
		return len == 7 || text[7] == ' ';
	if (len < 4 || memcmp(text, "TCP", 3) != 0 ||
	    (text[3] != '4' && text[3] != '6'))
		return false;
	family = text[3] == '4' ? ADDR_IP4 : ADDR_IP6;
	return split(text + 4, len - 4, fields) &&
	    field_addr(fields[0], family, &proxy->source) &&
	    field_addr(fields[1], family, &proxy->destination) &&
	    field_port(fields[2], &proxy->source) &&
	    field_port(fields[3], &proxy->destination);
}

static enum proxy_found
v1_parse(const uint8_t *bytes, size_t len, struct proxy *proxy)
{
	size_t most = len < V1_MAX ? len : V1_MAX;
	const uint8_t *end = memchr(bytes, '\r', most);

	if (len < sizeof(v1_signature))
		return PROXY_MORE;
	if (end == NULL)
		return len < V1_MAX ? PROXY_MORE : PROXY_BAD;
	if (end + 1 == bytes + most)
		return len < V1_MAX ? PROXY_MORE : PROXY_BAD;
	if (end[1] != '\n' ||
	    !v1_line((const char *)bytes + sizeof(v1_signature),
	    (size_t)(end - bytes) - sizeof(v1_signature), proxy))
		return PROXY_BAD;
	proxy->len = (size_t)(end - bytes) + 2;
	return PROXY_HEADER;
}

/* The polynomial of RFC 3720, reflected, bit by bit: headers are short. */
static uint32_t
crc32c(uint32_t crc, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
	}
	return crc;
}

static uint16_t
read16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* The checksum is of the header with zeroes in the place of itself. */
static bool
crc_right(const uint8_t *header, size_t len, size_t at)
{
	static const uint8_t zeroes[CRC_LEN];
	const uint8_t *given = header + at;
	uint32_t crc = crc32c(UINT32_MAX, header, at);

	crc = crc32c(crc, zeroes, CRC_LEN);
	crc = ~crc32c(crc, given + CRC_LEN, len - at - CRC_LEN);
	return crc == ((uint32_t)read16(given) << 16 | read16(given + 2));
}

/* What follows the addresses, which end at `at`. */
static bool
tlvs_right(const uint8_t *header, size_t len, size_t at)
{
	while (at < len) {
		size_t value_len;

		if (len - at < TLV_HEAD)
			return false;
		value_len = read16(header + at + 1);
		if (value_len > len - at - TLV_HEAD)
			return false;
		if (header[at] == TLV_CRC32C && (value_len != CRC_LEN ||
		    !crc_right(header, len, at + TLV_HEAD)))
			return false;
		at += TLV_HEAD + value_len;
	}
	return true;
}

static void
v2_addr(struct addr *addr, int family, const uint8_t *bytes,
    const uint8_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (family == V2_IP4) {
		memcpy(&in.sin_addr, bytes, sizeof(in.sin_addr));
		memcpy(&in.sin_port, port, sizeof(in.sin_port));
		addr_from_sockaddr(addr, (struct sockaddr *)&in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, bytes, sizeof(in6.sin6_addr));
		memcpy(&in6.sin6_port, port, sizeof(in6.sin6_port));
		addr_from_sockaddr(addr, (struct sockaddr *)&in6,
		    sizeof(in6));
	}
}

/* How long the addresses of a family are; 0 where that is not known. */
static size_t
v2_addr_len(int family)
{
	switch (family) {
	case V2_IP4:
		return V2_LEN4;
	case V2_IP6:
		return V2_LEN6;
	case V2_UNIX:
		return V2_LEN_UNIX;
	default:
		return 0;
	}
}

static bool
v2_header(const uint8_t *header, size_t len, struct proxy *proxy)
{
	int command = header[12] & 0xf;
	int family = header[13] >> 4;
	int protocol = header[13] & 0xf;
	size_t addr_len = v2_addr_len(family);
	const uint8_t *at = header + V2_FIXED;

	/* "other values are unassigned and must not be emitted by senders.
	 * Receivers must drop connections presenting unexpected values here" */
	if ((header[12] & 0xf0) != V2_VERSION || command > V2_PROXY)
		return false;
	proxy->len = len;
	proxy->is_local = command == V2_LOCAL;
	/* "discard the protocol block including the family" */
	if (proxy->is_local)
		return addr_len > len - V2_FIXED || addr_len == 0 ||
		    tlvs_right(header, len, V2_FIXED + addr_len);
	/* "must be rejected as invalid by receivers" */
	if (family >= V2_FAMILIES || protocol >= V2_PROTOCOLS ||
	    addr_len > len - V2_FIXED)
		return false;
	/* What is behind addresses of an unknown length cannot be found. */
	if (addr_len != 0 &&
	    !tlvs_right(header, len, V2_FIXED + addr_len))
		return false;
	if (protocol != V2_STREAM)
		return true;
	if (family == V2_IP4) {
		v2_addr(&proxy->source, family, at, at + 8);
		v2_addr(&proxy->destination, family, at + 4, at + 10);
	} else if (family == V2_IP6) {
		v2_addr(&proxy->source, family, at, at + 32);
		v2_addr(&proxy->destination, family, at + 16, at + 34);
	}
	return true;
}

static enum proxy_found
v2_parse(const uint8_t *bytes, size_t len, struct proxy *proxy)
{
	size_t all;

	if (len < V2_FIXED)
		return PROXY_MORE;
	all = V2_FIXED + (size_t)read16(bytes + 14);
	if (all > PROXY_MAX)
		return PROXY_BAD;
	if (len < all)
		return PROXY_MORE;
	return v2_header(bytes, all, proxy) ? PROXY_HEADER : PROXY_BAD;
}

enum proxy_found
proxy_parse(const uint8_t *bytes, size_t len, struct proxy *proxy)
{
	*proxy = (struct proxy){ .is_local = false };
	if (begins(bytes, len, v1_signature, sizeof(v1_signature)))
		return v1_parse(bytes, len, proxy);
	if (begins(bytes, len, v2_signature, sizeof(v2_signature)))
		return v2_parse(bytes, len, proxy);
	return PROXY_NONE;
}
