/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What one image of the daemon leaves to the next, as bytes.
 *
 * Each kind of record has one function, which writes the fields or reads them,
 * so that both cannot differ.
 */

#include "main/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "main/codec.h"
#include "main/statecheck.h"

struct head {
	uint32_t magic;
	uint32_t version;
	uint64_t len;		/* of everything, the head included */
	uint64_t checksum;	/* of everything but the checksum itself */
};

enum record_type {
	RECORD_MAIN = 1,
	RECORD_OPTIONS,
	RECORD_STARTER,
	RECORD_SERVICE,
	RECORD_LISTENER,
	RECORD_PROC,
	RECORD_FRONT,
	RECORD_INHERITED,
	RECORD_LOAN,
	RECORD_BAN,
	RECORD_TYPES,
};

struct record {
	uint32_t type;
	uint32_t len;		/* of the fields that follow */
};

static void
main_code(struct codec *co, struct state *state)
{
	codec_u64(co, &state->next_id);
	codec_u64(co, &state->log_lost);
	codec_i64(co, &state->began_nsec);
	codec_i32(co, &state->conf_fd);
	codec_i32(co, &state->pid_fd);
	codec_i32(co, &state->log_fd);
	codec_u8(co, &state->reload_wanted);
}

static void
options_code(struct codec *co, struct state_options *options)
{
	codec_text(co, &options->conf_file);
	codec_text(co, &options->log);
	codec_text(co, &options->pid_file);
	codec_text(co, &options->pid_path);
	codec_text(co, &options->binary);
	codec_u8(co, &options->foreground);
	codec_u8(co, &options->debug);
}

static void
starter_code(struct codec *co, struct state_starter *starter)
{
	codec_u64(co, &starter->nofile_soft);
	codec_u64(co, &starter->nofile_hard);
	codec_i32(co, &starter->nice);
	codec_i32(co, &starter->oom_score_adj);
	codec_u8(co, &starter->nofile_raised);
	codec_u8(co, &starter->may_change_user);
	codec_u8(co, &starter->may_lower_oom);
	codec_u8(co, &starter->real_time);
}

static void
service_code(struct codec *co, struct state_service *svc)
{
	codec_text(co, &svc->name);
	codec_u32(co, &svc->kill_grace_msec);
	codec_u8(co, &svc->log_connections);
	codec_u8(co, &svc->stop_signal);
}

static void
listener_code(struct codec *co, struct state_listener *lst)
{
	codec_u32(co, &lst->service);
	codec_i32(co, &lst->fd);
	codec_u8(co, &lst->transport);
	codec_u8(co, &lst->v6);
	codec_u8(co, &lst->mptcp);
	codec_u8(co, &lst->shares_port);
	codec_u8(co, &lst->closing);
	codec_addr(co, &lst->addr);
	codec_text(co, &lst->path);
	codec_text(co, &lst->interface);
	codec_u64(co, &lst->dev);
	codec_u64(co, &lst->ino);
	codec_u64(co, &lst->waiter);
}

static void
proc_code(struct codec *co, struct state_proc *proc)
{
	codec_u64(co, &proc->id);
	codec_i64(co, &proc->started_nsec);
	codec_i32(co, &proc->pid);
	codec_u32(co, &proc->service);
	codec_u32(co, &proc->listener);
	codec_addr(co, &proc->peer);
	codec_addr(co, &proc->local);
	codec_addr(co, &proc->via);
	codec_addr(co, &proc->asked);
	codec_i64(co, &proc->touched_nsec);
	codec_i64(co, &proc->kill_nsec);
	codec_u64(co, &proc->moved);
	codec_u32(co, &proc->max_runtime_msec);
	codec_u32(co, &proc->first_byte_msec);
	codec_u32(co, &proc->idle_msec);
	codec_u32(co, &proc->preface);
	codec_u8(co, &proc->seen);
	codec_u8(co, &proc->reason);
	codec_u8(co, &proc->waits);
}

static void
front_code(struct codec *co, struct state_front *front)
{
	codec_i32(co, &front->pid);
	codec_i32(co, &front->channel);
}

static void
inherited_code(struct codec *co, struct state_inherited *inherited)
{
	codec_i32(co, &inherited->fd);
	codec_text(co, &inherited->name);
}

static void
loan_code(struct codec *co, struct state_loan *loan)
{
	codec_u64(co, &loan->id);
	codec_i32(co, &loan->pid);
	codec_u32(co, &loan->service);
	codec_u32(co, &loan->listener);
	codec_i32(co, &loan->fd);
	codec_i32(co, &loan->other_fd);
	codec_u8(co, &loan->kind);
	codec_u8(co, &loan->ended);
	codec_addr(co, &loan->peer);
	codec_addr(co, &loan->local);
}

static void
ban_code(struct codec *co, struct state_ban *ban)
{
	codec_addr(co, &ban->net);
	codec_i64(co, &ban->until_nsec);
	codec_u8(co, &ban->bits);
	codec_u8(co, &ban->cause);
	codec_text(co, &ban->service);
}

/* The fields of entry i of the records of a type. */
static void
record_code(struct codec *co, struct state *state, uint32_t type, uint32_t i)
{
	switch (type) {
	case RECORD_MAIN:
		main_code(co, state);
		break;
	case RECORD_OPTIONS:
		options_code(co, &state->options);
		break;
	case RECORD_STARTER:
		starter_code(co, &state->starter);
		break;
	case RECORD_SERVICE:
		service_code(co, &state->services[i]);
		break;
	case RECORD_LISTENER:
		listener_code(co, &state->listeners[i]);
		break;
	case RECORD_PROC:
		proc_code(co, &state->procs[i]);
		break;
	case RECORD_FRONT:
		front_code(co, &state->fronts[i]);
		break;
	case RECORD_INHERITED:
		inherited_code(co, &state->inherited[i]);
		break;
	case RECORD_LOAN:
		loan_code(co, &state->loans[i]);
		break;
	case RECORD_BAN:
		ban_code(co, &state->bans[i]);
		break;
	default:
		break;
	}
}

static void
records_write(struct codec *co, struct state *state, uint32_t type,
    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct record record = { .type = type };
		size_t at = co->at;

		codec_bytes(co, &record, sizeof(record));
		record_code(co, state, type, i);
		if (co->failed)
			return;
		record.len = (uint32_t)(co->at - at - sizeof(record));
		memcpy(co->bytes + at, &record, sizeof(record));
	}
}

/* Of everything, as if the checksum were 0. */
static uint64_t
checksum_of(const uint8_t *bytes, size_t len)
{
	struct head head;
	uint64_t checksum;

	memcpy(&head, bytes, sizeof(head));
	head.checksum = 0;
	checksum = hash_bytes(bytes + sizeof(head), len - sizeof(head));
	return checksum ^ hash_bytes(&head, sizeof(head));
}

uint8_t *
state_encode(struct state *state, size_t *len)
{
	struct codec co = { .writing = true };
	struct head head = {
		.magic = STATE_MAGIC, .version = STATE_VERSION,
	};

	codec_bytes(&co, &head, sizeof(head));
	records_write(&co, state, RECORD_MAIN, 1);
	records_write(&co, state, RECORD_OPTIONS, 1);
	records_write(&co, state, RECORD_STARTER, 1);
	records_write(&co, state, RECORD_SERVICE, state->service_count);
	records_write(&co, state, RECORD_LISTENER, state->listener_count);
	records_write(&co, state, RECORD_PROC, state->proc_count);
	records_write(&co, state, RECORD_FRONT, state->front_count);
	records_write(&co, state, RECORD_INHERITED, state->inherited_count);
	records_write(&co, state, RECORD_LOAN, state->loan_count);
	records_write(&co, state, RECORD_BAN, state->ban_count);
	if (co.failed) {
		free(co.bytes);
		errno = ENOMEM;
		return NULL;
	}
	head.len = co.at;
	memcpy(co.bytes, &head, sizeof(head));
	head.checksum = checksum_of(co.bytes, co.at);
	memcpy(co.bytes, &head, sizeof(head));
	*len = co.at;
	return co.bytes;
}

/* How many there are of each record; records that do not fit: false. */
static bool
records_count(const uint8_t *bytes, size_t len, uint32_t counts[])
{
	size_t at = sizeof(struct head);
	struct record record;

	while (len - at >= sizeof(record)) {
		memcpy(&record, bytes + at, sizeof(record));
		at += sizeof(record);
		if (record.len > len - at)
			return false;
		at += record.len;
		if (record.type < RECORD_TYPES)
			counts[record.type]++;
	}
	return at == len;
}

static bool
records_read(struct state *state, uint8_t *bytes, size_t len)
{
	uint32_t seen[RECORD_TYPES] = { 0 };
	size_t at = sizeof(struct head);
	struct record record;

	for (; at < len; at += sizeof(record) + record.len) {
		struct codec co = { .bytes = bytes, .at = at + sizeof(record) };

		memcpy(&record, bytes + at, sizeof(record));
		co.end = co.at + record.len;
		if (record.type >= RECORD_TYPES)
			continue;
		record_code(&co, state, record.type, seen[record.type]++);
		if (co.failed)
			return false;
	}
	return true;
}

static const char *
arrays_allocate(struct state *state, const uint32_t counts[])
{
	state->service_count = counts[RECORD_SERVICE];
	state->listener_count = counts[RECORD_LISTENER];
	state->proc_count = counts[RECORD_PROC];
	state->front_count = counts[RECORD_FRONT];
	state->inherited_count = counts[RECORD_INHERITED];
	state->loan_count = counts[RECORD_LOAN];
	state->ban_count = counts[RECORD_BAN];
	state->services = calloc(state->service_count + 1,
	    sizeof(*state->services));
	state->listeners = calloc(state->listener_count + 1,
	    sizeof(*state->listeners));
	state->procs = calloc(state->proc_count + 1, sizeof(*state->procs));
	state->fronts = calloc(state->front_count + 1,
	    sizeof(*state->fronts));
	state->inherited = calloc(state->inherited_count + 1,
	    sizeof(*state->inherited));
	state->loans = calloc(state->loan_count + 1, sizeof(*state->loans));
	state->bans = calloc(state->ban_count + 1, sizeof(*state->bans));
	if (state->services == NULL || state->listeners == NULL ||
	    state->procs == NULL || state->fronts == NULL ||
	    state->inherited == NULL || state->loans == NULL ||
	    state->bans == NULL)
		return "there is not enough memory";
	return NULL;
}

static const char *
head_check(const uint8_t *bytes, size_t len)
{
	struct head head;

	if (len < sizeof(head))
		return "the state is too short";
	memcpy(&head, bytes, sizeof(head));
	if (head.magic != STATE_MAGIC)
		return "this is no state of minetd";
	if (head.version != STATE_VERSION)
		return "the state is of another version";
	if (head.len != len)
		return "the state is incomplete";
	if (head.checksum != checksum_of(bytes, len))
		return "the state is damaged";
	return NULL;
}

const char *
state_decode(struct state *state, const uint8_t *bytes, size_t len)
{
	uint32_t counts[RECORD_TYPES] = { 0 };
	const char *why = head_check(bytes, len);

	*state = (struct state){ 0 };
	if (why != NULL)
		return why;
	if (!records_count(bytes, len, counts) || counts[RECORD_MAIN] != 1 ||
	    counts[RECORD_OPTIONS] != 1 || counts[RECORD_STARTER] != 1)
		return "the state has not the records that it must have";
	why = arrays_allocate(state, counts);
	/* Nothing is written to the bytes that are read. */
	if (why == NULL && !records_read(state, (uint8_t *)(uintptr_t)bytes,
	    len))
		why = "a record of the state is too short";
	if (why == NULL)
		why = statecheck(state);
	if (why != NULL)
		state_fini(state);
	return why;
}

void
state_fini(struct state *state)
{
	free(state->services);
	free(state->listeners);
	free(state->procs);
	free(state->fronts);
	free(state->inherited);
	free(state->loans);
	free(state->bans);
	*state = (struct state){ 0 };
}
