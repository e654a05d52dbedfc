/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A handler that reports what it was started with.
 *
 *	probe [report]		all of this, a "key=value" a line, to fd 1
 *	probe regain		the report of attempts to become root again
 *	probe sockopts		the options of fd 0 alone
 *	probe sockopts tcp4|tcp6|unix
 *				those of a connection to itself, the kernel's
 *				defaults, to compare with
 *	probe fds		the lines of the open descriptors alone
 *	probe owner		read a line, then the descriptors again: the
 *				other side has had time to change them
 *	probe nonblock		set O_NONBLOCK and O_ASYNC on fd 0, end
 *	probe hold		print "pid N", read to EOF, print "bye"
 *	probe exit N		print "exiting", exit with N
 *	probe signal N		print "dying", die from signal N
 *	probe stop		print "pid N", stop itself, then as hold
 *	probe deaf		as hold, ignoring TERM
 *	probe grandchild	leave the connection to a child, until EOF
 *	probe spin MSEC		use the processor, then end
 *	probe eat MIB		touch that much memory, then end
 *
 * Values of several words are lists, sorted where the kernel's order says
 * nothing.
 */

#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

extern char **environ;

static const char *
error_name(int error)
{
	const char *name = strerrorname_np(error);
	return name != NULL ? name : "?";
}

/* "0" when the call succeeded, the name of errno otherwise. */
static const char *
outcome(long result)
{
	return result == -1 ? error_name(errno) : "0";
}

/* Descriptors */

static void
report_fd(int fd)
{
	char path[64], target[256] = "?";
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n != -1)
		target[n] = '\0';
	int flags = fcntl(fd, F_GETFL);
	int fdflags = fcntl(fd, F_GETFD);
	if (flags == -1)
		return;
	printf("fd.%d=%s\n", fd, target);
	printf("fd.%d.access=%d\n", fd, flags & O_ACCMODE);
	printf("fd.%d.nonblock=%d\n", fd, (flags & O_NONBLOCK) != 0);
	printf("fd.%d.async=%d\n", fd, (flags & O_ASYNC) != 0);
	printf("fd.%d.append=%d\n", fd, (flags & O_APPEND) != 0);
	printf("fd.%d.cloexec=%d\n", fd, (fdflags & FD_CLOEXEC) != 0);
	printf("fd.%d.owner=%d\n", fd, fcntl(fd, F_GETOWN));
	printf("fd.%d.signal=%d\n", fd, fcntl(fd, F_GETSIG));
}

/* /proc is missing behind chroot: try numbers instead. */
static int
list_fds(int *fds, int max)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	for (int fd = 0; dir == NULL && fd < 65536 && count < max; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			fds[count++] = fd;
	if (dir == NULL)
		return count;
	for (struct dirent *de; (de = readdir(dir)) != NULL;) {
		int fd = atoi(de->d_name);
		if (de->d_name[0] != '.' && fd != dirfd(dir) && count < max)
			fds[count++] = fd;
	}
	closedir(dir);
	return count;
}

static void
report_fds(void)
{
	int fds[1024];
	int count = list_fds(fds, 1024);
	printf("fds=");
	for (int i = 0; i < count; i++)
		printf("%s%d", i > 0 ? " " : "", fds[i]);
	printf("\n");
	for (int i = 0; i < count; i++)
		report_fd(fds[i]);
}

/* Options of the socket */

struct option {
	const char *name;
	int level;
	int number;
};

static const struct option any_options[] = {
	{ "BROADCAST", SOL_SOCKET, SO_BROADCAST },
	{ "BUF_LOCK", SOL_SOCKET, SO_BUF_LOCK },
	{ "BUSY_POLL", SOL_SOCKET, SO_BUSY_POLL },
	{ "DEBUG", SOL_SOCKET, SO_DEBUG },
	{ "DONTROUTE", SOL_SOCKET, SO_DONTROUTE },
	{ "KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE },
	{ "LOCK_FILTER", SOL_SOCKET, SO_LOCK_FILTER },
	{ "MARK", SOL_SOCKET, SO_MARK },
	{ "NOFCS", SOL_SOCKET, SO_NOFCS },
	{ "OOBINLINE", SOL_SOCKET, SO_OOBINLINE },
	{ "PASSCRED", SOL_SOCKET, SO_PASSCRED },
	{ "PASSSEC", SOL_SOCKET, SO_PASSSEC },
	{ "PEEK_OFF", SOL_SOCKET, SO_PEEK_OFF },
	{ "PRIORITY", SOL_SOCKET, SO_PRIORITY },
	{ "RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT },
	{ "REUSEPORT", SOL_SOCKET, SO_REUSEPORT },
	{ "RXQ_OVFL", SOL_SOCKET, SO_RXQ_OVFL },
	{ "SELECT_ERR_QUEUE", SOL_SOCKET, SO_SELECT_ERR_QUEUE },
	{ "TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP },
	{ "TIMESTAMPING", SOL_SOCKET, SO_TIMESTAMPING },
	{ "ZEROCOPY", SOL_SOCKET, SO_ZEROCOPY },
};

static const struct option tcp_options[] = {
	{ "TCP_CORK", IPPROTO_TCP, TCP_CORK },
	{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ "TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN },
	{ "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT },
	{ "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE },
	{ "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL },
	{ "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2 },
	{ "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY },
	{ "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ "TCP_SAVE_SYN", IPPROTO_TCP, TCP_SAVE_SYN },
	{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT },
};

static const struct option ip_options[] = {
	{ "IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
	{ "IP_FREEBIND", IPPROTO_IP, IP_FREEBIND },
	{ "IP_MINTTL", IPPROTO_IP, IP_MINTTL },
	{ "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER },
	{ "IP_PKTINFO", IPPROTO_IP, IP_PKTINFO },
	{ "IP_RECVERR", IPPROTO_IP, IP_RECVERR },
	{ "IP_TOS", IPPROTO_IP, IP_TOS },
	{ "IP_TRANSPARENT", IPPROTO_IP, IP_TRANSPARENT },
	{ "IP_TTL", IPPROTO_IP, IP_TTL },
};

static const struct option ip6_options[] = {
	{ "IPV6_RECVERR", IPPROTO_IPV6, IPV6_RECVERR },
	{ "IPV6_RECVPKTINFO", IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS },
	{ "IPV6_TRANSPARENT", IPPROTO_IPV6, IPV6_TRANSPARENT },
	{ "IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS },
};

static void
report_options(int fd, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int value = 0;
		socklen_t len = sizeof(value);
		if (getsockopt(fd, options[i].level, options[i].number, &value,
		    &len) == -1)
			printf("so.%s=%s\n", options[i].name,
			    error_name(errno));
		else
			printf("so.%s=%d\n", options[i].name, value);
	}
}

/* The size of a buffer is what the kernel likes, unless it was set. */
static void
report_buffers(int fd)
{
	int sizes[2], lock = 0;
	socklen_t len = sizeof(lock);

	getsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &lock, &len);
	len = sizeof(sizes[0]);
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sizes[0], &len);
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[1], &len);
	if ((lock & 1) != 0)
		printf("so.SNDBUF=%d\n", sizes[0]);
	if ((lock & 2) != 0)
		printf("so.RCVBUF=%d\n", sizes[1]);
}

static void
report_timeout(int fd, const char *name, int number)
{
	struct timeval tv = { 0, 0 };
	socklen_t len = sizeof(tv);
	getsockopt(fd, SOL_SOCKET, number, &tv, &len);
	printf("so.%s=%ld.%06ld\n", name, (long)tv.tv_sec, (long)tv.tv_usec);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
report_sockopts(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1) {
		printf("so=%s\n", error_name(errno));
		return;
	}
	int type = 0;
	len = sizeof(type);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	printf("so.DOMAIN=%d\nso.TYPE=%d\n", domain, type);
	struct linger linger = { 0, 0 };
	len = sizeof(linger);
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	printf("so.LINGER=%d,%d\n", linger.l_onoff, linger.l_linger);
	report_timeout(fd, "RCVTIMEO", SO_RCVTIMEO);
	report_timeout(fd, "SNDTIMEO", SO_SNDTIMEO);
	report_options(fd, any_options, COUNT(any_options));
	report_buffers(fd);
	if (domain == AF_UNIX)
		return;
	report_options(fd, tcp_options, COUNT(tcp_options));
	report_options(fd, ip_options, COUNT(ip_options));
	char algorithm[32] = "";
	len = sizeof(algorithm);
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm, &len);
	printf("so.TCP_CONGESTION=%s\n", algorithm);
	char interface[32] = "";
	len = sizeof(interface);
	getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, &len);
	printf("so.BINDTODEVICE=%s\n", interface);
	if (domain == AF_INET6)
		report_options(fd, ip6_options, COUNT(ip6_options));
}

/* The accepted end of a connection over a listener with no options at all. */
static int
plain_connection(int domain)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} addr = { .sa = { .sa_family = (sa_family_t)domain } };
	socklen_t len = domain == AF_UNIX ? sizeof(sa_family_t) :
	    domain == AF_INET6 ? sizeof(addr.in6) : sizeof(addr.in);
	if (domain == AF_INET)
		addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (domain == AF_INET6)
		addr.in6.sin6_addr = in6addr_loopback;
	int listener = socket(domain, SOCK_STREAM, 0);
	int client = socket(domain, SOCK_STREAM, 0);
	if (listener == -1 || client == -1 ||
	    bind(listener, &addr.sa, len) == -1 || listen(listener, 1) == -1)
		err(1, "listener");
	len = sizeof(addr);
	if (getsockname(listener, &addr.sa, &len) == -1 ||
	    connect(client, &addr.sa, len) == -1)
		err(1, "connect");
	int fd = accept(listener, NULL, NULL);
	if (fd == -1)
		err(1, "accept");
	return fd;
}

static int
run_sockopts(const char *domain)
{
	if (domain == NULL)
		report_sockopts(0);
	else if (strcmp(domain, "unix") == 0)
		report_sockopts(plain_connection(AF_UNIX));
	else if (strcmp(domain, "tcp6") == 0)
		report_sockopts(plain_connection(AF_INET6));
	else
		report_sockopts(plain_connection(AF_INET));
	return 0;
}

/* The process */

/* Lines of /proc/self/status, "Name:\tvalue", as status.Name=value. */
static void
report_status(void)
{
	static const char *const wanted[] = {
		"Name", "Umask", "TracerPid", "Uid", "Gid", "SigPnd", "ShdPnd",
		"SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff",
		"CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
		"Cpus_allowed_list", "Mems_allowed_list", "Threads",
	};
	FILE *file = fopen("/proc/self/status", "re");
	char line[4096];
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *value = strchr(line, ':');
		if (value == NULL)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		for (char *p = value; *p != '\0'; p++)
			if (*p == '\t')
				*p = ' ';
		for (size_t i = 0; i < COUNT(wanted); i++)
			if (strcmp(line, wanted[i]) == 0)
				printf("status.%s=%s\n", line, value);
	}
	if (file != NULL)
		fclose(file);
}

/* What the C library says, all signals; also without /proc. */
static void
report_signals(void)
{
	sigset_t mask, pending;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigpending(&pending);
	printf("signals.not_default=");
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		struct sigaction sa;
		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			printf("%d ", sig);
	}
	printf("\nsignals.blocked=");
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigismember(&mask, sig) == 1)
			printf("%d ", sig);
	printf("\nsignals.pending=");
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigismember(&pending, sig) == 1)
			printf("%d ", sig);
	printf("\n");
}

static void
report_timers(void)
{
	static const char *const names[] = { "real", "virtual", "prof" };
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
		struct itimerval it;
		getitimer(which, &it);
		printf("itimer.%s=%ld.%06ld,%ld.%06ld\n", names[which],
		    (long)it.it_value.tv_sec, (long)it.it_value.tv_usec,
		    (long)it.it_interval.tv_sec, (long)it.it_interval.tv_usec);
	}
	FILE *file = fopen("/proc/self/timers", "re");
	int ch = file != NULL ? getc(file) : EOF;
	printf("posix_timers=%s\n", ch == EOF ? "none" : "some");
	if (file != NULL)
		fclose(file);
}

static int
compare_ids(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;
	return (x > y) - (x < y);
}

static void
report_ids(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[256];
	getresuid(&ruid, &euid, &suid);
	getresgid(&rgid, &egid, &sgid);
	printf("uid=%u,%u,%u,%d\n", ruid, euid, suid, setfsuid((uid_t)-1));
	printf("gid=%u,%u,%u,%d\n", rgid, egid, sgid, setfsgid((gid_t)-1));
	int count = getgroups(256, groups);
	qsort(groups, count > 0 ? (size_t)count : 0, sizeof(groups[0]),
	    compare_ids);
	printf("groups=");
	for (int i = 0; i < count; i++)
		printf("%s%u", i > 0 ? " " : "", groups[i]);
	printf("\n");
}

static void
report_link(const char *key, const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n == -1)
		printf("%s=%s\n", key, error_name(errno));
	else
		printf("%s=%.*s\n", key, (int)n, target);
}

static void
report_place(void)
{
	char cwd[4096];
	printf("cwd=%s\n",
	    getcwd(cwd, sizeof(cwd)) != NULL ? cwd : error_name(errno));
	report_link("root", "/proc/self/root");
	mode_t mask = umask(0);
	umask(mask);
	printf("umask=%03o\n", mask);
	static const char *const spaces[] = {
		"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts",
	};
	for (size_t i = 0; i < COUNT(spaces); i++) {
		char key[32], path[64];
		snprintf(key, sizeof(key), "ns.%s", spaces[i]);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
		report_link(key, path);
	}
	report_link("exe", "/proc/self/exe");
}

static void
report_session(void)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	printf("tty=%s\n", tty == -1 ? error_name(errno) : "yes");
	if (tty != -1)
		close(tty);
	printf("pid=%d\nppid=%d\n", getpid(), getppid());
	printf("session_leader=%d\n", getsid(0) == getpid());
	printf("group_leader=%d\n", getpgrp() == getpid());
	FILE *file = fopen("/proc/self/stat", "re");
	char line[4096] = "";
	int tty_nr = -1;
	if (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *end = strrchr(line, ')');
		if (end != NULL)
			sscanf(end + 1, " %*c %*d %*d %*d %d", &tty_nr);
	}
	if (file != NULL)
		fclose(file);
	printf("tty_nr=%d\n", tty_nr);
}

static void
report_limits(void)
{
	static const char *const names[RLIM_NLIMITS] = {
		[RLIMIT_AS] = "as", [RLIMIT_CORE] = "core",
		[RLIMIT_CPU] = "cpu", [RLIMIT_DATA] = "data",
		[RLIMIT_FSIZE] = "fsize", [RLIMIT_LOCKS] = "locks",
		[RLIMIT_MEMLOCK] = "memlock", [RLIMIT_MSGQUEUE] = "msgqueue",
		[RLIMIT_NICE] = "nice", [RLIMIT_NOFILE] = "nofile",
		[RLIMIT_NPROC] = "nproc", [RLIMIT_RSS] = "rss",
		[RLIMIT_RTPRIO] = "rtprio", [RLIMIT_RTTIME] = "rttime",
		[RLIMIT_SIGPENDING] = "sigpending", [RLIMIT_STACK] = "stack",
	};
	for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
		struct rlimit limit;
		getrlimit((__rlimit_resource_t)i, &limit);
		printf("limit.%s=%jd:%jd\n", names[i],
		    limit.rlim_cur == RLIM_INFINITY ? (intmax_t)-1 :
		    (intmax_t)limit.rlim_cur,
		    limit.rlim_max == RLIM_INFINITY ? (intmax_t)-1 :
		    (intmax_t)limit.rlim_max);
	}
}

static void
report_scheduling(void)
{
	struct sched_param param = { .sched_priority = -1 };
	errno = 0;
	printf("nice=%d\n", getpriority(PRIO_PROCESS, 0));
	printf("sched.policy=%d\n", sched_getscheduler(0));
	sched_getparam(0, &param);
	printf("sched.priority=%d\n", param.sched_priority);
	printf("ioprio=%ld\n", syscall(SYS_ioprio_get, 1, 0));
	printf("timerslack=%d\n", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	char text[32] = "?";
	FILE *file = fopen("/proc/self/oom_score_adj", "re");
	if (file != NULL) {
		if (fgets(text, sizeof(text), file) == NULL)
			text[0] = '\0';
		text[strcspn(text, "\n")] = '\0';
		fclose(file);
	}
	printf("oom_score_adj=%s\n", text);
}

static void
report_flags(void)
{
	int signal_number = -1, subreaper = -1;
	prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0);
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
	printf("pdeathsig=%d\nsubreaper=%d\n", signal_number, subreaper);
	printf("dumpable=%d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	printf("keepcaps=%d\n", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
	printf("securebits=%d\n", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	printf("no_new_privs=%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("seccomp=%d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	printf("thp_disable=%d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	printf("personality=%d\n", personality(0xffffffff));
	long ring = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 0);
	printf("session_keyring=%ld\n", ring);
	long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
	    "user", "minetd-test-secret", 0);
	printf("session_secret=%s\n", outcome(key));
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
report_environment(void)
{
	size_t count = 0;
	while (environ[count] != NULL)
		count++;
	qsort(environ, count, sizeof(environ[0]), compare_strings);
	for (size_t i = 0; i < count; i++)
		printf("env %s\n", environ[i]);
}

/* Locks of files that are in this process's name. */
static void
report_locks(void)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[512];
	int count = 0;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		int pid = 0;
		sscanf(line, "%*s %*s %*s %*s %d", &pid);
		count += pid == getpid();
	}
	if (file != NULL)
		fclose(file);
	printf("locks=%d\n", count);
}

static int
run_report(int argc, char **argv)
{
	report_fds();
	report_sockopts(0);
	report_status();
	report_signals();
	report_timers();
	report_ids();
	report_place();
	report_session();
	report_limits();
	report_scheduling();
	report_flags();
	report_locks();
	for (int i = 0; i < argc; i++)
		printf("argv.%d=%s\n", i, argv[i]);
	report_environment();
	printf("end=\n");
	return 0;
}

/* Each attempt that must fail for a handler of an unprivileged user. */
static int
run_regain(void)
{
	gid_t root = 0;
	printf("regain.setuid=%s\n", outcome(setuid(0)));
	printf("regain.seteuid=%s\n", outcome(seteuid(0)));
	printf("regain.setreuid=%s\n", outcome(setreuid(0, 0)));
	printf("regain.setresuid=%s\n", outcome(setresuid(0, 0, 0)));
	printf("regain.setgid=%s\n", outcome(setgid(0)));
	printf("regain.setegid=%s\n", outcome(setegid(0)));
	printf("regain.setresgid=%s\n", outcome(setresgid(0, 0, 0)));
	printf("regain.setgroups=%s\n", outcome(setgroups(1, &root)));
	setfsuid(0);
	setfsgid(0);
	printf("regain.chroot=%s\n", outcome(chroot("/")));
	printf("regain.ambient=%s\n",
	    outcome(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0)));
	report_ids();
	printf("end=\n");
	return 0;
}

/* Ways to behave */

static void
say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

static void
read_to_eof(void)
{
	char buf[4096];
	while (read(0, buf, sizeof(buf)) > 0)
		;
}

static int
run_hold(bool deaf, bool stop)
{
	if (deaf)
		signal(SIGTERM, SIG_IGN);
	printf("pid %d\n", getpid());
	fflush(stdout);
	if (stop)
		raise(SIGSTOP);
	read_to_eof();
	say("bye");
	return 0;
}

static int
run_nonblock(void)
{
	fcntl(0, F_SETOWN, getpid());
	signal(SIGIO, SIG_IGN);
	say(outcome(fcntl(0, F_SETFL, O_NONBLOCK | O_ASYNC)));
	return 0;
}

static int
run_owner(void)
{
	char buf[16];
	if (read(0, buf, sizeof(buf)) == -1)
		return 1;
	report_fds();
	return 0;
}

static int
run_grandchild(void)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid == -1;
	read_to_eof();
	say("grandchild");
	return 0;
}

static int
run_spin(int msec)
{
	struct timespec used;
	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	} while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < msec);
	say("spun");
	return 0;
}

static int
run_eat(int mebibytes)
{
	size_t size = (size_t)mebibytes << 20;
	char *memory = malloc(size);
	if (memory == NULL)
		err(1, "malloc");
	memset(memory, 1, size);
	printf("ate %d\n", memory[size / 2] + mebibytes - 1);
	return 0;
}

static int
run_signal(int number)
{
	say("dying");
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	raise(number);
	return 0;
}

static int
run_exit(int status)
{
	say("exiting");
	return status;
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "report";
	const char *arg = argc > 2 ? argv[2] : NULL;
	int number = arg != NULL ? atoi(arg) : 0;

	if (strcmp(verb, "report") == 0)
		return run_report(argc, argv);
	if (strcmp(verb, "regain") == 0)
		return run_regain();
	if (strcmp(verb, "sockopts") == 0)
		return run_sockopts(arg);
	if (strcmp(verb, "fds") == 0)
		return report_fds(), 0;
	if (strcmp(verb, "owner") == 0)
		return run_owner();
	if (strcmp(verb, "nonblock") == 0)
		return run_nonblock();
	if (strcmp(verb, "hold") == 0)
		return run_hold(false, false);
	if (strcmp(verb, "deaf") == 0)
		return run_hold(true, false);
	if (strcmp(verb, "stop") == 0)
		return run_hold(false, true);
	if (strcmp(verb, "grandchild") == 0)
		return run_grandchild();
	if (strcmp(verb, "exit") == 0)
		return run_exit(number);
	if (strcmp(verb, "signal") == 0)
		return run_signal(number);
	if (strcmp(verb, "spin") == 0)
		return run_spin(number);
	if (strcmp(verb, "eat") == 0)
		return run_eat(number);
	/* Any other arguments are there to be reported. */
	return run_report(argc, argv);
}
