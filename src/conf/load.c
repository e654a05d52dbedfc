/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Load a configuration in a helper process.
 *
 * Main's memory, descriptors and patience are not touched by whatever a file
 * can do to a parser.  The helper leaves the configuration in one memfd and
 * the complaints in another; its exit status says whether the first is good.
 * Main seals and maps what it accepts.
 */

#include "conf/conf.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotime.h"
#include "conf/block.h"
#include "conf/build.h"
#include "conf/complaint.h"
#include "conf/draft.h"
#include "conf/heap.h"
#include "conf/reader.h"

enum {
	DEADLINE_MSEC = 30000,
	HELPER_REFUSES = 78,	/* exit status: there are errors */
	HELPER_CANNOT_WRITE = 74,
	COMPLAINTS_MAX = 1 << 20, /* bytes believed of the helper */
};

/*
 * The helper and its two results.  The pipe is never written to: its end shows
 * the helper's, and everything is at hand before there is a helper.
 */
struct helper {
	int block_fd;
	int complaints_fd;
	int end_fds[2];
	pid_t pid;
};

static void
write_result(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(HELPER_CANNOT_WRITE);
		p += n;
		len -= (size_t)n;
	}
}

/* In the helper: none of main's arrangements is meant for it. */
static void
forget_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/*
 * In the helper: close main's descriptors except these, which become 3 and up.
 * A copy of a listener would keep its port busy.
 */
static void
forget_descriptors(struct helper *helper)
{
	int *kept[] = { &helper->block_fd, &helper->complaints_fd,
		&helper->end_fds[1] };
	enum { KEPT = sizeof(kept) / sizeof(kept[0]) };
	int fd = STDERR_FILENO + 1;

	/* Out of the way of each other first. */
	for (size_t i = 0; i < KEPT; i++)
		*kept[i] = fcntl(*kept[i], F_DUPFD, fd + KEPT);
	for (size_t i = 0; i < KEPT; i++, fd++) {
		if (dup2(*kept[i], fd) == -1)
			_exit(HELPER_CANNOT_WRITE);
		*kept[i] = fd;
	}
	closefrom(fd);
}

static _Noreturn void
run_helper(struct helper *helper, const char *path)
{
	forget_signals();
	forget_descriptors(helper);
	struct complaints *complaints = complaints_new();
	struct draft *draft = heap_new(1, sizeof(*draft));
	reader_run(path, draft, complaints);
	struct block *block = build_conf(draft, complaints);
	const struct conf *conf = block_conf(block);
	char *text = complaints_text(complaints);
	write_result(helper->complaints_fd, text, strlen(text));
	if (complaints_errors(complaints) > 0)
		_exit(HELPER_REFUSES);
	write_result(helper->block_fd, conf, conf->size);
	_exit(EXIT_SUCCESS);
}

static int
helper_start(struct helper *helper, const char *path)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	helper->block_fd = memfd_create("minetd-conf", flags);
	helper->complaints_fd = memfd_create("minetd-complaints", flags);
	if (helper->block_fd == -1 || helper->complaints_fd == -1 ||
	    pipe2(helper->end_fds, O_CLOEXEC) == -1)
		return -1;
	helper->pid = fork();
	if (helper->pid == 0)
		run_helper(helper, path);
	int error = errno;
	close(helper->end_fds[1]);
	helper->end_fds[1] = -1;
	errno = error;
	return helper->pid == -1 ? -1 : 0;
}

/* Wait for its end, at most until the deadline. */
static bool
wait_for_end(const struct helper *helper)
{
	struct monotime deadline =
	    monotime_add_msec(monotime_now(), DEADLINE_MSEC);
	struct pollfd pfd = { .fd = helper->end_fds[0], .events = POLLIN };
	int ready;

	do {
		int64_t msec = monotime_msec_until(monotime_now(), deadline);

		ready = poll(&pfd, 1, msec > 0 ? (int)msec : 0);
	} while (ready == -1 && errno == EINTR);
	return ready == 1;
}

/* Reap the helper, by force if it must be; returns its status. */
static int
helper_finish(const struct helper *helper, bool *in_time)
{
	int status = 0;

	*in_time = wait_for_end(helper);
	if (!*in_time)
		kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return status;
}

static void
helper_close(struct helper *helper)
{
	const int fds[] = { helper->block_fd, helper->complaints_fd,
		helper->end_fds[0], helper->end_fds[1] };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] != -1)
			close(fds[i]);
}

/* The complaints as text, NULL when there is none. */
static char *
read_complaints(const struct helper *helper)
{
	struct stat st;

	if (fstat(helper->complaints_fd, &st) == -1 || st.st_size <= 0 ||
	    st.st_size > COMPLAINTS_MAX)
		return NULL;
	char *text = calloc((size_t)st.st_size + 1, 1);
	if (text != NULL && pread(helper->complaints_fd, text,
	    (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	return text;
}

/* Map a block that nobody can change any more; NULL if it is not sound. */
static const struct conf *
map_block(int fd)
{
	struct stat st;

	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE) == -1 || fstat(fd, &st) == -1 ||
	    (size_t)st.st_size < sizeof(struct conf))
		return NULL;
	const struct conf *conf = mmap(NULL, (size_t)st.st_size, PROT_READ,
	    MAP_SHARED, fd, 0);
	if (conf == MAP_FAILED)
		return NULL;
	if (conf->magic == BLOCK_MAGIC && conf->version == BLOCK_VERSION &&
	    conf->size == (size_t)st.st_size)
		return conf;
	munmap((void *)(uintptr_t)conf, (size_t)st.st_size);
	return NULL;
}

/* One complaint, about the helper; never NULL. */
static char *
complain_of_helper(const char *path, const char *sentence)
{
	char *text = NULL;

	if (asprintf(&text, "%s: file: %s\n", path, sentence) == -1)
		abort();
	return text;
}

static const char *
explain_end(int status, bool in_time)
{
	if (!in_time)
		return "reading it took longer than 30 s";
	if (status != -1 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == HEAP_EXHAUSTED)
		return "there is not enough memory to read it";
	return "the process that reads it has died";
}

/* What the helper's end makes of its results. */
static const struct conf *
accept_result(const struct helper *helper, const char *path, int status,
    bool in_time, char **complaints)
{
	bool ended = in_time && status != -1 && WIFEXITED(status);
	const struct conf *conf = NULL;

	if (ended && WEXITSTATUS(status) == EXIT_SUCCESS)
		conf = map_block(helper->block_fd);
	if (conf != NULL ||
	    (ended && WEXITSTATUS(status) == HELPER_REFUSES))
		*complaints = read_complaints(helper);
	if (conf == NULL && *complaints == NULL)
		*complaints = complain_of_helper(path,
		    explain_end(status, in_time));
	return conf;
}

const struct conf *
conf_load(const char *path, char **complaints)
{
	struct helper helper = { -1, -1, { -1, -1 }, -1 };
	const struct conf *conf = NULL;

	*complaints = NULL;
	if (helper_start(&helper, path) == -1) {
		*complaints = complain_of_helper(path, strerror(errno));
	} else {
		bool in_time;
		int status = helper_finish(&helper, &in_time);

		conf = accept_result(&helper, path, status, in_time,
		    complaints);
	}
	helper_close(&helper);
	return conf;
}
