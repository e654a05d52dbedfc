/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of all keys of minetd.conf(5).
 *
 * The one place that knows a key: what it is called, where it may stand, what
 * it takes, what it is by default, and which field of the configuration holds
 * it.  The pre-scan, the conversion of values, `minetd -T` and the test of the
 * manual page walk this table; a new key is a new row, and a new field.
 */

#ifndef MINETD_KEY_H
#define MINETD_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the manual page and of `minetd -T`. */
enum key_id {
	KEY_PID_FILE,
	KEY_LOG,
	KEY_LOG_FORMAT,
	KEY_LOG_LEVEL,
	KEY_FRONTEND_USER,
	KEY_DRAIN_TIMEOUT,
	KEY_PENDING_MAX,
	KEY_PENDING_PER_SOURCE,
	KEY_PREFACE_TIMEOUT,
	KEY_STRICT,
	KEY_MAX_CHILDREN,
	KEY_EXEMPT,
	KEY_INCLUDE,
	KEY_DEFAULTS,
	KEY_SERVICE,

	KEY_LISTEN,
	KEY_INTERFACE,
	KEY_BACKLOG,
	KEY_REUSE_PORT,
	KEY_FREEBIND,
	KEY_TRANSPARENT,
	KEY_NODELAY,
	KEY_DEFER_ACCEPT,
	KEY_KEEPALIVE,
	KEY_KEEPALIVE_TIME,
	KEY_KEEPALIVE_INTERVAL,
	KEY_KEEPALIVE_PROBES,
	KEY_SEND_BUFFER,
	KEY_RECEIVE_BUFFER,
	KEY_DSCP,
	KEY_MARK,
	KEY_MPTCP,
	KEY_SOCKET_USER,
	KEY_SOCKET_GROUP,
	KEY_SOCKET_MODE,
	KEY_EXEC,
	KEY_BUILTIN,
	KEY_REDIRECT,
	KEY_PROXY_OUT,
	KEY_CONNECT_TIMEOUT,
	KEY_TEXT,
	KEY_WAIT,
	KEY_ACTIVATION,
	KEY_ARGV0,
	KEY_PTY,
	KEY_TCPMUX_REPLY,
	KEY_USER,
	KEY_GROUP,
	KEY_GROUPS,
	KEY_DIRECTORY,
	KEY_CHROOT,
	KEY_UMASK,
	KEY_NICE,
	KEY_OOM_SCORE_ADJ,
	KEY_ENV,
	KEY_PASS_ENV,
	KEY_STDERR,
	KEY_LIMITS,
	KEY_ONLY_FROM,
	KEY_NO_ACCESS,
	KEY_ACCESS_TIMES,
	KEY_PROXY_PROTOCOL,
	KEY_PROXY_FROM,
	KEY_BANNER,
	KEY_BANNER_SUCCESS,
	KEY_BANNER_FAIL,
	KEY_INSTANCES,
	KEY_ON_FULL,
	KEY_PER_SOURCE,
	KEY_SOURCE_PREFIX4,
	KEY_SOURCE_PREFIX6,
	KEY_RATE,
	KEY_ON_RATE,
	KEY_PER_SOURCE_RATE,
	KEY_MAX_LOAD,
	KEY_FIRST_BYTE,
	KEY_IDLE,
	KEY_MAX_RUNTIME,
	KEY_STOP_SIGNAL,
	KEY_KILL_GRACE,
	KEY_BAN,
	KEY_LOG_CONNECTIONS,
	KEY_DISABLED,

	KEY_LIMIT_AS,
	KEY_LIMIT_CORE,
	KEY_LIMIT_CPU,
	KEY_LIMIT_DATA,
	KEY_LIMIT_FSIZE,
	KEY_LIMIT_LOCKS,
	KEY_LIMIT_MEMLOCK,
	KEY_LIMIT_MSGQUEUE,
	KEY_LIMIT_NICE,
	KEY_LIMIT_NOFILE,
	KEY_LIMIT_NPROC,
	KEY_LIMIT_RSS,
	KEY_LIMIT_RTPRIO,
	KEY_LIMIT_RTTIME,
	KEY_LIMIT_SIGPENDING,
	KEY_LIMIT_STACK,

	KEY_COUNT
};

/* Where a key may stand. */
enum key_scope {
	KEY_IN_TOP = 1u << 0,
	KEY_IN_DEFAULTS = 1u << 1,
	KEY_IN_SERVICE = 1u << 2,
	KEY_IN_LIMITS = 1u << 3,
	KEY_IN_BOTH = KEY_IN_DEFAULTS | KEY_IN_SERVICE,
};

/* What follows the name. */
enum key_shape {
	KEY_SCALAR,		/* = value */
	KEY_LIST,		/* = { values }, += { values } */
	KEY_SECTION,		/* { keys } */
	KEY_TITLED,		/* "TITLE" { keys } */
	KEY_CALL,		/* ("argument") */
};

/* What its values are; store.c reads each, dump.c writes it. */
enum key_kind {
	KIND_NONE,		/* sections and calls */
	KIND_BOOL,
	KIND_NUMBER,		/* min to max */
	KIND_MSEC,		/* a duration, min to max milliseconds */
	KIND_SECONDS,		/* a duration, min to max whole seconds */
	KIND_SIZE,		/* min to max bytes */
	KIND_OCTAL,		/* 0 to max */
	KIND_WORD,		/* one of words, kept as its index */
	KIND_TEXT,		/* max bytes; empty only if min is 0 */
	KIND_PATH,		/* absolute; empty only if min is 0 */
	KIND_LOG,		/* a destination of log_open() */
	KIND_STDERR,
	KIND_LISTEN,
	KIND_TARGET,		/* tcp://HOST:PORT or unix:///PATH */
	KIND_ENV,		/* NAME=value */
	KIND_VARIABLE,		/* NAME */
	KIND_RULE,		/* whom a rule is about */
	KIND_TIMES,		/* times of the week */
	KIND_RATE,		/* so many in a time, and at once */
	KIND_HUNDREDTHS,	/* with decimals; 0 to max hundredths */
	KIND_LIMIT,		/* of resource min, in units of its own */
	KIND_LIMIT_SIZE,	/* of resource min, in bytes */
};

/* The structure that holds its value. */
enum key_home {
	KEY_HOME_NONE,
	KEY_HOME_CONF,		/* struct conf */
	KEY_HOME_SERVICE,	/* struct conf_service */
	KEY_HOME_SOCKET,	/* struct conf_socket */
	KEY_HOME_IDENTITY,	/* struct conf_identity */
};

struct key {
	const char *name;
	uint8_t scopes;		/* enum key_scope, or-ed */
	uint8_t shape;		/* enum key_shape */
	uint8_t kind;		/* enum key_kind */
	uint8_t home;		/* enum key_home */
	uint16_t offset;	/* of the field in its home */
	uint16_t size;		/* of the field, in bytes */
	uint16_t set_offset;	/* of a bool: it was configured; 0: none */
	uint16_t does;		/* enum purpose, or-ed: of services that it has
				 * a meaning for; 0: of all */
	int64_t min;
	int64_t max;
	const char *const *words; /* of KIND_WORD, ended by NULL */
	const char *value;	/* the default as text; NULL: zeroes */
};

/* All KEY_COUNT rows, indexed by enum key_id. */
extern const struct key keys[KEY_COUNT];

/* Whether a key has a meaning for a service that does this; 0: anything. */
static inline bool
key_applies(const struct key *key, unsigned does)
{
	return key->does == 0 || does == 0 || (key->does & does) != 0;
}

/* The key of that name in one of these scopes; NULL when there is none. */
const struct key *key_find(unsigned scopes, const char *name, size_t len);

/* The key that a misspelt name was meant to be, or NULL. */
const struct key *key_suggest(unsigned scope, const char *name, size_t len);

#endif
