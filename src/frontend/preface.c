/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that have to say something before it is known who serves them.
 *
 * What is looked at stays in the socket, so a wake-up for it must come with
 * each new byte and not as long as bytes are there: the watches are edge-
 * triggered.  The end of the client's side is an event of its own, since a look
 * at the bytes before it does not show it.
 */

#include "frontend/preface.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/origin.h"
#include "frontend/rules.h"

enum {
	SOURCE_BITS4 = 32,	/* of an address: what is one source */
	SOURCE_BITS6 = 64,
};

struct preface_source {
	RB_ENTRY(preface_source) entry;
	struct addr addr;	/* see origin_of() */
	struct preface_list prefaces; /* oldest first */
	uint32_t count;
};

static int
source_compare(const struct preface_source *a, const struct preface_source *b)
{
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(preface_source_tree, preface_source, entry,
    source_compare, __attribute__((unused)) static)

static struct preface_source *
source_find(struct preface_set *set, const struct addr *addr)
{
	const struct preface_source key = { .addr = *addr };

	return RB_FIND(preface_source_tree, &set->sources,
	    (struct preface_source *)(uintptr_t)&key);
}

/* NULL without memory. */
static struct preface_source *
source_take(struct preface_set *set, const struct addr *addr)
{
	struct preface_source *source = source_find(set, addr);

	if (source == NULL) {
		source = calloc(1, sizeof(*source));
		if (source == NULL)
			return NULL;
		source->addr = *addr;
		TAILQ_INIT(&source->prefaces);
		RB_INSERT(preface_source_tree, &set->sources, source);
	}
	source->count++;
	return source;
}

static void
source_give(struct preface_set *set, struct preface_source *source)
{
	if (--source->count > 0)
		return;
	RB_REMOVE(preface_source_tree, &set->sources, source);
	free(source);
}

/* It is looked at no more, and may have to go no more. */
static void
pending_remove(struct preface *pref)
{
	struct preface_set *set = pref->set;

	TAILQ_REMOVE(&set->pending, pref, entry);
	TAILQ_REMOVE(&pref->source->prefaces, pref, sibling);
	source_give(set, pref->source);
	pref->source = NULL;
}

/* Whatever list it is in. */
static void
preface_leave(struct preface *pref)
{
	struct preface_set *set = pref->set;
	struct loop *loop = set->carrier->loop;

	loop_disarm(loop, &pref->watch);
	timer_disarm(loop_timers(loop), &pref->deadline);
	if (pref->waiting)
		TAILQ_REMOVE(&set->waiting, pref, entry);
	else if (pref->source != NULL)
		pending_remove(pref);
	else
		return;
	set->count--;
}

/* It is complete; nothing of it was taken.  It can neither be late nor evicted
 * any more: no more such clients are let in while there is no room. */
static void
preface_wait(struct preface *pref)
{
	struct preface_set *set = pref->set;

	if (pref->waiting)
		return;
	loop_disarm(set->carrier->loop, &pref->watch);
	timer_disarm(loop_timers(set->carrier->loop), &pref->deadline);
	pending_remove(pref);
	pref->waiting = true;
	TAILQ_INSERT_TAIL(&set->waiting, pref, entry);
}

static void
preface_take(struct preface *pref, uint8_t *bytes, size_t len,
    struct monotime now)
{
	ssize_t taken;

	if (!outbox_has_room(pref->set->carrier->outbox)) {
		preface_wait(pref);
		return;
	}
	taken = recv(pref->carried.client.fd, bytes, len, MSG_DONTWAIT);
	if (taken != (ssize_t)len) {
		pref->kind->failed(pref, DONE_RESET, now);
		return;
	}
	pref->carried.bytes_in += len;
	pref->kind->taken(pref, bytes, len, now);
}

/* Whether there is more to wait for; if not, it may be gone. */
static bool
preface_look(struct preface *pref, uint32_t events, struct monotime now)
{
	enum done_reason reason = (events & EPOLLERR) != 0 ? DONE_RESET :
	    DONE_REFUSED;
	uint8_t bytes[PREFACE_MAX];
	size_t len = 0;
	ssize_t n = recv(pref->carried.client.fd, bytes, pref->kind->max,
	    MSG_PEEK | MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN && !pref->waiting)
		return true;
	if (n <= 0) {
		pref->kind->failed(pref, n == 0 ? reason : DONE_RESET, now);
		return false;
	}
	switch (pref->kind->look(bytes, (size_t)n, &len)) {
	case PREFACE_COMPLETE:
		preface_take(pref, bytes, len, now);
		return false;
	case PREFACE_MORE:
		if ((events & ~(uint32_t)EPOLLIN) == 0 &&
		    (size_t)n < pref->kind->max)
			return true;
		break;
	default:
		break;
	}
	pref->kind->failed(pref, reason, now);
	return false;
}

static void
preface_ready(void *arg, uint32_t events, struct monotime now)
{
	struct preface *pref = arg;

	if (pref->writing)
		pref->kind->writable(pref, now);
	else
		preface_look(pref, events, now);
}

static void
deadline_due(void *arg, struct monotime now)
{
	struct preface *pref = arg;

	pref->kind->failed(pref, DONE_REFUSED, now);
}

/* No other one can become complete meanwhile, so the order is kept. */
static void
resume_due(void *arg, struct monotime now)
{
	struct preface_set *set = arg;
	struct preface *pref;

	while (outbox_has_room(set->carrier->outbox) &&
	    (pref = TAILQ_FIRST(&set->waiting)) != NULL)
		preface_look(pref, EPOLLIN, now);
}

/* Who has to go before this one can come; NULL when there is room. */
static struct preface *
one_too_many(struct preface_set *set, const struct client *client,
    const struct addr *addr)
{
	const struct admission *adm = set->carrier->adm;
	struct preface_source *source = source_find(set, addr);

	if (source != NULL && adm->pending_per_source != 0 &&
	    source->count >= adm->pending_per_source &&
	    !rules_exempt(adm, &client->peer, client->fd))
		return TAILQ_FIRST(&source->prefaces);
	return set->count >= adm->pending_max ? TAILQ_FIRST(&set->pending) :
	    NULL;
}

/*
 * Make room for one more, which is of this source.  What somebody has said may
 * be there already: many come in one wake-up.
 */
static void
room_make(struct preface_set *set, const struct client *client,
    const struct addr *addr, struct monotime now)
{
	struct preface *oldest;

	while ((oldest = one_too_many(set, client, addr)) != NULL) {
		if (!oldest->writing && !preface_look(oldest, EPOLLIN, now))
			continue;
		oldest->kind->failed(oldest, DONE_REFUSED, now);
		break;
	}
}

void
preface_set_init(struct preface_set *set, struct carrier *carrier)
{
	*set = (struct preface_set){ .carrier = carrier };
	RB_INIT(&set->sources);
	TAILQ_INIT(&set->pending);
	TAILQ_INIT(&set->waiting);
	timer_init(&set->resume, resume_due, set);
}

void
preface_begin(struct preface_set *set, struct preface *pref,
    const struct preface_kind *kind, const struct client *client,
    struct monotime now)
{
	struct loop *loop = set->carrier->loop;
	const struct addr addr = origin_of(&client->peer, SOURCE_BITS4,
	    SOURCE_BITS6);

	pref->kind = kind;
	pref->set = set;
	watch_init(&pref->watch, client->fd, preface_ready, pref);
	timer_init(&pref->deadline, deadline_due, pref);
	carried_begin(&pref->carried, set->carrier, kind->carried, client,
	    now);
	room_make(set, client, &addr, now);
	pref->source = source_take(set, &addr);
	if (pref->source == NULL) {
		kind->failed(pref, DONE_FAILED, now);
		return;
	}
	TAILQ_INSERT_TAIL(&set->pending, pref, entry);
	TAILQ_INSERT_TAIL(&pref->source->prefaces, pref, sibling);
	set->count++;
	timer_arm(loop_timers(loop), &pref->deadline,
	    monotime_add_msec(client->accepted,
	    set->carrier->adm->preface_timeout_msec));
	if (loop_arm(loop, &pref->watch, EPOLLIN | EPOLLRDHUP | EPOLLET) == -1)
		kind->failed(pref, DONE_FAILED, now);
}

void
preface_write(struct preface *pref, struct monotime now)
{
	pref->writing = true;
	if (loop_arm(pref->set->carrier->loop, &pref->watch, EPOLLOUT) == -1)
		pref->kind->failed(pref, DONE_FAILED, now);
}

void
preface_end(struct preface *pref, enum done_reason reason, struct monotime now)
{
	preface_leave(pref);
	pref->carried.lingers = true;
	carried_end(&pref->carried, reason, now);
}

int
preface_pass(struct preface *pref, const struct carried_kind *silent,
    struct monotime now)
{
	int fd = pref->carried.client.fd;

	preface_leave(pref);
	pref->carried.client.fd = -1;
	pref->carried.kind = silent;
	carried_end(&pref->carried, DONE_CLOSED, now);
	return fd;
}

void
preface_expire(struct carried *carried, enum done_reason reason,
    struct monotime now)
{
	struct preface *pref = (struct preface *)carried;

	pref->kind->failed(pref, reason, now);
}

void
preface_resume(struct preface_set *set)
{
	/* At once, but in a wake-up of its own, after which what this gives
	 * rise to is sent. */
	if (!TAILQ_EMPTY(&set->waiting))
		timer_arm(loop_timers(set->carrier->loop), &set->resume,
		    (struct monotime){ 0 });
}
