/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A hash of bytes that nobody hostile chooses: FNV-1a with 64 bits.
 *
 * Each step is one-to-one in what came before, so two inputs of one length
 * that differ in a single byte never have the same hash.
 */

#ifndef MINETD_HASH_H
#define MINETD_HASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t
hash_bytes(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
