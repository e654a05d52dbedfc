/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * getopt(3) and its complaints.
 */

#include "main/options.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define USAGE \
	"usage: minetd [-fdtTVh] [-c FILE] [-l LOG] [-p PIDFILE] [-r FD]\n"

static const char help[] = USAGE
    "  -f          stay in the foreground\n"
    "  -d          the same, and log everything to standard error\n"
    "  -t          check the configuration and exit\n"
    "  -T          print the effective configuration and exit\n"
    "  -V          print the version and exit\n"
    "  -h          print this and exit\n"
    "  -c FILE     the configuration, instead of "
    MINETD_SYSCONFDIR "/minetd.conf\n"
    "  -l LOG      stderr, syslog, syslog:FACILITY or file:/PATH\n"
    "  -p PIDFILE  the pid file, instead of the configured one\n"
    "  -r FD       write a newline to FD when ready\n";

const char *
options_help(void)
{
	return help;
}

static int
ready_fd_parse(const char *text, int *fd)
{
	const char *error;

	*fd = (int)strtonum(text, 1, INT_MAX - 1, &error);
	if (error != NULL || fcntl(*fd, F_GETFD) == -1) {
		fprintf(stderr, "minetd: -r %s: not an open descriptor\n",
		    text);
		return -1;
	}
	/* The standard ones become /dev/null before we are ready. */
	if (*fd <= STDERR_FILENO)
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return *fd == -1 ? -1 : 0;
}

/* The last one given counts. */
static int
text_keep(char **kept, const char *text)
{
	free(*kept);
	*kept = strdup(text);
	if (*kept != NULL)
		return 0;
	perror("minetd");
	return -1;
}

static int
option_take(struct options *opts, int letter)
{
	switch (letter) {
	case 'd':
		opts->debug = true;
		opts->foreground = true;
		return 0;
	case 'f':
		opts->foreground = true;
		return 0;
	case 't':
		opts->check = true;
		return 0;
	case 'T':
		opts->print = true;
		return 0;
	case 'V':
		opts->version = true;
		return 0;
	case 'h':
		opts->help = true;
		return 0;
	case 'c':
		return text_keep(&opts->conf_file, optarg);
	case 'l':
		return text_keep(&opts->log, optarg);
	case 'p':
		return text_keep(&opts->pid_file, optarg);
	case 'r':
		return ready_fd_parse(optarg, &opts->ready_fd);
	default:
		return -1;
	}
}

int
options_parse(struct options *opts, int argc, char **argv)
{
	int letter;
	int rc;

	*opts = (struct options){ .ready_fd = -1 };
	rc = text_keep(&opts->conf_file, MINETD_SYSCONFDIR "/minetd.conf");
	while (rc == 0 && (letter = getopt(argc, argv, "fdtTVhc:l:p:r:")) !=
	    -1)
		rc = option_take(opts, letter);
	if (rc == 0 && optind < argc) {
		fprintf(stderr, "minetd: unexpected argument \"%s\"\n",
		    argv[optind]);
		rc = -1;
	}
	if (rc == 0 && opts->log != NULL &&
	    !log_destination_valid(opts->log)) {
		fprintf(stderr, "minetd: -l %s: not stderr, syslog, "
		    "syslog:FACILITY or file:/PATH\n", opts->log);
		rc = -1;
	}
	if (rc == 0 && opts->pid_file != NULL &&
	    opts->pid_file[0] != '/' && opts->pid_file[0] != '\0') {
		fprintf(stderr, "minetd: -p %s: neither absolute nor empty\n",
		    opts->pid_file);
		rc = -1;
	}
	if (rc == -1)
		fputs(USAGE, stderr);
	return rc;
}

/* Whether this is the file that runs. */
static bool
is_running(const char *path)
{
	struct stat own, st;

	return stat("/proc/self/exe", &own) == 0 && stat(path, &st) == 0 &&
	    own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

static char *
path_search(const char *name)
{
	const char *dirs = getenv("PATH");

	while (dirs != NULL && *dirs != '\0') {
		size_t len = strcspn(dirs, ":");
		char *path = NULL;

		if (asprintf(&path, "%.*s/%s", (int)len, dirs, name) == -1)
			return NULL;
		if (path[0] == '/' && is_running(path))
			return path;
		free(path);
		dirs += len + (dirs[len] == ':');
	}
	return NULL;
}

static char *
path_absolute(const char *name)
{
	char *directory = getcwd(NULL, 0);
	char *path = NULL;

	if (directory == NULL || asprintf(&path, "%s/%s", directory, name) ==
	    -1)
		path = NULL;
	free(directory);
	return path;
}

/* Where this program is, now and when it was replaced. */
static char *
binary_find(const char *argv0)
{
	char own[4096];
	char *path = NULL;
	ssize_t len;

	if (argv0 != NULL && argv0[0] == '/')
		path = strdup(argv0);
	else if (argv0 != NULL && strchr(argv0, '/') != NULL)
		path = path_absolute(argv0);
	else if (argv0 != NULL)
		path = path_search(argv0);
	/* An argv[0] can be anything. */
	if (path != NULL && is_running(path))
		return path;
	free(path);
	len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (len <= 0)
		return NULL;
	own[len] = '\0';
	return strdup(own);
}

int
options_resolve(struct options *opts, const char *argv0)
{
	char *path;

	opts->binary = binary_find(argv0);
	if (opts->conf_file[0] == '/')
		return 0;
	path = path_absolute(opts->conf_file);
	if (path == NULL)
		return -1;
	free(opts->conf_file);
	opts->conf_file = path;
	return 0;
}

void
options_fini(struct options *opts)
{
	free(opts->conf_file);
	free(opts->log);
	free(opts->pid_file);
	free(opts->binary);
}
