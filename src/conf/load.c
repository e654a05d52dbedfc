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
#include <sys/syscall.h>
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
#include "base/sealed.h"
#include "conf/block.h"
#include "conf/build.h"
#include "conf/complaint.h"
#include "conf/draft.h"
#include "conf/heap.h"
#include "conf/reader.h"

enum {
	HELPER_REFUSES = 78,	/* exit status: there are errors */
	HELPER_CANNOT_WRITE = 74,
	COMPLAINTS_MAX = 1 << 20, /* bytes believed of the helper */
};

/* The helper and its two results. */
struct conf_loading {
	char *path;
	int block_fd;
	int complaints_fd;
	pid_t pid;		/* -1: it was never started */
	bool expired;		/* killed at the deadline */
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
 * In the helper: close main's descriptors except these, which become 3 and 4.
 * A copy of a listener would keep its port busy.
 */
static void
forget_descriptors(struct conf_loading *loading)
{
	int *kept[] = { &loading->block_fd, &loading->complaints_fd };
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
run_helper(struct conf_loading *loading)
{
	forget_signals();
	forget_descriptors(loading);
	struct complaints *complaints = complaints_new();
	struct draft *draft = heap_new(1, sizeof(*draft));
	reader_run(loading->path, draft, complaints);
	struct block *block = build_conf(draft, complaints);
	const struct conf *conf = block_conf(block);
	char *text = complaints_text(complaints);
	write_result(loading->complaints_fd, text, strlen(text));
	if (complaints_errors(complaints) > 0)
		_exit(HELPER_REFUSES);
	write_result(loading->block_fd, conf, conf->size);
	_exit(EXIT_SUCCESS);
}

/* Wait for its end, at most until the deadline. */
static void
wait_for_end(struct conf_loading *loading)
{
	struct monotime deadline =
	    monotime_add_msec(monotime_now(), CONF_LOAD_MSEC);
	int pidfd = (int)syscall(SYS_pidfd_open, loading->pid, 0);
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int ready;

	do {
		int64_t msec = monotime_msec_until(monotime_now(), deadline);

		ready = poll(&pfd, 1, msec > 0 ? (int)msec : 0);
	} while (ready == -1 && errno == EINTR);
	if (ready != 1)
		conf_load_expire(loading);
	if (pidfd != -1)
		close(pidfd);
}

static void
loading_free(struct conf_loading *loading)
{
	if (loading->block_fd != -1)
		close(loading->block_fd);
	if (loading->complaints_fd != -1)
		close(loading->complaints_fd);
	free(loading->path);
	free(loading);
}

/* The complaints as text, NULL when there is none. */
static char *
read_complaints(const struct conf_loading *loading)
{
	struct stat st;

	if (fstat(loading->complaints_fd, &st) == -1 || st.st_size <= 0 ||
	    st.st_size > COMPLAINTS_MAX)
		return NULL;
	char *text = calloc((size_t)st.st_size + 1, 1);
	if (text != NULL && pread(loading->complaints_fd, text,
	    (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	return text;
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
explain_end(const struct conf_loading *loading, int status)
{
	if (loading->expired)
		return "reading it took longer than 30 s";
	if (WIFEXITED(status) && WEXITSTATUS(status) == HEAP_EXHAUSTED)
		return "there is not enough memory to read it";
	return "the process that reads it has died";
}

int
conf_export(const struct conf *conf)
{
	return sealed_new("minetd-conf", conf, conf->size);
}

const struct conf *
conf_import(int fd)
{
	struct stat st;
	const struct conf *conf;

	if (fstat(fd, &st) == -1)
		return NULL;
	errno = EINVAL;
	if ((size_t)st.st_size < sizeof(struct conf))
		return NULL;
	conf = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (conf == MAP_FAILED)
		return NULL;
	if (conf->magic == BLOCK_MAGIC && conf->version == BLOCK_VERSION &&
	    conf->size == (size_t)st.st_size)
		return conf;
	errno = conf->magic == BLOCK_MAGIC && conf->version != BLOCK_VERSION ?
	    EPROTO : EINVAL;
	int saved = errno;
	munmap((void *)(uintptr_t)conf, (size_t)st.st_size);
	errno = saved;
	return NULL;
}

struct conf_loading *
conf_load_start(const char *path)
{
	struct conf_loading *loading = calloc(1, sizeof(*loading));
	int saved;

	if (loading == NULL)
		return NULL;
	loading->path = strdup(path);
	loading->block_fd = sealed_open("minetd-conf");
	loading->complaints_fd = sealed_open("minetd-complaints");
	if (loading->path == NULL || loading->block_fd == -1 ||
	    loading->complaints_fd == -1)
		goto fail;
	loading->pid = fork();
	if (loading->pid == 0)
		run_helper(loading);
	if (loading->pid != -1)
		return loading;

fail:
	saved = errno;
	loading_free(loading);
	errno = saved;
	return NULL;
}

pid_t
conf_load_pid(const struct conf_loading *loading)
{
	return loading->pid;
}

void
conf_load_expire(struct conf_loading *loading)
{
	loading->expired = true;
	kill(loading->pid, SIGKILL);
}

const struct conf *
conf_load_finish(struct conf_loading *loading, int status, char **complaints)
{
	bool ended = !loading->expired && WIFEXITED(status);
	const struct conf *conf = NULL;

	*complaints = NULL;
	if (ended && WEXITSTATUS(status) == EXIT_SUCCESS &&
	    sealed_finish(loading->block_fd) == 0)
		conf = conf_import(loading->block_fd);
	if (conf != NULL ||
	    (ended && WEXITSTATUS(status) == HELPER_REFUSES))
		*complaints = read_complaints(loading);
	if (conf == NULL && *complaints == NULL)
		*complaints = complain_of_helper(loading->path,
		    explain_end(loading, status));
	loading_free(loading);
	return conf;
}

void
conf_load_cancel(struct conf_loading *loading)
{
	kill(loading->pid, SIGKILL);
	while (waitpid(loading->pid, NULL, 0) == -1 && errno == EINTR)
		;
	loading_free(loading);
}

const struct conf *
conf_load(const char *path, char **complaints)
{
	struct conf_loading *loading = conf_load_start(path);
	int status = -1;

	if (loading == NULL) {
		*complaints = complain_of_helper(path, strerror(errno));
		return NULL;
	}
	wait_for_end(loading);
	while (waitpid(loading->pid, &status, 0) == -1 && errno == EINTR)
		;
	return conf_load_finish(loading, status, complaints);
}
