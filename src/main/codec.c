/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Values to bytes, and back.
 */

#include "main/codec.h"

#include <stdlib.h>
#include <string.h>

/* Where the next len bytes are; NULL when there are none. */
static uint8_t *
codec_take(struct codec *co, size_t len)
{
	if (co->failed)
		return NULL;
	if (co->end - co->at < len && co->writing) {
		size_t size = (co->at + len) * 2;
		uint8_t *bytes = realloc(co->bytes, size);

		if (bytes != NULL) {
			co->bytes = bytes;
			co->end = size;
		}
	}
	if (co->end - co->at < len) {
		co->failed = true;
		return NULL;
	}
	co->at += len;
	return co->bytes + co->at - len;
}

void
codec_bytes(struct codec *co, void *value, size_t len)
{
	uint8_t *at = codec_take(co, len);

	if (at == NULL)
		return;
	if (co->writing)
		memcpy(at, value, len);
	else
		memcpy(value, at, len);
}

void
codec_u8(struct codec *co, uint8_t *value)
{
	codec_bytes(co, value, sizeof(*value));
}

void
codec_u32(struct codec *co, uint32_t *value)
{
	codec_bytes(co, value, sizeof(*value));
}

void
codec_i32(struct codec *co, int32_t *value)
{
	codec_bytes(co, value, sizeof(*value));
}

void
codec_u64(struct codec *co, uint64_t *value)
{
	codec_bytes(co, value, sizeof(*value));
}

void
codec_i64(struct codec *co, int64_t *value)
{
	codec_bytes(co, value, sizeof(*value));
}

void
codec_text(struct codec *co, const char **text)
{
	const char *given = co->writing ? *text : NULL;
	uint32_t len = given != NULL ? (uint32_t)strlen(given) + 1 : 0;
	uint8_t *at;

	codec_u32(co, &len);
	if (!co->writing)
		*text = NULL;
	if (len == 0)
		return;
	at = codec_take(co, len);
	if (at == NULL)
		return;
	if (given != NULL)
		memcpy(at, given, len);
	else if (memchr(at, '\0', len) == at + len - 1)
		*text = (const char *)at;
	else
		co->failed = true;
}

void
codec_addr(struct codec *co, struct addr *addr)
{
	codec_bytes(co, &addr->family, sizeof(addr->family));
	codec_bytes(co, &addr->port, sizeof(addr->port));
	codec_u32(co, &addr->scope);
	codec_bytes(co, addr->bytes, sizeof(addr->bytes));
}
