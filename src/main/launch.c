/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Start a handler with everything that its service wants to be made for it.
 *
 * The child has a table of descriptors of its own, whichever way it is started,
 * so what it is given may be closed here at once.
 */

#include "main/launch.h"

#include <errno.h>
#include <unistd.h>

#include "main/loan.h"

enum {
	NULL_FD = 0,		/* main's own standard input */
};

/*
 * A pipe for what the handler says on fd 2, which it can open by the name
 * /dev/stderr, too.  Without descriptors for one the client is served all the
 * same.
 */
static int
stderr_open(struct minetd *mi, const struct proc *proc,
    const struct cred *cred)
{
	struct service *svc = proc->service;
	int fd = loan_stderr_new(mi, svc, &proc->conn);
	unsigned long left_out;
	struct log_line line;

	if (fd != -1) {
		/* Where this is refused, it is the name that does not work. */
		int rc = cred->change ? fchown(fd, cred->uid, cred->gid) : 0;

		(void)rc;
		return fd;
	}
	if (!log_limit_pass(&svc->stderr_limit, proc->started, &left_out))
		return NULL_FD;
	log_begin(&line, LOG_LEVEL_WARNING, "stderr");
	log_str(&line, "service", svc->name);
	log_uint(&line, "id", proc->conn.id);
	log_errno(&line, "error", errno);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
	return NULL_FD;
}

struct spawn_plan *
launch_plan(struct minetd *mi, struct service *svc, struct edition *ed,
    const struct edition_service *entry, struct monotime now)
{
	if (svc->plan == NULL) {
		if (svc->index != SERVICE_NO_INDEX) {
			ed = mi->edition;
			entry = &ed->services[svc->index];
		}
		svc->plan = handler_plan_new(entry, ed, &mi->starter);
		svc->configured = now;
	}
	return svc->plan != NULL ? &svc->plan->spawn : NULL;
}

int
launch(struct minetd *mi, struct proc *proc, struct spawn_plan *plan,
    const struct spawn_files *given)
{
	struct spawn_files files = *given;
	int rc;

	if (plan->log_stderr)
		files.stderr_fd = stderr_open(mi, proc, &plan->child.cred);
	rc = spawn_start(mi->spawner, plan, &proc->conn, &files,
	    &proc->handle);
	int saved = errno;
	if (files.stderr_fd > STDERR_FILENO)
		close(files.stderr_fd);
	if (rc == 0)
		loan_started(mi, proc->conn.id, proc->handle.pid);
	else
		loan_failed(mi, proc->conn.id);
	errno = saved;
	return rc;
}
