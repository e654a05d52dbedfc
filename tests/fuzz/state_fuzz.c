/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whatever is read as a state is one: it encodes, and decodes to the same.
 *
 * The head is made right, or nothing behind it would ever be read.  Without
 * the records that every state has, or with records out of step, little is
 * read, either; so the input is a list of records with small lengths, behind
 * those three, or of changes to a state that has everything.
 */

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "main/state.h"

enum {
	LEN_AT = 8,		/* in the head */
	CHECKSUM_AT = 16,
	HEAD_SIZE = 24,
	INPUT_MAX = 4096,
	ROOM = INPUT_MAX * 8,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct state_service services[] = { { "a", 5000, CONF_LOG_EXIT } };
static struct state_listener listeners[] = {
	{ .service = 0, .fd = 6, .addr = { .family = ADDR_IP4, .port = 7 },
	    .path = "", .interface = "lo" },
	{ .service = STATE_NONE, .fd = -1, .transport = CONF_UNIX,
	    .path = "/x", .interface = "" },
};
static struct state_proc procs[] = {
	{ .id = 1, .pid = 100, .listener = 1 },
	{ .id = 2, .pid = 101, .peer = { .family = ADDR_IP6 } },
};
static struct state_front fronts[] = { { 102, 7 } };
static struct state_loan loans[] = {
	{ .id = 1, .pid = 101, .listener = STATE_NONE, .fd = 8, .other_fd = 9 },
};

static struct state
sample(bool rich)
{
	return (struct state){
		.next_id = 3, .conf_fd = 3, .pid_fd = 4, .log_fd = -1,
		.options = { .conf_file = "/c", .log = "stderr" },
		.starter = { 1024, 4096, 0, 0, 0, 1, 1, 0 },
		.services = services, .service_count = rich,
		.listeners = listeners, .listener_count = rich ? 2 : 0,
		.procs = procs, .proc_count = rich ? 2 : 0,
		.fronts = fronts, .front_count = rich,
		.loans = loans, .loan_count = rich,
	};
}

static uint8_t *
encode(struct state *state, size_t *len)
{
	uint8_t *bytes = state_encode(state, len);

	if (bytes == NULL)
		BUG("no memory");
	return bytes;
}

/* Add records: type, length, fields. */
static size_t
records_add(uint8_t *bytes, size_t at, const uint8_t *data, size_t size)
{
	while (size >= 2 && size - 2 >= data[1]) {
		const uint32_t record[] = { data[0], data[1] };

		memcpy(bytes + at, record, sizeof(record));
		memcpy(bytes + at + sizeof(record), data + 2, data[1]);
		at += sizeof(record) + data[1];
		size -= 2 + (size_t)data[1];
		data += 2 + data[1];
	}
	return at;
}

/* Change bytes: where, in two bytes, and by what. */
static void
bytes_change(uint8_t *bytes, size_t len, const uint8_t *data, size_t size)
{
	for (; size >= 3; data += 3, size -= 3) {
		size_t where = (size_t)data[0] << 8 | data[1];

		bytes[HEAD_SIZE + where % (len - HEAD_SIZE)] ^= data[2];
	}
}

static void
seal(uint8_t *bytes, size_t size)
{
	uint64_t len = size, checksum = 0;

	memcpy(bytes + LEN_AT, &len, sizeof(len));
	memcpy(bytes + CHECKSUM_AT, &checksum, sizeof(checksum));
	checksum = hash_bytes(bytes, HEAD_SIZE) ^
	    hash_bytes(bytes + HEAD_SIZE, len - HEAD_SIZE);
	memcpy(bytes + CHECKSUM_AT, &checksum, sizeof(checksum));
}

static void
check(const uint8_t *bytes, size_t len)
{
	/* Of the very size, so that reading beyond is noticed. */
	uint8_t *copy = malloc(len);
	struct state state, again;
	size_t first_len, second_len;

	memcpy(copy, bytes, len);
	if (state_decode(&state, copy, len) == NULL) {
		uint8_t *first = encode(&state, &first_len);

		/* Texts end where they were said to. */
		if (first_len > len)
			BUG("more was read than there is");
		if (state_decode(&again, first, first_len) != NULL)
			BUG("what was written is refused");
		uint8_t *second = encode(&again, &second_len);
		if (first_len != second_len ||
		    memcmp(first, second, first_len) != 0)
			BUG("what was written is read as something else");
		state_fini(&again);
		state_fini(&state);
		free(second);
		free(first);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t bytes[ROOM];
	bool rich = size > 0 && (data[0] & 1) != 0;
	struct state state = sample(rich);
	size_t len;
	uint8_t *made = encode(&state, &len);

	memcpy(bytes, made, len);
	free(made);
	if (size > INPUT_MAX)
		return 0;
	if (size > 0 && (data[0] & 2) != 0) {
		/* Not even the records are in step. */
		memcpy(bytes + len, data + 1, size - 1);
		len += size - 1;
	} else if (rich) {
		bytes_change(bytes, len, data + 1, size - 1);
	} else if (size > 0) {
		len = records_add(bytes, len, data + 1, size - 1);
	}
	seal(bytes, len);
	check(bytes, len);
	return 0;
}
