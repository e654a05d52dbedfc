/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Resolve host names without root ever reading what a name server sent.
 *
 * The child writes for each name, in order, the result of getaddrinfo(3) and
 * the number of addresses, then the addresses.  Its answers are not trusted:
 * counts are bounded and families are checked here.
 */

#include "conf/host.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotime.h"
#include "conf/heap.h"

enum {
	DEADLINE_MSEC = 10000,
};

struct question {
	char *name;
	enum url_family family;
	struct host host;
};

struct hosts {
	struct question *questions;
	size_t count;
};

/* What precedes the addresses of a name in the pipe. */
struct reply_head {
	int32_t error;		/* EAI_…, 0: none */
	uint32_t count;
};

static int
socket_family(enum url_family family)
{
	switch (family) {
	case URL_FAMILY_IP4:
		return AF_INET;
	case URL_FAMILY_IP6:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

static void
write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_FAILURE);
		p += n;
		len -= (size_t)n;
	}
}

/* Add the address unless it is there already, or there is no room. */
static void
add_once(struct addr *addrs, uint32_t *count, const struct addr *addr)
{
	for (uint32_t i = 0; i < *count; i++)
		if (addr_equal(&addrs[i], addr))
			return;
	if (*count < HOST_ADDRS_MAX && addr->family != ADDR_NONE)
		addrs[(*count)++] = *addr;
}

uint32_t
host_query(const char *name, enum url_family family, struct addr *addrs,
    int *error)
{
	struct addrinfo hints = {
		.ai_family = socket_family(family),
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list = NULL;
	uint32_t count = 0;

	*error = getaddrinfo(name, NULL, &hints, &list);
	if (*error != 0)
		return 0;
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		struct addr addr;

		addr_from_sockaddr(&addr, ai->ai_addr, ai->ai_addrlen);
		add_once(addrs, &count, &addr);
	}
	freeaddrinfo(list);
	return count;
}

/* In the child: resolve one name and write the answer. */
static void
answer_question(int fd, const struct question *question)
{
	struct addr addrs[HOST_ADDRS_MAX];
	struct reply_head head = { 0 };

	memset(addrs, 0, sizeof(addrs));
	head.count = host_query(question->name, question->family, addrs,
	    &head.error);
	write_all(fd, &head, sizeof(head));
	write_all(fd, addrs, head.count * sizeof(addrs[0]));
}

/* The change resets what prctl(2) set before. */
void
host_drop_root(uid_t uid, gid_t gid)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || geteuid() != uid))
		_exit(EXIT_FAILURE);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static pid_t
start_child(const struct hosts *hosts, const int ends[2], uid_t uid,
    gid_t gid)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	/* The helper's own descriptors are not for this user to see. */
	if (dup2(ends[1], STDIN_FILENO) == -1)
		_exit(EXIT_FAILURE);
	closefrom(STDERR_FILENO + 1);
	host_drop_root(uid, gid);
	for (size_t i = 0; i < hosts->count; i++)
		answer_question(STDIN_FILENO, &hosts->questions[i]);
	_exit(EXIT_SUCCESS);
}

/* Read all of it before the deadline; false if that cannot be. */
static bool
read_before(int fd, void *bytes, size_t len, struct monotime deadline)
{
	char *p = bytes;

	while (len > 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int64_t msec = monotime_msec_until(monotime_now(), deadline);
		int ready = msec > 0 ? poll(&pfd, 1, (int)msec) : 0;

		if (ready == -1 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		ssize_t n = read(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
right_family(enum url_family family, const struct addr *addr)
{
	if (addr->family != ADDR_IP4 && addr->family != ADDR_IP6)
		return false;
	return family == URL_FAMILY_ANY ||
	    (family == URL_FAMILY_IP4) == (addr->family == ADDR_IP4);
}

/* Read the answer for one name; false when no more will come. */
static bool
read_answer(int fd, struct question *question, struct monotime deadline)
{
	struct reply_head head;

	if (!read_before(fd, &head, sizeof(head), deadline) ||
	    head.count > HOST_ADDRS_MAX)
		return false;
	struct addr *addrs = heap_new(head.count, sizeof(*addrs));
	if (!read_before(fd, addrs, head.count * sizeof(*addrs), deadline))
		return false;
	uint32_t count = 0;
	for (uint32_t i = 0; i < head.count; i++)
		if (right_family(question->family, &addrs[i]))
			add_once(addrs, &count, &addrs[i]);
	question->host = (struct host){ .addrs = addrs, .count = count };
	if (head.error != 0)
		question->host.failure = gai_strerror(head.error);
	else if (count == 0)
		question->host.failure = "the name has no such address";
	return true;
}

static void
read_answers(struct hosts *hosts, int fd)
{
	struct monotime deadline =
	    monotime_add_msec(monotime_now(), DEADLINE_MSEC);

	size_t n = 0;

	while (n < hosts->count &&
	    read_answer(fd, &hosts->questions[n], deadline))
		n++;
	bool late = !monotime_before(monotime_now(), deadline);
	for (; late && n < hosts->count; n++)
		hosts->questions[n].host.failure =
		    "the name was not looked up within 10 s";
}

static void
reap_child(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

struct hosts *
hosts_new(void)
{
	return heap_new(1, sizeof(struct hosts));
}

size_t
hosts_add(struct hosts *hosts, const char *name, size_t len,
    enum url_family family)
{
	hosts->questions = heap_room(hosts->questions, hosts->count,
	    sizeof(*hosts->questions));
	hosts->questions[hosts->count] = (struct question){
		.name = heap_strndup(name, len),
		.family = family,
		.host.failure = "the name could not be looked up",
	};
	return hosts->count++;
}

void
hosts_resolve(struct hosts *hosts, uid_t uid, gid_t gid)
{
	int ends[2];

	if (hosts->count == 0 || pipe2(ends, O_CLOEXEC) == -1)
		return;
	pid_t pid = start_child(hosts, ends, uid, gid);
	close(ends[1]);
	if (pid > 0) {
		read_answers(hosts, ends[0]);
		reap_child(pid);
	}
	close(ends[0]);
}

const struct host *
hosts_get(const struct hosts *hosts, size_t number)
{
	return &hosts->questions[number].host;
}
