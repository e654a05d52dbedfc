/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A user who does to every new process of its own what the kernel allows.
 *
 *	stopper [-t PID:ADDRESS] stop|kill|peek
 *
 *	stop	SIGSTOP
 *	kill	the signals that end a process or make it dump core, in turn
 *	peek	SIGSTOP, then read at ADDRESS by /proc/PID/mem,
 *		process_vm_readv(2) and ptrace(2), and change limits, timer
 *		slack and the like
 *
 * Processes are found by guessing their numbers, which is faster than any list
 * of them.  Runs until SIGTERM; then prints how many signals arrived and how
 * many reads found something:
 *
 *	signals=N breaches=N
 *
 * ADDRESS is hexadecimal.  With a PID other than 0, peeks once at that process
 * of its own instead: the proof that the means work where they may.
 */

#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	GUESSES = 24,		/* how far to look ahead of the last number */
	MEMORIES_MAX = 900,
	SEEN_MAX = 4096,
};

static volatile sig_atomic_t ended;
static uintptr_t address;
static unsigned long signals_sent, breaches;
static int memories[MEMORIES_MAX];
static size_t memory_count;
static pid_t seen[SEEN_MAX];
static size_t seen_count;

static void
end_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static bool
readable(int memory)
{
	char byte;
	return pread(memory, &byte, 1, (off_t)address) == 1;
}

static void
peek_vm(pid_t pid)
{
	char byte;
	struct iovec local = { &byte, 1 }, remote = { (void *)address, 1 };
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1)
		breaches++;
}

static void
peek_ptrace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1)
		return;
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	errno = 0;
	ptrace(PTRACE_PEEKDATA, pid, (void *)address, NULL);
	if (errno == 0)
		breaches++;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

/*
 * An open memory stays that of the time of opening, also when the process has
 * executed another program since: it is looked at again in the end, when only
 * main's own can still be there.
 */
static void
peek_memory(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	if (readable(fd))
		breaches++;
	if (memory_count < MEMORIES_MAX)
		memories[memory_count++] = fd;
	else
		close(fd);
}

static void
peek(pid_t pid)
{
	struct rlimit limit = { 64, 64 };
	cpu_set_t set;
	peek_memory(pid);
	peek_vm(pid);
	peek_ptrace(pid);
	/* What these change must be the child's alone. */
	prlimit(pid, RLIMIT_NOFILE, &limit, NULL);
	setpriority(PRIO_PROCESS, (id_t)pid, 19);
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(pid, sizeof(set), &set);
}

static bool
first_sight(pid_t pid)
{
	for (size_t i = 0; i < seen_count && i < SEEN_MAX; i++)
		if (seen[i] == pid)
			return false;
	seen[seen_count++ % SEEN_MAX] = pid;
	return true;
}

/* The number that was given out last. */
static pid_t
last_pid(int loadavg)
{
	char text[128];
	ssize_t n = pread(loadavg, text, sizeof(text) - 1, 0);
	if (n <= 0)
		err(1, "/proc/loadavg");
	text[n] = '\0';
	const char *blank = strrchr(text, ' ');
	return blank != NULL ? (pid_t)atoi(blank) : 1;
}

static int
next_signal(void)
{
	static const int numbers[] = { SIGQUIT, SIGSEGV, SIGABRT, SIGTERM,
	    SIGBUS, SIGUSR1, SIGHUP, SIGKILL };
	static unsigned turn;
	return numbers[turn++ % (sizeof(numbers) / sizeof(numbers[0]))];
}

static void
attack(pid_t from, const char *mode)
{
	for (pid_t pid = from - GUESSES; pid < from + GUESSES; pid++) {
		if (pid <= 1 || pid == getpid() || kill(pid, 0) == -1)
			continue;
		if (strcmp(mode, "kill") == 0) {
			signals_sent += kill(pid, next_signal()) == 0;
			continue;
		}
		if (kill(pid, SIGSTOP) == 0 && first_sight(pid)) {
			signals_sent++;
			if (strcmp(mode, "peek") == 0)
				peek(pid);
		}
	}
}

static int
peek_once(const char *target)
{
	char *end;
	pid_t pid = (pid_t)strtol(target, &end, 10);
	if (*end != ':')
		errx(64, "%s: not PID:ADDRESS", target);
	address = (uintptr_t)strtoull(end + 1, NULL, 16);
	if (pid != 0)
		peek(pid);
	return pid != 0;
}

int
main(int argc, char **argv)
{
	int ch;
	bool once = false;
	while ((ch = getopt(argc, argv, "t:")) != -1) {
		if (ch != 't')
			return 64;
		once = peek_once(optarg);
	}
	if (!once) {
		if (optind != argc - 1)
			return 64;
		signal(SIGTERM, end_signal);
		int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
		while (!ended)
			attack(last_pid(loadavg), argv[optind]);
		for (size_t i = 0; i < memory_count; i++)
			breaches += readable(memories[i]);
	}
	printf("signals=%lu breaches=%lu\n", signals_sent, breaches);
	return 0;
}
