/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Lead clients to a service by its name (RFC 1078).
 *
 * While its name is awaited, a client is one of the tcpmux service; from then
 * on it is one of the service it has named, as if it had connected to that.
 * The end of its preface is reported to main unless it was led on, which the
 * line of that other conversation says, or refused there, which is a line, too.
 */

#include "frontend/tcpmux.h"

#include <sys/socket.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/dispatch.h"
#include "frontend/linger.h"
#include "frontend/muxline.h"

enum {
	HELP_CHUNK = 4096,	/* bytes of the list that are sent at once */
};

static const char reply_go[] = "+Go\r\n";
static const char reply_unknown[] = "-Service not available\r\n";
static const char reply_full[] = "-Service is full\r\n";

struct mux {
	struct preface pref;	/* the first member */
	struct acceptor *acc;
	uint32_t help_next;	/* name to send next; */
	size_t help_sent;	/*   bytes of it that were sent */
	uint8_t *listed;	/* a bit for each name: it is in the list.
				 * Owned; NULL before */
};

static void
mux_free(struct carried *carried)
{
	struct mux *mux = (struct mux *)carried;

	free(mux->listed);
	free(mux);
}

/* While it is not known how it ends, and when there is nothing to say of it. */
static const struct carried_kind silent_kind = {
	.expire = preface_expire,
	.free = mux_free,
	.counted = true,
};

static const struct carried_kind reported_kind = {
	.expire = preface_expire,
	.free = mux_free,
	.counted = true,
	.reported = true,
};

static void
mux_end(struct mux *mux, enum done_reason reason, struct monotime now)
{
	mux->pref.carried.kind = &reported_kind;
	preface_end(&mux->pref, reason, now);
}

/* Say it if that can be done at once. */
static bool
mux_say(struct mux *mux, const char *text)
{
	size_t len = strlen(text);

	if (!linger_say(mux->pref.carried.client.fd, text, len))
		return false;
	mux->pref.carried.bytes_out += len;
	return true;
}

static enum preface_found
mux_look(const uint8_t *bytes, size_t len, size_t *preface_len)
{
	size_t name_len;

	switch (muxline_parse(bytes, len, &name_len, preface_len)) {
	case MUXLINE_MORE:
		return PREFACE_MORE;
	case MUXLINE_NAME:
		return PREFACE_COMPLETE;
	default:
		return PREFACE_BAD;
	}
}

static void
mux_failed(struct preface *pref, enum done_reason reason, struct monotime now)
{
	struct mux *mux = (struct mux *)pref;

	if (reason != DONE_RESET && !pref->writing)
		mux_say(mux, reply_unknown);
	mux_end(mux, reason, now);
}

/* Compare as strcmp(3) does: that is the order of the names. */
static int
names_compare(const struct admission *adm, struct admission_bytes name,
    const char *text, size_t len)
{
	int order = memcmp(admission_bytes(adm, name), text,
	    name.len < len ? name.len : len);

	if (order != 0)
		return order;
	return name.len < len ? -1 : name.len > len;
}

/* The service of a name in lower case; false when there is none. */
static bool
name_find(const struct admission *adm, const char *text, size_t len,
    uint32_t *service)
{
	const struct admission_mux *muxes = admission_muxes(adm);
	uint32_t first = 0;
	uint32_t after = adm->muxes;

	while (first < after) {
		uint32_t middle = first + (after - first) / 2;
		int order = names_compare(adm, muxes[middle].name, text, len);

		if (order == 0) {
			*service = muxes[middle].service;
			return true;
		}
		if (order < 0)
			first = middle + 1;
		else
			after = middle;
	}
	return false;
}

/* Whether the client may use the service, if only later. */
static bool
service_is_open(const struct mux *mux, uint32_t service, struct monotime now)
{
	struct client client = mux->pref.carried.client;
	enum verdict verdict;

	client.service = service;
	verdict = acceptor_admit(mux->acc, &client, now);
	return verdict == VERDICT_SERVE || verdict_is_ours(verdict);
}

/*
 * Decide which names are in the list, once: it is sent in pieces, between which
 * the answer could change.  -1 for want of memory.
 */
static int
help_choose(struct mux *mux, struct monotime now)
{
	const struct admission *adm = mux->acc->adm;
	const struct admission_mux *muxes = admission_muxes(adm);

	mux->listed = calloc((size_t)adm->muxes / 8 + 1, 1);
	if (mux->listed == NULL)
		return -1;
	for (uint32_t i = 0; i < adm->muxes; i++)
		if (service_is_open(mux, muxes[i].service, now))
			mux->listed[i / 8] |= (uint8_t)(1u << i % 8);
	return 0;
}

static bool
name_is_listed(const struct mux *mux, uint32_t name)
{
	return (mux->listed[name / 8] & (1u << name % 8)) != 0;
}

/* Fill buf with lines from help_next on; *next is the first that is not in. */
static size_t
help_fill(const struct mux *mux, char *buf, size_t size, uint32_t *next)
{
	const struct admission *adm = mux->acc->adm;
	const struct admission_mux *muxes = admission_muxes(adm);
	size_t len = 0;

	for (*next = mux->help_next; *next < adm->muxes; (*next)++) {
		struct admission_bytes name = muxes[*next].name;

		if (!name_is_listed(mux, *next))
			continue;
		if (len + name.len + 2 > size)
			break;
		memcpy(buf + len, admission_bytes(adm, name), name.len);
		memcpy(buf + len + name.len, "\r\n", 2);
		len += name.len + 2;
	}
	return len;
}

/* Note that bytes of the lines from help_next on were sent. */
static void
help_advance(struct mux *mux, size_t sent)
{
	const struct admission_mux *muxes = admission_muxes(mux->acc->adm);

	sent += mux->help_sent;
	for (;; mux->help_next++) {
		const struct admission_mux *at = &muxes[mux->help_next];

		if (!name_is_listed(mux, mux->help_next))
			continue;
		if (sent < at->name.len + 2)
			break;
		sent -= at->name.len + 2;
	}
	mux->help_sent = sent;
}

/* Go on with the list, as far as the client takes it. */
static void
help_send(struct preface *pref, struct monotime now)
{
	struct mux *mux = (struct mux *)pref;
	struct carried *carried = &pref->carried;
	char buf[HELP_CHUNK];
	uint32_t next;
	size_t len;

	while ((len = help_fill(mux, buf, sizeof(buf), &next)) != 0) {
		size_t left = len - mux->help_sent;
		ssize_t n = send(carried->client.fd, buf + mux->help_sent,
		    left, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n == -1 && errno != EAGAIN) {
			mux_end(mux, DONE_RESET, now);
			return;
		}
		carried->bytes_out += n > 0 ? (uint64_t)n : 0;
		if (n != (ssize_t)left) {
			if (n > 0)
				help_advance(mux, (size_t)n);
			preface_write(pref, now);
			return;
		}
		mux->help_next = next;
		mux->help_sent = 0;
	}
	mux_end(mux, DONE_CLOSED, now);
}

static void
help_begin(struct mux *mux, struct monotime now)
{
	if (help_choose(mux, now) == -1)
		mux_end(mux, DONE_FAILED, now);
	else
		help_send(&mux->pref, now);
}

/* From here on it is a client of the service it has named. */
static void
mux_lead(struct mux *mux, uint32_t service, struct monotime now)
{
	struct acceptor *acc = mux->acc;
	struct client client = mux->pref.carried.client;
	enum verdict verdict;

	client.service = service;
	verdict = acceptor_admit(acc, &client, now);
	if (verdict != VERDICT_SERVE)
		mux_say(mux, verdict_is_ours(verdict) ? reply_full :
		    reply_unknown);
	else if (admission_services(acc->adm)[service].tcpmux_reply &&
	    !mux_say(mux, reply_go)) {
		mux_end(mux, DONE_RESET, now);
		return;
	}
	client.preface += (uint32_t)mux->pref.carried.bytes_in;
	client.fd = preface_pass(&mux->pref, &silent_kind, now);
	if (verdict == VERDICT_SERVE) {
		dispatch_serve(acc, &client, now);
		return;
	}
	client.told = true;
	acceptor_refuse(acc, &client, verdict, now);
	dispatch_refuse(acc, &client, now);
}

static void
mux_taken(struct preface *pref, const uint8_t *bytes, size_t len,
    struct monotime now)
{
	struct mux *mux = (struct mux *)pref;
	char name[MUXLINE_NAME_MAX];
	size_t name_len, line_len;
	uint32_t service;

	if (muxline_parse(bytes, len, &name_len, &line_len) != MUXLINE_NAME) {
		mux_failed(pref, DONE_REFUSED, now);
		return;
	}
	for (size_t i = 0; i < name_len; i++)
		name[i] = (char)tolower(bytes[i]);
	if (name_len == 4 && memcmp(name, "help", 4) == 0)
		help_begin(mux, now);
	else if (name_find(mux->acc->adm, name, name_len, &service))
		mux_lead(mux, service, now);
	else
		mux_failed(pref, DONE_REFUSED, now);
}

static const struct preface_kind mux_kind = {
	.carried = &silent_kind,
	.max = MUXLINE_MAX,
	.look = mux_look,
	.taken = mux_taken,
	.writable = help_send,
	.failed = mux_failed,
};

void
tcpmux_begin(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	struct mux *mux = calloc(1, sizeof(*mux));

	if (mux == NULL) {
		close(client->fd);
		return;
	}
	mux->acc = acc;
	preface_begin(&acc->prefaces, &mux->pref, &mux_kind, client, now);
}
