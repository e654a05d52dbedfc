/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What accept(2) says when it has no connection, and what is to be done then.
 */

#include "frontend/acceptfail.h"

#include <errno.h>
#include <stddef.h>

enum {
	NEXT_MAX = 64,		/* dead connections in a row; then a pause */
	KIND_MAX = 16,
	BROKEN_MAX = 3,
};

/* Pauses of a class: the first, and the last; each is twice as long. */
struct pauses {
	uint32_t first_msec;
	uint32_t last_msec;
	uint32_t free;		/* errors in a row before the first of them */
};

static const struct pauses pauses[] = {
	[ACCEPTFAIL_NEXT] = { 100, 100, NEXT_MAX },
	[ACCEPTFAIL_ODD] = { 100, 100, NEXT_MAX },
	[ACCEPTFAIL_LIMIT] = { 100, 100, 0 },
	[ACCEPTFAIL_TABLE] = { 250, 2000, 0 },
	[ACCEPTFAIL_MEMORY] = { 100, 1000, 0 },
	[ACCEPTFAIL_KIND] = { 1000, 30000, KIND_MAX },
	[ACCEPTFAIL_BROKEN] = { 1000, 30000, BROKEN_MAX },
};

enum acceptfail_class
acceptfail_classify(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case ECONNRESET:
	case EPROTO:
	case ETIMEDOUT:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENOSR:
	case ESOCKTNOSUPPORT:
	case EPROTONOSUPPORT:
		return ACCEPTFAIL_NEXT;
	case EMFILE:
		return ACCEPTFAIL_LIMIT;
	case ENFILE:
		return ACCEPTFAIL_TABLE;
	case ENOBUFS:
	case ENOMEM:
		return ACCEPTFAIL_MEMORY;
	case EOPNOTSUPP:
		return ACCEPTFAIL_KIND;
	case EINVAL:
	case EBADF:
	case ENOTSOCK:
	case EFAULT:
		return ACCEPTFAIL_BROKEN;
	default:
		/* EPERM, of a packet filter, among them. */
		return ACCEPTFAIL_ODD;
	}
}

static uint32_t
next_pause(uint32_t msec, const struct pauses *of)
{
	if (msec < of->first_msec)
		return of->first_msec;
	return msec < of->last_msec / 2 ? msec * 2 : of->last_msec;
}

struct acceptfail_action
acceptfail_note(struct acceptfail *fail, int error)
{
	enum acceptfail_class class = acceptfail_classify(error);
	const struct pauses *of = &pauses[class];
	struct acceptfail_action action = { .tell = class == ACCEPTFAIL_ODD };

	if (++fail->in_row <= of->free)
		return action;
	fail->msec = next_pause(fail->msec, of);
	/* What was tried so often begins anew, but for what is broken. */
	if (of->last_msec == of->first_msec)
		fail->in_row = 0;
	fail->told = true;
	action.pause_msec = fail->msec;
	action.shed = class == ACCEPTFAIL_LIMIT || class == ACCEPTFAIL_TABLE;
	action.tell = true;
	return action;
}

bool
acceptfail_clear(struct acceptfail *fail)
{
	bool told = fail->told;

	*fail = (struct acceptfail){ 0 };
	return told;
}
