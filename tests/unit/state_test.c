/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A state is what was written, or nothing: round trips, bytes that were
 * changed in every bit, and numbers that cannot be true together.
 *
 * Bytes are read where the page after them is not accessible.
 */

#include "main/state.h"

#include <sys/mman.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/channel.h"
#include "base/bantable.h"
#include "base/done.h"
#include "base/hash.h"
#include "conf/conf.h"

#define NAME_64								\
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum {
	SERVICES = 3,
	LISTENERS = 9,
	PROCS = 3,
	FRONTS = 2,
	INHERITED_FDS = 2,
	LOANS = 3,
	BANS = 2,
	PAGES = 4,		/* room for bytes that are read */
	VERSION_AT = 4,		/* in the head */
	LEN_AT = 8,
	CHECKSUM_AT = 16,
	HEAD_SIZE = 24,
	RECORD_SIZE = 8,	/* of type and length */
};

/* The types of records, as they are written. */
enum {
	MAIN = 1, OPTIONS, STARTER, SERVICE, LISTENER, PROC, FRONT, INHERITED,
	LOAN, BAN,
	UNKNOWN,
};

static const char contradiction[] = "the state contradicts itself";
static const char records_missing[] =
    "the state has not the records that it must have";
static const char record_short[] = "a record of the state is too short";

/* A state with its arrays; what a row of a table changes is in here. */
static struct sample {
	struct state st;
	struct state_service services[SERVICES];
	struct state_listener listeners[LISTENERS];
	struct state_proc procs[PROCS];
	struct state_front fronts[FRONTS];
	struct state_inherited inherited[INHERITED_FDS];
	struct state_loan loans[LOANS];
	struct state_ban bans[BANS];
} sample;

static const struct addr localhost4 = {
	.family = ADDR_IP4, .port = 8080, .bytes = { 127, 0, 0, 1 },
};
static const struct addr link6 = {
	.family = ADDR_IP6, .port = 65535, .scope = 7,
	.bytes = { 0xfe, 0x80, [15] = 1 },
};

/* One of each other kind. */
static void
sample_fill_families(void)
{
	sample.listeners[5] = (struct state_listener){
		.service = 2, .fd = 10, .transport = CONF_UDP,
		.addr = link6, .path = "", .interface = "" };
	sample.listeners[6] = (struct state_listener){
		.service = 2, .fd = 11, .transport = CONF_UNIX_DGRAM,
		.path = "@x", .interface = "" };
	sample.listeners[7] = (struct state_listener){
		.service = 2, .fd = 12, .transport = CONF_VSOCK,
		.addr = addr_from_vsock(UINT32_MAX, 1024), .path = "",
		.interface = "" };
	sample.listeners[8] = (struct state_listener){
		.service = 2, .fd = 13, .transport = CONF_FD,
		.addr.port = 1, .path = "web", .interface = "" };
	sample.inherited[0] = (struct state_inherited){ 40, "web" };
	sample.inherited[1] = (struct state_inherited){ 41, "web" };
}

static void
sample_fill_arrays(void)
{
	sample.services[0] = (struct state_service){ "a", 5000, 0 };
	sample.services[1] = (struct state_service){ "Every.key_+-1",
		UINT32_MAX, CONF_LOG_VERBOSE };
	sample.services[2] = (struct state_service){ NAME_64, 0,
		CONF_LOG_EXIT };
	sample.listeners[0] = (struct state_listener){
		.service = 0, .fd = 7, .addr = localhost4, .path = "",
		.interface = "lo", .shares_port = 1, .closing = 1 };
	sample.listeners[1] = (struct state_listener){
		.service = 1, .fd = 8, .v6 = CONF_V6_DUAL, .mptcp = 1,
		.addr = { .family = ADDR_IP6, .port = 80 }, .path = "",
		.interface = "" };
	sample.listeners[2] = (struct state_listener){
		.service = 1, .fd = 9, .transport = CONF_UNIX,
		.path = "/run/x y", .interface = "",
		.dev = UINT64_MAX, .ino = 12345678901234567890U };
	/* Closed, and remembered by a handler. */
	sample.listeners[3] = (struct state_listener){
		.service = STATE_NONE, .fd = -1, .v6 = CONF_V6_ONLY,
		.addr = link6, .path = "", .interface = "" };
	/* Degraded. */
	sample.listeners[4] = (struct state_listener){
		.service = 2, .fd = -1, .transport = CONF_UNIX, .path = "/y",
		.interface = "" };
	sample.procs[0] = (struct state_proc){
		.id = 0x1000000000, .started_nsec = INT64_MAX, .pid = 100,
		.service = 0, .listener = 0, .peer = localhost4,
		.local = localhost4, .via = link6, .asked = link6,
		.touched_nsec = 7, .kill_nsec = INT64_MIN, .moved = UINT64_MAX,
		.max_runtime_msec = 1, .first_byte_msec = UINT32_MAX,
		.idle_msec = 3, .preface = 4, .seen = 1, .reason = DONE_IDLE,
		.waits = 1 };
	sample.procs[1] = (struct state_proc){
		.id = 2, .started_nsec = -1, .pid = INT32_MAX, .service = 2,
		.listener = 3, .peer = link6, .local = link6 };
	sample.procs[2] = (struct state_proc){
		.id = 3, .pid = 102, .service = 1, .listener = 2,
		.peer = addr_from_cred(1, UINT32_MAX, 2),
		.local = { .family = ADDR_UNIX } };
	sample.fronts[0] = (struct state_front){ 200, 20 };
	sample.fronts[1] = (struct state_front){ 201, 21 };
	sample_fill_families();
	sample.bans[0] = (struct state_ban){
		.net = link6, .until_nsec = INT64_MAX, .bits = 64,
		.cause = BAN_OPERATOR, .service = "b" };
	sample.bans[1] = (struct state_ban){
		.net = localhost4, .until_nsec = 1, .bits = 32,
		.cause = BAN_TRAP, .service = "a" };
	sample.loans[0] = (struct state_loan){
		.id = 2, .pid = INT32_MAX, .service = 2, .listener = 3,
		.fd = 30, .other_fd = 31, .kind = CHANNEL_LOAN_DATAGRAMS,
		.peer = link6, .local = link6 };
	sample.loans[1] = (struct state_loan){
		.id = 2, .pid = INT32_MAX, .service = 2,
		.listener = STATE_NONE, .fd = 32, .other_fd = -1,
		.kind = CHANNEL_LOAN_STDERR, .peer = link6, .local = link6 };
	/* Of a handler that is no more. */
	sample.loans[2] = (struct state_loan){
		.id = 1, .pid = 99, .service = 0, .listener = STATE_NONE,
		.fd = 33, .other_fd = -1, .kind = CHANNEL_LOAN_STDERR,
		.ended = 1, .local = { .family = ADDR_UNIX } };
}

/* The richest state, with all that a command line can have. */
static void
sample_fill(void)
{
	sample.st = (struct state){
		.next_id = 0x1000000001, .log_lost = 17, .began_nsec = -5,
		.conf_fd = 3, .pid_fd = 4, .log_fd = 5, .reload_wanted = 1,
		.options = { "/etc/minetd.conf", "file:/var/log/x", "",
		    "/run/minetd.pid", "/usr/sbin/minetd", 1, 1 },
		.starter = { 1024, UINT64_MAX, -20, -1000, 1, 0, 1, 0 },
		.services = sample.services, .service_count = SERVICES,
		.listeners = sample.listeners, .listener_count = LISTENERS,
		.procs = sample.procs, .proc_count = PROCS,
		.fronts = sample.fronts, .front_count = FRONTS,
		.inherited = sample.inherited,
		.inherited_count = INHERITED_FDS,
		.loans = sample.loans, .loan_count = LOANS,
		.bans = sample.bans, .ban_count = BANS,
	};
	sample_fill_arrays();
}

/* The poorest one. */
static void
sample_fill_empty(void)
{
	sample.st = (struct state){
		.conf_fd = 3, .pid_fd = -1, .log_fd = -1,
		.options = { .conf_file = "/" },
	};
}

/* Encoded bytes under change. */
struct blob {
	uint8_t *bytes;
	size_t len;
};

static struct blob
blob_new(struct state *st)
{
	struct blob blob;

	blob.bytes = state_encode(st, &blob.len);
	assert_non_null(blob.bytes);
	return blob;
}

static void
blob_free(struct blob *blob)
{
	free(blob->bytes);
}

/* Make length and checksum right again. */
static void
blob_seal(struct blob *blob)
{
	uint64_t len = blob->len;
	uint64_t checksum = 0;

	memcpy(blob->bytes + LEN_AT, &len, sizeof(len));
	memcpy(blob->bytes + CHECKSUM_AT, &checksum, sizeof(checksum));
	checksum = hash_bytes(blob->bytes, HEAD_SIZE) ^
	    hash_bytes(blob->bytes + HEAD_SIZE, blob->len - HEAD_SIZE);
	memcpy(blob->bytes + CHECKSUM_AT, &checksum, sizeof(checksum));
}

static uint32_t
blob_u32(const struct blob *blob, size_t at)
{
	uint32_t value;

	memcpy(&value, blob->bytes + at, sizeof(value));
	return value;
}

/* Where the first record of a type is, and how long with its head. */
static size_t
blob_find(const struct blob *blob, uint32_t type, size_t *len)
{
	size_t at = HEAD_SIZE;

	while (at < blob->len && blob_u32(blob, at) != type)
		at += RECORD_SIZE + blob_u32(blob, at + 4);
	assert_true(at < blob->len);
	*len = RECORD_SIZE + blob_u32(blob, at + 4);
	return at;
}

/* Replace some bytes by others. */
static void
blob_splice(struct blob *blob, size_t at, size_t gone, const void *bytes,
    size_t len)
{
	size_t size = blob->len - gone + len;
	uint8_t *made = malloc(size);

	assert_non_null(made);
	memcpy(made, blob->bytes, at);
	if (len > 0)
		memcpy(made + at, bytes, len);
	memcpy(made + at + len, blob->bytes + at + gone,
	    blob->len - at - gone);
	free(blob->bytes);
	*blob = (struct blob){ made, size };
}

/* Give a record another length: bytes go from its end, or others come. */
static void
blob_resize(struct blob *blob, uint32_t type, size_t wanted)
{
	static const uint8_t more[64] = { 0xff, 1, 2, 3 };
	size_t len;
	size_t at = blob_find(blob, type, &len);
	uint32_t fields = (uint32_t)(wanted - RECORD_SIZE);

	memcpy(blob->bytes + at + 4, &fields, sizeof(fields));
	if (wanted < len)
		blob_splice(blob, at + wanted, len - wanted, NULL, 0);
	else
		blob_splice(blob, at + len, 0, more, wanted - len);
	blob_seal(blob);
}

/* Decode the bytes where reading beyond them is fatal. */
static const char *
decode(struct state *st, const uint8_t *bytes, size_t len)
{
	static uint8_t *edge;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (edge == NULL) {
		uint8_t *map = mmap(NULL, (PAGES + 1) * page,
		    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);

		assert_ptr_not_equal(map, MAP_FAILED);
		edge = map + PAGES * page;
		assert_int_equal(mprotect(edge, page, PROT_NONE), 0);
	}
	assert_true(len <= PAGES * page);
	memcpy(edge - len, bytes, len);
	return state_decode(st, edge - len, len);
}

static void
expect_refused(const char *name, const struct blob *blob, const char *wanted)
{
	struct state st;
	const char *why = decode(&st, blob->bytes, blob->len);

	if (why == NULL || strcmp(why, wanted) != 0)
		fail_msg("%s: %s", name, why != NULL ? why : "was accepted");
	/* Nothing is left to be freed. */
	assert_null(st.services);
	assert_null(st.listeners);
	assert_null(st.procs);
	assert_null(st.fronts);
	assert_null(st.inherited);
	assert_null(st.loans);
}

/* What was decoded encodes, and decodes to something that encodes the same. */
static void
check_model(const char *name, struct state *st)
{
	struct blob first = blob_new(st);
	struct state again;
	const char *why = decode(&again, first.bytes, first.len);

	if (why != NULL)
		fail_msg("%s: read again: %s", name, why);
	struct blob second = blob_new(&again);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.bytes, second.bytes, first.len);
	state_fini(&again);
	blob_free(&first);
	blob_free(&second);
}

/* Refused for whatever reason, or accepted as a valid state. */
static bool
accepted(const char *name, const struct blob *blob)
{
	struct state st;

	if (decode(&st, blob->bytes, blob->len) != NULL)
		return false;
	check_model(name, &st);
	state_fini(&st);
	return true;
}

static void
text_compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void
addr_compare(const struct addr *a, const struct addr *b)
{
	assert_memory_equal(a, b, sizeof(*a));
}

static void
main_compare(const struct state *a, const struct state *b)
{
	assert_int_equal(a->next_id, b->next_id);
	assert_int_equal(a->log_lost, b->log_lost);
	assert_int_equal(a->began_nsec, b->began_nsec);
	assert_int_equal(a->conf_fd, b->conf_fd);
	assert_int_equal(a->pid_fd, b->pid_fd);
	assert_int_equal(a->log_fd, b->log_fd);
	assert_int_equal(a->reload_wanted, b->reload_wanted);
	text_compare(a->options.conf_file, b->options.conf_file);
	text_compare(a->options.log, b->options.log);
	text_compare(a->options.pid_file, b->options.pid_file);
	text_compare(a->options.pid_path, b->options.pid_path);
	text_compare(a->options.binary, b->options.binary);
	assert_int_equal(a->options.foreground, b->options.foreground);
	assert_int_equal(a->options.debug, b->options.debug);
}

static void
starter_compare(const struct state_starter *a, const struct state_starter *b)
{
	assert_int_equal(a->nofile_soft, b->nofile_soft);
	assert_int_equal(a->nofile_hard, b->nofile_hard);
	assert_int_equal(a->nice, b->nice);
	assert_int_equal(a->oom_score_adj, b->oom_score_adj);
	assert_int_equal(a->nofile_raised, b->nofile_raised);
	assert_int_equal(a->may_change_user, b->may_change_user);
	assert_int_equal(a->may_lower_oom, b->may_lower_oom);
	assert_int_equal(a->real_time, b->real_time);
}

static void
listener_compare(const struct state_listener *a,
    const struct state_listener *b)
{
	assert_int_equal(a->service, b->service);
	assert_int_equal(a->fd, b->fd);
	assert_int_equal(a->transport, b->transport);
	assert_int_equal(a->v6, b->v6);
	assert_int_equal(a->mptcp, b->mptcp);
	assert_int_equal(a->shares_port, b->shares_port);
	assert_int_equal(a->closing, b->closing);
	addr_compare(&a->addr, &b->addr);
	text_compare(a->path, b->path);
	text_compare(a->interface, b->interface);
	assert_int_equal(a->dev, b->dev);
	assert_int_equal(a->ino, b->ino);
}

static void
proc_compare(const struct state_proc *a, const struct state_proc *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->started_nsec, b->started_nsec);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->service, b->service);
	assert_int_equal(a->listener, b->listener);
	addr_compare(&a->peer, &b->peer);
	addr_compare(&a->local, &b->local);
	addr_compare(&a->via, &b->via);
	addr_compare(&a->asked, &b->asked);
	assert_int_equal(a->touched_nsec, b->touched_nsec);
	assert_int_equal(a->kill_nsec, b->kill_nsec);
	assert_int_equal(a->moved, b->moved);
	assert_int_equal(a->max_runtime_msec, b->max_runtime_msec);
	assert_int_equal(a->first_byte_msec, b->first_byte_msec);
	assert_int_equal(a->idle_msec, b->idle_msec);
	assert_int_equal(a->preface, b->preface);
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->reason, b->reason);
	assert_int_equal(a->waits, b->waits);
}

static void
ban_compare(const struct state_ban *a, const struct state_ban *b)
{
	addr_compare(&a->net, &b->net);
	assert_int_equal(a->until_nsec, b->until_nsec);
	assert_int_equal(a->bits, b->bits);
	assert_int_equal(a->cause, b->cause);
	text_compare(a->service, b->service);
}

static void
loan_compare(const struct state_loan *a, const struct state_loan *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->service, b->service);
	assert_int_equal(a->listener, b->listener);
	assert_int_equal(a->fd, b->fd);
	assert_int_equal(a->other_fd, b->other_fd);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->ended, b->ended);
	addr_compare(&a->peer, &b->peer);
	addr_compare(&a->local, &b->local);
}

static void
arrays_compare(const struct state *a, const struct state *b)
{
	assert_int_equal(a->service_count, b->service_count);
	assert_int_equal(a->listener_count, b->listener_count);
	assert_int_equal(a->proc_count, b->proc_count);
	assert_int_equal(a->front_count, b->front_count);
	assert_int_equal(a->inherited_count, b->inherited_count);
	assert_int_equal(a->loan_count, b->loan_count);
	assert_int_equal(a->ban_count, b->ban_count);
	for (uint32_t i = 0; i < a->service_count; i++) {
		text_compare(a->services[i].name, b->services[i].name);
		assert_int_equal(a->services[i].kill_grace_msec,
		    b->services[i].kill_grace_msec);
		assert_int_equal(a->services[i].log_connections,
		    b->services[i].log_connections);
		assert_int_equal(a->services[i].stop_signal,
		    b->services[i].stop_signal);
	}
	for (uint32_t i = 0; i < a->listener_count; i++)
		listener_compare(&a->listeners[i], &b->listeners[i]);
	for (uint32_t i = 0; i < a->proc_count; i++)
		proc_compare(&a->procs[i], &b->procs[i]);
	for (uint32_t i = 0; i < a->front_count; i++) {
		assert_int_equal(a->fronts[i].pid, b->fronts[i].pid);
		assert_int_equal(a->fronts[i].channel, b->fronts[i].channel);
	}
	for (uint32_t i = 0; i < a->inherited_count; i++) {
		assert_int_equal(a->inherited[i].fd, b->inherited[i].fd);
		text_compare(a->inherited[i].name, b->inherited[i].name);
	}
	for (uint32_t i = 0; i < a->loan_count; i++)
		loan_compare(&a->loans[i], &b->loans[i]);
	for (uint32_t i = 0; i < a->ban_count; i++)
		ban_compare(&a->bans[i], &b->bans[i]);
}

static void
what_was_written_is_read(void **state)
{
	static void (*const fills[])(void) = { sample_fill,
	    sample_fill_empty };
	struct state st;

	(void)state;
	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		fills[i]();
		struct blob blob = blob_new(&sample.st);
		assert_null(decode(&st, blob.bytes, blob.len));
		main_compare(&st, &sample.st);
		starter_compare(&st.starter, &sample.st.starter);
		arrays_compare(&st, &sample.st);
		state_fini(&st);
		blob_free(&blob);
	}
}

static void
each_flipped_bit_is_noticed(void **state)
{
	struct state st;

	(void)state;
	sample_fill();
	struct blob blob = blob_new(&sample.st);
	for (size_t bit = 0; bit < blob.len * 8; bit++) {
		blob.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (decode(&st, blob.bytes, blob.len) == NULL)
			fail_msg("bit %zu makes no difference", bit);
		blob.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(accepted("unchanged", &blob));
	blob_free(&blob);
}

/* What the checksum does not tell: nothing is believed blindly. */
static void
each_flipped_bit_under_a_right_checksum_is_harmless(void **state)
{
	size_t taken = 0;
	char name[32];

	(void)state;
	sample_fill();
	struct blob blob = blob_new(&sample.st);
	size_t bits = blob.len * 8;
	for (size_t bit = HEAD_SIZE * 8; bit < bits; bit++) {
		blob.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		blob_seal(&blob);
		snprintf(name, sizeof(name), "bit %zu", bit);
		taken += accepted(name, &blob);
		blob.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Both happen, or this test is of no use. */
	assert_in_range(taken, bits / 10, bits - bits / 10);
	blob_free(&blob);
}

static void
the_end_cannot_be_missing(void **state)
{
	struct state st;

	(void)state;
	sample_fill();
	struct blob blob = blob_new(&sample.st);
	for (size_t len = 0; len < blob.len; len++)
		if (decode(&st, blob.bytes, len) == NULL)
			fail_msg("the first %zu bytes are accepted", len);
	blob_free(&blob);
}

/* Even when length and checksum are right: records are whole. */
static void
an_end_between_records_is_the_only_other_one(void **state)
{
	(void)state;
	sample_fill();
	struct blob whole = blob_new(&sample.st);
	size_t last = whole.len;
	for (size_t len = HEAD_SIZE; len < whole.len; len++) {
		struct blob blob = blob_new(&sample.st);
		size_t at = HEAD_SIZE;

		while (at < len)
			at += RECORD_SIZE + blob_u32(&blob, at + 4);
		blob.len = len;
		blob_seal(&blob);
		if (accepted("a part", &blob)) {
			assert_int_equal(at, len);
			last = len;
		}
		blob_free(&blob);
	}
	/* Without the last ban, as long as the first, the rest is true. */
	size_t ban;
	blob_find(&whole, BAN, &ban);
	assert_int_equal(last, whole.len - ban);
	blob_free(&whole);
}

static void
what_comes_behind_is_refused(void **state)
{
	static const uint8_t more[RECORD_SIZE - 1];

	(void)state;
	sample_fill();
	struct blob blob = blob_new(&sample.st);
	blob_splice(&blob, blob.len, 0, more, sizeof(more));
	expect_refused("more bytes", &blob, "the state is incomplete");
	blob_seal(&blob);
	expect_refused("half a record", &blob, records_missing);
	blob_free(&blob);
}

static void
the_head_is_checked(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t flip;
		size_t len;	/* 0: all of it */
		const char *why;
	} rows[] = {
		{ "nothing", 0, 0, 1, "the state is too short" },
		{ "no whole head", 0, 0, HEAD_SIZE - 1,
		    "the state is too short" },
		{ "the head only", 0, 0, HEAD_SIZE, "the state is incomplete" },
		{ "magic", 0, 1, 0, "this is no state of minetd" },
		{ "version", VERSION_AT, 2, 0,
		    "the state is of another version" },
		{ "a far version", VERSION_AT + 3, 0x80, 0,
		    "the state is of another version" },
		{ "length", LEN_AT, 1, 0, "the state is incomplete" },
		{ "a huge length", LEN_AT + 7, 0x80, 0,
		    "the state is incomplete" },
		{ "checksum", CHECKSUM_AT, 1, 0, "the state is damaged" },
		{ "a byte", HEAD_SIZE + RECORD_SIZE, 1, 0,
		    "the state is damaged" },
	};

	(void)state;
	sample_fill();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct blob blob = blob_new(&sample.st);

		blob.bytes[rows[i].at] ^= rows[i].flip;
		if (rows[i].len != 0)
			blob.len = rows[i].len;
		expect_refused(rows[i].name, &blob, rows[i].why);
		blob_free(&blob);
	}
}

/* Records that a later version may add, wherever they stand. */
static void
unknown_records_are_skipped(void **state)
{
	static const uint32_t types[] = { 0, UNKNOWN, 1000, UINT32_MAX };
	struct state st;

	(void)state;
	sample_fill();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (uint32_t before = MAIN; before <= BAN; before++) {
			const uint32_t record[] = { types[i], 4, 0x55555555 };
			struct blob blob = blob_new(&sample.st);
			size_t len;

			blob_splice(&blob, blob_find(&blob, before, &len), 0,
			    record, sizeof(record));
			blob_seal(&blob);
			assert_null(decode(&st, blob.bytes, blob.len));
			main_compare(&st, &sample.st);
			arrays_compare(&st, &sample.st);
			state_fini(&st);
			blob_free(&blob);
		}
}

static void
unknown_fields_are_skipped(void **state)
{
	struct state st;

	(void)state;
	sample_fill();
	for (uint32_t type = MAIN; type <= BAN; type++)
		for (size_t more = 1; more <= 9; more++) {
			struct blob blob = blob_new(&sample.st);
			size_t len;

			blob_find(&blob, type, &len);
			blob_resize(&blob, type, len + more);
			assert_null(decode(&st, blob.bytes, blob.len));
			main_compare(&st, &sample.st);
			starter_compare(&st.starter, &sample.st.starter);
			arrays_compare(&st, &sample.st);
			state_fini(&st);
			blob_free(&blob);
		}
}

static void
missing_fields_are_not(void **state)
{
	char name[64];
	size_t len;

	(void)state;
	sample_fill();
	for (uint32_t type = MAIN; type <= BAN; type++) {
		struct blob blob = blob_new(&sample.st);

		blob_find(&blob, type, &len);
		blob_free(&blob);
		while (len-- > RECORD_SIZE) {
			blob = blob_new(&sample.st);
			blob_resize(&blob, type, len);
			snprintf(name, sizeof(name), "type %u with %zu bytes",
			    type, len);
			expect_refused(name, &blob, record_short);
			blob_free(&blob);
		}
	}
}

static void
there_is_one_of_each_main_record(void **state)
{
	static const uint32_t types[] = { MAIN, OPTIONS, STARTER };
	size_t len;

	(void)state;
	sample_fill();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct blob none = blob_new(&sample.st);
		struct blob two = blob_new(&sample.st);
		size_t at = blob_find(&none, types[i], &len);

		blob_splice(&two, at, 0, none.bytes + at, len);
		blob_splice(&none, at, len, NULL, 0);
		blob_seal(&none);
		blob_seal(&two);
		expect_refused("none", &none, records_missing);
		expect_refused("two", &two, records_missing);
		blob_free(&none);
		blob_free(&two);
	}
}

/* A text has one terminator, at its end. */
static void
texts_end_where_they_say(void **state)
{
	size_t len;

	(void)state;
	sample_fill();
	struct blob blob = blob_new(&sample.st);
	size_t text = blob_find(&blob, SERVICE, &len) + RECORD_SIZE + 4;
	assert_int_equal(blob.bytes[text], 'a');
	blob.bytes[text + 1] = 'b';
	blob_seal(&blob);
	expect_refused("no terminator", &blob, record_short);
	blob.bytes[text] = '\0';
	blob.bytes[text + 1] = '\0';
	blob_seal(&blob);
	expect_refused("two terminators", &blob, record_short);
	blob.bytes[text] = 'z';
	blob_seal(&blob);
	assert_true(accepted("one terminator", &blob));
	blob_free(&blob);
}

struct number_row {
	const char *name;
	void *field;
	size_t size;
	int64_t value;
	bool valid;
};

static void
number_store(const struct number_row *row)
{
	const int64_t wide = row->value;
	const int32_t word = (int32_t)row->value;
	const uint16_t half = (uint16_t)row->value;
	const uint8_t byte = (uint8_t)row->value;

	switch (row->size) {
	case sizeof(wide):
		memcpy(row->field, &wide, sizeof(wide));
		break;
	case sizeof(word):
		memcpy(row->field, &word, sizeof(word));
		break;
	case sizeof(half):
		memcpy(row->field, &half, sizeof(half));
		break;
	default:
		memcpy(row->field, &byte, sizeof(byte));
		break;
	}
}

static void
expect_sample(const char *name, bool valid)
{
	struct blob blob = blob_new(&sample.st);

	if (!valid)
		expect_refused(name, &blob, contradiction);
	else if (!accepted(name, &blob))
		fail_msg("%s: refused", name);
	blob_free(&blob);
}

#define NUMBER(name, field, value, valid)				\
	{ name, &sample.field, sizeof(sample.field), value, valid }

static void
numbers_are_possible(void **state)
{
	static const struct number_row rows[] = {
		NUMBER("conf_fd: standard", st.conf_fd, 2, false),
		NUMBER("conf_fd: a snapshot has none", st.conf_fd, -1, true),
		NUMBER("conf_fd: free", st.conf_fd, 6, true),
		NUMBER("pid_fd: standard", st.pid_fd, 0, false),
		NUMBER("pid_fd: negative", st.pid_fd, -2, false),
		NUMBER("pid_fd: none", st.pid_fd, -1, true),
		NUMBER("pid_fd: conf_fd", st.pid_fd, 3, false),
		NUMBER("log_fd: standard", st.log_fd, 2, false),
		NUMBER("log_fd: none", st.log_fd, -1, true),
		NUMBER("log_fd: pid_fd", st.log_fd, 4, false),
		NUMBER("log_fd: a listener", st.log_fd, 9, false),
		NUMBER("reload_wanted", st.reload_wanted, 2, false),
		NUMBER("foreground", st.options.foreground, 2, false),
		NUMBER("debug", st.options.debug, 255, false),
		NUMBER("soft > hard", st.starter.nofile_hard, 1023, false),
		NUMBER("soft = hard", st.starter.nofile_hard, 1024, true),
		NUMBER("nofile_raised", st.starter.nofile_raised, 2, false),
		NUMBER("may_change_user", st.starter.may_change_user, 2,
		    false),
		NUMBER("may_lower_oom", st.starter.may_lower_oom, 2, false),
		NUMBER("real_time", st.starter.real_time, 2, false),
		NUMBER("log_connections", services[0].log_connections,
		    CONF_LOG_VERBOSE + 1, false),
		NUMBER("listener: standard", listeners[0].fd, 1, false),
		NUMBER("listener: negative", listeners[0].fd, -2, false),
		NUMBER("listener: closed", listeners[0].fd, -1, true),
		NUMBER("listener: another's", listeners[1].fd, 7, false),
		NUMBER("listener: a channel", listeners[1].fd, 21, false),
		NUMBER("listener: nobody's and open", listeners[0].service,
		    STATE_NONE, false),
		NUMBER("listener: no such service", listeners[0].service,
		    SERVICES, false),
		NUMBER("listener: another service", listeners[0].service,
		    SERVICES - 1, true),
		NUMBER("listener: no such service, closed",
		    listeners[3].service, SERVICES, false),
		NUMBER("transport", listeners[0].transport, CONF_TCPMUX,
		    false),
		NUMBER("transport: none", listeners[8].transport,
		    CONF_TCPMUX + 1, false),
		NUMBER("transport: udp", listeners[0].transport, CONF_UDP,
		    true),
		NUMBER("transport: seqpacket", listeners[2].transport,
		    CONF_UNIX_SEQPACKET, true),
		NUMBER("transport: a path is a name", listeners[2].transport,
		    CONF_FD, true),
		NUMBER("transport: fd without a name", listeners[5].transport,
		    CONF_FD, false),
		NUMBER("transport: vsock at an ip address",
		    listeners[5].transport, CONF_VSOCK, false),
		NUMBER("transport: ip at a vsock address",
		    listeners[7].transport, CONF_TCP, false),
		NUMBER("transport: tcp with a path", listeners[2].transport,
		    CONF_TCP, false),
		NUMBER("transport: unix without", listeners[0].transport,
		    CONF_UNIX, false),
		NUMBER("v6", listeners[1].v6, CONF_V6_ONLY + 1, false),
		NUMBER("v6: only", listeners[1].v6, CONF_V6_ONLY, true),
		NUMBER("mptcp", listeners[0].mptcp, 2, false),
		NUMBER("shares_port", listeners[0].shares_port, 2, false),
		NUMBER("closing", listeners[0].closing, 2, false),
		NUMBER("listener: no family", listeners[0].addr.family,
		    ADDR_NONE, false),
		NUMBER("listener: unix family", listeners[0].addr.family,
		    ADDR_UNIX, false),
		NUMBER("handler: id of another", procs[0].id, 2, false),
		NUMBER("handler: id to come", procs[1].id, 0x1000000001,
		    false),
		NUMBER("handler: pid 0", procs[0].pid, 0, false),
		NUMBER("handler: negative pid", procs[0].pid, -1, false),
		NUMBER("handler: pid of another", procs[0].pid, 102, false),
		NUMBER("handler: pid of a frontend", procs[0].pid, 201, false),
		NUMBER("handler: its own pid", procs[0].pid, 1, true),
		NUMBER("handler: no such service", procs[0].service, SERVICES,
		    false),
		NUMBER("handler: no service", procs[0].service, STATE_NONE,
		    false),
		NUMBER("handler: no such listener", procs[0].listener,
		    LISTENERS, false),
		NUMBER("handler: no listener", procs[0].listener, STATE_NONE,
		    false),
		NUMBER("handler: last listener", procs[0].listener,
		    LISTENERS - 1, true),
		NUMBER("handler: peer's family", procs[0].peer.family,
		    ADDR_VSOCK + 1, false),
		NUMBER("handler: local family", procs[0].local.family,
		    UINT16_MAX, false),
		NUMBER("handler: peer unknown", procs[0].peer.family,
		    ADDR_NONE, true),
		NUMBER("frontend: pid 0", fronts[0].pid, 0, false),
		NUMBER("frontend: pid of another", fronts[1].pid, 200, false),
		NUMBER("frontend: no channel", fronts[0].channel, -1, false),
		NUMBER("frontend: standard channel", fronts[0].channel, 2,
		    false),
		NUMBER("frontend: another's channel", fronts[0].channel, 21,
		    false),
		NUMBER("inherited: none", inherited[0].fd, -1, false),
		NUMBER("inherited: standard", inherited[0].fd, 2, false),
		NUMBER("inherited: a listener", inherited[0].fd, 13, false),
		NUMBER("inherited: another", inherited[0].fd, 42, true),
		NUMBER("fewer inherited", st.inherited_count, 0, true),
		NUMBER("loan: not lent", loans[0].fd, -1, false),
		NUMBER("loan: standard", loans[1].fd, 2, false),
		NUMBER("loan: another's", loans[1].fd, 31, false),
		NUMBER("loan: a listener", loans[0].other_fd, 9, false),
		NUMBER("loan: datagrams without their other end",
		    loans[0].other_fd, -1, false),
		NUMBER("loan: a pipe with another end", loans[1].other_fd, 34,
		    false),
		NUMBER("loan: no such kind", loans[1].kind,
		    CHANNEL_LOAN_STDERR + 1, false),
		NUMBER("loan: the same twice", loans[2].id, 2, false),
		NUMBER("loan: id to come", loans[0].id, 0x1000000001, false),
		NUMBER("loan: pid 0", loans[0].pid, 0, false),
		NUMBER("loan: no such service", loans[0].service, SERVICES,
		    false),
		NUMBER("loan: no such listener", loans[0].listener, LISTENERS,
		    false),
		NUMBER("loan: no listener", loans[0].listener, STATE_NONE,
		    true),
		NUMBER("loan: ended", loans[2].ended, 2, false),
		NUMBER("loan: peer's family", loans[0].peer.family,
		    ADDR_VSOCK + 1, false),
		NUMBER("fewer loans", st.loan_count, 0, true),
		NUMBER("ban: of nobody", bans[0].net.family, ADDR_NONE, false),
		NUMBER("ban: no family", bans[0].net.family, ADDR_VSOCK + 1,
		    false),
		NUMBER("ban: too many bits", bans[0].bits, BAN_BITS, false),
		NUMBER("ban: no such cause", bans[1].cause, BAN_CAUSES, false),
		NUMBER("ban: of an address", bans[1].bits, 0, true),
		NUMBER("fewer bans", st.ban_count, 0, true),
		NUMBER("handler: no such end", procs[0].reason, DONE_COUNT,
		    false),
		NUMBER("handler: seen", procs[0].seen, 2, false),
		NUMBER("handler: waits", procs[0].waits, 2, false),
		NUMBER("service: no such signal", services[0].stop_signal,
		    CONF_STOP_KILL + 1, false),
		NUMBER("service: kills", services[0].stop_signal,
		    CONF_STOP_KILL, true),
		NUMBER("next_id: behind", st.next_id, 0x1000000000, false),
		NUMBER("next_id: far ahead", st.next_id, -1, true),
		NUMBER("fewer services", st.service_count, SERVICES - 1,
		    false),
		NUMBER("fewer listeners", st.listener_count, 3, false),
		NUMBER("fewer handlers", st.proc_count, 0, true),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sample_fill();
		number_store(&rows[i]);
		expect_sample(rows[i].name, rows[i].valid);
	}
}

static void
texts_are_possible(void **state)
{
	static const struct {
		const char *name;
		const char **field;
		const char *value;
		bool valid;
	} rows[] = {
		{ "conf_file: none", &sample.st.options.conf_file, NULL,
		    false },
		{ "conf_file: empty", &sample.st.options.conf_file, "",
		    false },
		{ "conf_file: relative", &sample.st.options.conf_file,
		    "minetd.conf", false },
		{ "log: none", &sample.st.options.log, NULL, true },
		{ "pid_file: none", &sample.st.options.pid_file, NULL, true },
		{ "pid_path: none", &sample.st.options.pid_path, NULL, true },
		{ "binary: none", &sample.st.options.binary, NULL, true },
		{ "name: none", &sample.services[0].name, NULL, false },
		{ "name: empty", &sample.services[0].name, "", false },
		{ "name: longest", &sample.services[0].name, NAME_64, true },
		{ "name: too long", &sample.services[0].name, NAME_64 "x",
		    false },
		{ "tcp: no path", &sample.listeners[0].path, NULL, false },
		{ "tcp: a path", &sample.listeners[0].path, "/x", false },
		{ "tcp: a relative path", &sample.listeners[0].path, "x",
		    false },
		{ "unix: no path", &sample.listeners[2].path, NULL, false },
		{ "unix: empty path", &sample.listeners[2].path, "", false },
		{ "unix: relative path", &sample.listeners[2].path, "run/x",
		    false },
		{ "unix: another path", &sample.listeners[2].path, "/", true },
		{ "unix: abstract", &sample.listeners[2].path, "@y", true },
		{ "unix: abstract, empty", &sample.listeners[2].path, "@",
		    false },
		{ "vsock: a path", &sample.listeners[7].path, "/x", false },
		{ "fd: no name", &sample.listeners[8].path, "", false },
		{ "fd: another name", &sample.listeners[8].path, "/x", true },
		{ "inherited: none", &sample.inherited[0].name, NULL,
		    false },
		{ "inherited: no name", &sample.inherited[0].name, "",
		    false },
		{ "interface: none", &sample.listeners[0].interface, NULL,
		    false },
		{ "interface: another", &sample.listeners[0].interface,
		    "eth0", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sample_fill();
		*rows[i].field = rows[i].value;
		expect_sample(rows[i].name, rows[i].valid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(each_flipped_bit_is_noticed),
		cmocka_unit_test(
		    each_flipped_bit_under_a_right_checksum_is_harmless),
		cmocka_unit_test(the_end_cannot_be_missing),
		cmocka_unit_test(an_end_between_records_is_the_only_other_one),
		cmocka_unit_test(what_comes_behind_is_refused),
		cmocka_unit_test(the_head_is_checked),
		cmocka_unit_test(unknown_records_are_skipped),
		cmocka_unit_test(unknown_fields_are_skipped),
		cmocka_unit_test(missing_fields_are_not),
		cmocka_unit_test(there_is_one_of_each_main_record),
		cmocka_unit_test(texts_end_where_they_say),
		cmocka_unit_test(numbers_are_possible),
		cmocka_unit_test(texts_are_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
