/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether a state that was read can be true.
 *
 * Indexes are in range, texts and enumerations mean something, and no
 * descriptor, pid or connection number is there twice.
 */

#include "main/statecheck.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bantable.h"
#include "base/channel.h"
#include "base/done.h"
#include "conf/conf.h"

enum {
	FD_MIN = 3,		/* the standard ones are nobody's */
};

static bool
addr_valid(const struct addr *addr)
{
	return addr->family <= ADDR_VSOCK;
}

static bool
options_valid(const struct state_options *options)
{
	return options->conf_file != NULL && options->conf_file[0] == '/' &&
	    options->foreground <= 1 && options->debug <= 1;
}

static bool
starter_valid(const struct state_starter *starter)
{
	return starter->nofile_raised <= 1 && starter->may_change_user <= 1 &&
	    starter->may_lower_oom <= 1 && starter->real_time <= 1 &&
	    starter->nofile_soft <= starter->nofile_hard;
}

static bool
service_valid(const struct state_service *svc)
{
	return svc->name != NULL && svc->name[0] != '\0' &&
	    strlen(svc->name) <= CONF_NAME_MAX &&
	    svc->log_connections <= CONF_LOG_VERBOSE &&
	    svc->stop_signal <= CONF_STOP_KILL;
}

/* Where it is bound, as its transport has it. */
static bool
place_valid(const struct state_listener *lst)
{
	char first = lst->path[0];

	switch (lst->transport) {
	case CONF_TCP:
	case CONF_UDP:
		return first == '\0' && (lst->addr.family == ADDR_IP4 ||
		    lst->addr.family == ADDR_IP6);
	case CONF_UNIX:
	case CONF_UNIX_DGRAM:
	case CONF_UNIX_SEQPACKET:
		return first == '/' || (first == '@' && lst->path[1] != '\0');
	case CONF_VSOCK:
		return first == '\0' && lst->addr.family == ADDR_VSOCK;
	case CONF_FD:
		return first != '\0';
	default:
		return false;
	}
}

static bool
listener_valid(const struct state *state, const struct state_listener *lst)
{
	if (lst->path == NULL || lst->interface == NULL ||
	    lst->v6 > CONF_V6_ONLY ||
	    lst->mptcp > 1 || lst->shares_port > 1 || lst->closing > 1 ||
	    lst->fd < -1 ||
	    (lst->fd != -1 && lst->service == STATE_NONE) ||
	    (lst->service != STATE_NONE &&
	    lst->service >= state->service_count))
		return false;
	return place_valid(lst);
}

static bool
inherited_valid(const struct state_inherited *inherited)
{
	return inherited->name != NULL && inherited->name[0] != '\0';
}

static bool
proc_valid(const struct state *state, const struct state_proc *proc)
{
	return proc->pid > 0 && proc->id < state->next_id &&
	    proc->service < state->service_count &&
	    proc->listener < state->listener_count && proc->waits <= 1 &&
	    addr_valid(&proc->peer) && addr_valid(&proc->local) &&
	    addr_valid(&proc->via) && addr_valid(&proc->asked) &&
	    proc->seen <= 1 && proc->reason < DONE_COUNT;
}

/* A pipe, or both ends of a socket. */
static bool
loan_valid(const struct state *state, const struct state_loan *loan)
{
	bool datagrams = loan->kind == CHANNEL_LOAN_DATAGRAMS;

	return (datagrams || loan->kind == CHANNEL_LOAN_STDERR) &&
	    loan->ended <= 1 && loan->pid > 0 && loan->id < state->next_id &&
	    loan->service < state->service_count &&
	    (loan->listener == STATE_NONE ||
	    loan->listener < state->listener_count) &&
	    datagrams == (loan->other_fd != -1) &&
	    addr_valid(&loan->peer) && addr_valid(&loan->local);
}

static bool
ban_valid(const struct state_ban *ban)
{
	return addr_valid(&ban->net) && ban->net.family != ADDR_NONE &&
	    ban->bits < BAN_BITS && ban->cause < BAN_CAUSES &&
	    ban->service != NULL;
}

static int
numbers_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Whether no number occurs twice; the array is sorted. */
static bool
numbers_distinct(uint64_t *numbers, size_t count)
{
	qsort(numbers, count, sizeof(*numbers), numbers_compare);
	for (size_t i = 1; i < count; i++)
		if (numbers[i] == numbers[i - 1])
			return false;
	return true;
}

/* Add a descriptor to the list; false when it cannot be one. */
static bool
fd_add(uint64_t *numbers, size_t *count, int32_t fd, bool may_lack)
{
	if (fd == -1 && may_lack)
		return true;
	if (fd < FD_MIN)
		return false;
	numbers[(*count)++] = (uint64_t)fd;
	return true;
}

static bool
fds_valid(const struct state *state, uint64_t *numbers)
{
	size_t n = 0;

	if (!fd_add(numbers, &n, state->conf_fd, true) ||
	    !fd_add(numbers, &n, state->pid_fd, true) ||
	    !fd_add(numbers, &n, state->log_fd, true))
		return false;
	for (uint32_t i = 0; i < state->listener_count; i++)
		if (!fd_add(numbers, &n, state->listeners[i].fd, true))
			return false;
	for (uint32_t i = 0; i < state->front_count; i++)
		if (!fd_add(numbers, &n, state->fronts[i].channel, false))
			return false;
	for (uint32_t i = 0; i < state->inherited_count; i++)
		if (!fd_add(numbers, &n, state->inherited[i].fd, false))
			return false;
	for (uint32_t i = 0; i < state->loan_count; i++)
		if (!fd_add(numbers, &n, state->loans[i].fd, false) ||
		    !fd_add(numbers, &n, state->loans[i].other_fd, true))
			return false;
	return numbers_distinct(numbers, n);
}

/* Pids and connection numbers. */
static bool
procs_distinct(const struct state *state, uint64_t *numbers)
{
	size_t n = 0;

	for (uint32_t i = 0; i < state->proc_count; i++)
		numbers[n++] = state->procs[i].id;
	if (!numbers_distinct(numbers, n))
		return false;
	n = 0;
	for (uint32_t i = 0; i < state->proc_count; i++)
		numbers[n++] = (uint64_t)state->procs[i].pid;
	for (uint32_t i = 0; i < state->front_count; i++) {
		if (state->fronts[i].pid <= 0)
			return false;
		numbers[n++] = (uint64_t)state->fronts[i].pid;
	}
	return numbers_distinct(numbers, n);
}

/* A connection may have one loan of each kind. */
static bool
loans_distinct(const struct state *state, uint64_t *numbers)
{
	for (int kind = CHANNEL_LOAN_DATAGRAMS;
	    kind <= CHANNEL_LOAN_STDERR; kind++) {
		size_t n = 0;

		for (uint32_t i = 0; i < state->loan_count; i++)
			if (state->loans[i].kind == kind)
				numbers[n++] = state->loans[i].id;
		if (!numbers_distinct(numbers, n))
			return false;
	}
	return true;
}

const char *
statecheck(const struct state *state)
{
	size_t most = (size_t)state->listener_count + state->front_count +
	    state->proc_count + state->inherited_count +
	    (size_t)state->loan_count * 2 + 3;
	uint64_t *numbers = calloc(most, sizeof(*numbers));
	bool valid = options_valid(&state->options) &&
	    starter_valid(&state->starter) && state->reload_wanted <= 1;

	if (numbers == NULL)
		return "there is not enough memory";
	for (uint32_t i = 0; i < state->service_count; i++)
		valid = valid && service_valid(&state->services[i]);
	for (uint32_t i = 0; i < state->listener_count; i++)
		valid = valid && listener_valid(state, &state->listeners[i]);
	for (uint32_t i = 0; i < state->proc_count; i++)
		valid = valid && proc_valid(state, &state->procs[i]);
	for (uint32_t i = 0; i < state->inherited_count; i++)
		valid = valid && inherited_valid(&state->inherited[i]);
	for (uint32_t i = 0; i < state->loan_count; i++)
		valid = valid && loan_valid(state, &state->loans[i]);
	for (uint32_t i = 0; i < state->ban_count; i++)
		valid = valid && ban_valid(&state->bans[i]);
	valid = valid && fds_valid(state, numbers) &&
	    procs_distinct(state, numbers) && loans_distinct(state, numbers);
	free(numbers);
	return valid ? NULL : "the state contradicts itself";
}
