/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From whatever started us to a known state.
 *
 * Signals are blocked and have their default dispositions; none is ignored and
 * none has a handler, so a handler program starts with defaults without any
 * work.  The ones that would end a daemon by default (SIGPIPE, SIGXFSZ) are
 * blocked like the others, and stay pending.
 *
 * The session keyring becomes a new one that whoever possesses it may search
 * but not change: handlers of different services cannot meet in it.
 */

#include "main/starter.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/sys.h"

enum {
	/* For the possessor: view and search (linux/key.h is not exported). */
	KEYRING_PERMISSIONS = 0x01000000 | 0x08000000,
};

/* What rt_sigaction(2) takes; all zero means SIG_DFL, whatever the layout. */
struct disposition {
	uint64_t words[8];
};

/* All signals, also the two that the C library keeps for itself. */
void
starter_block_signals(void)
{
	const struct disposition by_default = { { 0 } };
	uint64_t all = ~UINT64_C(0);

	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, sizeof(all));
	for (int number = 1; number < NSIG; number++)
		sys_call(SYS_rt_sigaction, number, (long)&by_default, 0,
		    sizeof(all));
}

void
starter_unblock_signals(void)
{
	uint64_t none = 0;

	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0,
	    sizeof(none));
}

static int
standard_descriptors_open(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			continue;
		if (open("/dev/null", O_RDWR) != fd)
			return -1;
	}
	return 0;
}

/* Close what lies before fd, from *next on. */
static void
gap_close(unsigned *next, unsigned fd)
{
	if (fd > *next)
		close_range(*next, fd - 1, 0);
	*next = fd + 1;
}

int
starter_enter(struct inherited *inherited, int keep_fd)
{
	unsigned next = STDERR_FILENO + 1;
	bool kept = keep_fd > STDERR_FILENO;

	if (standard_descriptors_open() == -1 ||
	    (kept && fcntl(keep_fd, F_SETFD, FD_CLOEXEC) == -1) ||
	    inherited_take(inherited, keep_fd) == -1)
		return -1;
	for (uint32_t i = 0; i < inherited->count; i++) {
		int fd = inherited->items[i].fd;

		if (kept && keep_fd < fd) {
			gap_close(&next, (unsigned)keep_fd);
			kept = false;
		}
		gap_close(&next, (unsigned)fd);
	}
	if (kept)
		gap_close(&next, (unsigned)keep_fd);
	return close_range(next, ~0U, 0);
}

static void
timers_disarm(void)
{
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &none, NULL);
	setitimer(ITIMER_VIRTUAL, &none, NULL);
	setitimer(ITIMER_PROF, &none, NULL);
}

/*
 * Handlers are ordinary processes.  A daemon that was made a real-time one
 * stays that itself: the kernel resets the class of its children, but not
 * their timer slack.  Returns whether it is one.
 */
static bool
scheduling_reset(void)
{
	struct sched_param param = { 0 };
	int policy = sched_getscheduler(0);

	if (policy != SCHED_FIFO && policy != SCHED_RR) {
		sched_setscheduler(0, SCHED_OTHER, &param);
		return false;
	}
	if (sched_getparam(0, &param) == 0)
		sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param);
	return true;
}

static int
number_read(const char *path, int missing)
{
	FILE *file = fopen(path, "re");
	int number;

	if (file == NULL)
		return missing;
	if (fscanf(file, "%d", &number) != 1)
		number = missing;
	fclose(file);
	return number;
}

/*
 * A daemon is not to be the first that the kernel kills.  Whoever may lower the
 * score lowers it for handlers, too; who may not leaves it to both.
 */
static int
oom_score_lower(void)
{
	static const char path[] = "/proc/self/oom_score_adj";
	int score = number_read(path, 0);
	int fd;

	if (score <= 0)
		return score;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return score;
	if (write(fd, "0", 1) == 1)
		score = 0;
	close(fd);
	return score;
}

static int
inheritable_clear(void)
{
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		capng_update(CAPNG_DROP, CAPNG_INHERITABLE, cap);
	return capng_apply(CAPNG_SELECT_CAPS);
}

static int
capabilities_reset(struct starter *st)
{
	if (capng_get_caps_process() != 0) {
		errno = EPERM;
		return -1;
	}
	st->may_change_user =
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID);
	st->may_lower_oom =
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_RESOURCE);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (inheritable_clear() != 0) {
		errno = EPERM;
		return -1;
	}
	/* Only a privileged starter can have set them, and only such a one
	 * can reset them. */
	prctl(PR_SET_SECUREBITS, SECUREBITS_DEFAULT, 0, 0, 0);
	return 0;
}

static void
keyring_replace(void)
{
	long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);

	if (ring != -1)
		syscall(SYS_keyctl, KEYCTL_SETPERM, ring, KEYRING_PERMISSIONS);
}

/* What we were started with; started with none, there may be no list at all. */
static char *const *
environment_found(void)
{
	static char *const none[] = { NULL };

	return environ != NULL ? environ : none;
}

int
starter_reset(struct starter *st)
{
	st->environment = environment_found();
	st->uid = geteuid();
	st->gid = getegid();
	st->nice = getpriority(PRIO_PROCESS, 0);
	st->oom_score_adj = oom_score_lower();
	if (getrlimit(RLIMIT_NOFILE, &st->nofile) == -1 ||
	    capabilities_reset(st) == -1)
		return -1;
	umask(022);
	/* No input/output class, for handlers as for us. */
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0);
	timers_disarm();
	st->real_time = scheduling_reset();
	keyring_replace();
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	return chdir("/");
}

void
starter_resume(struct starter *st)
{
	st->environment = environment_found();
	st->uid = geteuid();
	st->gid = getegid();
	starter_drop_capabilities(st);
}

/* Root has its capabilities back after execve(2) without being given any. */
void
starter_keep_capabilities(const struct starter *st)
{
	if (st->uid == 0 || capng_get_caps_process() != 0)
		return;
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (capng_have_capability(CAPNG_PERMITTED, cap))
			capng_update(CAPNG_ADD, CAPNG_INHERITABLE, cap);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return;
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (capng_have_capability(CAPNG_PERMITTED, (unsigned)cap))
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
}

void
starter_drop_capabilities(const struct starter *st)
{
	if (st->uid == 0 || capng_get_caps_process() != 0)
		return;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	inheritable_clear();
}

bool
starter_raise_nofile(struct starter *st, uint64_t count)
{
	struct rlimit own;

	if (getrlimit(RLIMIT_NOFILE, &own) == -1)
		return false;
	if (own.rlim_cur >= count)
		return true;

	struct rlimit higher = { count, count > own.rlim_max ? count :
	    own.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &higher) == -1) {
		/* Who may not raise the hard limit goes as far as that. */
		higher = (struct rlimit){ own.rlim_max, own.rlim_max };
		if (setrlimit(RLIMIT_NOFILE, &higher) == -1)
			return false;
	}
	st->nofile_raised = true;
	return higher.rlim_cur >= count;
}
