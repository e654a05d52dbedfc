/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The walls around the frontend, each of which would do alone.
 *
 * The empty root directory is one that is removed before it is entered: no
 * file can ever be made in it, and nothing of it remains.  Landlock refuses
 * every access to files, and the seccomp filter has no call that takes a path.
 * A call outside the filter kills the process, which main notices and replaces.
 *
 * A sanitised build keeps its system calls, since the sanitiser's own run-time
 * would die of the filter.
 */

#include "frontend/confine.h"

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/pipes.h"

#ifdef MINETD_SANITIZED
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

/* Every right of the first Landlock version: to refuse is always possible. */
static const uint64_t landlock_refused = LANDLOCK_ACCESS_FS_EXECUTE |
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/* What the loop, the channel, accept, pipes and malloc need. */
static const int allowed_calls[] = {
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(accept4), SCMP_SYS(close), SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(shutdown), SCMP_SYS(splice),
	SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(sendto), SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(sysinfo),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Levels and numbers of setsockopt(2): rest.c and datagram.c. */
static const int allowed_options[][2] = {
	{ SOL_SOCKET, SO_TIMESTAMPNS },
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IP, IP_RECVTTL },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
};

static int
limits_set(void)
{
	struct rlimit nofile;
	const struct rlimit none = { 0, 0 };

	if (getrlimit(RLIMIT_NOFILE, &nofile) == -1)
		return -1;
	nofile.rlim_cur = nofile.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &nofile) == -1)
		return -1;
	return setrlimit(RLIMIT_CORE, &none);
}

/* Open a new directory that is already removed. */
static int
empty_directory(void)
{
	static const char *const parents[] = { "/run", "/tmp", "/dev/shm" };

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		char path[64];

		strlcpy(path, parents[i], sizeof(path));
		strlcat(path, "/minetd.XXXXXX", sizeof(path));
		if (mkdtemp(path) == NULL)
			continue;

		int fd = open(path, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (rmdir(path) == 0 && fd != -1)
			return fd;
		if (fd != -1)
			close(fd);
	}
	return -1;
}

static int
root_change(void)
{
	int fd = empty_directory();

	if (fd == -1)
		return -1;

	int rc = fchdir(fd) == 0 && chroot(".") == 0 ? chdir("/") : -1;
	int saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

static int
identity_change(uint32_t uid, uint32_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	capng_flags_t flags = CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_AMBIENT;

	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		flags |= CAPNG_CLEAR_BOUNDING;
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_change_id((int)uid, (int)gid, flags) != 0) {
		errno = EPERM;
		return -1;
	}
	if (getresuid(&uids[0], &uids[1], &uids[2]) == -1 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) == -1)
		return -1;
	for (int i = 0; i < 3; i++) {
		if (uids[i] != uid || gids[i] != gid || uid == 0) {
			errno = EPERM;
			return -1;
		}
	}
	return 0;
}

/* Also what an ordinary user may have been given as ambient capabilities. */
static int
capabilities_drop(void)
{
	capng_clear(CAPNG_SELECT_CAPS);
	capng_clear(CAPNG_SELECT_AMBIENT);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    capng_get_caps_process() != 0 ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
privileges_end(void)
{
	/* Also when this process is stopped and cannot see the channel end.
	 * A change of identity clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int
landlock_enforce(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = landlock_refused,
	};
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
	    0);

	if (fd == -1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;

	int rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	int saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/* What is allowed if the low halves of two arguments are these. */
struct allowed_pair {
	int call;
	unsigned index;		/* of the first; the other is the next one */
	int values[2];
};

/* What relaying needs, and nothing else of these calls. */
static const struct allowed_pair allowed_pairs[] = {
	{ SCMP_SYS(fcntl), 1, { F_SETFL, O_NONBLOCK } },
	{ SCMP_SYS(fcntl64), 1, { F_SETFL, O_NONBLOCK } },
	{ SCMP_SYS(fcntl), 1, { F_SETPIPE_SZ, PIPES_LARGE } },
	{ SCMP_SYS(fcntl64), 1, { F_SETPIPE_SZ, PIPES_LARGE } },
	{ SCMP_SYS(setsockopt), 1, { SOL_SOCKET, SO_LINGER } },
	{ SCMP_SYS(setsockopt), 1, { IPPROTO_TCP, TCP_NODELAY } },
};

static struct scmp_arg_cmp
low_half(unsigned index, int value)
{
	return SCMP_CMP64(index, SCMP_CMP_MASKED_EQ, 0xffffffff,
	    (uint32_t)value);
}

static int
relay_add_rules(scmp_filter_ctx filter)
{
	size_t n = sizeof(allowed_pairs) / sizeof(allowed_pairs[0]);
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(pipe2), 1,
	    low_half(1, O_CLOEXEC | O_NONBLOCK));

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct allowed_pair *pair = &allowed_pairs[i];

		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, pair->call, 2,
		    low_half(pair->index, pair->values[0]),
		    low_half(pair->index + 1, pair->values[1]));
	}
	return rc;
}

/* Streams over IP: no other socket can be made, nor one that listens. */
static int
connect_add_rules(scmp_filter_ctx filter)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);

	for (size_t i = 0; i < 2 && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket),
		    3, low_half(0, families[i]),
		    low_half(1, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC),
		    low_half(2, 0));
	return rc;
}

static int
filter_add_rules(scmp_filter_ctx filter, bool connects)
{
	size_t n = sizeof(allowed_calls) / sizeof(allowed_calls[0]);
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_API_TSKIP, 1);

	/* No call at all: what a tracer makes of one that it skips. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, -1, 0);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i],
		    0);
	for (size_t i = 0; i < sizeof(allowed_options) /
	    sizeof(allowed_options[0]) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(setsockopt), 2, SCMP_A1(SCMP_CMP_EQ,
		    (scmp_datum_t)allowed_options[i][0]), SCMP_A2(SCMP_CMP_EQ,
		    (scmp_datum_t)allowed_options[i][1]));
	/* Of terminals, which mode they are in. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl),
		    1, SCMP_A1(SCMP_CMP_EQ, TCGETS));
	/* malloc maps memory; nothing else may be mapped. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		    SCMP_A4(SCMP_CMP_MASKED_EQ, 0xffffffff, 0xffffffff));
	if (rc == 0)
		rc = relay_add_rules(filter);
	if (rc == 0 && connects)
		rc = connect_add_rules(filter);
	return rc;
}

static int
filter_load(bool connects)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (filter == NULL) {
		errno = ENOMEM;
		return -1;
	}

	int rc = filter_add_rules(filter, connects);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc == -EOPNOTSUPP || rc == -ENOSYS || rc == 0)
		return 0;
	errno = -rc;
	return -1;
}

enum confine_step
confine(uint32_t uid, uint32_t gid, bool connects)
{
	if (capng_get_caps_process() != 0)
		return CONFINE_CAPABILITIES;

	bool may_chroot = capng_have_capability(CAPNG_EFFECTIVE,
	    CAP_SYS_CHROOT);
	bool may_change = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID);
	if (limits_set() == -1)
		return CONFINE_LIMITS;
	if (may_chroot && root_change() == -1)
		return CONFINE_ROOT;
	if (may_change && identity_change(uid, gid) == -1)
		return CONFINE_IDENTITY;
	if (capabilities_drop() == -1)
		return CONFINE_CAPABILITIES;
	if (privileges_end() == -1)
		return CONFINE_PRIVILEGES;
	if (!sanitized && landlock_enforce() == -1)
		return CONFINE_LANDLOCK;
	if (!sanitized && filter_load(connects) == -1)
		return CONFINE_SECCOMP;
	return CONFINE_DONE;
}
