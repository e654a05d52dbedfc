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
 *     inherited      but for the sockets that it opened for us
 *     daemon         go to the background
 *     pidfile        one daemon at a time; pidmove to another file
 *     notify         tell supervisors how we are doing
 *     logging        which log is asked for
 *     run            signals, children, the clock
 *     reload         from one configuration to the next, phase by phase
 *     plan           all that can fail of that, and then what cannot
 *     swap           from one socket to another in the same place
 *     edition        a configuration with its services and sockets
 *     match          which sockets are kept
 *     listener       one socket; sockopt its options, sockpath its path
 *     adopt          what one is that somebody else made
 *     listenlog      the lines of the log about it
 *     retry          sockets that could not be opened yet
 *     service        one service: the account of its handlers
 *     front          frontends, and what they say
 *     tell           what they do not know yet
 *     accepted       is a socket what a frontend says it is
 *     serve          from a connection to a handler and to its account
 *     handler        what all handlers of a service have in common
 *     environment    the variables of a connection
 *     spawn          start a child, and learn what became of it
 *     child, cred    what the child does: raw system calls, no decisions
 *     proc           the table of running handlers
 *     upgrade        from this binary to the next, phase by phase
 *     precheck       could this binary go on from a state
 *     handover       write the state, and become another image
 *     restore        from a state to a daemon that serves
 *     state          the state as bytes; statecheck whether it can be true
 *   src/frontend/    the confined process, which faces the network
 *     frontend       its life
 *     confine        the walls around it
 *     accept         from the listeners to main
 *     admit          may this peer be served
 *     refusal        what main has to know of those who may not
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
#include "main/logging.h"
#include "main/handover.h"
#include "main/minetd.h"
#include "main/options.h"
#include "main/pidfile.h"
#include "main/precheck.h"
#include "main/restore.h"
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

/* Lock the pid file, if there is to be one; -1 after a message. */
static int
pid_file_lock(struct minetd *mi, const char *path)
{
	pid_t other;

	mi->pid_fd = -1;
	if (path[0] == '\0')
		return 0;
	mi->pid_path = strdup(path);
	mi->pid_fd = pidfile_lock(path, &other);
	if (mi->pid_fd != -1 && mi->pid_path != NULL)
		return 0;
	if (errno == EWOULDBLOCK)
		fprintf(stderr, "minetd: another instance runs already, with "
		    "pid %d (%s is locked)\n", (int)other, path);
	else
		fprintf(stderr, "minetd: %s: %s\n", path, strerror(errno));
	return -1;
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
daemon_run(struct minetd *mi, const struct conf *conf)
{
	int status = EX_UNAVAILABLE;

	if (starter_reset(&mi->starter) == -1 ||
	    (mi->pid_fd != -1 && pidfile_write_pid(mi->pid_fd) == -1)) {
		fprintf(stderr, "minetd: %s\n", strerror(errno));
		return status;
	}
	if (logging_start(mi->options, conf) == -1)
		return status;
	restrictions_log(&mi->starter);
	status = run(mi, conf);
	log_flush();
	return status;
}

static int
daemon_start(const struct options *opts, const struct conf *conf,
    const struct inherited *inherited)
{
	static const char start_failed[] =
	    "minetd: the start has failed; the log says why\n";
	const char *pid_file = opts->pid_file != NULL ? opts->pid_file :
	    conf_string(conf, conf->pid_file);
	struct minetd mi = {
		.options = opts,
		.starter.inherited = *inherited,
		.notify = { getenv("NOTIFY_SOCKET"), opts->ready_fd, -1 },
	};
	int status;

	if (pid_file_lock(&mi, pid_file) == -1) {
		free(mi.pid_path);
		return EX_UNAVAILABLE;
	}
	if (!opts->foreground &&
	    daemon_detach(&mi.notify.parent_fd, &status) == DAEMON_PARENT) {
		if (status != EX_OK)
			fputs(start_failed, stderr);
		free(mi.pid_path);
		return status;
	}
	if (daemon_null_stdio() == -1) {
		perror("minetd: /dev/null");
		return EX_OSERR;
	}
	status = daemon_run(&mi, conf);
	pidfile_release(&mi.pid_fd, &mi.pid_path);
	notify_failed(&mi.notify, status);
	return status;
}

/* The name that ps(1) shows; overwrites argv. */
static void
process_name(int argc, char **argv, const char *name)
{
	setproctitle_init(argc, argv, environ);
	prctl(PR_SET_NAME, "minetd");
	setproctitle("%s", name);
}

/* What the command line says, once it is understood. */
static int
options_obey(struct options *opts, struct inherited *inherited, int argc,
    char **argv)
{
	const struct conf *conf;

	if (opts->help || opts->version) {
		fputs(opts->help ? options_help() : "minetd " MINETD_VERSION
		    "\n", stdout);
		return EX_OK;
	}
	if (starter_enter(inherited, opts->ready_fd) == -1) {
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
	if (options_resolve(opts, argv[0]) == -1) {
		perror("minetd");
		return EX_OSERR;
	}
	process_name(argc, argv, "main");
	return daemon_start(opts, conf, inherited);
}

/* Whether this is a process of the daemon's own, and how it has ended. */
static bool
role_play(int argc, char **argv, int *status)
{
	const char *role = argc >= 2 ? argv[1] : "";

	if (argc == 2 && strcmp(role, "--frontend") == 0) {
		process_name(argc, argv, "frontend");
		/* Nothing of it is to be written at its end. */
		_exit(frontend_run(FRONTEND_CHANNEL));
	} else if (argc == 2 && strcmp(role, HANDOVER_CHECK) == 0) {
		*status = precheck_run();
	} else if (strcmp(role, HANDOVER_TAKE) == 0 ||
	    strcmp(role, HANDOVER_BACK) == 0) {
		bool back = strcmp(role, HANDOVER_BACK) == 0;
		struct handover ho;

		starter_block_signals();
		if (handover_parse(&ho, argc, argv) == -1)
			return true;
		process_name(argc, argv, "main");
		*status = restore_run(&ho, back);
	} else {
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct inherited inherited = { 0 };
	struct options opts;
	int status = EX_USAGE;

	if (role_play(argc, argv, &status))
		return status;
	starter_block_signals();
	if (options_parse(&opts, argc, argv) == 0)
		status = options_obey(&opts, &inherited, argc, argv);
	inherited_fini(&inherited);
	options_fini(&opts);
	return status;
}
