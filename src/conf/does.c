/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Check that what a service does can be done, and on its listeners.
 *
 * A service does one of a few things.  For each there is a set of transports
 * that it can be done on; the table of keys has, for each key that is not for
 * all services, the set of things that it has a meaning for.
 */

#include "conf/does.h"

#include <string.h>

#include "conf/purpose.h"
#include "conf/transport.h"
#include "conf/url.h"

#define ON(transport) (1u << (transport))

enum {
	ON_STREAM = ON(CONF_TCP) | ON(CONF_UNIX) | ON(CONF_VSOCK) |
	    ON(CONF_FD),
	ON_CLIENTS = ON_STREAM | ON(CONF_TCPMUX),
};

/* How a thing is called in complaints, and what it can be done on. */
struct does_row {
	const char *name;
	enum purpose does;
	unsigned transports;
};

static const struct does_row does_rows[] = {
	{ "exec with wait = no", DOES_EXEC,
	    ON_CLIENTS | ON(CONF_UDP) | ON(CONF_UNIX_SEQPACKET) },
	{ "wait = yes", DOES_WAIT,
	    ON_STREAM | ON(CONF_UDP) | ON(CONF_UNIX_DGRAM) |
	    ON(CONF_UNIX_SEQPACKET) },
	{ "pty = yes", DOES_PTY, ON_CLIENTS },
	{ "redirect", DOES_REDIRECT, ON_CLIENTS },
	{ "this builtin", DOES_ANSWER, ON_CLIENTS | ON(CONF_UDP) },
	{ "builtin = trap", DOES_TRAP, ON_CLIENTS },
	{ "builtin = text", DOES_TEXT, ON_CLIENTS },
	{ "builtin = tcpmux", DOES_TCPMUX, ON_STREAM },
};

/* Exactly one of three keys says it; 0 after a complaint. */
static enum purpose
find_purpose(const struct merge *merge, const struct merged *merged)
{
	bool exec = merged->set[KEY_EXEC] != NULL;
	bool builtin = merged->set[KEY_BUILTIN] != NULL;
	bool redirect = merged->set[KEY_REDIRECT] != NULL;

	if (exec + builtin + redirect > 1) {
		merge_complain(merge, merged,
		    redirect ? KEY_REDIRECT : KEY_BUILTIN,
		    "service \"%s\" can have one of exec, builtin, redirect",
		    merged->name);
		return 0;
	}
	if (exec + builtin + redirect == 0 && !merged->damaged)
		merge_complain(merge, merged, KEY_EXEC,
		    "service \"%s\" needs one of exec, builtin, redirect",
		    merged->name);
	return purpose_of(&merged->values.service);
}

/* Returns the values of `listen` that can be read, as a set of transports. */
static unsigned
check_transports(const struct merge *merge, const struct merged *merged,
    const struct does_row *row)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];
	unsigned found = 0;

	for (uint32_t i = 0; setting != NULL && i < setting->count; i++) {
		const char *text = setting->values[i].text;
		struct url url;

		if (url_parse(&url, text, strlen(text)) != NULL)
			continue;
		found |= ON(url.transport);
		if ((row->transports & ON(url.transport)) == 0)
			complain(merge->complaints,
			    (struct place){ setting->place.file,
			    setting->values[i].line },
			    "listen", "\"%.200s\": %s cannot be done on such "
			    "a socket", text, row->name);
	}
	return found;
}

/* A default that is meant for others must not do anything here. */
static void
check_keys(const struct merge *merge, struct merged *merged,
    enum purpose does)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		if (key_applies(&keys[id], does))
			continue;
		if (merge_insists(merge, merged, id))
			merge_complain(merge, merged, id, "%s",
			    purpose_sentence(keys[id].does));
		merge_reset(merge, merged, id);
	}
}

static void
refuse_deadline(const struct merge *merge, struct merged *merged,
    enum key_id id, const char *sentence)
{
	if (merge_insists(merge, merged, id))
		merge_complain(merge, merged, id, "%s", sentence);
	merge_reset(merge, merged, id);
}

/*
 * How long a handler is silent the kernel tells us of tcp, and datagrams we
 * relay; of a socket whose kind is not known yet it may.
 */
static void
check_silence(const struct merge *merge, struct merged *merged,
    unsigned transports)
{
	static const char no_multipath[] = "cannot be measured of a handler "
					   "with mptcp = yes";
	bool tcp = (transports & (ON(CONF_TCP) | ON(CONF_TCPMUX) |
	    ON(CONF_FD))) != 0;

	if (transports == 0)
		return;
	if (tcp && merged->values.socket.mptcp) {
		refuse_deadline(merge, merged, KEY_IDLE, no_multipath);
		refuse_deadline(merge, merged, KEY_FIRST_BYTE, no_multipath);
	}
	if (!tcp && (transports & ON(CONF_UDP)) == 0)
		refuse_deadline(merge, merged, KEY_IDLE,
		    "cannot be measured of a handler on such a socket");
	if (!tcp)
		refuse_deadline(merge, merged, KEY_FIRST_BYTE,
		    "cannot be measured of a handler on such a socket");
}

/* `defaults` may have the one for services of one kind, and the other. */
static void
check_pty(const struct merge *merge, struct merged *merged)
{
	if (!merged->values.service.pty)
		return;
	if (merge_insists(merge, merged, KEY_PTY))
		merge_complain(merge, merged, KEY_PTY,
		    "and wait = yes exclude each other");
	merge_reset(merge, merged, KEY_PTY);
}

/*
 * The handler accepts, and nobody is asked who it is that it accepts.  A rule
 * that is not kept must not be there, wherever it comes from.
 */
static void
check_rules(const struct merge *merge, const struct merged *merged,
    unsigned transports)
{
	static const char sentence[] = "cannot be kept by service \"%s\": "
	    "with wait = yes it is the handler that accepts";
	const struct conf_service *svc = &merged->values.service;

	if ((transports & ~(unsigned)ON(CONF_UDP)) == 0)
		return;
	if (svc->only_from_set)
		merge_complain(merge, merged, KEY_ONLY_FROM, sentence,
		    merged->name);
	if (svc->no_access.count > 0)
		merge_complain(merge, merged, KEY_NO_ACCESS, sentence,
		    merged->name);
}

/* Who may send a header has to be said. */
static void
check_proxy(const struct merge *merge, const struct merged *merged)
{
	const struct conf_service *svc = &merged->values.service;

	if (svc->proxy_protocol != CONF_PROXY_NO && svc->proxy_from.count == 0)
		merge_complain(merge, merged, KEY_PROXY_PROTOCOL,
		    "needs proxy_from: whose header is believed");
}

void
does_check(const struct merge *merge, struct merged *merged)
{
	enum purpose does = find_purpose(merge, merged);
	unsigned transports = 0;

	if (does == 0)
		return;
	for (size_t i = 0; i < sizeof(does_rows) / sizeof(does_rows[0]); i++)
		if (does_rows[i].does == does)
			transports = check_transports(merge, merged,
			    &does_rows[i]);
	check_keys(merge, merged, does);
	if (does == DOES_EXEC)
		check_silence(merge, merged, transports);
	if (does == DOES_WAIT)
		check_pty(merge, merged);
	if (does == DOES_WAIT)
		check_rules(merge, merged, transports);
	check_proxy(merge, merged);
	if (does == DOES_TEXT && merged->values.service.text.offset == 0)
		merge_complain(merge, merged, KEY_TEXT, "must say something");
}

bool
conf_can_serve(const struct conf_service *svc, unsigned transport)
{
	enum purpose does = purpose_of(svc);

	for (size_t i = 0; i < sizeof(does_rows) / sizeof(does_rows[0]); i++)
		if (does_rows[i].does == does)
			return (does_rows[i].transports & ON(transport)) != 0;
	return false;
}
