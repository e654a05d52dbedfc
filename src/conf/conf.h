/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A configuration: an immutable value in one block of memory.
 *
 * The block is position-independent: it refers to itself by offsets, so that
 * a helper process can build it in a memfd, main can map it read-only at any
 * address, and an upgrade can pass it on as a descriptor.  Equal strings and
 * equal lists are stored once, which keeps a service below 400 bytes.
 *
 * Everything is resolved: users are ids, host names are addresses, `defaults`
 * are merged into each service.  What conf_load() returned is consistent:
 * nothing in it needs to be checked again, except that the world may change.
 */

#ifndef MINETD_CONF_H
#define MINETD_CONF_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* A string in the block; read it with conf_string(). */
struct conf_str {
	uint32_t offset;
};

/* Consecutive items in the block; an unset list has count 0. */
struct conf_list {
	uint32_t offset;
	uint32_t count;
};

/* Bytes in the block, not ended by anything; see conf_bytes(). */
struct conf_bytes {
	uint32_t offset;
	uint32_t len;
};

/* See conf/transport.h, too.  The numbers cross upgrades. */
enum conf_transport {
	CONF_TCP,
	CONF_UNIX,		/* SOCK_STREAM, a path or abstract */
	CONF_UDP,
	CONF_UNIX_DGRAM,
	CONF_UNIX_SEQPACKET,
	CONF_VSOCK,
	CONF_FD,		/* inherited: adopting it tells what it is */
	CONF_TCPMUX,		/* no socket, but a name for tcpmux clients */
};

/* Whether an IPv6 socket also serves IPv4. */
enum conf_v6 {
	CONF_V6_NONE,		/* not an IPv6 wildcard */
	CONF_V6_DUAL,		/* tcp on every address: both families */
	CONF_V6_ONLY,
};

enum conf_on_full {
	CONF_ON_FULL_QUEUE,	/* stop accepting, the backlog waits */
	CONF_ON_FULL_REFUSE,	/* accept and close */
};

enum conf_stderr {
	CONF_STDERR_SOCKET,
	CONF_STDERR_NULL,
	CONF_STDERR_FILE,
	CONF_STDERR_LOG,
};

/* What a service does without a program. */
enum conf_builtin {
	CONF_BUILTIN_NONE,
	CONF_BUILTIN_ECHO,	/* RFC 862 */
	CONF_BUILTIN_DISCARD,	/* RFC 863 */
	CONF_BUILTIN_CHARGEN,	/* RFC 864 */
	CONF_BUILTIN_DAYTIME,	/* RFC 867 */
	CONF_BUILTIN_TIME,	/* RFC 868 */
	CONF_BUILTIN_TCPMUX,	/* RFC 1078 */
	CONF_BUILTIN_TRAP,	/* says nothing */
	CONF_BUILTIN_TEXT,	/* says `text` */
};

/* What a target of `redirect` hears first. */
enum conf_proxy_out {
	CONF_PROXY_OUT_NONE,
	CONF_PROXY_OUT_V1,
	CONF_PROXY_OUT_V2,
};

/* How a handler with `wait` gets its sockets. */
enum conf_activation {
	CONF_ACTIVATION_INETD,	/* the one that is ready, as fd 0 */
	CONF_ACTIVATION_SYSTEMD, /* all of the service, from fd 3 on */
};

enum conf_banner {
	CONF_BANNER,		/* whoever connects */
	CONF_BANNER_SUCCESS,	/* then, who is served */
	CONF_BANNER_FAIL,	/* or who is refused */
	CONF_BANNERS,
};

enum conf_log_connections {
	CONF_LOG_NO,
	CONF_LOG_EXIT,		/* "yes": one line when the handler has ended */
	CONF_LOG_VERBOSE,	/* another when it starts */
};

enum {
	CONF_NAME_MAX = 64,	/* longest name of a service */
	CONF_EXEC_MAX = 65536,	/* bytes of argv and env together */
	CONF_KEEP = -1,		/* a number that was not configured */
};

/* In the order of their words. */
enum conf_proxy_protocol {
	CONF_PROXY_NO,
	CONF_PROXY_OPTIONAL,
	CONF_PROXY_REQUIRED,
};

enum conf_stop_signal {
	CONF_STOP_TERM,
	CONF_STOP_INT,
	CONF_STOP_HUP,
	CONF_STOP_QUIT,
	CONF_STOP_USR1,
	CONF_STOP_USR2,
	CONF_STOP_KILL,
};

/* A token bucket.  count 0: no limit. */
struct conf_rate {
	uint32_t count;		/* in the long run, in each interval */
	uint32_t interval_msec;
	uint32_t burst;		/* at once */
};

/* A part of some days of the week, local time. */
struct conf_window {
	uint16_t from;		/* minute of the day, 0 to 1439 */
	uint16_t to;		/* 1 to 1440, not included; not above from: on
				 * the day after */
	uint8_t days;		/* on which it begins, as bits; bit 0: Sunday */
	uint8_t reserved;	/* 0 */
};

/* One socket to open.  A host name in `listen` may make several. */
struct conf_listen {
	struct conf_str text;	/* "tcp://localhost:13", as in -T */
	struct conf_str path;	/* unix: absolute path, or @NAME when abstract;
				 * fd: NAME; otherwise "" */
	uint32_t service;	/* index of its service */
	struct addr addr;	/* ip, vsock: where to bind; fd: family
				 * ADDR_NONE, the port is the how-manieth of
				 * that NAME, from 0 on */
	uint8_t transport;	/* enum conf_transport */
	uint8_t v6;		/* enum conf_v6 */
};

/* An address of a target of `redirect`; a host name may have several. */
struct conf_target {
	struct conf_str text;	/* as configured */
	struct conf_str path;	/* unix; otherwise "" */
	struct addr addr;	/* tcp */
	uint8_t transport;	/* CONF_TCP or CONF_UNIX */
	uint8_t reserved[3];	/* 0 */
};

/* One resource limit, RLIM_INFINITY as UINT64_MAX. */
struct conf_limit {
	uint32_t resource;	/* RLIMIT_… of setrlimit(2) */
	uint32_t reserved;	/* 0 */
	uint64_t soft;
	uint64_t hard;
};

/* Options of a service's sockets.  Equal sets are stored once. */
struct conf_socket {
	struct conf_str interface; /* SO_BINDTODEVICE; "" for none */
	int32_t backlog;
	int32_t keepalive_time;	/* seconds; 0: the kernel's */
	int32_t keepalive_interval; /* seconds; 0: the kernel's */
	int32_t keepalive_probes; /* 0: the kernel's */
	int32_t defer_accept;	/* seconds; 0: off */
	int32_t send_buffer;	/* bytes; 0: the kernel's */
	int32_t receive_buffer;	/* bytes; 0: the kernel's */
	int32_t dscp;		/* 0 to 63; CONF_KEEP */
	uint32_t mark;		/* SO_MARK; 0: none */
	struct conf_str user;	/* unix path: owner as configured; for -T */
	struct conf_str group;	/* unix path: group as configured; for -T */
	uint32_t uid;		/* unix path: owner; UINT32_MAX: as created */
	uint32_t gid;		/* unix path: group; UINT32_MAX: as created */
	uint16_t mode;		/* unix path: permission bits */
	bool reuse_port;
	bool freebind;
	bool transparent;
	bool nodelay;
	bool keepalive;
	bool mptcp;
};

/* Whom a handler runs as and in what surroundings.  Equal sets are shared. */
struct conf_identity {
	uint32_t uid;
	uint32_t gid;
	struct conf_list groups; /* of uint32_t, the whole supplementary set */
	struct conf_str group;	/* as configured; for -T */
	struct conf_list group_names; /* of struct conf_str; for -T */
	struct conf_str user;	/* login name, or the number when it has none */
	struct conf_str home;	/* of the password database; "/" */
	struct conf_str shell;	/* of the password database; "/bin/sh" */
	struct conf_str directory;
	struct conf_str chroot;	/* "" for none */
	uint32_t umask;
	int32_t nice;		/* -20 to 19; see nice_set */
	int32_t oom_score_adj;	/* -1000 to 1000 */
	struct conf_list limits; /* of struct conf_limit */
	struct conf_list env;	/* of struct conf_str, "KEY=value" */
	struct conf_list pass_env; /* of struct conf_str, names */
	struct conf_str stderr_path; /* CONF_STDERR_FILE */
	uint8_t stderr_mode;	/* enum conf_stderr */
	bool groups_set;	/* `groups` was configured; for -T */
	bool nice_set;		/* `nice` was configured, also as 0; otherwise
				 * it is the starter's, but not below 0 */
};

struct conf_service {
	struct conf_str name;
	struct conf_str file;	/* where it stands */
	uint32_t line;
	struct conf_list listen_text; /* of struct conf_str: as configured */
	uint32_t first_listen;	/* into conf_listens(); consecutive */
	uint32_t listens;	/* 0 when disabled */
	struct conf_list exec;	/* of struct conf_str: path, then arguments */
	struct conf_str argv0;	/* argv[0] of the handler: never "" */
	uint32_t identity;	/* offset of a struct conf_identity */
	uint32_t socket;	/* offset of a struct conf_socket */
	struct conf_list redirect_text; /* of struct conf_str: as configured */
	struct conf_list targets; /* of struct conf_target, in that order */
	struct conf_list mux_names; /* of struct conf_str, lower case: what
				 * tcpmux clients say */
	struct conf_str text;	/* builtin text: as configured */
	struct conf_bytes text_bytes; /*   and what it sends */
	struct conf_str banner[CONF_BANNERS]; /* paths; "" for none */
	struct conf_bytes banner_bytes[CONF_BANNERS]; /*   and their contents */
	struct conf_list only_from; /* of struct conf_str: as configured, */
	struct conf_bytes only_from_acl; /*   and compiled, see base/acl.h */
	struct conf_list no_access;
	struct conf_bytes no_access_acl;
	struct conf_list proxy_from;
	struct conf_bytes proxy_from_acl;
	struct conf_list access_times; /* of struct conf_str: as configured, */
	struct conf_list windows; /*   and as struct conf_window */
	uint32_t instances;	/* conversations at once; 0: no limit */
	uint32_t per_source;	/* likewise, of one source */
	struct conf_rate rate;
	struct conf_rate per_source_rate;
	uint32_t max_load;	/* hundredths; 0: no limit */
	uint32_t ban_msec;	/* 0: nobody is banned */
	uint32_t first_byte_msec; /* 0: no limit */
	uint32_t kill_grace_msec;
	uint32_t connect_timeout_msec; /* of each target */
	uint32_t idle_msec;	/* 0: no limit; see idle_set */
	uint32_t max_runtime_msec; /* 0: no limit */
	uint8_t on_full;	/* enum conf_on_full */
	uint8_t on_rate;	/* likewise */
	uint8_t source_prefix4;	/* bits of an address that are one source */
	uint8_t source_prefix6;
	uint8_t proxy_protocol;	/* enum conf_proxy_protocol */
	uint8_t stop_signal;	/* enum conf_stop_signal */
	uint8_t log_connections; /* enum conf_log_connections */
	uint8_t builtin;	/* enum conf_builtin */
	uint8_t proxy_out;	/* enum conf_proxy_out */
	uint8_t activation;	/* enum conf_activation */
	bool only_from_set;	/* also as {}: nobody */
	bool access_times_set;	/* also as {}: never */
	bool wait;
	bool pty;
	bool tcpmux_reply;
	bool idle_set;		/* `idle` was configured, also as 0; otherwise
				 * it depends on what the service does */
	bool disabled;
};

/* The head of the block. */
struct conf {
	uint32_t magic;
	uint32_t version;
	uint64_t size;		/* of the block, in bytes */
	struct conf_str log;	/* a log_open() destination; "": not set */
	struct conf_str pid_file; /* "" for none */
	struct conf_str frontend_user; /* as configured */
	uint32_t frontend_uid;	/* no service's user, unless not root */
	uint32_t frontend_gid;
	uint32_t max_children;	/* 0: no limit */
	uint32_t drain_timeout_msec; /* of a frontend that was replaced; 0:
				 * no limit */
	uint32_t pending_max;	/* clients whose preface is awaited, all, */
	uint32_t pending_per_source; /* and of one source; 0: no limit */
	uint32_t preface_timeout_msec;
	struct conf_list exempt; /* of struct conf_str: as configured, */
	struct conf_bytes exempt_acl; /*   and compiled */
	uint8_t log_format;	/* enum log_format */
	uint8_t log_level;	/* enum log_level */
	bool strict;
	struct conf_list services; /* of struct conf_service, in file order */
	struct conf_list listens; /* of struct conf_listen, by service */
};

/*
 * Read, parse, check and resolve the file in a helper process, which is given
 * 30 s.  Returns the configuration, mapped read-only; release it with
 * conf_free().  On failure returns NULL; *complaints then holds one line
 * "FILE:LINE: KEY: sentence\n" per error, in order, to be freed by the caller
 * (never NULL, never empty).  On success *complaints is NULL or holds
 * warnings of the same form.  The caller has no other threads and does not
 * ignore SIGCHLD; the helper is reaped here, by its pid.  path may be relative.
 */
const struct conf *conf_load(const char *path, char **complaints);

/*
 * The same without waiting, for a caller that reaps its own children.
 * conf_load_start() returns NULL with errno when there can be no helper.  When
 * the process conf_load_pid() has ended, the caller passes the status that
 * waitpid(2) gave it to conf_load_finish(), which frees the loading and
 * returns what conf_load() does.  The caller keeps the deadline, too:
 * conf_load_expire() kills a helper that took CONF_LOAD_MSEC; it is finished
 * as above.
 */
enum { CONF_LOAD_MSEC = 30000 };
struct conf_loading;
struct conf_loading *conf_load_start(const char *path);
pid_t	conf_load_pid(const struct conf_loading *loading);
void	conf_load_expire(struct conf_loading *loading);
const struct conf *conf_load_finish(struct conf_loading *loading, int status,
	    char **complaints);

/* Give it up: the helper is killed and reaped here. */
void	conf_load_cancel(struct conf_loading *loading);

/*
 * Hand a configuration to another process: a new sealed memfd, or -1 with
 * errno.  conf_import() maps one; NULL with errno EPROTO when it is of another
 * version than this program reads, or with EINVAL when it is none.  The
 * descriptor stays the caller's.
 */
int	conf_export(const struct conf *conf);
const struct conf *conf_import(int fd);

void	conf_free(const struct conf *conf);

/* A configuration of no services: what runs before the first load. */
const struct conf *conf_empty(void);

/*
 * Write the effective configuration to fd (`minetd -T`): valid input, whose
 * effective configuration is the same text.  Returns 0, or -1 with errno of
 * write(2).
 */
int	conf_dump(const struct conf *conf, int fd);

/* The items; indexes and lists come from the same configuration. */
const char *conf_string(const struct conf *conf, struct conf_str str);
const struct conf_str *conf_strings(const struct conf *conf,
	    struct conf_list list);
const struct conf_service *conf_services(const struct conf *conf);
const struct conf_listen *conf_listens(const struct conf *conf);
const struct conf_identity *conf_identity(const struct conf *conf,
	    const struct conf_service *svc);
const struct conf_socket *conf_socket(const struct conf *conf,
	    const struct conf_service *svc);
const uint32_t *conf_groups(const struct conf *conf,
	    const struct conf_identity *identity);
const struct conf_target *conf_targets(const struct conf *conf,
	    const struct conf_service *svc);
const uint8_t *conf_bytes(const struct conf *conf, struct conf_bytes bytes);
const struct conf_limit *conf_limits(const struct conf *conf,
	    const struct conf_identity *identity);

/*
 * Whether what the service does can be done on a socket of this transport: only
 * of one that was inherited is that not known from the configuration.
 */
bool	conf_can_serve(const struct conf_service *svc, unsigned transport);

#endif
