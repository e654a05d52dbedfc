/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Values to bytes, and back, by the same call, so that both cannot differ.
 *
 * Numbers are in the order of this machine: the bytes never leave it.
 */

#ifndef MINETD_CODEC_H
#define MINETD_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* All 0 but writing at first; bytes is then the caller's to free. */
struct codec {
	bool writing;
	bool failed;		/* writing: no memory; reading: too short */
	uint8_t *bytes;
	size_t at;
	size_t end;		/* of what may be read, or is allocated */
};

/*
 * Write the value, or read it.  What failed makes the following calls do
 * nothing.
 */
void	codec_bytes(struct codec *co, void *value, size_t len);
void	codec_u8(struct codec *co, uint8_t *value);
void	codec_u32(struct codec *co, uint32_t *value);
void	codec_i32(struct codec *co, int32_t *value);
void	codec_u64(struct codec *co, uint64_t *value);
void	codec_i64(struct codec *co, int64_t *value);
void	codec_addr(struct codec *co, struct addr *addr);

/*
 * The length with the terminator, 0 for NULL, then the text.  One that is read
 * lies in the bytes.
 */
void	codec_text(struct codec *co, const char **text);

#endif
