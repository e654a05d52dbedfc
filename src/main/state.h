/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What one image of the daemon leaves to the next, as bytes.
 *
 * A head with version, length and checksum, then records, each with its type
 * and length.  A reader skips records that it does not know and fields behind
 * those that it knows, so that a later version may add some; what it needs and
 * does not find is an error.  Everything that can be checked without looking at
 * the world is checked here: whoever gets a state can believe it.
 *
 * Pure functions over bytes.  Descriptors are numbers, which execve(2) keeps.
 */

#ifndef MINETD_STATE_H
#define MINETD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	STATE_MAGIC = 0x5354544d,
#ifdef MINETD_OTHER_STATE	/* a build that tests upgrades */
	STATE_VERSION = 9999,
#else
	STATE_VERSION = 3,
#endif
	STATE_NONE = UINT32_MAX, /* an index that stands for nothing */
};

struct state_service {
	const char *name;
	uint32_t kill_grace_msec;
	uint8_t log_connections; /* enum conf_log_connections */
	uint8_t stop_signal;	/* enum conf_stop_signal */
};

struct state_listener {
	uint32_t service;	/* STATE_NONE: a handler remembers it */
	int32_t fd;		/* -1: closed */
	uint8_t transport;	/* enum conf_transport */
	uint8_t v6;		/* enum conf_v6 */
	uint8_t mptcp;		/* a bool */
	uint8_t shares_port;	/* a bool */
	uint8_t closing;	/* a bool: new clients do not find it */
	struct addr addr;	/* as configured */
	const char *path;	/* unix: path or @NAME; fd: NAME; else "" */
	const char *interface;	/* "" for none */
	uint64_t dev;		/* unix: the file; ino 0: none */
	uint64_t ino;
	uint64_t waiter;	/* number of the handler that has it; 0: none */
};

struct state_proc {
	uint64_t id;
	int64_t started_nsec;	/* of CLOCK_MONOTONIC */
	int32_t pid;
	uint32_t service;
	uint32_t listener;
	struct addr peer;
	struct addr local;
	struct addr via;	/* ADDR_NONE: none */
	struct addr asked;	/* with via: what that has connected to */
	int64_t touched_nsec;	/* as struct deadline has these */
	int64_t kill_nsec;
	uint64_t moved;
	uint32_t max_runtime_msec;
	uint32_t first_byte_msec;
	uint32_t idle_msec;
	uint32_t preface;
	uint8_t seen;		/* a bool */
	uint8_t reason;		/* enum done_reason */
	uint8_t waits;		/* a bool: it has listening sockets */
};

/* A frontend that carries on what it has begun. */
struct state_front {
	int32_t pid;
	int32_t channel;
};

/* A socket that the starter has opened. */
struct state_inherited {
	int32_t fd;
	const char *name;
};

/* A descriptor of a handler's that frontends read. */
struct state_loan {
	uint64_t id;		/* of the connection */
	int32_t pid;		/* of the handler, which may have ended */
	uint32_t service;
	uint32_t listener;	/* datagrams; STATE_NONE: none */
	int32_t fd;		/* what is lent */
	int32_t other_fd;	/* datagrams: the handler's end; -1: none */
	uint8_t kind;		/* enum channel_loan_kind */
	uint8_t ended;		/* a bool: the handler was reaped */
	struct addr peer;
	struct addr local;
};

/* A source that is banned. */
struct state_ban {
	struct addr net;
	int64_t until_nsec;	/* of CLOCK_MONOTONIC */
	uint8_t bits;
	uint8_t cause;		/* enum ban_cause */
	const char *service;	/* "" for none */
};

/* What the first image found when it was started. */
struct state_starter {
	uint64_t nofile_soft;
	uint64_t nofile_hard;
	int32_t nice;
	int32_t oom_score_adj;
	uint8_t nofile_raised;	/* these are bools */
	uint8_t may_change_user;
	uint8_t may_lower_oom;
	uint8_t real_time;
};

/* The command line, resolved.  NULL: not given. */
struct state_options {
	const char *conf_file;	/* never NULL */
	const char *log;
	const char *pid_file;
	const char *pid_path;	/* the one that is locked */
	const char *binary;	/* to be executed at the next upgrade */
	uint8_t foreground;	/* bools */
	uint8_t debug;
};

struct state {
	uint64_t next_id;	/* of a connection */
	uint64_t log_lost;	/* lines that could not be handed on */
	int64_t began_nsec;	/* when the upgrade was asked for */
	int32_t conf_fd;	/* of conf_import(); -1: in a mere snapshot */
	int32_t pid_fd;		/* -1: none */
	int32_t log_fd;		/* -1: none */
	uint8_t reload_wanted;	/* a bool */
	struct state_options options;
	struct state_starter starter;
	struct state_service *services;
	uint32_t service_count;
	struct state_listener *listeners;
	uint32_t listener_count;
	struct state_proc *procs;
	uint32_t proc_count;
	struct state_front *fronts;
	uint32_t front_count;
	struct state_inherited *inherited;
	uint32_t inherited_count;
	struct state_loan *loans;
	uint32_t loan_count;
	struct state_ban *bans;
	uint32_t ban_count;
};

/*
 * The state as bytes, to be freed by the caller, and their number.  NULL with
 * errno ENOMEM.
 */
uint8_t	*state_encode(struct state *state, size_t *len);

/*
 * Read bytes; texts of the state lie in them.  Returns NULL and fills *state,
 * to be released with state_fini(), or returns why not: a literal.
 */
const char *state_decode(struct state *state, const uint8_t *bytes,
	    size_t len);

/* Free the arrays. */
void	state_fini(struct state *state);

#endif
