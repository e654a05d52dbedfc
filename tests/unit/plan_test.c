/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From one configuration to the next: pairs of files, and what becomes of the
 * sockets; and plans that are not committed, after which everything is as
 * before, down to the numbers of descriptors.
 *
 * In the files $D is the directory of the test, $P and $Q are free ports.
 */

#include "main/plan.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "main/front.h"
#include "main/reload.h"
#include "main/retry.h"
#include "main/run.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum {
	DESCRIPTORS = 256,	/* more are never open here */
	LISTENERS = 8,
	WAIT_MSEC = 10000,	/* for what happens at once */
	NOBODY = 65534,
	NONE = -1,
};

struct world {
	struct minetd mi;
	struct options options;
	char dir[64];
	char conf_path[80];
	char log[96];
	unsigned ports[2];	/* $P and $Q */
	int descriptors;	/* before there was a daemon */
};

/* A service with these listeners, and one with other settings, too. */
#define SERVICE(name, listen) SERVICE_WITH(name, listen, "")
#define SERVICE_WITH(name, listen, more)				\
	"service \"" name "\" {\n\tlisten = {" listen "}\n"		\
	"\texec = \"/bin/cat\"\n\t" more "\n}\n"
#define TCP "\"tcp://127.0.0.1:$P\""
#define TCP2 "\"tcp://127.0.0.2:$P\""
#define TCP_Q "\"tcp://127.0.0.1:$Q\""
#define UNIX "\"unix://$D/x\""
#define UDP "\"udp://127.0.0.1:$P\""
#define PACKETS "\"unix-seqpacket://$D/packets\""
#define DATAGRAMS "\"unix-dgram://$D/datagrams\""
#define ABSTRACT "\"unix://@$D\""

static int
descriptors_count(void)
{
	int n = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/*
 * A port that is free on each address, and not one of those that the kernel
 * gives to clients.
 */
static unsigned
port_find(void)
{
	static unsigned last;
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	if (last == 0)
		last = 10000 + (unsigned)getpid() % 16 * 1000;
	do
		sin6.sin6_port = htons((uint16_t)++last);
	while (bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) == -1);
	close(fd);
	return last;
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strlcpy(w->dir, "/tmp/minetd-plan-test.XXXXXX", sizeof(w->dir));
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(chmod(w->dir, 0755), 0);
	umask(022);
	snprintf(w->conf_path, sizeof(w->conf_path), "%s/conf", w->dir);
	snprintf(w->log, sizeof(w->log), "file:%s/log", w->dir);
	w->ports[0] = port_find();
	w->ports[1] = port_find();
	assert_int_equal(log_open(w->log), 0);
	w->descriptors = descriptors_count();
	w->options = (struct options){ .conf_file = w->conf_path,
		.log = w->log, .ready_fd = -1, .foreground = true };
	w->mi.options = &w->options;
	w->mi.pid_fd = -1;
	w->mi.notify = (struct notify){ NULL, -1, -1 };
	assert_int_equal(run_init(&w->mi), 0);
	*state = w;
	return 0;
}

static void
directory_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(path);
}

/* What run_fini() does. */
static int
teardown(void **state)
{
	struct world *w = *state;
	struct minetd *mi = &w->mi;

	retry_stop(mi);
	reload_finish(mi);
	assert_null(service_first(&mi->services));
	spawner_free(mi->spawner);
	proc_table_free(mi->procs);
	loop_disarm(mi->loop, &mi->signals);
	close(mi->signals.fd);
	loop_free(mi->loop);
	if (mi->pid_fd != -1)
		close(mi->pid_fd);
	free(mi->pid_path);
	assert_int_equal(descriptors_count(), w->descriptors);
	log_flush();
	log_open("stderr");
	directory_remove(w->dir);
	free(w);
	return 0;
}

/* The text with its variables replaced, in a file. */
static void
conf_write(const struct world *w, const char *text)
{
	FILE *file = fopen(w->conf_path, "we");

	assert_non_null(file);
	if (strstr(text, "pid_file") == NULL)
		fputs("pid_file = \"\"\n", file);
	for (; *text != '\0'; text++) {
		if (*text != '$') {
			fputc(*text, file);
			continue;
		}
		text++;
		if (*text == 'D')
			fputs(w->dir, file);
		else
			fprintf(file, "%u", w->ports[*text == 'Q']);
	}
	assert_int_equal(fclose(file), 0);
}

static const struct conf *
conf_of(const struct world *w, const char *text)
{
	char *complaints;

	conf_write(w, text);
	const struct conf *conf = conf_load(w->conf_path, &complaints);
	if (conf == NULL)
		fail_msg("%s", complaints);
	free(complaints);
	return conf;
}

static int
plan(struct world *w, const char *text, struct reload_plan *made)
{
	return plan_make(&w->mi, conf_of(w, text), made);
}

/* The whole change, as the daemon makes it; returns what was planned. */
static struct reload_plan
change(struct world *w, const char *text)
{
	struct reload_plan made, copy;

	assert_int_equal(plan(w, text, &made), 0);
	copy = made;
	plan_commit(&w->mi, &made, monotime_now());
	assert_null(made.edition);
	assert_int_equal(made.pid_fd, -1);
	w->mi.phase = RUN_SERVING;
	return copy;
}

static struct listener *
listener_at(const struct world *w, uint32_t index)
{
	assert_true(index < w->mi.edition->listener_count);
	return w->mi.edition->listeners[index].listener;
}

static struct service *
service_of(struct world *w, const char *name)
{
	struct service *svc = service_find(&w->mi.services, name);

	assert_non_null(svc);
	return svc;
}

static int
option(int fd, int level, int number)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, number, &value, &len), 0);
	return value;
}

static int
port_shared(const struct listener *lst)
{
	return option(lst->fd, SOL_SOCKET, SO_REUSEPORT);
}

static uint32_t
leftovers_count(const struct world *w)
{
	const struct edition *ed = w->mi.edition;

	return ed->listener_count - edition_configured(ed);
}

/* A frontend of the present edition says that the leftover is empty. */
static int
leftover_empty(struct world *w, uint32_t index)
{
	struct front front = { .edition = w->mi.edition };

	return plan_empty(&w->mi, &front, index);
}

static void
leftovers_empty(struct world *w)
{
	uint32_t first = edition_configured(w->mi.edition);

	for (uint32_t i = first; i < w->mi.edition->listener_count; i++) {
		assert_int_equal(leftover_empty(w, i), 0);
		assert_int_equal(listener_at(w, i)->fd, -1);
	}
}

/* A client's socket, connecting; -1 with errno when it is refused. */
static int
client_connect(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	assert_int_not_equal(fd, -1);
	if (connect(fd, sa, len) == 0)
		return fd;
	struct pollfd wait = { fd, POLLOUT, 0 };
	error = errno;
	if (error == EINPROGRESS) {
		assert_int_equal(poll(&wait, 1, WAIT_MSEC), 1);
		error = option(fd, SOL_SOCKET, SO_ERROR);
	}
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static int
client_connect_tcp(unsigned port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return client_connect((struct sockaddr *)&sin, sizeof(sin));
}

static int
client_connect_unix(const struct world *w, const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", w->dir, name);
	return client_connect((struct sockaddr *)&sun, sizeof(sun));
}

/* Whether a client waits in the queue; it is accepted and closed. */
static bool
client_accept(const struct listener *lst)
{
	int fd = accept4(lst->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* A client that connects to the port is served by this listener. */
static void
expect_served(const struct world *w, const struct listener *lst)
{
	int client = client_connect_tcp(w->ports[0]);

	assert_int_not_equal(client, -1);
	assert_true(client_accept(lst));
	close(client);
}

static void
snapshot_add_descriptors(FILE *out)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		char link[32], target[128];

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t len = readlink(link, target, sizeof(target) - 1);
		if (len != -1)
			fprintf(out, "fd %d %.*s\n", fd, (int)len, target);
	}
}

static void
snapshot_add_files(FILE *out, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char name[sizeof(entries[i]->d_name) + 80];
		struct stat st;

		snprintf(name, sizeof(name), "%s/%s", path,
		    entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && lstat(name, &st) == 0)
			fprintf(out, "%s %lu %o %u\n", name,
			    (unsigned long)st.st_ino, st.st_mode, st.st_uid);
		free(entries[i]);
	}
	free(entries);
}

static void
snapshot_add_listeners(FILE *out, const struct edition *ed)
{
	for (uint32_t i = 0; i < ed->listener_count; i++) {
		const struct listener *lst = ed->listeners[i].listener;

		fprintf(out, "listener %u of %u: %p refs %u fd %d index %u "
		    "port %u/%u%s%s%s options %llx\n", i,
		    ed->listeners[i].service, (const void *)lst, lst->refs,
		    lst->fd, lst->index, lst->id.addr.port,
		    (unsigned)(lst->fd != -1 ? lst->local.port : 0),
		    lst->listening ? " listening" : "",
		    lst->shares_port ? " shares" : "",
		    lst->closing ? " closing" : "", (unsigned long long)
		    hash_bytes(&lst->options, sizeof(lst->options)));
		if (lst->fd != -1)
			fprintf(out, "\tSO_REUSEPORT %d\n", port_shared(lst));
	}
}

/* All that a plan may not change until it is committed, as text. */
static char *
snapshot(struct world *w)
{
	struct minetd *mi = &w->mi;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	snapshot_add_descriptors(out);
	snapshot_add_files(out, w->dir);
	fprintf(out, "edition %p refs %u, %u and %u entries, phase %d\n",
	    (void *)mi->edition, mi->edition->refs, mi->edition->service_count,
	    mi->edition->listener_count, mi->phase);
	snapshot_add_listeners(out, mi->edition);
	for (struct service *svc = service_first(&mi->services); svc != NULL;
	    svc = service_next(svc))
		fprintf(out, "service %s %p refs %u index %u active %u grace "
		    "%u log %u\n", svc->name, (void *)svc, svc->refs,
		    svc->index, svc->active, svc->kill_grace_msec,
		    svc->log_connections);
	fprintf(out, "pid file %d %s\n", mi->pid_fd,
	    mi->pid_path != NULL ? mi->pid_path : "-");
	fclose(out);
	return text;
}

static void
expect_unchanged(struct world *w, char *before, const char *name)
{
	char *after = snapshot(w);
	size_t line = 0;

	for (size_t i = 0; before[i] != '\0' || after[i] != '\0'; i++) {
		if (before[i] != after[i])
			fail_msg("%s: was %.*s, and is %.*s", name,
			    (int)strcspn(before + line, "\n"), before + line,
			    (int)strcspn(after + line, "\n"), after + line);
		if (before[i] == '\n')
			line = i + 1;
	}
	free(before);
	free(after);
}

/* Each service and each listener knows where it stands. */
static void
check_indexes(const struct world *w, const char *name)
{
	const struct edition *ed = w->mi.edition;

	for (uint32_t i = 0; i < ed->listener_count; i++)
		if (ed->listeners[i].listener->index != i)
			fail_msg("%s: listener %u has index %u", name, i,
			    ed->listeners[i].listener->index);
	for (uint32_t i = 0; i < ed->service_count; i++) {
		const struct service *svc = ed->services[i].service;

		if (svc != NULL && svc->index != i)
			fail_msg("%s: service %s has index %u, not %u", name,
			    svc->name, svc->index, i);
	}
	for (uint32_t i = edition_configured(ed); i < ed->listener_count; i++)
		assert_true(listener_at(w, i)->closing);
}

struct pair {
	const char *name;
	const char *before;
	const char *after;
	uint32_t kept, opened, degraded, removed;
	int same[LISTENERS];	/* which one before each of those after was */
};

static const struct pair pairs[] = {
	{ "nothing", "", "", 0, 0, 0, 0, { 0 } },
	{ "the first ones", "", SERVICE("a", TCP ", " UNIX), 0, 2, 0, 0,
	    { NONE, NONE } },
	{ "the last ones", SERVICE("a", TCP ", " UNIX), "", 0, 0, 0, 2,
	    { 0 } },
	{ "the same", SERVICE("a", TCP ", " UNIX),
	    SERVICE("a", TCP ", " UNIX), 2, 0, 0, 0, { 0, 1 } },
	{ "another order", SERVICE("a", TCP ", " UNIX) SERVICE("b", TCP2),
	    SERVICE("b", TCP2) SERVICE("a", UNIX ", " TCP), 3, 0, 0, 0,
	    { 2, 1, 0 } },
	{ "one more", SERVICE("b", TCP), SERVICE("a", TCP2) SERVICE("b", TCP),
	    1, 1, 0, 0, { NONE, 0 } },
	{ "one less", SERVICE("a", TCP2) SERVICE("b", TCP), SERVICE("b", TCP),
	    1, 0, 0, 1, { 1 } },
	{ "another port", SERVICE("a", TCP), SERVICE("a", TCP_Q), 0, 1, 0, 1,
	    { NONE } },
	{ "another path", SERVICE("a", UNIX),
	    SERVICE("a", "\"unix://$D/y\""), 0, 1, 0, 1, { NONE } },
	{ "another name", SERVICE("a", TCP ", " UNIX),
	    SERVICE("b", TCP ", " UNIX), 2, 0, 0, 0, { 0, 1 } },
	{ "two exchange what they have", SERVICE("a", TCP) SERVICE("b", UNIX),
	    SERVICE("a", UNIX) SERVICE("b", TCP), 2, 0, 0, 0, { 1, 0 } },
	{ "one of another's", SERVICE("a", TCP ", " UNIX) SERVICE("b", TCP2),
	    SERVICE("a", TCP) SERVICE("b", TCP2 ", " UNIX), 3, 0, 0, 0,
	    { 0, 2, 1 } },
	{ "disabled", SERVICE("a", TCP), SERVICE_WITH("a", TCP,
	    "disabled = yes"), 0, 0, 0, 1, { 0 } },
	{ "not disabled any more", SERVICE_WITH("a", TCP, "disabled = yes"),
	    SERVICE("a", TCP), 0, 1, 0, 0, { NONE } },
	{ "a disabled one in front", SERVICE("a", TCP),
	    SERVICE_WITH("b", TCP_Q, "disabled = yes") SERVICE("a", TCP),
	    1, 0, 0, 0, { 0 } },
	{ "a disabled one of the same name in front", SERVICE("a", TCP),
	    SERVICE_WITH("a", TCP_Q, "disabled = yes") SERVICE("a", TCP),
	    1, 0, 0, 0, { 0 } },
	{ "a disabled one of the same name behind", SERVICE("a", TCP),
	    SERVICE("a", TCP) SERVICE_WITH("a", TCP_Q, "disabled = yes"),
	    1, 0, 0, 0, { 0 } },
	{ "a chosen port stays", SERVICE("a", "\"tcp://127.0.0.1:0\""),
	    SERVICE("b", UNIX) SERVICE("a", "\"tcp://127.0.0.1:0\""),
	    1, 1, 0, 0, { NONE, 0 } },
	{ "a chosen port is nobody else's",
	    SERVICE("a", "\"tcp://127.0.0.1:0\""),
	    SERVICE("b", "\"tcp://127.0.0.1:0\""), 0, 1, 0, 1, { NONE } },
	{ "several share a port",
	    SERVICE_WITH("a", TCP, "reuse_port = yes")
	    SERVICE_WITH("b", TCP, "reuse_port = yes"),
	    SERVICE_WITH("c", TCP, "reuse_port = yes")
	    SERVICE_WITH("b", TCP, "reuse_port = yes")
	    SERVICE_WITH("a", TCP, "reuse_port = yes"),
	    2, 1, 0, 0, { NONE, 1, 0 } },
	{ "an address that is not here", SERVICE("a", TCP),
	    SERVICE("a", TCP ", \"tcp://192.0.2.77:$P\""), 1, 0, 1, 0,
	    { 0, NONE } },
	{ "it is still not here", SERVICE("a", TCP ", \"tcp://192.0.2.77:7\""),
	    SERVICE("a", "\"tcp://192.0.2.77:7\", " TCP), 1, 0, 1, 0,
	    { 1, 0 } },
	{ "it was not here and goes",
	    SERVICE("a", TCP ", \"tcp://192.0.2.77:7\""),
	    SERVICE("a", TCP), 1, 0, 0, 0, { 0 } },
	{ "another interface", SERVICE("a", TCP),
	    SERVICE_WITH("a", TCP_Q, "interface = \"lo\""), 0, 1, 0, 1,
	    { NONE } },
	{ "each kind", SERVICE("a", UDP ", " PACKETS ", " ABSTRACT)
	    SERVICE_WITH("b", DATAGRAMS, "wait = yes"),
	    SERVICE("a", ABSTRACT) SERVICE_WITH("b", DATAGRAMS ", " PACKETS
	    ", " UDP, "wait = yes"), 4, 0, 0, 0, { 2, 3, 1, 0 } },
	{ "udp is not tcp", SERVICE("a", UDP), SERVICE("a", TCP), 0, 1, 0, 1,
	    { NONE } },
	{ "a path of another type", SERVICE("a", UNIX),
	    SERVICE("a", "\"unix-seqpacket://$D/x\""), 0, 1, 0, 1, { NONE } },
	{ "a path of another type, and back",
	    SERVICE_WITH("a", "\"unix-dgram://$D/x\"", "wait = yes"),
	    SERVICE("b", UNIX), 0, 1, 0, 1, { NONE } },
	{ "a path of another type must not be in the way of strict",
	    "strict = yes\n" SERVICE("a", UNIX),
	    "strict = yes\n" SERVICE("a", "\"unix-seqpacket://$D/x\""),
	    0, 1, 0, 1, { NONE } },
	{ "an abstract name of another service", SERVICE("a", ABSTRACT),
	    SERVICE("b", ABSTRACT), 1, 0, 0, 0, { 0 } },
	{ "an abstract name of another type", SERVICE("a", ABSTRACT),
	    SERVICE("a", "\"unix-seqpacket://@$D\""), 0, 1, 0, 1, { NONE } },
	{ "an abstract name of two types", SERVICE("a", ABSTRACT),
	    SERVICE("a", "\"unix-seqpacket://@$D\", " ABSTRACT), 1, 1, 0, 0,
	    { NONE, 0 } },
	{ "only one family", SERVICE("a", "\"tcp://*:$P\""),
	    SERVICE("a", "\"tcp6://*:$P\""), 0, 1, 0, 1, { NONE } },
};

static void
pair_walk(struct world *w, const struct pair *pair)
{
	struct listener *before[LISTENERS];
	int fds[LISTENERS];

	change(w, pair->before);
	for (uint32_t i = 0; i < edition_configured(w->mi.edition); i++) {
		before[i] = listener_at(w, i);
		fds[i] = before[i]->fd;
	}
	check_indexes(w, pair->name);
	struct reload_plan made = change(w, pair->after);
	check_indexes(w, pair->name);
	if (made.kept != pair->kept || made.opened != pair->opened ||
	    made.degraded != pair->degraded || made.removed != pair->removed)
		fail_msg("%s: kept %u, opened %u, degraded %u, removed %u",
		    pair->name, made.kept, made.opened, made.degraded,
		    made.removed);
	for (uint32_t i = 0; i < edition_configured(w->mi.edition); i++) {
		const struct listener *lst = listener_at(w, i);
		int same = pair->same[i];

		if (same != NONE && (lst != before[same] ||
		    lst->fd != fds[same]))
			fail_msg("%s: listener %u is not the same", pair->name,
			    i);
		assert_int_equal(lst->listening, lst->fd != -1);
	}
	assert_int_equal(edition_count_open(w->mi.edition),
	    made.kept + made.opened);
	assert_int_equal(leftovers_count(w), made.removed);
	leftovers_empty(w);
}

static void
each_pair_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		void *world;

		setup(&world);
		pair_walk(world, &pairs[i]);
		teardown(&world);
	}
}

/* What cannot be bound together, and is exchanged without a gap. */
static const struct {
	const char *before;
	const char *after;
} swaps[] = {
	{ SERVICE("a", "\"tcp4://*:$P\""), SERVICE("b", TCP) },
	{ SERVICE("a", TCP), SERVICE("b", "\"tcp4://*:$P\"") },
	{ SERVICE("a", "\"tcp://*:$P\""), SERVICE("b", TCP) },
	{ SERVICE("a", TCP), SERVICE("b", "\"tcp://*:$P\"") },
	{ SERVICE("a", "\"tcp://*:$P\""),
	    SERVICE("a", "\"tcp4://*:$P\"") },
	{ SERVICE("a", "\"tcp4://*:$P\""), SERVICE("a", "\"tcp://*:$P\"") },
	{ SERVICE("a", TCP), SERVICE_WITH("a", TCP, "interface = \"lo\"") },
	{ SERVICE_WITH("a", TCP, "interface = \"lo\""), SERVICE("a", TCP) },
	{ SERVICE_WITH("a", TCP, "mptcp = no"),
	    SERVICE_WITH("a", TCP, "mptcp = yes") },
	{ SERVICE_WITH("a", TCP, "mptcp = yes"), SERVICE("a", TCP) },
};

/* Not every kernel has it, and not everywhere is it enabled. */
static bool
has_mptcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

static void
swap_walk(struct world *w, const char *from, const char *to)
{
	struct reload_plan made;

	change(w, from);
	struct listener *old = listener_at(w, 0);
	assert_int_equal(port_shared(old), 0);
	assert_int_equal(plan(w, to, &made), 0);
	assert_true(made.shares_ports);
	struct listener *new = made.edition->listeners[0].listener;
	assert_int_equal(port_shared(old), 1);
	assert_int_equal(port_shared(new), 1);
	/* Until it is committed the old one serves. */
	expect_served(w, old);
	assert_false(new->listening);
	int waiting = client_connect_tcp(w->ports[0]);
	assert_int_not_equal(waiting, -1);
	plan_commit(&w->mi, &made, monotime_now());
	assert_true(old->closing);
	assert_int_equal(port_shared(old), 1);
	/* Who came before is not lost. */
	assert_true(client_accept(old));
	close(waiting);
	leftovers_empty(w);
	assert_int_equal(port_shared(new), 0);
	assert_false(new->shares_port);
	expect_served(w, new);
}

static void
a_port_changes_hands_without_a_gap(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
		void *world;

		if (strstr(swaps[i].before, "mptcp") != NULL && !has_mptcp())
			continue;
		setup(&world);
		swap_walk(world, swaps[i].before, swaps[i].after);
		teardown(&world);
	}
}

/* The same of sockets that are found as soon as they are bound. */
static const struct {
	const char *before;
	const char *after;
} udp_swaps[] = {
	{ SERVICE("a", "\"udp4://*:$P\""), SERVICE("b", UDP) },
	{ SERVICE("a", UDP), SERVICE("b", "\"udp4://*:$P\"") },
	{ SERVICE("a", "\"udp://*:$P\""), SERVICE("b", UDP) },
	{ SERVICE("a", UDP), SERVICE("b", "\"udp://*:$P\"") },
	{ SERVICE("a", "\"udp://*:$P\""), SERVICE("a", "\"udp4://*:$P\"") },
	{ SERVICE("a", "\"udp4://*:$P\""), SERVICE("a", "\"udp://*:$P\"") },
	{ SERVICE("a", UDP), SERVICE_WITH("a", UDP, "interface = \"lo\"") },
	{ SERVICE_WITH("a", UDP, "interface = \"lo\""), SERVICE("a", UDP) },
};

static void
datagram_send(const struct world *w, char byte)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)w->ports[0]),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(sendto(fd, &byte, 1, 0, (struct sockaddr *)&sin,
	    sizeof(sin)), 1);
	close(fd);
}

/* The next datagram of the listener; 0 when there is none. */
static char
datagram_receive(const struct listener *lst)
{
	char byte = 0;

	recv(lst->fd, &byte, 1, MSG_DONTWAIT);
	return byte;
}

static void
udp_swap_walk(struct world *w, const char *from, const char *to)
{
	struct reload_plan made;

	change(w, from);
	struct listener *old = listener_at(w, 0);
	assert_int_equal(plan(w, to, &made), 0);
	struct listener *new = made.edition->listeners[0].listener;
	/* A plan that is given up has taken nothing. */
	datagram_send(w, 'a');
	assert_int_equal(datagram_receive(old), 'a');
	assert_int_equal(datagram_receive(new), 0);
	plan_discard(&w->mi, &made);
	datagram_send(w, 'b');
	assert_int_equal(datagram_receive(old), 'b');
	/* What is in the queue stays in it. */
	assert_int_equal(plan(w, to, &made), 0);
	new = made.edition->listeners[0].listener;
	datagram_send(w, 'c');
	plan_commit(&w->mi, &made, monotime_now());
	datagram_send(w, 'd');
	assert_int_equal(datagram_receive(new), 'd');
	assert_int_equal(datagram_receive(old), 'c');
	assert_int_equal(datagram_receive(old), 0);
	leftovers_empty(w);
	assert_int_equal(port_shared(new), 0);
	datagram_send(w, 'e');
	assert_int_equal(datagram_receive(new), 'e');
}

static void
a_port_of_datagrams_changes_hands_without_a_gap(void **state)
{
	(void)state;
	/* Others may not undo what keeps the new one from being found. */
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(udp_swaps) / sizeof(udp_swaps[0]); i++) {
		void *world;

		setup(&world);
		udp_swap_walk(world, udp_swaps[i].before, udp_swaps[i].after);
		teardown(&world);
	}
}

/* Its name is taken until the last of its clients is served. */
static void
an_abstract_name_is_taken_again_when_it_is_free(void **state)
{
	struct world *w = *state;

	change(w, SERVICE("a", ABSTRACT ", " TCP));
	change(w, SERVICE("a", TCP));
	assert_int_equal(leftovers_count(w), 1);
	struct reload_plan made = change(w, SERVICE("a", TCP ", " ABSTRACT));
	assert_int_equal(made.degraded, 1);
	assert_int_equal(listener_at(w, 1)->error, EADDRINUSE);
	leftovers_empty(w);
	/* Not in a second, but now. */
	assert_true(w->mi.retry.due.armed);
	assert_false(monotime_before(monotime_now(), w->mi.retry.due.due));
}

static void
a_swap_that_is_given_up_leaves_no_trace(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	change(w, SERVICE("a", "\"tcp4://*:$P\""));
	char *before = snapshot(w);
	assert_int_equal(plan(w, SERVICE("a", TCP), &made), 0);
	assert_int_equal(port_shared(listener_at(w, 0)), 1);
	plan_discard(&w->mi, &made);
	expect_unchanged(w, before, "discarded");
	expect_served(w, listener_at(w, 0));
}

/* Whose queue has run empty before the change is made needs no more. */
static void
a_swap_with_nobody_left_is_over_at_once(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	change(w, SERVICE("a", "\"tcp4://*:$P\"") SERVICE("b", UNIX));
	change(w, SERVICE("b", UNIX));
	assert_int_equal(plan(w, SERVICE("a", TCP) SERVICE("b", UNIX), &made),
	    0);
	assert_true(made.shares_ports);
	leftovers_empty(w);
	plan_commit(&w->mi, &made, monotime_now());
	assert_int_equal(port_shared(listener_at(w, 0)), 0);
	expect_served(w, listener_at(w, 0));
}

/* Another process has the port; closed by the caller. */
static int
port_occupy(unsigned port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Neither one that stays, nor one of another port. */
static void
only_who_is_in_the_way_shares_a_port(void **state)
{
	struct world *w = *state;
	struct reload_plan made;
	int other = port_occupy(w->ports[0]);

	change(w, SERVICE("a", TCP2 ", " TCP_Q));
	assert_int_equal(plan(w, SERVICE("a", TCP2 ", " TCP), &made), 0);
	assert_int_equal(made.degraded, 1);
	assert_false(made.shares_ports);
	assert_int_equal(port_shared(listener_at(w, 0)), 0);
	assert_int_equal(port_shared(listener_at(w, 1)), 0);
	plan_discard(&w->mi, &made);
	close(other);
}

static void
a_shared_port_stays_shared_when_it_is_configured(void **state)
{
	struct world *w = *state;

	change(w, SERVICE("a", "\"tcp4://*:$P\""));
	change(w, SERVICE_WITH("a", TCP, "reuse_port = yes"));
	leftovers_empty(w);
	assert_int_equal(port_shared(listener_at(w, 0)), 1);
	change(w, SERVICE("a", TCP));
	assert_int_equal(port_shared(listener_at(w, 0)), 0);
	change(w, SERVICE_WITH("a", TCP, "reuse_port = yes"));
	assert_int_equal(port_shared(listener_at(w, 0)), 1);
	assert_int_equal(leftovers_count(w), 0);
}

static const struct option_row {
	const char *line;
	int level;
	int number;
	int value;
	int another;		/* which the line below is about; 0: none */
	const char *changed;
} option_rows[] = {
	{ "keepalive = yes", SOL_SOCKET, SO_KEEPALIVE, 1, 1,
	    "keepalive = yes\n\tbacklog = 7" },
	{ "keepalive_time = 71", IPPROTO_TCP, TCP_KEEPIDLE, 71, 72,
	    "keepalive_time = 72" },
	{ "keepalive_interval = 11", IPPROTO_TCP, TCP_KEEPINTVL, 11, 12,
	    "keepalive_interval = 12" },
	{ "keepalive_probes = 3", IPPROTO_TCP, TCP_KEEPCNT, 3, 4,
	    "keepalive_probes = 4" },
	{ "nodelay = yes", IPPROTO_TCP, TCP_NODELAY, 1, 1,
	    "nodelay = yes\n\tkeepalive = yes" },
	/* The kernel counts retransmissions: 1, 3, 7, ... seconds. */
	{ "defer_accept = 3", IPPROTO_TCP, TCP_DEFER_ACCEPT, 3, 7,
	    "defer_accept = 7" },
	/* It doubles the sizes. */
	{ "send_buffer = 20000", SOL_SOCKET, SO_SNDBUF, 40000, 60000,
	    "send_buffer = 30000" },
	{ "receive_buffer = 20000", SOL_SOCKET, SO_RCVBUF, 40000, 60000,
	    "receive_buffer = 30000" },
	{ "dscp = 46", IPPROTO_IP, IP_TOS, 46 * 4, 10 * 4, "dscp = 10" },
	{ "dscp = 0", IPPROTO_IP, IP_TOS, 0, 4, "dscp = 1" },
};

/* An option of the socket comes, changes, and goes. */
static void
option_walk(struct world *w, const char *listen, const struct option_row *row,
    int level, int number)
{
	const char *const lines[] = { row->line, row->changed, "" };
	char text[512];

	snprintf(text, sizeof(text), SERVICE("a", "%s"), listen);
	change(w, text);
	const struct listener *lst = listener_at(w, 0);
	int fd = lst->fd;
	int before = option(fd, level, number);
	const int values[] = { row->value, row->another, before };
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), SERVICE_WITH("a", "%s", "%s"),
		    listen, lines[i]);
		assert_int_equal(change(w, text).kept, 1);
		assert_ptr_equal(listener_at(w, 0), lst);
		assert_int_equal(lst->fd, fd);
		if (option(fd, level, number) != values[i])
			fail_msg("%s with \"%s\" after %d: %d, not %d",
			    listen, lines[i], i, option(fd, level, number),
			    values[i]);
	}
}

static void
options_change_in_place(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]);
	    i++) {
		const struct option_row *row = &option_rows[i];

		option_walk(w, TCP, row, row->level, row->number);
		option_walk(w, "\"tcp://*:$P\"", row, row->level, row->number);
		if (row->level == IPPROTO_IP)
			option_walk(w, "\"tcp6://[::1]:$P\"", row,
			    IPPROTO_IPV6, IPV6_TCLASS);
		else
			option_walk(w, "\"tcp6://[::1]:$P\"", row, row->level,
			    row->number);
		leftovers_empty(w);
	}
}

/* The kernel sizes buffers again that are not configured any more. */
static void
buffers_of_unix_sockets_change_in_place(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]);
	    i++) {
		const struct option_row *row = &option_rows[i];

		if (row->number == SO_SNDBUF || row->number == SO_RCVBUF)
			option_walk(w, UNIX, row, row->level, row->number);
	}
}

/* The kernel tells it where it has no other use for the field. */
static unsigned
backlog_of(const struct listener *lst)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(lst->fd, IPPROTO_TCP, TCP_INFO, &info,
	    &len), 0);
	return info.tcpi_sacked;
}

static void
the_backlog_changes_in_place(void **state)
{
	struct world *w = *state;

	change(w, SERVICE_WITH("a", TCP, "backlog = 5"));
	assert_int_equal(backlog_of(listener_at(w, 0)), 5);
	assert_int_equal(change(w, SERVICE_WITH("a", TCP, "backlog = 9"))
	    .kept, 1);
	assert_int_equal(backlog_of(listener_at(w, 0)), 9);
	change(w, SERVICE("a", TCP));
	assert_in_range(backlog_of(listener_at(w, 0)), 10, 4096);
}

static void
what_cannot_be_set_is_said_and_serves_on(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	/* A file of an ordinary user's may not have it. */
	if (geteuid() != 0)
		skip();
	change(w, SERVICE("a", TCP));
	assert_int_equal(plan(w, SERVICE_WITH("a", TCP, "mark = 7\n"
	    "\tnodelay = yes"), &made), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	plan_commit(&w->mi, &made, monotime_now());
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(option(listener_at(w, 0)->fd, IPPROTO_TCP,
	    TCP_NODELAY), 1);
	assert_string_equal(listener_at(w, 0)->step, "mark");
	expect_served(w, listener_at(w, 0));
}

static unsigned
mode_of(const struct world *w, const char *name)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void
the_mode_of_a_path_changes_in_place(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *text;
		unsigned mode;
	} rows[] = {
		{ SERVICE("a", UNIX), 0666 },
		{ SERVICE_WITH("a", UNIX, "socket_mode = \"0600\""), 0600 },
		{ SERVICE_WITH("b", UNIX, "socket_mode = \"0660\""), 0660 },
		{ SERVICE("a", UNIX), 0666 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reload_plan made = change(w, rows[i].text);

		assert_int_equal(made.kept, i > 0);
		assert_int_equal(mode_of(w, "x"), rows[i].mode);
	}
}

static void
a_moved_socket_keeps_its_queue(void **state)
{
	struct world *w = *state;

	change(w, SERVICE("a", TCP ", " UNIX) SERVICE("b", TCP_Q));
	int tcp = client_connect_tcp(w->ports[0]);
	int local = client_connect_unix(w, "x");
	change(w, SERVICE("a", TCP_Q) SERVICE("b", TCP ", " UNIX));
	assert_string_equal(edition_service_name(w->mi.edition, 1), "b");
	assert_int_not_equal(tcp, -1);
	assert_int_not_equal(local, -1);
	assert_true(client_accept(listener_at(w, 1)));
	assert_true(client_accept(listener_at(w, 2)));
	close(tcp);
	close(local);
}

static void
an_explicit_port_finds_the_chosen_one(void **state)
{
	struct world *w = *state;

	change(w, SERVICE("a", "\"tcp://127.0.0.1:0\""));
	const struct listener *lst = listener_at(w, 0);
	w->ports[0] = lst->local.port;
	assert_int_equal(lst->id.addr.port, 0);
	assert_int_equal(change(w, SERVICE("b", TCP)).kept, 1);
	assert_ptr_equal(listener_at(w, 0), lst);
	assert_int_equal(lst->id.addr.port, w->ports[0]);
	/* It is a number like any other from here on. */
	change(w, SERVICE("b", "\"tcp://127.0.0.1:0\""));
	assert_ptr_not_equal(listener_at(w, 0), lst);
}

static void
a_strict_plan_that_fails_leaves_all_as_it_was(void **state)
{
	static const char *const texts[] = {
		"strict = yes\n" SERVICE("a", TCP_Q),
		"strict = yes\n" SERVICE_WITH("c", TCP_Q
		    ", \"tcp://127.0.0.1:0\", \"unix://$D/new\", "
		    "\"tcp4://*:$P\"", "keepalive = yes"),
		"strict = yes\n" SERVICE_WITH("a", TCP, "kill_grace = 1\n"
		    "\tlog_connections = no") SERVICE("z", TCP_Q),
		"strict = yes\n" SERVICE("a", TCP ", " UNIX
		    ", \"unix://$D/none/x\""),
	};
	struct world *w = *state;
	struct reload_plan made;
	int other = port_occupy(w->ports[1]);

	change(w, SERVICE("a", TCP ", " UNIX) SERVICE("b", TCP2));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *before = snapshot(w);

		conf_write(w, texts[i]);
		assert_int_equal(plan(w, texts[i], &made), -1);
		expect_unchanged(w, before, texts[i]);
	}
	expect_served(w, listener_at(w, 0));
	close(other);
	/* The same is fine when the port is free. */
	assert_int_equal(change(w, texts[0]).opened, 1);
}

static void
a_plan_that_is_given_up_leaves_all_as_it_was(void **state)
{
	static const char *const texts[] = {
		"", SERVICE("a", TCP), SERVICE("z", UNIX),
		SERVICE("a", TCP_Q ", \"unix://$D/new\"") SERVICE("b", TCP),
		SERVICE("a", "\"tcp4://*:$P\", \"tcp6://*:$P\""),
		SERVICE_WITH("a", UNIX, "socket_mode = \"0600\""),
		"pid_file = \"$D/pid\"\n" SERVICE("a", TCP),
		SERVICE("a", TCP ", \"tcp://192.0.2.77:7\""),
	};
	struct world *w = *state;
	struct reload_plan made;

	change(w, SERVICE("a", TCP ", " UNIX) SERVICE("b", TCP2));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct conf *conf = conf_of(w, texts[i]);
		char *before = snapshot(w);

		assert_int_equal(plan_make(&w->mi, conf, &made), 0);
		plan_discard(&w->mi, &made);
		assert_null(made.edition);
		expect_unchanged(w, before, texts[i]);
	}
	expect_served(w, listener_at(w, 0));
}

static void
what_is_only_bound_takes_nobody(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	change(w, "");
	assert_int_equal(plan(w, SERVICE("a", TCP ", " UNIX), &made), 0);
	assert_int_equal(client_connect_tcp(w->ports[0]), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(client_connect_unix(w, "x"), -1);
	assert_int_equal(errno, ECONNREFUSED);
	plan_commit(&w->mi, &made, monotime_now());
	expect_served(w, listener_at(w, 0));
	int local = client_connect_unix(w, "x");
	assert_int_not_equal(local, -1);
	close(local);
}

/* Also a listener that both editions have goes back. */
static void
a_degraded_listener_keeps_the_options_it_had(void **state)
{
	static const char *const texts[] = {
		SERVICE_WITH("a", TCP ", " TCP_Q, "keepalive = yes"),
		"strict = yes\n" SERVICE_WITH("a", TCP ", " TCP_Q,
		    "backlog = 7"),
	};
	struct world *w = *state;
	struct reload_plan made;
	int other = port_occupy(w->ports[1]);

	change(w, SERVICE("a", TCP ", " TCP_Q));
	assert_int_equal(listener_at(w, 1)->error, EADDRINUSE);
	for (int i = 0; i < 2; i++) {
		char *before = snapshot(w);

		if (plan(w, texts[i], &made) == 0)
			plan_discard(&w->mi, &made);
		expect_unchanged(w, before, "degraded before and after");
	}
	close(other);
	/* What could be bound by now was not asked to stay, either. */
	char *before = snapshot(w);
	assert_int_equal(plan(w, texts[0], &made), 0);
	assert_int_equal(made.opened, 1);
	plan_discard(&w->mi, &made);
	expect_unchanged(w, before, "bound for the time of the plan");
	change(w, texts[0]);
	assert_int_equal(option(listener_at(w, 1)->fd, SOL_SOCKET,
	    SO_KEEPALIVE), 1);
}

/* What is known of an edition after an upgrade: names, sockets, no options. */
static void
edition_forget(struct world *w)
{
	struct edition *old = w->mi.edition;
	struct edition *bare = edition_new_bare(&w->mi.services,
	    old->service_count, old->listener_count);

	assert_non_null(bare);
	for (uint32_t i = 0; i < old->service_count; i++)
		bare->services[i].service =
		    service_ref(old->services[i].service);
	for (uint32_t i = 0; i < old->listener_count; i++) {
		struct listener *lst = old->listeners[i].listener;

		lst->options = (struct conf_socket){ .dscp = CONF_KEEP,
			.uid = UINT32_MAX, .gid = UINT32_MAX };
		bare->listeners[i] = (struct edition_listener){
			.listener = listener_ref(lst),
			.service = old->listeners[i].service,
		};
	}
	w->mi.edition = bare;
	w->mi.phase = RUN_RESTORING;
	edition_unref(old);
}

static void
what_another_image_has_left_is_found(void **state)
{
	struct world *w = *state;
	struct listener *before[4];

	change(w, SERVICE("a", TCP ", " UNIX) SERVICE("b", TCP2)
	    SERVICE("c", TCP_Q));
	for (uint32_t i = 0; i < 4; i++)
		before[i] = listener_ref(listener_at(w, i));
	edition_forget(w);
	/* Nothing that cannot be opened is a reason to give up. */
	struct reload_plan made = change(w, "strict = yes\n" SERVICE_WITH("a",
	    UNIX ", " TCP ", \"tcp://192.0.2.77:7\"", "nodelay = yes\n"
	    "\tsocket_mode = \"0600\"")
	    SERVICE("b", "\"tcp://127.0.0.2:$Q\""));
	assert_int_equal(made.kept, 2);
	assert_int_equal(made.degraded, 1);
	assert_ptr_equal(listener_at(w, 0), before[1]);
	assert_ptr_equal(listener_at(w, 1), before[0]);
	assert_int_equal(mode_of(w, "x"), 0600);
	assert_int_equal(option(before[0]->fd, IPPROTO_TCP, TCP_NODELAY), 1);
	expect_served(w, before[0]);
	/* Rules for a queue are those of a service that is configured. */
	assert_int_equal(leftovers_count(w), 1);
	assert_ptr_equal(listener_at(w, 4), before[2]);
	assert_int_equal(before[3]->fd, -1);
	check_indexes(w, "restored");
	for (uint32_t i = 0; i < 4; i++)
		listener_unref(before[i]);
}

static void
a_start_needs_one_listener(void **state)
{
	struct world *w = *state;
	struct reload_plan made;
	int other = port_occupy(w->ports[0]);
	char *before;

	conf_write(w, "");
	before = snapshot(w);
	assert_int_equal(plan(w, SERVICE("a", TCP), &made), -1);
	expect_unchanged(w, before, "none");
	before = snapshot(w);
	assert_int_equal(plan(w, "strict = yes\n" SERVICE("a", TCP ", " TCP_Q),
	    &made), -1);
	expect_unchanged(w, before, "strict");
	assert_int_equal(plan(w, SERVICE("a", TCP ", " TCP_Q), &made), 0);
	assert_int_equal(made.degraded, 1);
	plan_commit(&w->mi, &made, monotime_now());
	w->mi.phase = RUN_SERVING;
	/* Later it may lose all. */
	assert_int_equal(change(w, SERVICE("a", TCP)).degraded, 1);
	assert_int_equal(edition_count_open(w->mi.edition), 0);
	close(other);
}

/* A leftover is carried on by each further plan; what is wanted anew is made
 * anew beside it. */
static void
plans_follow_each_other(void **state)
{
	struct world *w = *state;

	change(w, SERVICE("a", TCP) SERVICE("b", TCP_Q));
	struct listener *lst = listener_at(w, 0);
	int client = client_connect_tcp(w->ports[0]);
	assert_int_not_equal(client, -1);
	assert_int_equal(change(w, SERVICE("b", TCP_Q)).removed, 1);
	struct reload_plan made = change(w, SERVICE("b", TCP_Q ", " UNIX));
	assert_int_equal(made.removed, 0);
	assert_int_equal(leftovers_count(w), 1);
	assert_ptr_equal(listener_at(w, 2), lst);
	assert_string_equal(edition_service_name(w->mi.edition, 2), "a");
	check_indexes(w, "carried on");
	made = change(w, SERVICE_WITH("c", TCP, "nodelay = yes"));
	assert_int_equal(made.kept, 0);
	assert_int_equal(made.opened, 1);
	assert_ptr_not_equal(listener_at(w, 0), lst);
	assert_int_equal(option(listener_at(w, 0)->fd, IPPROTO_TCP,
	    TCP_NODELAY), 1);
	/* Both who waited and who comes now. */
	assert_true(client_accept(lst));
	expect_served(w, listener_at(w, 0));
	close(client);
}

static void
a_service_that_is_removed_serves_its_queue(void **state)
{
	struct world *w = *state;

	change(w, SERVICE_WITH("a", TCP, "instances = 3") SERVICE("b", UNIX));
	change(w, SERVICE("b", UNIX));
	const struct edition *ed = w->mi.edition;
	assert_int_equal(ed->service_count, 2);
	assert_string_equal(ed->services[1].service->name, "a");
	assert_int_equal(ed->services[1].conf->instances, 3);
	const struct edition *home = ed->services[1].home;
	assert_non_null(home);
	/* The rules are of where it was last, however long ago. */
	change(w, SERVICE("b", UNIX));
	ed = w->mi.edition;
	assert_ptr_equal(ed->services[1].home, home);
	assert_ptr_equal(ed->services[1].conf, conf_services(home->conf));
	/* Only some of its listeners: its present rules are for both. */
	change(w, SERVICE_WITH("b", TCP2, "instances = 5"));
	ed = w->mi.edition;
	assert_int_equal(ed->service_count, 2);
	assert_int_equal(leftovers_count(w), 2);
	for (uint32_t i = 1; i <= 2; i++)
		assert_int_equal(ed->services[ed->listeners[i].service]
		    .conf->instances, strcmp(edition_service_name(ed, i),
		    "a") == 0 ? 3 : 5);
}

static void
a_leftover_is_closed_when_its_frontend_says_so(void **state)
{
	struct world *w = *state;
	struct front before;

	change(w, SERVICE("a", TCP ", " TCP_Q));
	before = (struct front){ .edition = edition_ref(w->mi.edition) };
	change(w, SERVICE("a", TCP_Q));
	assert_int_equal(leftover_empty(w, 0), -1);
	assert_int_equal(leftover_empty(w, 2), -1);
	assert_int_equal(leftover_empty(w, UINT32_MAX), -1);
	/* The one before has no leftovers. */
	assert_int_equal(plan_empty(&w->mi, &before, 0), -1);
	assert_int_equal(plan_empty(&w->mi, &before, 1), -1);
	edition_unref(before.edition);
	/* What a frontend of an edition in between says comes too late. */
	before.edition = edition_ref(w->mi.edition);
	change(w, SERVICE("a", TCP_Q));
	assert_int_equal(plan_empty(&w->mi, &before, 1), 0);
	assert_int_not_equal(listener_at(w, 1)->fd, -1);
	assert_int_equal(leftover_empty(w, 1), 0);
	assert_int_equal(listener_at(w, 1)->fd, -1);
	assert_int_equal(leftover_empty(w, 1), 0);
	edition_unref(before.edition);
	/* It is not carried on. */
	change(w, SERVICE("a", TCP_Q));
	assert_int_equal(leftovers_count(w), 0);
}

/* Between plan and commit its queue runs empty, but it is wanted again. */
static void
a_leftover_that_is_wanted_again_serves(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	change(w, SERVICE("a", TCP) SERVICE("b", UNIX));
	/* As if an option of it could not have been set. */
	listener_at(w, 0)->error = EPERM;
	change(w, SERVICE("b", UNIX));
	assert_int_equal(plan(w, SERVICE_WITH("a", TCP, "nodelay = yes")
	    SERVICE("b", UNIX), &made), 0);
	leftovers_empty(w);
	plan_commit(&w->mi, &made, monotime_now());
	const struct listener *lst = listener_at(w, 0);
	assert_true(lst->listening);
	assert_false(lst->closing);
	assert_int_equal(option(lst->fd, IPPROTO_TCP, TCP_NODELAY), 1);
	expect_served(w, lst);
	/* Nor does it matter when it was closed before the plan. */
	change(w, SERVICE("b", UNIX));
	leftovers_empty(w);
	assert_int_equal(change(w, SERVICE("a", TCP)).opened, 1);
	assert_ptr_equal(listener_at(w, 0), lst);
	assert_false(lst->closing);
	expect_served(w, lst);
}

/* The port of a chosen one is wanted by its number, and is bound again. */
static void
a_leftover_that_is_wanted_by_number_keeps_it(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	change(w, SERVICE("a", "\"tcp://127.0.0.1:0\"") SERVICE("b", UNIX));
	w->ports[0] = listener_at(w, 0)->local.port;
	change(w, SERVICE("b", UNIX));
	assert_int_equal(plan(w, SERVICE("a", TCP), &made), 0);
	assert_int_equal(made.opened, 1);
	leftovers_empty(w);
	plan_commit(&w->mi, &made, monotime_now());
	assert_int_equal(listener_at(w, 0)->local.port, w->ports[0]);
	expect_served(w, listener_at(w, 0));
}

static void
a_path_that_was_lost_is_made_anew(void **state)
{
	struct world *w = *state;
	char path[96];

	change(w, SERVICE("a", UNIX));
	const struct listener *old = listener_at(w, 0);
	int client = client_connect_unix(w, "x");
	assert_int_not_equal(client, -1);
	snprintf(path, sizeof(path), "%s/x", w->dir);
	assert_int_equal(unlink(path), 0);
	struct reload_plan made = change(w, SERVICE("a", UNIX));
	assert_int_equal(made.opened, 1);
	assert_int_equal(made.removed, 1);
	assert_ptr_equal(listener_at(w, 1), old);
	assert_true(client_accept(old));
	close(client);
	leftovers_empty(w);
	client = client_connect_unix(w, "x");
	assert_int_not_equal(client, -1);
	assert_true(client_accept(listener_at(w, 0)));
	close(client);
}

/* A handler of the service, as serve_connection() notes it. */
static struct proc *
handler_add(struct world *w, const char *name, uint32_t listener, pid_t pid)
{
	struct proc *proc = proc_new(w->mi.procs);

	assert_non_null(proc);
	proc->handle = (struct spawn_handle){ pid, -1 };
	proc->conn.id = w->mi.next_id++;
	proc->service = service_ref(service_of(w, name));
	proc->service->active++;
	proc->listener = listener_ref(listener_at(w, listener));
	proc_add(w->mi.procs, proc);
	return proc;
}

static void
handler_remove(struct world *w, struct proc *proc)
{
	struct service *svc = proc->service;

	proc_remove(w->mi.procs, proc);
	listener_unref(proc->listener);
	proc_free(w->mi.procs, proc);
	svc->active--;
	service_unref(&w->mi.services, svc);
}

static void
handlers_keep_the_account_of_their_service(void **state)
{
	struct world *w = *state;

	change(w, SERVICE_WITH("a", TCP, "kill_grace = 7") SERVICE("b", UNIX));
	struct service *svc = service_of(w, "a");
	struct proc *first = handler_add(w, "a", 0, 1000);
	struct proc *second = handler_add(w, "a", 0, 1001);
	change(w, SERVICE("b", UNIX));
	leftovers_empty(w);
	change(w, SERVICE("b", UNIX));
	/* No edition has it; what is kept of the file is as it was. */
	assert_ptr_equal(service_of(w, "a"), svc);
	assert_int_equal(svc->index, SERVICE_NO_INDEX);
	assert_int_equal(svc->active, 2);
	assert_int_equal(svc->kill_grace_msec, 7000);
	handler_remove(w, first);
	/* Configured again it goes on counting. */
	change(w, SERVICE("b", UNIX) SERVICE_WITH("a", TCP, "kill_grace = 8"));
	assert_ptr_equal(service_of(w, "a"), svc);
	assert_int_equal(svc->index, 1);
	assert_int_equal(svc->active, 1);
	assert_int_equal(svc->kill_grace_msec, 8000);
	assert_ptr_not_equal(second->listener, listener_at(w, 1));
	/* The last one takes it along. */
	change(w, SERVICE("b", UNIX));
	leftovers_empty(w);
	change(w, SERVICE("b", UNIX));
	handler_remove(w, second);
	assert_null(service_find(&w->mi.services, "a"));
}

/* Plans for handlers and the list of news are of one edition. */
static void
what_was_derived_from_a_configuration_goes_with_it(void **state)
{
	struct world *w = *state;
	static char *environment[] = { NULL };

	w->mi.starter.environment = environment;
	change(w, SERVICE("a", TCP) SERVICE("b", UNIX));
	struct service *svc = service_of(w, "b");
	svc->plan = handler_plan_new(&w->mi.edition->services[1],
	    w->mi.edition, &w->mi.starter);
	assert_non_null(svc->plan);
	svc->dirty = true;
	STAILQ_INSERT_TAIL(&w->mi.dirty, svc, entry);
	change(w, SERVICE("a", TCP));
	assert_null(svc->plan);
	assert_false(svc->dirty);
	assert_true(STAILQ_EMPTY(&w->mi.dirty));
	/* Nobody used it, so that it is free, and with it its edition. */
	assert_true(SLIST_EMPTY(&w->mi.retired));
	assert_int_equal(w->mi.edition->refs, 1);
}

static void
the_pid_file_moves(void **state)
{
	struct world *w = *state;
	struct reload_plan made;

	change(w, "pid_file = \"\"\n" SERVICE("a", TCP));
	assert_null(w->mi.pid_path);
	assert_int_equal(plan(w, "pid_file = \"$D/pid\"\n" SERVICE("a", TCP),
	    &made), 0);
	assert_int_equal(mode_of(w, "pid"), 0644);
	plan_discard(&w->mi, &made);
	assert_int_equal(mode_of(w, "pid"), 0);
	change(w, "pid_file = \"$D/pid\"\n" SERVICE("a", TCP));
	assert_int_equal(mode_of(w, "pid"), 0644);
	int fd = w->mi.pid_fd;
	change(w, "pid_file = \"$D/pid\"\n" SERVICE("a", TCP_Q));
	assert_int_equal(w->mi.pid_fd, fd);
	change(w, "pid_file = \"$D/pid2\"\n" SERVICE("a", TCP));
	assert_int_equal(mode_of(w, "pid"), 0);
	assert_int_equal(mode_of(w, "pid2"), 0644);
	change(w, "pid_file = \"\"\n" SERVICE("a", TCP));
	assert_int_equal(mode_of(w, "pid2"), 0);
	assert_int_equal(w->mi.pid_fd, -1);
	assert_null(w->mi.pid_path);
	/* A directory that is not there fails the plan. */
	char *before = snapshot(w);
	assert_int_equal(plan(w, "pid_file = \"$D/none/pid\"\n"
	    SERVICE("a", TCP ", " UNIX), &made), -1);
	expect_unchanged(w, before, "no pid file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pair_has_its_outcome),
		cmocka_unit_test(a_port_changes_hands_without_a_gap),
		cmocka_unit_test(
		    a_port_of_datagrams_changes_hands_without_a_gap),
		TEST(an_abstract_name_is_taken_again_when_it_is_free),
		TEST(a_swap_that_is_given_up_leaves_no_trace),
		TEST(a_swap_with_nobody_left_is_over_at_once),
		TEST(only_who_is_in_the_way_shares_a_port),
		TEST(a_shared_port_stays_shared_when_it_is_configured),
		TEST(options_change_in_place),
		TEST(buffers_of_unix_sockets_change_in_place),
		TEST(the_backlog_changes_in_place),
		TEST(what_cannot_be_set_is_said_and_serves_on),
		TEST(the_mode_of_a_path_changes_in_place),
		TEST(a_moved_socket_keeps_its_queue),
		TEST(an_explicit_port_finds_the_chosen_one),
		TEST(a_strict_plan_that_fails_leaves_all_as_it_was),
		TEST(a_plan_that_is_given_up_leaves_all_as_it_was),
		TEST(what_is_only_bound_takes_nobody),
		TEST(a_degraded_listener_keeps_the_options_it_had),
		TEST(what_another_image_has_left_is_found),
		TEST(a_start_needs_one_listener),
		TEST(plans_follow_each_other),
		TEST(a_service_that_is_removed_serves_its_queue),
		TEST(a_leftover_is_closed_when_its_frontend_says_so),
		TEST(a_leftover_that_is_wanted_again_serves),
		TEST(a_leftover_that_is_wanted_by_number_keeps_it),
		TEST(a_path_that_was_lost_is_made_anew),
		TEST(handlers_keep_the_account_of_their_service),
		TEST(what_was_derived_from_a_configuration_goes_with_it),
		TEST(the_pid_file_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
