/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Execute a program from a process in a bad state.
 *
 *	hostile [-bcrIT] [-f FD:PATH] [-i SIGNAL] [-k TEXT] [-l PATH] [-n FD]
 *	    [-s BITS] [-S NSEC] [-t MSEC] [-u UMASK] -- PROGRAM [ARGUMENT...]
 *
 *	-b	block every signal		-c	close fd 0, 1 and 2
 *	-f	open PATH for writing at FD	-i	ignore SIGNAL ("all")
 *	-I	real-time input/output class	-k	a session keyring with a
 *	-l	open PATH, lock it (flock)		secret of this text
 *	-n	/dev/null at FD			-r	SCHED_FIFO, priority 1
 *	-s	securebits			-S	timer slack
 *	-t	a real-time interval timer, of every MSEC milliseconds
 *	-T	become a session's leader with a controlling terminal
 *	-u	umask, octal
 */

#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	IOPRIO_WHO_PROCESS = 1,
	IOPRIO_REALTIME = 1 << 13 | 4,
};

static bool close_standard;

static void
usage(void)
{
	fprintf(stderr, "usage: hostile [-bcrIT] [-f fd:path] [-i signal] "
	    "[-k text] [-l path]\n    [-n fd] [-s bits] [-S nsec] [-t msec] "
	    "[-u umask] -- program ...\n");
	exit(64);
}

static void
place(int fd, int at)
{
	if (fd == -1)
		err(1, "open");
	if (fd == at)
		return;
	if (dup2(fd, at) == -1)
		err(1, "dup2");
	close(fd);
}

static void
open_at(const char *spec)
{
	char *path;
	int at = (int)strtol(spec, &path, 10);
	if (*path != ':')
		usage();
	place(open(path + 1, O_WRONLY), at);
}

static void
ignore(const char *which)
{
	int only = strcmp(which, "all") == 0 ? 0 : atoi(which);
	/* The kernel's own structure, for signals the C library hides. */
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = { SIG_IGN, 0, NULL, 0 };
	for (int sig = 1; sig <= 64; sig++)
		if (only == 0 || sig == only)
			syscall(SYS_rt_sigaction, sig, &action, NULL, 8);
}

static void
block_all(void)
{
	uint64_t all = ~UINT64_C(0);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
}

static void
keyring(const char *secret)
{
	long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (ring == -1 || syscall(SYS_add_key, "user", "minetd-test-secret",
	    secret, strlen(secret), ring) == -1)
		err(1, "keyring");
	/* Whoever has the keyring has all rights to the key. */
	syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f3f3f3f);
}

static void
timer(const char *text)
{
	int msec = atoi(text);
	struct timeval tv = { msec / 1000, msec % 1000 * 1000 };
	struct itimerval it = { tv, tv };
	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		err(1, "setitimer");
}

static void
realtime(void)
{
	struct sched_param param = { .sched_priority = 1 };
	if (sched_setscheduler(0, SCHED_FIFO, &param) == -1)
		err(1, "sched_setscheduler");
}

/* The other end of the terminal is inherited as well, so that it lives. */
static void
terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		err(1, "terminal");
	const char *name = ptsname(master);
	if (setsid() == -1 && errno != EPERM)
		err(1, "setsid");
	int slave = open(name, O_RDWR);
	if (slave == -1 || ioctl(slave, TIOCSCTTY, 0) == -1)
		err(1, "%s", name);
}

static void
lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0666);
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1)
		err(1, "%s", path);
}

static void
option(int ch, const char *arg)
{
	switch (ch) {
	case 'b':
		block_all();
		break;
	case 'c':
		close_standard = true;
		break;
	case 'f':
		open_at(arg);
		break;
	case 'i':
		ignore(arg);
		break;
	case 'I':
		if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		    IOPRIO_REALTIME) == -1)
			err(1, "ioprio_set");
		break;
	case 'k':
		keyring(arg);
		break;
	case 'l':
		lock(arg);
		break;
	case 'n':
		place(open("/dev/null", O_RDWR), atoi(arg));
		break;
	case 'r':
		realtime();
		break;
	case 's':
		if (prctl(PR_SET_SECUREBITS, atol(arg), 0, 0, 0) == -1)
			err(1, "securebits");
		break;
	case 'S':
		prctl(PR_SET_TIMERSLACK, atol(arg), 0, 0, 0);
		break;
	case 't':
		timer(arg);
		break;
	case 'T':
		terminal();
		break;
	case 'u':
		umask((mode_t)strtol(arg, NULL, 8));
		break;
	default:
		usage();
	}
}

int
main(int argc, char **argv)
{
	int ch;
	while ((ch = getopt(argc, argv, "+bcf:i:Ik:l:n:rs:S:t:Tu:")) != -1)
		option(ch, optarg);
	if (optind == argc)
		usage();
	for (int fd = 0; close_standard && fd <= 2; fd++)
		close(fd);
	execvp(argv[optind], argv + optind);
	return errno == ENOENT ? 127 : 126;
}
