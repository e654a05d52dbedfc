/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a child does between clone and execve.
 *
 * Nothing is decided here: the request says everything, and was made by main
 * before the clone.  The child makes raw system calls only, touches no state
 * of the C library and writes nothing but its report.
 */

#ifndef MINETD_CHILD_H
#define MINETD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "main/cred.h"

/* The steps of a start, in order; the names stand in log lines. */
enum child_step {
	CHILD_DONE,
	CHILD_CLONE,		/* in main: no process could be made */
	CHILD_SESSION,
	CHILD_DESCRIPTORS,
	CHILD_TERMINAL,
	CHILD_OOM_SCORE_ADJ,
	CHILD_NICE,
	CHILD_LIMITS,
	CHILD_CHROOT,
	CHILD_GROUPS,
	CHILD_GROUP,
	CHILD_USER,
	CHILD_IDENTITY,
	CHILD_DIRECTORY,
	CHILD_STDERR,
	CHILD_SIGNALS,
	CHILD_EXEC,
};

enum {
	CHILD_EXIT_FAILED = 125, /* preparation failed */
	CHILD_EXIT_NOT_EXECUTABLE = 126,
	CHILD_EXIT_NOT_FOUND = 127,
};

/* What went wrong; all zero while nothing has. */
struct child_report {
	uint32_t step;		/* enum child_step */
	int32_t error;		/* errno */
};

/*
 * What all handlers of a service have in common.  Strings and arrays are not
 * owned and stay until the last child made with them has called execve.
 */
struct child_plan {
	const char *path;	/* of the program */
	const char *const *argv; /* NULL-terminated */
	const char *chroot;	/* NULL for none */
	const char *directory;	/* NULL where main's own will do */
	const char *stderr_path; /* NULL unless a file was configured */
	const struct conf_limit *limits;
	size_t limit_count;
	struct cred cred;
	int stderr_fd;		/* becomes fd 2; -1: the socket does */
	int nice;
	int oom_score_adj;
	uint32_t umask;
	bool set_nice;
	bool set_timer_slack;	/* to the kernel's default */
	bool set_oom_score_adj;	/* only ever in a child with its own memory */
	bool set_umask;
};

struct child_request {
	const struct child_plan *plan;
	const char *const *envp; /* NULL-terminated */
	struct child_report *report;
	int socket;		/* becomes fd 0, 1 and 2 */
	int stderr_fd;		/* becomes fd 2; -1: as the plan has it */
	bool terminal;		/* it is one: the controlling one */
	int report_fd;		/* a pipe to write the report to; -1: none */
	const int *fds;		/* become fd 3 and those after it */
	int fd_count;
	char *listen_pid;	/* where the child writes its pid, in memory of
				 * its own; NULL: nowhere */
};

/* Start the handler; does not return. */
void	child_run(const struct child_request *req) __attribute__((noreturn));

/* The name of a step in log lines. */
const char *child_step_name(uint32_t step);

#endif
