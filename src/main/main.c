/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * minetd: hold the ports of many services and start their programs.
 *
 * This file reads the command line and becomes what it says.  The map:
 *
 *   src/main/        the privileged process, which reads nothing from clients
 *     options        the command line
 *     starter        undo what our starter left behind
 *     daemon         go to the background
 *     pidfile        one daemon at a time
 *     notify         tell supervisors how we are doing
 *     run            signals, children, the clock
 *     reload         from a configuration to open listeners
 *     listener       one socket
 *     service        one service: its counts, the plan for its handlers
 *     front          keep a frontend running, and listen to it
 *     tell           what the frontend does not know yet
 *     serve          from a connection to a handler and to its account
 *     environment    the variables of a connection
 *     spawn          start a child, and learn what became of it
 *     child, cred    what the child does: raw system calls, no decisions
 *     proc           the table of running handlers
 *   src/frontend/    the confined process, which faces the network
 *     frontend       its life
 *     confine        the walls around it
 *     accept         from the listeners to main
 *     admit          may this peer be served
 *     outbox         what waits to be sent to main
 *   src/conf/        from text to an immutable tree, and back
 *   src/base/        values and mechanisms that both processes use
 */

#include <sys/prctl.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "frontend/frontend.h"
#include "main/daemon.h"
#include "main/minetd.h"
#include "main/options.h"
#include "main/pidfile.h"
#include "main/run.h"
#include "main/starter.h"

enum {
	FRONTEND_CHANNEL = 3,	/* where main puts it, see front.c */
};

/* -t and -T; returns the exit status. */
static int
configuration_show(const struct options *opts, const struct conf *conf)
{
	if (opts->print && conf_dump(conf, STDOUT_FILENO) == -1) {
		perror("minetd: standard output");
		return EX_IOERR;
	}
	if (!opts->print)
		printf("%s: ok\n", opts->conf_file);
	return EX_OK;
}

/* The file's complaints are printed; NULL when it cannot be used. */
static const struct conf *
configuration_load(const struct options *opts)
{
	char *complaints = NULL;
	const struct conf *conf = conf_load(opts->conf_file, &complaints);

	if (complaints != NULL)
		fputs(complaints, stderr);
	free(complaints);
	return conf;
}

static int
log_start(const struct options *opts, const struct conf *conf)
{
	const char *destination = conf_string(conf, conf->log);

	if (opts->log != NULL)
		destination = opts->log;
	else if (opts->debug ||
	    (destination[0] == '\0' && opts->foreground))
		destination = "stderr";
	else if (destination[0] == '\0')
		destination = "syslog";
	log_set_format((enum log_format)conf->log_format);
	log_set_level(opts->debug ? LOG_LEVEL_DEBUG :
	    (enum log_level)conf->log_level);
	if (log_open(destination) == 0)
		return 0;
	fprintf(stderr, "minetd: %s: %s\n", destination, strerror(errno));
	return -1;
}

/* Returns a descriptor, -1 when no file is wanted, or -2 after a message. */
static int
pid_file_lock(const char *path)
{
	pid_t other;
	int fd;

	if (path[0] == '\0')
		return -1;
	fd = pidfile_lock(path, &other);
	if (fd != -1)
		return fd;
	if (errno == EWOULDBLOCK)
		fprintf(stderr, "minetd: another instance runs already, with "
		    "pid %d (%s is locked)\n", (int)other, path);
	else
		fprintf(stderr, "minetd: %s: %s\n", path, strerror(errno));
	return -2;
}

/* Say what an ordinary user's daemon cannot do. */
static void
restrictions_log(const struct starter *starter)
{
	if (!starter->may_change_user)
		log_message(LOG_LEVEL_INFO, "unprivileged", "handlers run as "
		    "uid %u, and the frontend keeps that uid and the root "
		    "directory", starter->uid);
}

/* In the process that is the daemon from here on. */
static int
daemon_run(struct minetd *mi, const struct options *opts,
    const struct conf *conf, int pid_fd)
{
	int status = EX_UNAVAILABLE;

	if (starter_reset(&mi->starter) == -1 ||
	    (pid_fd >= 0 && pidfile_write_pid(pid_fd) == -1)) {
		fprintf(stderr, "minetd: %s\n", strerror(errno));
		return status;
	}
	if (log_start(opts, conf) == -1)
		return status;
	restrictions_log(&mi->starter);
	status = run(mi, conf);
	log_flush();
	return status;
}

static int
daemon_start(const struct options *opts, const struct conf *conf)
{
	static const char start_failed[] =
	    "minetd: the start has failed; the log says why\n";
	const char *pid_file = opts->pid_file != NULL ? opts->pid_file :
	    conf_string(conf, conf->pid_file);
	int pid_fd = pid_file_lock(pid_file);
	struct minetd mi = {
		.notify = { getenv("NOTIFY_SOCKET"), opts->ready_fd, -1 },
	};
	int status;

	if (pid_fd == -2)
		return EX_UNAVAILABLE;
	if (!opts->foreground &&
	    daemon_detach(&mi.notify.parent_fd, &status) == DAEMON_PARENT) {
		if (status != EX_OK)
			fputs(start_failed, stderr);
		return status;
	}
	if (daemon_null_stdio() == -1) {
		perror("minetd: /dev/null");
		return EX_OSERR;
	}
	char *pid_path = strdup(pid_file);
	status = daemon_run(&mi, opts, conf, pid_fd);
	if (pid_fd >= 0 && pid_path != NULL)
		pidfile_unlock(pid_fd, pid_path);
	free(pid_path);
	notify_failed(&mi.notify, status);
	return status;
}

/* What the command line says, once it is understood. */
static int
options_obey(const struct options *opts, int argc, char **argv)
{
	const struct conf *conf;

	if (opts->help || opts->version) {
		fputs(opts->help ? options_help() : "minetd " MINETD_VERSION
		    "\n", stdout);
		return EX_OK;
	}
	if (starter_enter(opts->ready_fd) == -1) {
		perror("minetd");
		return EX_OSERR;
	}
	if (opts->check || opts->print)
		starter_unblock_signals();
	conf = configuration_load(opts);
	if (conf == NULL)
		return EX_CONFIG;
	if (opts->check || opts->print) {
		int status = configuration_show(opts, conf);

		conf_free(conf);
		return status;
	}
	setproctitle_init(argc, argv, environ);
	setproctitle("main");
	return daemon_start(opts, conf);
}

int
main(int argc, char **argv)
{
	struct options opts;
	int status = EX_USAGE;

	if (argc == 2 && strcmp(argv[1], "--frontend") == 0) {
		setproctitle_init(argc, argv, environ);
		prctl(PR_SET_NAME, "minetd");
		setproctitle("frontend");
		return frontend_run(FRONTEND_CHANNEL);
	}
	starter_block_signals();
	if (options_parse(&opts, argc, argv) == 0)
		status = options_obey(&opts, argc, argv);
	options_fini(&opts);
	return status;
}
