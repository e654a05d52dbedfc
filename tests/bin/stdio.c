/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A handler as people write them who think of a terminal: no flush anywhere.
 *
 *	stdio			a prompt, and an answer to each line; at the
 *				end of input, how many there were
 *	stdio terminal		what is known of the terminal, a "key=value" a
 *				line
 *	stdio hangup FILE	print "ready"; a hang-up is noted in FILE
 */

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int
run_dialogue(void)
{
	char line[256];
	int lines = 0;

	for (;;) {
		printf("name? ");
		if (fgets(line, sizeof(line), stdin) == NULL)
			break;
		printf("hello %s", line);
		lines++;
	}
	printf("\n%d lines\n", lines);
	return 0;
}

static int
run_terminal(void)
{
	struct winsize size = { 0 };
	struct stat st = { 0 };
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2; fd++)
		printf("isatty.%d=%d\n", fd, isatty(fd));
	ioctl(0, TIOCGWINSZ, &size);
	fstat(0, &st);
	printf("controlling=%d\n", tty != -1);
	printf("session=%d\n", tcgetsid(0) == getpid());
	printf("foreground=%d\n", tcgetpgrp(0) == getpid());
	printf("size=%ux%u\n", size.ws_col, size.ws_row);
	printf("owner=%u\n", st.st_uid);
	printf("others=%o\n", st.st_mode & 0007);
	return 0;
}

static int
run_hangup(const char *path)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("ready\n");
	sigwait(&set, &number);

	FILE *file = fopen(path, "w");
	if (file == NULL)
		err(1, "%s", path);
	fprintf(file, "hangup\n");
	return fclose(file) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 1)
		return run_dialogue();
	if (strcmp(argv[1], "terminal") == 0)
		return run_terminal();
	if (strcmp(argv[1], "hangup") == 0 && argc == 3)
		return run_hangup(argv[2]);
	fprintf(stderr, "usage: stdio [terminal | hangup FILE]\n");
	return 64;
}
