/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Configurations as the daemon sees them: what conf_load() returns, and what
 * loading does to the process that asks for it.
 */

#include "conf/conf.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

#define SERVICE								\
	"service \"a\" {\n\tlisten = \"tcp://127.0.0.1:7\"\n"		\
	"\texec = \"/bin/cat\"\n"

/* A configuration file in a directory of its own. */
struct fixture {
	char directory[64];
	char path[80];
};

static int
setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strlcpy(fixture->directory, "/tmp/minetd-conf-test.XXXXXX",
	    sizeof(fixture->directory));
	if (mkdtemp(fixture->directory) == NULL ||
	    chmod(fixture->directory, 0755) == -1)
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/conf",
	    fixture->directory);
	umask(022);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	rmdir(fixture->directory);
	free(fixture);
	return 0;
}

static void
write_file(const struct fixture *fixture, const char *text)
{
	int fd = open(fixture->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0644);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const struct conf *
load(const struct fixture *fixture, const char *text)
{
	char *complaints;

	write_file(fixture, text);
	const struct conf *conf = conf_load(fixture->path, &complaints);
	if (conf == NULL || complaints != NULL)
		fail_msg("%s", complaints);
	return conf;
}

/* The text is refused with a complaint that has this in it. */
static void
refuse(const struct fixture *fixture, const char *text, const char *wanted)
{
	char *complaints;

	write_file(fixture, text);
	assert_null(conf_load(fixture->path, &complaints));
	assert_non_null(complaints);
	if (strstr(complaints, wanted) == NULL)
		fail_msg("\"%s\" is not in: %s", wanted, complaints);
	free(complaints);
}

static void
the_empty_one(void **state)
{
	const struct conf *conf = conf_empty();

	(void)state;
	assert_int_equal(conf->services.count, 0);
	assert_int_equal(conf->listens.count, 0);
	assert_string_equal(conf_string(conf, conf->pid_file), "");
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
	conf_free(conf);
	conf_free(conf);
	conf_free(NULL);
}

static void
top_level(void **state)
{
	const struct conf *conf = load(*state,
	    "pid_file = /x log = \"syslog:local3\" log_format = json\n"
	    "log_level = debug strict = yes max_children = 7\n" SERVICE "}");

	assert_string_equal(conf_string(conf, conf->pid_file), "/x");
	assert_string_equal(conf_string(conf, conf->log), "syslog:local3");
	assert_int_equal(conf->log_format, LOG_FORMAT_JSON);
	assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
	assert_true(conf->strict);
	assert_int_equal(conf->max_children, 7);
	conf_free(conf);
}

static void
defaults_of_the_top_level(void **state)
{
	const struct conf *conf = load(*state, SERVICE "}");

	assert_string_equal(conf_string(conf, conf->log), "");
	assert_int_equal(conf->log_format, LOG_FORMAT_LOGFMT);
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
	assert_false(conf->strict);
	assert_string_equal(conf_string(conf, conf->pid_file),
	    geteuid() == 0 ? "/run/minetd.pid" : "");
	assert_int_not_equal(conf->frontend_uid, 0);
	conf_free(conf);
}

static void
a_service(void **state)
{
	const struct fixture *fixture = *state;
	const struct conf *conf = load(fixture, "\n\n" SERVICE
	    "argv0 = -cat on_full = refuse kill_grace = 250ms\n"
	    "log_connections = no instances = 3 }");
	const struct conf_service *svc = conf_services(conf);

	assert_int_equal(conf->services.count, 1);
	assert_string_equal(conf_string(conf, svc->name), "a");
	assert_string_equal(conf_string(conf, svc->file), fixture->path);
	assert_int_equal(svc->line, 3);
	assert_int_equal(svc->exec.count, 1);
	assert_string_equal(
	    conf_string(conf, conf_strings(conf, svc->exec)[0]), "/bin/cat");
	assert_string_equal(conf_string(conf, svc->argv0), "-cat");
	assert_int_equal(svc->on_full, CONF_ON_FULL_REFUSE);
	assert_int_equal(svc->kill_grace_msec, 250);
	assert_int_equal(svc->log_connections, CONF_LOG_NO);
	assert_int_equal(svc->instances, 3);
	assert_false(svc->disabled);
	conf_free(conf);
}

struct listen_row {
	const char *text;
	enum conf_transport transport;
	enum conf_v6 v6;
	enum addr_family family;
	const char *address;	/* with the port, or the path */
};

static void
check_listen(const struct conf *conf, const struct conf_listen *listen,
    const struct listen_row *row)
{
	char text[ADDR_TEXT_SIZE];

	assert_string_equal(conf_string(conf, listen->text), row->text);
	assert_int_equal(listen->transport, row->transport);
	assert_int_equal(listen->v6, row->v6);
	assert_int_equal(listen->service, 1);
	if (row->family == ADDR_NONE) {
		assert_string_equal(conf_string(conf, listen->path),
		    row->address);
		return;
	}
	assert_string_equal(conf_string(conf, listen->path), "");
	assert_int_equal(listen->addr.family, row->family);
	addr_format(&listen->addr, text);
	assert_string_equal(text, row->address);
}

static void
listeners(void **state)
{
	static const struct listen_row rows[] = {
		{ "tcp://*:1", CONF_TCP, CONF_V6_DUAL, ADDR_IP6, "[::]:1" },
		{ "tcp4://*:2", CONF_TCP, CONF_V6_NONE, ADDR_IP4,
		    "0.0.0.0:2" },
		{ "tcp6://*:3", CONF_TCP, CONF_V6_ONLY, ADDR_IP6, "[::]:3" },
		{ "tcp://[::]:4", CONF_TCP, CONF_V6_ONLY, ADDR_IP6,
		    "[::]:4" },
		{ "tcp://0.0.0.0:5", CONF_TCP, CONF_V6_NONE, ADDR_IP4,
		    "0.0.0.0:5" },
		{ "tcp://[::1]:6", CONF_TCP, CONF_V6_NONE, ADDR_IP6,
		    "[::1]:6" },
		{ "tcp://[::ffff:127.0.0.1]:8", CONF_TCP, CONF_V6_NONE,
		    ADDR_IP4, "127.0.0.1:8" },
		{ "tcp4://localhost:9", CONF_TCP, CONF_V6_NONE, ADDR_IP4,
		    "127.0.0.1:9" },
		{ "tcp://127.0.0.1:telnet", CONF_TCP, CONF_V6_NONE, ADDR_IP4,
		    "127.0.0.1:23" },
		{ "unix:///run/x", CONF_UNIX, CONF_V6_NONE, ADDR_NONE,
		    "/run/x" },
		{ "unix://@x", CONF_UNIX, CONF_V6_NONE, ADDR_NONE, "@x" },
		{ "unix-seqpacket:///run/y", CONF_UNIX_SEQPACKET,
		    CONF_V6_NONE, ADDR_NONE, "/run/y" },
		{ "udp://*:1", CONF_UDP, CONF_V6_DUAL, ADDR_IP6, "[::]:1" },
		{ "udp4://*:2", CONF_UDP, CONF_V6_NONE, ADDR_IP4,
		    "0.0.0.0:2" },
		{ "udp6://[::1]:tftp", CONF_UDP, CONF_V6_NONE, ADDR_IP6,
		    "[::1]:69" },
		{ "vsock://*:9", CONF_VSOCK, CONF_V6_NONE, ADDR_VSOCK, "*:9" },
		{ "vsock://2:70000", CONF_VSOCK, CONF_V6_NONE, ADDR_VSOCK,
		    "2:70000" },
		{ "fd://nothing", CONF_FD, CONF_V6_NONE, ADDR_NONE,
		    "nothing" },
	};
	enum { COUNT = sizeof(rows) / sizeof(rows[0]) };
	char text[1024] = SERVICE "}\nservice b { exec = /bin/cat listen = {";

	for (size_t i = 0; i < COUNT; i++) {
		strlcat(text, i > 0 ? ", \"" : "\"", sizeof(text));
		strlcat(text, rows[i].text, sizeof(text));
		strlcat(text, "\"", sizeof(text));
	}
	strlcat(text, "} }", sizeof(text));
	const struct conf *conf = load(*state, text);
	const struct conf_service *svc = &conf_services(conf)[1];
	assert_int_equal(svc->listen_text.count, COUNT);
	assert_int_equal(svc->first_listen, 1);
	assert_int_equal(svc->listens, COUNT);
	assert_int_equal(conf->listens.count, COUNT + 1);
	for (size_t i = 0; i < COUNT; i++)
		check_listen(conf, &conf_listens(conf)[1 + i], &rows[i]);
	conf_free(conf);
}

/* All descriptors of a name, in their order; without one, the first. */
static void
inherited_listeners(void **state)
{
	static const struct {
		const char *path;
		uint16_t number;
	} rows[] = { { "x", 0 }, { "x", 1 }, { "", 0 }, { "none", 0 } };

	setenv("LISTEN_FDNAMES", "x:other:x:xx", 1);
	const struct conf *conf = load(*state, "service a { exec = /bin/cat "
	    "listen = {\"fd://x\", \"tcp://127.0.0.1:7\", "
	    "\"fd://none\"} }");
	unsetenv("LISTEN_FDNAMES");
	assert_int_equal(conf->listens.count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct conf_listen *listen = &conf_listens(conf)[i];

		assert_string_equal(conf_string(conf, listen->path),
		    rows[i].path);
		if (listen->transport == CONF_FD)
			assert_int_equal(listen->addr.port, rows[i].number);
	}
	conf_free(conf);
}

/* What is said to clients does not stand in the configuration only. */
static void
builtins(void **state)
{
	const struct conf *conf = load(*state,
	    "service a { listen = \"udp://127.0.0.1:7\" builtin = echo\n"
	    "idle = 0 }\n"
	    "service b { listen = \"tcp://127.0.0.1:7\" builtin = text\n"
	    "text = \"Gone\\n\"\n"
	    "max_runtime = 2s }");
	const struct conf_service *svc = conf_services(conf);

	assert_int_equal(svc[0].builtin, CONF_BUILTIN_ECHO);
	assert_true(svc[0].idle_set);
	assert_int_equal(svc[0].text_bytes.len, 0);
	assert_int_equal(svc[0].exec.count, 0);
	assert_int_equal(svc[1].builtin, CONF_BUILTIN_TEXT);
	assert_false(svc[1].idle_set);
	assert_int_equal(svc[1].max_runtime_msec, 2000);
	assert_int_equal(svc[1].text_bytes.len, 5);
	assert_memory_equal(conf_bytes(conf, svc[1].text_bytes), "Gone\n", 5);
	conf_free(conf);
}

static void
redirects(void **state)
{
	const struct conf *conf = load(*state,
	    "service a { listen = \"tcp://127.0.0.1:7\"\n"
	    "redirect = {\"tcp4://localhost:telnet\", \"unix://@x\",\n"
	    "\"tcp://[::1]:9\"} proxy_out = v1 connect_timeout = 1ms }");
	const struct conf_service *svc = conf_services(conf);
	const struct conf_target *targets = conf_targets(conf, svc);
	char text[ADDR_TEXT_SIZE];

	assert_int_equal(svc->targets.count, 3);
	assert_int_equal(svc->proxy_out, CONF_PROXY_OUT_V1);
	assert_int_equal(svc->connect_timeout_msec, 1);
	assert_string_equal(conf_string(conf, targets[0].text),
	    "tcp4://localhost:telnet");
	addr_format(&targets[0].addr, text);
	assert_string_equal(text, "127.0.0.1:23");
	assert_int_equal(targets[1].transport, CONF_UNIX);
	assert_string_equal(conf_string(conf, targets[1].path), "@x");
	assert_int_equal(targets[2].transport, CONF_TCP);
	addr_format(&targets[2].addr, text);
	assert_string_equal(text, "[::1]:9");
	conf_free(conf);
}

static void
names_of_tcpmux(void **state)
{
	const struct conf *conf = load(*state,
	    "service m { listen = \"tcp://127.0.0.1:1\" builtin = tcpmux }\n"
	    "service a { listen = {\"tcpmux://One\", \"tcp://127.0.0.1:2\",\n"
	    "\"tcpmux://TWO\"} exec = /bin/cat tcpmux_reply = no }\n"
	    "service b { listen = \"tcpmux://three\" exec = /bin/cat }");
	const struct conf_service *svc = conf_services(conf);
	const struct conf_str *names = conf_strings(conf, svc[1].mux_names);

	assert_int_equal(conf->listens.count, 2);
	assert_int_equal(svc[0].mux_names.count, 0);
	assert_int_equal(svc[1].mux_names.count, 2);
	assert_string_equal(conf_string(conf, names[0]), "one");
	assert_string_equal(conf_string(conf, names[1]), "two");
	assert_false(svc[1].tcpmux_reply);
	assert_int_equal(svc[2].listens, 0);
	assert_int_equal(svc[2].mux_names.count, 1);
	assert_true(svc[2].tcpmux_reply);
	conf_free(conf);
}

/* What defaults say for others does nothing; see does.h. */
static void
defaults_for_others(void **state)
{
	const struct conf *conf = load(*state,
	    "defaults { wait = yes activation = systemd text = x pty = yes\n"
	    "stderr = log proxy_out = v2 banner = \"/none\" idle = 3s\n"
	    "max_runtime = 1s on_full = refuse mptcp = yes }\n" SERVICE "}\n"
	    "service b { listen = \"unix:///x\" builtin = trap\n"
	    "banner = \"\" }");
	const struct conf_service *svc = conf_services(conf);

	assert_true(svc[0].wait);
	assert_int_equal(svc[0].activation, CONF_ACTIVATION_SYSTEMD);
	assert_int_equal(svc[0].on_full, CONF_ON_FULL_QUEUE);
	assert_int_equal(svc[0].max_runtime_msec, 1000);
	assert_false(svc[0].pty);
	assert_false(svc[0].idle_set);
	assert_int_equal(svc[0].banner_bytes[CONF_BANNER].len, 0);
	assert_true(conf_socket(conf, &svc[0])->mptcp);
	assert_int_equal(conf_identity(conf, &svc[0])->stderr_mode,
	    CONF_STDERR_LOG);
	assert_false(svc[1].wait);
	assert_int_equal(svc[1].activation, CONF_ACTIVATION_INETD);
	assert_int_equal(svc[1].proxy_out, CONF_PROXY_OUT_NONE);
	assert_int_equal(svc[1].text_bytes.len, 0);
	assert_int_equal(svc[1].idle_msec, 3000);
	assert_int_equal(svc[1].on_full, CONF_ON_FULL_REFUSE);
	assert_false(conf_socket(conf, &svc[1])->mptcp);
	assert_int_equal(conf_identity(conf, &svc[1])->stderr_mode,
	    CONF_STDERR_SOCKET);
	conf_free(conf);
}

static void
a_disabled_service_has_no_listeners(void **state)
{
	const struct conf *conf = load(*state, SERVICE "disabled = yes }\n"
	    SERVICE "}");

	assert_int_equal(conf->services.count, 2);
	assert_int_equal(conf_services(conf)[0].listens, 0);
	assert_int_equal(conf_services(conf)[1].listens, 1);
	assert_int_equal(conf_listens(conf)[0].service, 1);
	conf_free(conf);
}

static void
sockets(void **state)
{
	const struct conf *conf = load(*state, SERVICE
	    "backlog = 9 dscp = 46 keepalive = yes keepalive_time = 2m\n"
	    "send_buffer = 64k interface = lo }\n"
	    "service b { listen = unix:///x exec = /bin/cat\n"
	    "socket_mode = 0600 }");
	const struct conf_service *svc = conf_services(conf);
	const struct conf_socket *socket = conf_socket(conf, &svc[0]);
	const struct conf_socket *other = conf_socket(conf, &svc[1]);

	assert_int_equal(socket->backlog, 9);
	assert_int_equal(socket->dscp, 46);
	assert_true(socket->keepalive);
	assert_int_equal(socket->keepalive_time, 120);
	assert_int_equal(socket->send_buffer, 65536);
	assert_int_equal(socket->mode, 0666);
	assert_string_equal(conf_string(conf, socket->interface), "lo");
	assert_int_equal(other->backlog, 4096);
	assert_int_equal(other->dscp, CONF_KEEP);
	assert_int_equal(other->mode, 0600);
	assert_int_equal(other->uid, UINT32_MAX);
	assert_int_equal(other->gid, UINT32_MAX);
	conf_free(conf);
}

static void
limits(void **state)
{
	const struct conf *conf = load(*state,
	    "defaults { limits { core = 0 nofile = 10:20 } }\n" SERVICE
	    "limits { nofile = 5:unlimited } }\n");
	const struct conf_identity *identity =
	    conf_identity(conf, conf_services(conf));
	const struct conf_limit *limit = conf_limits(conf, identity);

	assert_int_equal(identity->limits.count, 2);
	assert_int_equal(limit[0].resource, RLIMIT_CORE);
	assert_int_equal(limit[0].hard, 0);
	assert_int_equal(limit[1].resource, RLIMIT_NOFILE);
	assert_int_equal(limit[1].soft, 5);
	assert_int_equal(limit[1].hard, UINT64_MAX);
	conf_free(conf);
}

static void
need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void
identities_of_root(void **state)
{
	need_root();
	const struct conf *conf = load(*state, SERVICE "}\n"
	    "service b { listen = unix:///x exec = /bin/cat user = daemon\n"
	    "group = root groups = {} umask = 077 nice = 0 }\n"
	    "service c { listen = unix:///y exec = /bin/cat user = 60001\n"
	    "group = 60002 groups = {5, 6} }");
	const struct conf_service *svc = conf_services(conf);
	const struct conf_identity *nobody = conf_identity(conf, &svc[0]);
	const struct conf_identity *daemon = conf_identity(conf, &svc[1]);
	const struct conf_identity *number = conf_identity(conf, &svc[2]);
	const struct passwd *pw = getpwnam("nobody");

	assert_int_equal(nobody->uid, pw->pw_uid);
	assert_int_equal(nobody->gid, pw->pw_gid);
	assert_int_equal(nobody->groups.count, 1);
	assert_int_equal(conf_groups(conf, nobody)[0], pw->pw_gid);
	assert_string_equal(conf_string(conf, nobody->home), pw->pw_dir);
	assert_false(nobody->nice_set);
	assert_int_equal(daemon->gid, 0);
	assert_int_equal(daemon->groups.count, 0);
	assert_true(daemon->groups_set);
	assert_int_equal(daemon->umask, 077);
	assert_true(daemon->nice_set);
	assert_int_equal(number->uid, 60001);
	assert_int_equal(number->gid, 60002);
	assert_string_equal(conf_string(conf, number->user), "60001");
	assert_string_equal(conf_string(conf, number->home), "/");
	assert_string_equal(conf_string(conf, number->shell), "/bin/sh");
	assert_int_equal(number->groups.count, 2);
	assert_int_equal(conf_groups(conf, number)[1], 6);
	assert_int_not_equal(conf->frontend_uid, 0);
	assert_int_not_equal(conf->frontend_uid, pw->pw_uid);
	assert_int_not_equal(conf->frontend_gid, 0);
	conf_free(conf);
}

/* A number that a service has is not free. */
static void
the_free_number_is_free(void **state)
{
	char text[512];

	need_root();
	if (getpwnam("minetd") != NULL)
		return;
	const struct conf *conf = load(*state, SERVICE "}\n");
	unsigned first = conf->frontend_uid;
	conf_free(conf);
	snprintf(text, sizeof(text), SERVICE "user = %u group = %u }\n",
	    first, first);
	conf = load(*state, text);
	assert_int_not_equal(conf->frontend_uid, first);
	assert_null(getpwuid(conf->frontend_uid));
	conf_free(conf);
}

/* Run in a child that is nobody; its failure is ours. */
static void
as_nobody(void **state, void (*check)(void **state))
{
	const struct passwd *pw = getpwnam("nobody");
	const struct fixture *fixture = *state;
	int status;

	if (geteuid() != 0) {
		check(state);
		return;
	}
	assert_int_equal(chown(fixture->directory, pw->pw_uid, pw->pw_gid), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) == -1 ||
		    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
		    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
			_exit(2);
		check(state);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
check_own_identity(void **state)
{
	const struct conf *conf = load(*state, SERVICE "nice = 3 }\n");
	const struct conf_identity *identity =
	    conf_identity(conf, conf_services(conf));

	assert_int_equal(identity->uid, geteuid());
	assert_int_equal(identity->gid, getegid());
	assert_int_equal(identity->groups.count, getgroups(0, NULL));
	assert_int_equal(conf->frontend_uid, geteuid());
	assert_int_equal(conf->frontend_gid, getegid());
	assert_string_equal(conf_string(conf, conf->pid_file), "");
	conf_free(conf);
}

static void
check_own_limits(void **state)
{
	static const char *const rows[] = {
		"user = root", "user = 0", "group = root", "groups = {}",
		"chroot = /srv", "nice = -1", "oom_score_adj = -1",
		"transparent = yes", "mark = 1",
		"listen += unix:///x socket_user = root",
		"listen += unix:///x socket_group = root",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), SERVICE "%s\n}\n", rows[i]);
		refuse(*state, text, ":4: ");
		refuse(*state, text, "must be started as root");
		snprintf(text, sizeof(text), SERVICE "%s disabled = yes }\n",
		    rows[i]);
		conf_free(load(*state, text));
	}
}

static void
without_root_everything_is_the_starters(void **state)
{
	as_nobody(state, check_own_identity);
}

static void
without_root_little_can_be_asked_for(void **state)
{
	as_nobody(state, check_own_limits);
}

static void
equal_things_are_stored_once(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (int i = 0; i < 1000; i++)
		fprintf(out, "service s%d {\n"
		    "listen = \"tcp://127.0.0.1:%d\"\n"
		    "exec = {\"/usr/lib/handlers/%d\", \"--config\",\n"
		    "\"/etc/handlers/%d.conf\"}\n"
		    "env = {\"LC_ALL=C\", \"A=1\"} user = daemon }\n",
		    i, i + 1, i, i);
	fclose(out);
	if (geteuid() != 0) {
		free(text);
		skip();
	}
	const struct conf *conf = load(*state, text);
	const struct conf_service *svc = conf_services(conf);
	assert_int_equal(svc[0].identity, svc[999].identity);
	assert_int_equal(svc[0].socket, svc[999].socket);
	assert_in_range(conf->size / 1000, 1, 399);
	conf_free(conf);
	free(text);
}

static void
the_block_cannot_be_written(void **state)
{
	const struct conf *conf = load(*state, SERVICE "}\n");

	assert_int_equal(mprotect((void *)(uintptr_t)conf, conf->size,
	    PROT_READ | PROT_WRITE), -1);
	conf_free(conf);
}

static int
count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	return count;
}

static void
check_helper_is_reaped(const struct fixture *fixture)
{
	char *complaints;

	conf_free(load(fixture, SERVICE "}\n"));
	write_file(fixture, "bogus");
	assert_null(conf_load(fixture->path, &complaints));
	free(complaints);
	assert_null(conf_load("/no/such/file", &complaints));
	assert_string_equal(complaints,
	    "/no/such/file: file: No such file or directory\n");
	free(complaints);
}

/* Neither descriptors nor children are left, whatever comes of it. */
static void
nothing_is_left_behind(void **state)
{
	int before = count_descriptors();

	check_helper_is_reaped(*state);
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A child that has ended waits for whoever started it. */
static void
other_children_are_left_alone(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT),
	    0);
	check_helper_is_reaped(*state);
	int status;
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
ignore_alarm(int number)
{
	(void)number;
}

/* Main blocks SIGCHLD; a timer may interrupt any call. */
static void
signals_do_not_matter(void **state)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	const struct itimerval never = { 0 };
	struct sigaction action = { .sa_handler = ignore_alarm };
	sigset_t block;
	sigset_t before;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 20; i++)
		check_helper_is_reaped(*state);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	sigset_t after;
	sigprocmask(SIG_SETMASK, &before, &after);
	assert_true(sigismember(&after, SIGTERM));
}

/* A helper that dies refuses the configuration, and says so. */
static void
a_dead_helper_is_a_refusal(void **state)
{
	const struct fixture *fixture = *state;
	struct rlimit before;
	char *complaints;

	write_file(fixture, SERVICE "}\n");
	getrlimit(RLIMIT_FSIZE, &before);
	const struct rlimit none = { 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	const struct conf *conf = conf_load(fixture->path, &complaints);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_null(conf);
	assert_non_null(strstr(complaints,
	    "/conf: file: the process that reads it has died\n"));
	free(complaints);
}

static char *
dump(const struct conf *conf)
{
	char *text = calloc(1, 65536);
	int fd = memfd_create("dump", MFD_CLOEXEC);

	assert_int_equal(conf_dump(conf, fd), 0);
	assert_true(pread(fd, text, 65535, 0) > 0);
	close(fd);
	return text;
}

static void
a_dump_dumps_itself(void **state)
{
	const struct conf *conf = load(*state, "log = stderr\n" SERVICE
	    "env = {\"A=\\\"\\\\\\n\\x01${B}\"} stderr = \"file:/x y\" }\n");
	char *first = dump(conf);

	conf_free(conf);
	conf = load(*state, first);
	char *second = dump(conf);
	assert_string_equal(first, second);
	assert_string_equal(conf_string(conf, conf_strings(conf,
	    conf_identity(conf, conf_services(conf))->env)[0]),
	    "A=\"\\\n\x01${B}");
	conf_free(conf);
	free(first);
	free(second);
}

static void
a_dump_reports_errors(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(conf_dump(conf_empty(), fd), -1);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

#define TEST(function)							\
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_one),
		TEST(top_level),
		TEST(defaults_of_the_top_level),
		TEST(a_service),
		TEST(listeners),
		TEST(inherited_listeners),
		TEST(builtins),
		TEST(redirects),
		TEST(names_of_tcpmux),
		TEST(defaults_for_others),
		TEST(a_disabled_service_has_no_listeners),
		TEST(sockets),
		TEST(limits),
		TEST(identities_of_root),
		TEST(the_free_number_is_free),
		TEST(without_root_everything_is_the_starters),
		TEST(without_root_little_can_be_asked_for),
		TEST(equal_things_are_stored_once),
		TEST(the_block_cannot_be_written),
		TEST(nothing_is_left_behind),
		TEST(other_children_are_left_alone),
		TEST(signals_do_not_matter),
		TEST(a_dead_helper_is_a_refusal),
		TEST(a_dump_dumps_itself),
		cmocka_unit_test(a_dump_reports_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
