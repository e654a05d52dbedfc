/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of all keys of minetd.conf(5).
 *
 * A field is named once, by a macro that takes its place and size; an integer
 * field is read and written by its size, with the sign that min tells.
 */

#include "conf/key.h"

#include <sys/resource.h>

#include <string.h>

#include "conf/conf.h"
#include "conf/purpose.h"
#include "conf/suggest.h"

#define FIELD(type, field)						\
	.offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define CONF(field)							\
	.home = KEY_HOME_CONF, FIELD(struct conf, field)
#define SERVICE(field)							\
	.home = KEY_HOME_SERVICE, FIELD(struct conf_service, field)
#define SOCKET(field)							\
	.home = KEY_HOME_SOCKET, FIELD(struct conf_socket, field)
#define IDENTITY(field)							\
	.home = KEY_HOME_IDENTITY, FIELD(struct conf_identity, field)
#define SET_FLAG(field)							\
	.set_offset = offsetof(struct conf_identity, field)
#define SET_FLAG_SERVICE(field)						\
	.set_offset = offsetof(struct conf_service, field)

#define LIMIT(key_name, resource)					\
	{ key_name, KEY_IN_LIMITS, KEY_SCALAR, KIND_LIMIT,		\
	    .min = (int64_t)(resource), .does = DOES_PROGRAM }
#define LIMIT_SIZE(key_name, resource)					\
	{ key_name, KEY_IN_LIMITS, KEY_SCALAR, KIND_LIMIT_SIZE,		\
	    .min = (int64_t)(resource), .does = DOES_PROGRAM }

/* Each list in the order of the enum whose value its index becomes. */
static const char *const log_formats[] = { "logfmt", "json", NULL };
static const char *const log_levels[] = { "error", "warning", "info", "debug",
	NULL };
static const char *const on_full_words[] = { "queue", "refuse", NULL };
/* The empty word is the absence of one. */
static const char *const builtin_words[] = { "", "echo", "discard", "chargen",
	"daytime", "time", "tcpmux", "trap", "text", NULL };
static const char *const proxy_out_words[] = { "none", "v1", "v2", NULL };
static const char *const proxy_protocol_words[] = { "no", "optional",
	"required", NULL };
static const char *const stop_signal_words[] = { "TERM", "INT", "HUP", "QUIT",
	"USR1", "USR2", "KILL", NULL };
static const char *const activation_words[] = { "inetd", "systemd", NULL };
static const char *const log_connection_words[] = { "no", "yes", "verbose",
	NULL };

enum {
	TEXT_MAX = 65535,
	PATH_TEXT_MAX = 4095,
	INTERFACE_MAX = 15,	/* IFNAMSIZ without the terminator */
	ACCOUNT_MAX = 255,
	BUFFER_MAX = 1 << 30,
	LOAD_MAX = 1000000,	/* hundredths */
	TCP_TIME_MAX = 32767,	/* seconds; limit of TCP_KEEPIDLE */
};

/* clang-format off */
const struct key keys[KEY_COUNT] = {
[KEY_PID_FILE] = { "pid_file", KEY_IN_TOP, KEY_SCALAR, KIND_PATH,
	CONF(pid_file), .max = PATH_TEXT_MAX },
[KEY_LOG] = { "log", KEY_IN_TOP, KEY_SCALAR, KIND_LOG, CONF(log) },
[KEY_LOG_FORMAT] = { "log_format", KEY_IN_TOP, KEY_SCALAR, KIND_WORD,
	CONF(log_format), .words = log_formats, .value = "logfmt" },
[KEY_LOG_LEVEL] = { "log_level", KEY_IN_TOP, KEY_SCALAR, KIND_WORD,
	CONF(log_level), .words = log_levels, .value = "info" },
[KEY_FRONTEND_USER] = { "frontend_user", KEY_IN_TOP, KEY_SCALAR, KIND_TEXT,
	CONF(frontend_user), .min = 1, .max = ACCOUNT_MAX,
	.value = "minetd" },
[KEY_DRAIN_TIMEOUT] = { "drain_timeout", KEY_IN_TOP, KEY_SCALAR, KIND_MSEC,
	CONF(drain_timeout_msec), .max = INT32_MAX, .value = "1h" },
[KEY_PENDING_MAX] = { "pending_max", KEY_IN_TOP, KEY_SCALAR, KIND_NUMBER,
	CONF(pending_max), .min = 1, .max = 65536, .value = "256" },
[KEY_PENDING_PER_SOURCE] = { "pending_per_source", KEY_IN_TOP, KEY_SCALAR,
	KIND_NUMBER, CONF(pending_per_source), .max = 65536, .value = "16" },
[KEY_PREFACE_TIMEOUT] = { "preface_timeout", KEY_IN_TOP, KEY_SCALAR, KIND_MSEC,
	CONF(preface_timeout_msec), .min = 1, .max = INT32_MAX, .value = "3s" },
[KEY_STRICT] = { "strict", KEY_IN_TOP, KEY_SCALAR, KIND_BOOL, CONF(strict) },
[KEY_MAX_CHILDREN] = { "max_children", KEY_IN_TOP, KEY_SCALAR, KIND_NUMBER,
	CONF(max_children), .max = INT32_MAX },
[KEY_EXEMPT] = { "exempt", KEY_IN_TOP, KEY_LIST, KIND_RULE, CONF(exempt) },
[KEY_INCLUDE] = { "include", KEY_IN_TOP, KEY_CALL, KIND_NONE,
	.home = KEY_HOME_NONE },
[KEY_DEFAULTS] = { "defaults", KEY_IN_TOP, KEY_SECTION, KIND_NONE,
	.home = KEY_HOME_NONE },
[KEY_SERVICE] = { "service", KEY_IN_TOP, KEY_TITLED, KIND_NONE,
	.home = KEY_HOME_NONE },

[KEY_LISTEN] = { "listen", KEY_IN_SERVICE, KEY_LIST, KIND_LISTEN,
	SERVICE(listen_text) },
[KEY_INTERFACE] = { "interface", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT,
	SOCKET(interface), .max = INTERFACE_MAX },
[KEY_BACKLOG] = { "backlog", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER,
	SOCKET(backlog), .min = 1, .max = INT32_MAX, .value = "4096" },
[KEY_REUSE_PORT] = { "reuse_port", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SOCKET(reuse_port) },
[KEY_FREEBIND] = { "freebind", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SOCKET(freebind) },
[KEY_TRANSPARENT] = { "transparent", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SOCKET(transparent) },
[KEY_NODELAY] = { "nodelay", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SOCKET(nodelay) },
[KEY_DEFER_ACCEPT] = { "defer_accept", KEY_IN_BOTH, KEY_SCALAR, KIND_SECONDS,
	SOCKET(defer_accept), .max = TCP_TIME_MAX },
[KEY_KEEPALIVE] = { "keepalive", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SOCKET(keepalive) },
[KEY_KEEPALIVE_TIME] = { "keepalive_time", KEY_IN_BOTH, KEY_SCALAR,
	KIND_SECONDS, SOCKET(keepalive_time), .max = TCP_TIME_MAX },
[KEY_KEEPALIVE_INTERVAL] = { "keepalive_interval", KEY_IN_BOTH, KEY_SCALAR,
	KIND_SECONDS, SOCKET(keepalive_interval), .max = TCP_TIME_MAX },
[KEY_KEEPALIVE_PROBES] = { "keepalive_probes", KEY_IN_BOTH, KEY_SCALAR,
	KIND_NUMBER, SOCKET(keepalive_probes), .max = 127 },
[KEY_SEND_BUFFER] = { "send_buffer", KEY_IN_BOTH, KEY_SCALAR, KIND_SIZE,
	SOCKET(send_buffer), .max = BUFFER_MAX },
[KEY_RECEIVE_BUFFER] = { "receive_buffer", KEY_IN_BOTH, KEY_SCALAR, KIND_SIZE,
	SOCKET(receive_buffer), .max = BUFFER_MAX },
[KEY_DSCP] = { "dscp", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER, SOCKET(dscp),
	.min = CONF_KEEP, .max = 63, .value = "-1" },
[KEY_MARK] = { "mark", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER, SOCKET(mark),
	.max = UINT32_MAX },
[KEY_MPTCP] = { "mptcp", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL, SOCKET(mptcp) },
[KEY_SOCKET_USER] = { "socket_user", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT,
	SOCKET(user), .max = ACCOUNT_MAX },
[KEY_SOCKET_GROUP] = { "socket_group", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT,
	SOCKET(group), .max = ACCOUNT_MAX },
[KEY_SOCKET_MODE] = { "socket_mode", KEY_IN_BOTH, KEY_SCALAR, KIND_OCTAL,
	SOCKET(mode), .max = 0777, .value = "0666" },
[KEY_EXEC] = { "exec", KEY_IN_SERVICE, KEY_LIST, KIND_TEXT, SERVICE(exec),
	.min = 1, .max = TEXT_MAX },
[KEY_BUILTIN] = { "builtin", KEY_IN_SERVICE, KEY_SCALAR, KIND_WORD,
	SERVICE(builtin), .words = builtin_words },
[KEY_REDIRECT] = { "redirect", KEY_IN_SERVICE, KEY_LIST, KIND_TARGET,
	SERVICE(redirect_text) },
[KEY_PROXY_OUT] = { "proxy_out", KEY_IN_BOTH, KEY_SCALAR, KIND_WORD,
	SERVICE(proxy_out), .words = proxy_out_words, .value = "none",
	.does = DOES_REDIRECT },
[KEY_CONNECT_TIMEOUT] = { "connect_timeout", KEY_IN_BOTH, KEY_SCALAR,
	KIND_MSEC, SERVICE(connect_timeout_msec), .min = 1, .max = INT32_MAX,
	.value = "5s", .does = DOES_REDIRECT },
[KEY_TEXT] = { "text", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT, SERVICE(text),
	.max = TEXT_MAX, .does = DOES_TEXT },
[KEY_WAIT] = { "wait", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL, SERVICE(wait),
	.does = DOES_PROGRAM },
[KEY_ACTIVATION] = { "activation", KEY_IN_BOTH, KEY_SCALAR, KIND_WORD,
	SERVICE(activation), .words = activation_words, .value = "inetd",
	.does = DOES_WAIT },
[KEY_ARGV0] = { "argv0", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT, SERVICE(argv0),
	.max = TEXT_MAX, .does = DOES_PROGRAM },
[KEY_PTY] = { "pty", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL, SERVICE(pty),
	.does = DOES_PROGRAM },
[KEY_TCPMUX_REPLY] = { "tcpmux_reply", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SERVICE(tcpmux_reply), .value = "yes" },
[KEY_USER] = { "user", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT, IDENTITY(user),
	.min = 1, .max = ACCOUNT_MAX, .does = DOES_PROGRAM },
[KEY_GROUP] = { "group", KEY_IN_BOTH, KEY_SCALAR, KIND_TEXT, IDENTITY(group),
	.max = ACCOUNT_MAX, .does = DOES_PROGRAM },
[KEY_GROUPS] = { "groups", KEY_IN_BOTH, KEY_LIST, KIND_TEXT,
	IDENTITY(group_names), SET_FLAG(groups_set), .min = 1,
	.max = ACCOUNT_MAX, .does = DOES_PROGRAM },
[KEY_DIRECTORY] = { "directory", KEY_IN_BOTH, KEY_SCALAR, KIND_PATH,
	IDENTITY(directory), .min = 1, .max = PATH_TEXT_MAX, .value = "/",
	.does = DOES_PROGRAM },
[KEY_CHROOT] = { "chroot", KEY_IN_BOTH, KEY_SCALAR, KIND_PATH,
	IDENTITY(chroot), .max = PATH_TEXT_MAX, .does = DOES_PROGRAM },
[KEY_UMASK] = { "umask", KEY_IN_BOTH, KEY_SCALAR, KIND_OCTAL, IDENTITY(umask),
	.max = 0777, .value = "022", .does = DOES_PROGRAM },
[KEY_NICE] = { "nice", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER, IDENTITY(nice),
	SET_FLAG(nice_set), .min = -20, .max = 19, .does = DOES_PROGRAM },
[KEY_OOM_SCORE_ADJ] = { "oom_score_adj", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER,
	IDENTITY(oom_score_adj), .min = -1000, .max = 1000,
	.does = DOES_PROGRAM },
[KEY_ENV] = { "env", KEY_IN_BOTH, KEY_LIST, KIND_ENV, IDENTITY(env),
	.does = DOES_PROGRAM },
[KEY_PASS_ENV] = { "pass_env", KEY_IN_BOTH, KEY_LIST, KIND_VARIABLE,
	IDENTITY(pass_env), .does = DOES_PROGRAM },
[KEY_STDERR] = { "stderr", KEY_IN_BOTH, KEY_SCALAR, KIND_STDERR,
	IDENTITY(stderr_mode), .max = PATH_TEXT_MAX, .value = "socket",
	.does = DOES_PROGRAM },
[KEY_LIMITS] = { "limits", KEY_IN_BOTH, KEY_SECTION, KIND_NONE,
	IDENTITY(limits), .does = DOES_PROGRAM },
[KEY_ONLY_FROM] = { "only_from", KEY_IN_BOTH, KEY_LIST, KIND_RULE,
	SERVICE(only_from), SET_FLAG_SERVICE(only_from_set) },
[KEY_NO_ACCESS] = { "no_access", KEY_IN_BOTH, KEY_LIST, KIND_RULE,
	SERVICE(no_access) },
[KEY_ACCESS_TIMES] = { "access_times", KEY_IN_BOTH, KEY_LIST, KIND_TIMES,
	SERVICE(access_times), SET_FLAG_SERVICE(access_times_set),
	.does = DOES_ACCEPT },
[KEY_PROXY_PROTOCOL] = { "proxy_protocol", KEY_IN_BOTH, KEY_SCALAR, KIND_WORD,
	SERVICE(proxy_protocol), .words = proxy_protocol_words, .value = "no",
	.does = DOES_ACCEPT },
[KEY_PROXY_FROM] = { "proxy_from", KEY_IN_BOTH, KEY_LIST, KIND_RULE,
	SERVICE(proxy_from), .does = DOES_ACCEPT },
[KEY_BANNER] = { "banner", KEY_IN_BOTH, KEY_SCALAR, KIND_PATH,
	SERVICE(banner[CONF_BANNER]), .max = PATH_TEXT_MAX,
	.does = DOES_ACCEPT },
[KEY_BANNER_SUCCESS] = { "banner_success", KEY_IN_BOTH, KEY_SCALAR, KIND_PATH,
	SERVICE(banner[CONF_BANNER_SUCCESS]), .max = PATH_TEXT_MAX,
	.does = DOES_ACCEPT },
[KEY_BANNER_FAIL] = { "banner_fail", KEY_IN_BOTH, KEY_SCALAR, KIND_PATH,
	SERVICE(banner[CONF_BANNER_FAIL]), .max = PATH_TEXT_MAX,
	.does = DOES_ACCEPT },
[KEY_INSTANCES] = { "instances", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER,
	SERVICE(instances), .max = INT32_MAX, .value = "1000" },
[KEY_ON_FULL] = { "on_full", KEY_IN_BOTH, KEY_SCALAR, KIND_WORD,
	SERVICE(on_full), .words = on_full_words, .value = "queue",
	.does = DOES_ACCEPT },
[KEY_PER_SOURCE] = { "per_source", KEY_IN_BOTH, KEY_SCALAR, KIND_NUMBER,
	SERVICE(per_source), .max = INT32_MAX, .does = DOES_ACCEPT },
[KEY_SOURCE_PREFIX4] = { "source_prefix4", KEY_IN_BOTH, KEY_SCALAR,
	KIND_NUMBER, SERVICE(source_prefix4), .max = 32, .value = "32",
	.does = DOES_ACCEPT },
[KEY_SOURCE_PREFIX6] = { "source_prefix6", KEY_IN_BOTH, KEY_SCALAR,
	KIND_NUMBER, SERVICE(source_prefix6), .max = 128, .value = "64",
	.does = DOES_ACCEPT },
[KEY_RATE] = { "rate", KEY_IN_BOTH, KEY_SCALAR, KIND_RATE, SERVICE(rate) },
[KEY_ON_RATE] = { "on_rate", KEY_IN_BOTH, KEY_SCALAR, KIND_WORD,
	SERVICE(on_rate), .words = on_full_words, .value = "queue",
	.does = DOES_ACCEPT },
[KEY_PER_SOURCE_RATE] = { "per_source_rate", KEY_IN_BOTH, KEY_SCALAR,
	KIND_RATE, SERVICE(per_source_rate), .does = DOES_ACCEPT },
[KEY_MAX_LOAD] = { "max_load", KEY_IN_BOTH, KEY_SCALAR, KIND_HUNDREDTHS,
	SERVICE(max_load), .max = LOAD_MAX, .does = DOES_ACCEPT },
[KEY_FIRST_BYTE] = { "first_byte", KEY_IN_BOTH, KEY_SCALAR, KIND_MSEC,
	SERVICE(first_byte_msec), .max = INT32_MAX, .does = DOES_ACCEPT },
[KEY_IDLE] = { "idle", KEY_IN_BOTH, KEY_SCALAR, KIND_MSEC, SERVICE(idle_msec),
	SET_FLAG_SERVICE(idle_set), .max = INT32_MAX, .does = DOES_ACCEPT },
[KEY_MAX_RUNTIME] = { "max_runtime", KEY_IN_BOTH, KEY_SCALAR, KIND_MSEC,
	SERVICE(max_runtime_msec), .max = INT32_MAX },
[KEY_STOP_SIGNAL] = { "stop_signal", KEY_IN_BOTH, KEY_SCALAR, KIND_WORD,
	SERVICE(stop_signal), .words = stop_signal_words, .value = "TERM",
	.does = DOES_PROGRAM },
[KEY_KILL_GRACE] = { "kill_grace", KEY_IN_BOTH, KEY_SCALAR, KIND_MSEC,
	SERVICE(kill_grace_msec), .max = INT32_MAX, .value = "5s",
	.does = DOES_PROGRAM },
[KEY_BAN] = { "ban", KEY_IN_BOTH, KEY_SCALAR, KIND_MSEC, SERVICE(ban_msec),
	.max = INT32_MAX, .does = DOES_ACCEPT },
[KEY_LOG_CONNECTIONS] = { "log_connections", KEY_IN_BOTH, KEY_SCALAR,
	KIND_WORD, SERVICE(log_connections), .words = log_connection_words,
	.value = "yes" },
[KEY_DISABLED] = { "disabled", KEY_IN_BOTH, KEY_SCALAR, KIND_BOOL,
	SERVICE(disabled) },

[KEY_LIMIT_AS] = LIMIT_SIZE("as", RLIMIT_AS),
[KEY_LIMIT_CORE] = LIMIT_SIZE("core", RLIMIT_CORE),
[KEY_LIMIT_CPU] = LIMIT("cpu", RLIMIT_CPU),
[KEY_LIMIT_DATA] = LIMIT_SIZE("data", RLIMIT_DATA),
[KEY_LIMIT_FSIZE] = LIMIT_SIZE("fsize", RLIMIT_FSIZE),
[KEY_LIMIT_LOCKS] = LIMIT("locks", RLIMIT_LOCKS),
[KEY_LIMIT_MEMLOCK] = LIMIT_SIZE("memlock", RLIMIT_MEMLOCK),
[KEY_LIMIT_MSGQUEUE] = LIMIT_SIZE("msgqueue", RLIMIT_MSGQUEUE),
[KEY_LIMIT_NICE] = LIMIT("nice", RLIMIT_NICE),
[KEY_LIMIT_NOFILE] = LIMIT("nofile", RLIMIT_NOFILE),
[KEY_LIMIT_NPROC] = LIMIT("nproc", RLIMIT_NPROC),
[KEY_LIMIT_RSS] = LIMIT_SIZE("rss", RLIMIT_RSS),
[KEY_LIMIT_RTPRIO] = LIMIT("rtprio", RLIMIT_RTPRIO),
[KEY_LIMIT_RTTIME] = LIMIT("rttime", RLIMIT_RTTIME),
[KEY_LIMIT_SIGPENDING] = LIMIT("sigpending", RLIMIT_SIGPENDING),
[KEY_LIMIT_STACK] = LIMIT_SIZE("stack", RLIMIT_STACK),
};
/* clang-format on */

const struct key *
key_find(unsigned scopes, const char *name, size_t len)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *key = &keys[i];

		if ((key->scopes & scopes) != 0 && strlen(key->name) == len &&
		    memcmp(key->name, name, len) == 0)
			return key;
	}
	return NULL;
}

const struct key *
key_suggest(unsigned scope, const char *name, size_t len)
{
	struct suggestion best = { 0 };

	for (size_t i = 0; i < KEY_COUNT; i++)
		if ((keys[i].scopes & scope) != 0)
			suggest(&best, name, len, keys[i].name);
	return best.word != NULL ?
	    key_find(scope, best.word, strlen(best.word)) :
	    NULL;
}
