/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Check that what a service does can be done, and on its listeners.
 *
 * A service does one of a few things.  For each there is a set of transports
 * that it can be done on, and for each key that is not for all services a set
 * of things that it has a meaning for.
 */

#include "conf/does.h"

#include <string.h>

#include "conf/transport.h"
#include "conf/url.h"

/* What a service does, as bits. */
enum does {
	DOES_EXEC = 1u << 0,	/* a handler for each connection, or peer */
	DOES_WAIT = 1u << 1,	/* a handler for the listening socket */
	DOES_PTY = 1u << 2,	/* a handler on a terminal */
	DOES_REDIRECT = 1u << 3,
	DOES_ANSWER = 1u << 4,	/* echo discard chargen daytime time */
	DOES_TRAP = 1u << 5,
	DOES_TEXT = 1u << 6,
	DOES_TCPMUX = 1u << 7,

	DOES_PROGRAM = DOES_EXEC | DOES_WAIT | DOES_PTY,
	DOES_BUILTIN = DOES_ANSWER | DOES_TRAP | DOES_TEXT | DOES_TCPMUX,
};

#define ON(transport) (1u << (transport))

enum {
	ON_STREAM = ON(CONF_TCP) | ON(CONF_UNIX) | ON(CONF_VSOCK) |
	    ON(CONF_FD),
	ON_MUX = ON(CONF_TCPMUX),
};

/* How a thing is called in complaints, and what it can be done on. */
struct does_row {
	unsigned does;
	const char *name;
	unsigned transports;
};

static const struct does_row does_rows[] = {
	{ DOES_EXEC, "exec with wait = no",
	    ON_STREAM | ON_MUX | ON(CONF_UDP) | ON(CONF_UNIX_SEQPACKET) },
	{ DOES_WAIT, "wait = yes",
	    ON_STREAM | ON(CONF_UDP) | ON(CONF_UNIX_DGRAM) |
	    ON(CONF_UNIX_SEQPACKET) },
	{ DOES_PTY, "pty = yes", ON_STREAM | ON_MUX },
	{ DOES_REDIRECT, "redirect", ON_STREAM | ON_MUX },
	{ DOES_ANSWER, "this builtin", ON_STREAM | ON_MUX | ON(CONF_UDP) },
	{ DOES_TRAP, "builtin trap", ON_STREAM | ON_MUX },
	{ DOES_TEXT, "builtin text", ON_STREAM | ON_MUX },
	{ DOES_TCPMUX, "builtin tcpmux", ON_STREAM },
};

/* A key that has a meaning only when the service does one of these. */
struct key_row {
	enum key_id id;
	unsigned does;
	const char *sentence;
};

static const struct key_row key_rows[] = {
	{ KEY_PROXY_OUT, DOES_REDIRECT, "is for services with redirect" },
	{ KEY_CONNECT_TIMEOUT, DOES_REDIRECT, "is for services with redirect" },
	{ KEY_TEXT, DOES_TEXT, "is for builtin = text" },
	{ KEY_WAIT, DOES_PROGRAM, "is for services with exec" },
	{ KEY_ACTIVATION, DOES_WAIT, "is for services with wait = yes" },
	{ KEY_ARGV0, DOES_PROGRAM, "is for services with exec" },
	{ KEY_PTY, DOES_PROGRAM, "is for services with exec" },
	{ KEY_BANNER, ~(unsigned)DOES_WAIT,
	    "cannot be shown, because the handler itself accepts" },
	{ KEY_BANNER_SUCCESS, ~(unsigned)DOES_WAIT,
	    "cannot be shown, because the handler itself accepts" },
	{ KEY_BANNER_FAIL, ~(unsigned)DOES_WAIT,
	    "cannot be shown, because the handler itself accepts" },
	{ KEY_MAX_RUNTIME, DOES_REDIRECT | DOES_BUILTIN | DOES_PTY,
	    "works for redirect, builtin and pty only" },
};

static unsigned
does_of_builtin(uint8_t builtin)
{
	switch (builtin) {
	case CONF_BUILTIN_TCPMUX:
		return DOES_TCPMUX;
	case CONF_BUILTIN_TRAP:
		return DOES_TRAP;
	case CONF_BUILTIN_TEXT:
		return DOES_TEXT;
	default:
		return DOES_ANSWER;
	}
}

static unsigned
does_of_program(const struct conf_service *svc)
{
	if (svc->wait)
		return DOES_WAIT;
	return svc->pty ? DOES_PTY : DOES_EXEC;
}

/* Exactly one of three keys says it; 0 after a complaint. */
static unsigned
find_does(const struct merge *merge, const struct merged *merged)
{
	const struct conf_service *svc = &merged->values.service;
	bool exec = merged->set[KEY_EXEC] != NULL;
	bool builtin = merged->set[KEY_BUILTIN] != NULL;
	bool redirect = merged->set[KEY_REDIRECT] != NULL;

	if (exec + builtin + redirect > 1) {
		merge_complain(merge, merged, exec ? KEY_EXEC : KEY_BUILTIN,
		    "service \"%s\" can have one of exec, builtin, redirect",
		    merged->name);
		return 0;
	}
	if (builtin)
		return svc->builtin != CONF_BUILTIN_NONE ?
		    does_of_builtin(svc->builtin) : 0;
	if (redirect)
		return DOES_REDIRECT;
	if (!exec && !merged->damaged)
		merge_complain(merge, merged, KEY_EXEC,
		    "service \"%s\" needs one of exec, builtin, redirect",
		    merged->name);
	return exec ? does_of_program(svc) : 0;
}

/* The values of `listen` that can be read, as a set of transports. */
static unsigned
find_transports(const struct merged *merged)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];
	unsigned found = 0;

	for (uint32_t i = 0; setting != NULL && i < setting->count; i++) {
		const char *text = setting->values[i].text;
		struct url url;

		if (url_parse(&url, text, strlen(text)) == NULL)
			found |= ON(url.transport);
	}
	return found;
}

static void
check_transports(const struct merge *merge, const struct merged *merged,
    const struct does_row *row)
{
	const struct draft_setting *setting = merged->set[KEY_LISTEN];

	for (uint32_t i = 0; setting != NULL && i < setting->count; i++) {
		const char *text = setting->values[i].text;
		struct url url;

		if (url_parse(&url, text, strlen(text)) != NULL ||
		    (row->transports & ON(url.transport)) != 0)
			continue;
		complain(merge->complaints, (struct place){
		    setting->place.file, setting->values[i].line }, "listen",
		    "\"%.200s\": %s cannot be done on such a socket", text,
		    row->name);
	}
}

static bool
was_set(const struct merged *defaults, const struct merged *merged,
    enum key_id id)
{
	return merged->set[id] != NULL && merged->set[id] != defaults->set[id];
}

static void
check_keys(const struct merge *merge, const struct merged *defaults,
    const struct merged *merged, unsigned does)
{
	for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++)
		if ((key_rows[i].does & does) == 0 &&
		    was_set(defaults, merged, key_rows[i].id))
			merge_complain(merge, merged, key_rows[i].id, "%s",
			    key_rows[i].sentence);
}

/* What depends on the transports, too, or on other keys. */
static void
check_combinations(const struct merge *merge, const struct merged *defaults,
    const struct merged *merged, unsigned does)
{
	const struct conf_service *svc = &merged->values.service;
	unsigned transports = find_transports(merged);
	bool relayed = (does & (DOES_REDIRECT | DOES_BUILTIN | DOES_PTY)) != 0 ||
	    (does == DOES_EXEC && (transports & (ON(CONF_UDP) | ON(CONF_FD))));

	if (does == DOES_TEXT && svc->text.offset == 0)
		merge_complain(merge, merged, KEY_TEXT, "must say something");
	if (svc->wait && svc->pty)
		merge_complain(merge, merged, KEY_PTY,
		    "and wait = yes exclude each other");
	if (!relayed && was_set(defaults, merged, KEY_IDLE))
		merge_complain(merge, merged, KEY_IDLE, "works for udp with "
		    "wait = no, redirect, builtin and pty only");
	if ((transports & ON_MUX) == 0 &&
	    was_set(defaults, merged, KEY_TCPMUX_REPLY))
		merge_complain(merge, merged, KEY_TCPMUX_REPLY,
		    "is for services that listen on tcpmux://");
}

/* A default that is meant for others must not do anything here. */
static void
drop_defaults(struct merged *merged, unsigned does)
{
	struct conf_service *svc = &merged->values.service;

	if ((does & DOES_PROGRAM) == 0) {
		svc->wait = false;
		svc->pty = false;
	}
	if (does != DOES_TEXT)
		svc->text = (struct conf_str){ 0 };
	if (does != DOES_WAIT)
		return;
	svc->pty = false;
	memset(svc->banner, 0, sizeof(svc->banner));
}

void
does_check(const struct merge *merge, const struct merged *defaults,
    struct merged *merged)
{
	unsigned does = find_does(merge, merged);

	for (size_t i = 0; i < sizeof(does_rows) / sizeof(does_rows[0]); i++)
		if (does_rows[i].does == does)
			check_transports(merge, merged, &does_rows[i]);
	if (does == 0)
		return;
	check_keys(merge, defaults, merged, does);
	check_combinations(merge, defaults, merged, does);
	drop_defaults(merged, does);
}
