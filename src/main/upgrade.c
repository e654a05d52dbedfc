/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Hand everything to a new binary, in place.
 *
 * Children that share our memory until they execute their program would lose
 * their report with it; so, when the frontend has stopped, they are given a
 * moment, and those that stay behind are killed.
 */

#include "main/upgrade.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sealed.h"
#include "main/front.h"
#include "main/handover.h"
#include "main/precheck.h"
#include "main/resolve.h"

enum {
	CHECK_MSEC = 10000,	/* for the new binary to answer */
	LOOK_MSEC = 5,		/* between looks at children */
	LOOKS_BEFORE_KILL = 50,
	LOOKS_MAX = 100,
};

static void
upgrade_log(const struct minetd *mi, bool ok, const char *text)
{
	struct log_line line;

	log_begin(&line, ok ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "upgrade");
	log_str(&line, "result", ok ? "ok" : "failed");
	log_str(&line, "binary", mi->options->binary);
	log_str(&line, ok ? "version" : "reason", text);
	log_secs(&line, "secs", monotime_secs(mi->upgrade.began,
	    monotime_now()));
	log_end(&line);
}

static void
fd_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Back to nothing; who waits for news is told. */
static void
upgrade_end(struct minetd *mi)
{
	struct upgrade *up = &mi->upgrade;

	timer_disarm(loop_timers(mi->loop), &up->due);
	fd_close(&up->answer_fd);
	fd_close(&up->conf_fd);
	fd_close(&up->undo_exe_fd);
	fd_close(&up->undo_conf_fd);
	if (mi->phase == RUN_SERVING && (up->phase == UPGRADE_STOPPING ||
	    up->phase == UPGRADE_RESTORING))
		notify_send(&mi->notify, "READY=1");
	up->phase = UPGRADE_IDLE;
	up->checker = 0;
}

void
upgrade_log_failure(struct minetd *mi, const char *reason)
{
	upgrade_log(mi, false, reason);
}

static void
upgrade_fail(struct minetd *mi, const char *reason)
{
	upgrade_log_failure(mi, reason);
	upgrade_end(mi);
}

static void
upgrade_due(void *arg, struct monotime now)
{
	struct minetd *mi = arg;
	struct upgrade *up = &mi->upgrade;

	(void)now;
	/* When stopping, to wake up is all: upgrade_proceed() looks again. */
	if (up->phase != UPGRADE_CHECKING)
		return;
	up->expired = true;
	kill(up->checker, SIGKILL);
}

void
upgrade_init(struct minetd *mi)
{
	struct upgrade *up = &mi->upgrade;

	*up = (struct upgrade){
		.answer_fd = -1,
		.conf_fd = -1,
		.undo_exe_fd = -1,
		.undo_conf_fd = -1,
	};
	timer_init(&up->due, upgrade_due, mi);
}

void
upgrade_request(struct minetd *mi)
{
	mi->upgrade.wanted = true;
}

/* In the checking process: write the snapshot; false when that fails. */
static bool
snapshot_write(struct minetd *mi, int fds[3])
{
	fds[0] = handover_write(mi, -1);
	fds[1] = conf_export(mi->edition->conf);
	fds[2] = memfd_create("minetd-text", MFD_CLOEXEC);
	/* As a configuration file has to be. */
	return fds[0] != -1 && fds[1] != -1 && fds[2] != -1 &&
	    fchmod(fds[2], 0600) == 0 &&
	    conf_dump(mi->edition->conf, fds[2]) == 0;
}

/*
 * In the checking process: become the new binary, with the snapshot and nothing
 * else of ours.
 */
static void __attribute__((noreturn))
checker_run(struct minetd *mi)
{
	int fds[4] = { -1, -1, -1, mi->upgrade.answer_fd };
	char name[] = "minetd", role[] = HANDOVER_CHECK;
	char *argv[] = { name, role, NULL };
	char reason[256];
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	snprintf(reason, sizeof(reason), "the state cannot be written");
	if (snapshot_write(mi, fds)) {
		/* Out of the way of each other first. */
		for (int i = 0; i < 4; i++)
			fds[i] = fcntl(fds[i], F_DUPFD, PRECHECK_ANSWER_FD + 1);
		for (int i = 0; i < 4; i++)
			dup2(fds[i], PRECHECK_STATE_FD + i);
		close_range(PRECHECK_ANSWER_FD + 1, ~0U, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(mi->options->binary, argv, mi->starter.environment);
		snprintf(reason, sizeof(reason), "it cannot be executed: %s",
		    strerror(errno));
		fds[3] = PRECHECK_ANSWER_FD;
	}
	precheck_refuse(fds[3], reason);
	_exit(CHILD_EXIT_NOT_EXECUTABLE);
}

/* Clients wait at a removed service that only this image knows. */
static bool
leftovers_unknown(const struct edition *ed)
{
	for (uint32_t i = edition_configured(ed); i < ed->listener_count; i++)
		if (ed->listeners[i].listener->fd != -1 &&
		    ed->services[ed->listeners[i].service].home != NULL)
			return true;
	return false;
}

static void
check_start(struct minetd *mi, struct monotime now)
{
	struct upgrade *up = &mi->upgrade;

	up->wanted = false;
	up->expired = false;
	up->began = now;
	if (mi->options->binary == NULL) {
		upgrade_fail(mi, "the path of the binary is not known");
		return;
	}
	if (leftovers_unknown(mi->edition)) {
		upgrade_fail(mi, "clients still wait at a removed service");
		return;
	}
	if (stat(mi->options->binary, &up->binary) == -1)
		up->binary.st_ino = 0;
	up->answer_fd = memfd_create("minetd-answer", MFD_CLOEXEC);
	if (up->answer_fd != -1)
		up->checker = fork();
	if (up->answer_fd == -1 || up->checker == -1) {
		upgrade_fail(mi, strerror(errno));
		return;
	}
	if (up->checker == 0)
		checker_run(mi);
	up->phase = UPGRADE_CHECKING;
	timer_arm(loop_timers(mi->loop), &up->due,
	    monotime_add_msec(now, CHECK_MSEC));
}

/* Why the answer is none that allows to go on; NULL when it does. */
static const char *
answer_check(const struct upgrade *up, int status,
    struct precheck_answer *answer, char *buf, size_t size)
{
	if (up->expired)
		return "it did not answer within 10 s";
	if (WIFSIGNALED(status)) {
		snprintf(buf, size, "it was ended by signal %d",
		    WTERMSIG(status));
		return buf;
	}
	if (pread(up->answer_fd, answer, sizeof(*answer), 0) !=
	    (ssize_t)sizeof(*answer) || answer->magic != PRECHECK_MAGIC) {
		snprintf(buf, size, "it is no minetd that can take over: it "
		    "ended with status %d", WEXITSTATUS(status));
		return buf;
	}
	answer->reason[sizeof(answer->reason) - 1] = '\0';
	if (answer->refused)
		return answer->reason;
	if (WEXITSTATUS(status) != 0)
		return "it ended with an error";
	return NULL;
}

/* The configuration that is part of the answer, as a memfd of its own. */
static int
answer_conf(int answer_fd)
{
	struct stat st;
	int fd = sealed_open("minetd-conf");
	off_t at = PRECHECK_CONF_OFFSET;

	if (fd == -1 || fstat(answer_fd, &st) == -1)
		goto fail;
	while (at < st.st_size) {
		char buf[65536];
		ssize_t n = pread(answer_fd, buf, sizeof(buf), at);

		if (n <= 0 || write(fd, buf, (size_t)n) != n)
			goto fail;
		at += n;
	}
	if (sealed_finish(fd) == 0)
		return fd;

fail:
	fd_close(&fd);
	return -1;
}

/* The new binary can go on: stop accepting, and become it. */
static void
stopping_start(struct minetd *mi, const struct precheck_answer *answer)
{
	struct upgrade *up = &mi->upgrade;

	up->conf_fd = answer->conf_follows ? answer_conf(up->answer_fd) :
	    conf_export(mi->edition->conf);
	if (up->conf_fd == -1) {
		upgrade_fail(mi, strerror(errno));
		return;
	}
	notify_send(&mi->notify, "RELOADING=1");
	up->phase = UPGRADE_STOPPING;
	up->looks = 0;
	timer_disarm(loop_timers(mi->loop), &mi->respawn.due);
	if (mi->front != NULL)
		front_retire(mi, mi->front);
}

bool
upgrade_reaped(struct minetd *mi, pid_t pid, int status, struct monotime now)
{
	struct upgrade *up = &mi->upgrade;
	struct precheck_answer answer = { 0 };
	char buf[96];
	const char *why;

	(void)now;
	if (up->checker == 0 || pid != up->checker)
		return false;
	up->checker = 0;
	timer_disarm(loop_timers(mi->loop), &up->due);
	why = answer_check(up, status, &answer, buf, sizeof(buf));
	if (why != NULL)
		upgrade_fail(mi, why);
	else
		stopping_start(mi, &answer);
	return true;
}

/* Whether the path still names the file that was checked. */
static bool
binary_same(const struct minetd *mi)
{
	const struct stat *was = &mi->upgrade.binary;
	struct stat st;

	return stat(mi->options->binary, &st) == 0 &&
	    st.st_dev == was->st_dev && st.st_ino == was->st_ino &&
	    st.st_size == was->st_size &&
	    st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

/* Write the state and become the other image; returns only on failure. */
static void
image_become(struct minetd *mi, const char *path, const char *mode,
    struct handover *ho)
{
	struct state state;
	const char *why;

	resolve_cancel(mi);
	log_flush();
	ho->state_fd = handover_write(mi, ho->conf_fd);
	if (ho->state_fd == -1)
		return;
	why = handover_read(ho->state_fd, &state);
	if (why == NULL) {
		starter_keep_capabilities(&mi->starter);
		handover_exec(ho, &state, path, mode,
		    mi->starter.environment);
		int saved = errno;
		starter_drop_capabilities(&mi->starter);
		state_fini(&state);
		errno = saved;
	} else {
		errno = EINVAL;
	}
	int saved = errno;
	close(ho->state_fd);
	errno = saved;
}

static void
image_next(struct minetd *mi, struct monotime now)
{
	struct upgrade *up = &mi->upgrade;

	if (!binary_same(mi)) {
		upgrade_fail(mi, "it was replaced after it had been checked");
		front_respawn(mi, now);
		return;
	}

	struct handover ho = {
		.conf_fd = up->conf_fd,
		.exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC),
		.back_conf_fd = conf_export(mi->edition->conf),
	};
	char reason[128];

	if (ho.exe_fd != -1 && ho.back_conf_fd != -1)
		image_become(mi, mi->options->binary, HANDOVER_TAKE, &ho);
	snprintf(reason, sizeof(reason), "it cannot be executed: %s",
	    strerror(errno));
	fd_close(&ho.exe_fd);
	fd_close(&ho.back_conf_fd);
	upgrade_fail(mi, reason);
	front_respawn(mi, now);
}

/*
 * Wait for children that still use our memory, and for connections that wait
 * for one; true when none is left.
 */
static bool
children_settled(struct minetd *mi, struct monotime now)
{
	struct upgrade *up = &mi->upgrade;

	if (mi->kept == 0 && (spawner_count_unreported(mi->spawner) == 0 ||
	    up->looks >= LOOKS_MAX))
		return true;
	/* Other wake-ups are no looks: there may be many in a millisecond. */
	if (up->due.armed)
		return false;
	if (mi->kept == 0 && up->looks++ == LOOKS_BEFORE_KILL)
		spawner_kill_unreported(mi->spawner);
	timer_arm(loop_timers(mi->loop), &up->due,
	    monotime_add_msec(now, LOOK_MSEC));
	return false;
}

/* The new frontend cannot serve: the image before can. */
static void
image_back(struct minetd *mi, struct monotime now)
{
	struct upgrade *up = &mi->upgrade;
	struct handover ho = {
		.conf_fd = up->undo_conf_fd,
		.exe_fd = up->undo_exe_fd,
		.back_conf_fd = -1,
	};

	image_become(mi, NULL, HANDOVER_BACK, &ho);
	upgrade_fail(mi, "the new frontend has died, and the old binary "
	    "cannot be executed");
	front_respawn(mi, now);
}

void
upgrade_proceed(struct minetd *mi, struct monotime now)
{
	struct upgrade *up = &mi->upgrade;

	if (mi->phase != RUN_SERVING)
		return;
	if (up->phase == UPGRADE_RESTORING && mi->front == NULL)
		image_back(mi, now);
	if (up->phase == UPGRADE_IDLE && up->wanted &&
	    mi->reload.phase == RELOAD_IDLE && !mi->reload.wanted)
		check_start(mi, now);
	if (up->phase == UPGRADE_STOPPING && !front_any_stopping(mi) &&
	    !answers_due(mi) && children_settled(mi, now))
		image_next(mi, now);
}

bool
upgrade_settle(struct minetd *mi)
{
	if (mi->upgrade.phase != UPGRADE_RESTORING || mi->front == NULL ||
	    mi->front->state != FRONT_SERVING)
		return false;
	upgrade_log(mi, true, MINETD_VERSION);
	upgrade_end(mi);
	return true;
}

void
upgrade_cancel(struct minetd *mi)
{
	struct upgrade *up = &mi->upgrade;

	up->wanted = false;
	if (up->checker > 0) {
		kill(up->checker, SIGKILL);
		while (waitpid(up->checker, NULL, 0) == -1 && errno == EINTR)
			;
	}
	if (up->phase != UPGRADE_IDLE)
		upgrade_end(mi);
}
