/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The memory of a configuration while it is built.
 *
 * A hash table with open addressing, at most half full, finds what is there
 * already.  Offset 0, where the head lies, stands for the empty string and
 * the unset list, so that zeroed structures are valid.
 */

#include "conf/block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "conf/heap.h"

enum {
	ALIGNMENT = 8,
	SLOTS_MIN = 1024,
	BYTES_MIN = 65536,
};

struct slot {
	uint32_t offset;	/* 0: free */
	uint32_t len;
	uint64_t hash;
};

struct block {
	uint8_t *bytes;
	size_t len;
	size_t capacity;
	struct slot *slots;
	size_t slot_count;	/* a power of two */
	size_t used;
};

static void
reserve_bytes(struct block *block, size_t len)
{
	if (block->capacity - block->len >= len)
		return;
	size_t capacity = 2 * (block->len + len) + BYTES_MIN;
	uint8_t *bytes = heap_new(1, capacity);
	if (block->len > 0)
		memcpy(bytes, block->bytes, block->len);
	free(block->bytes);
	block->bytes = bytes;
	block->capacity = capacity;
}

static uint32_t
append_bytes(struct block *block, const void *bytes, size_t len, size_t align)
{
	size_t offset = (block->len + align - 1) / align * align;

	/* Nothing refers to what lies further behind. */
	if (len > UINT32_MAX - align || offset > UINT32_MAX - len)
		_Exit(HEAP_EXHAUSTED);
	reserve_bytes(block, len + align);
	memcpy(block->bytes + offset, bytes, len);
	block->len = offset + len;
	return (uint32_t)offset;
}

/* The slot where such an entry is, or would go. */
static struct slot *
find_slot(const struct block *block, const struct slot *wanted,
    const void *bytes, size_t align)
{
	size_t mask = block->slot_count - 1;
	size_t i = wanted->hash & mask;

	for (;; i = (i + 1) & mask) {
		struct slot *slot = &block->slots[i];

		if (slot->offset == 0)
			return slot;
		if (bytes != NULL && slot->hash == wanted->hash &&
		    slot->len == wanted->len && slot->offset % align == 0 &&
		    memcmp(block->bytes + slot->offset, bytes,
		    slot->len) == 0)
			return slot;
	}
}

static void
double_slots(struct block *block)
{
	struct slot *old = block->slots;
	size_t count = block->slot_count;

	block->slot_count = 2 * count;
	block->slots = heap_new(block->slot_count, sizeof(*block->slots));
	for (size_t i = 0; i < count; i++)
		if (old[i].offset != 0)
			*find_slot(block, &old[i], NULL, 1) = old[i];
	free(old);
}

static uint32_t
intern_bytes(struct block *block, const void *bytes, size_t len, size_t align)
{
	struct slot wanted = { .len = (uint32_t)len,
		.hash = hash_bytes(bytes, len) };

	if (2 * block->used >= block->slot_count)
		double_slots(block);
	struct slot *slot = find_slot(block, &wanted, bytes, align);
	if (slot->offset == 0) {
		wanted.offset = append_bytes(block, bytes, len, align);
		*slot = wanted;
		block->used++;
	}
	return slot->offset;
}

struct block *
block_new(void)
{
	static const struct conf head;
	struct block *block = heap_new(1, sizeof(*block));

	block->slot_count = SLOTS_MIN;
	block->slots = heap_new(block->slot_count, sizeof(*block->slots));
	append_bytes(block, &head, sizeof(head), ALIGNMENT);
	return block;
}

void
block_free(struct block *block)
{
	free(block->bytes);
	free(block->slots);
	free(block);
}

uint32_t
block_add(struct block *block, const void *bytes, size_t len)
{
	return intern_bytes(block, bytes, len, ALIGNMENT);
}

struct conf_str
block_add_string(struct block *block, const char *text)
{
	if (text[0] == '\0')
		return (struct conf_str){ 0 };
	return (struct conf_str){
		intern_bytes(block, text, strlen(text) + 1, 1)
	};
}

struct conf_bytes
block_add_bytes(struct block *block, const void *bytes, size_t len)
{
	if (len == 0)
		return (struct conf_bytes){ 0 };
	return (struct conf_bytes){
		.offset = intern_bytes(block, bytes, len, 1),
		.len = (uint32_t)len,
	};
}

struct conf_bytes
block_add_table(struct block *block, const void *bytes, size_t len)
{
	return (struct conf_bytes){ block_add(block, bytes, len),
		(uint32_t)len };
}

struct conf_list
block_add_list(struct block *block, const void *items, size_t count,
    size_t size)
{
	if (count == 0)
		return (struct conf_list){ 0 };
	return (struct conf_list){
		.offset = block_add(block, items, count * size),
		.count = (uint32_t)count,
	};
}

const struct conf *
block_conf(const struct block *block)
{
	return (const struct conf *)(const void *)block->bytes;
}

void
block_finish(struct block *block, const struct conf *head)
{
	struct conf finished = *head;

	finished.magic = BLOCK_MAGIC;
	finished.version = BLOCK_VERSION;
	finished.size = block->len;
	memcpy(block->bytes, &finished, sizeof(finished));
}
