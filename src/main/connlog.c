/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Lines about connections and their handlers.
 */

#include "main/connlog.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>

#include "base/done.h"

/* Who is connected, and through whom. */
void
connlog_peer(struct log_line *line, const struct addr *peer,
    const struct addr *via)
{
	connlog_address(line, "peer", peer);
	if (via->family != ADDR_NONE)
		connlog_address(line, "via", via);
}

void
connlog_address(struct log_line *line, const char *key,
    const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];
	size_t len = addr_format(addr, text);

	log_strn(line, key, text, len);
}

/* The local side: the address that was asked, or the path. */
void
connlog_local(struct log_line *line, const struct addr *local,
    const struct listener *lst)
{
	if (local->family == ADDR_UNIX && lst != NULL)
		log_str(line, "local", listener_path(lst));
	else
		connlog_address(line, "local", local);
}

void
connlog_start(const struct proc *proc)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "start");
	log_str(&line, "service", proc->service->name);
	log_uint(&line, "id", proc->conn.id);
	log_uint(&line, "pid", (uint64_t)proc->handle.pid);
	connlog_peer(&line, &proc->conn.peer, &proc->conn.via);
	connlog_local(&line, &proc->conn.local, proc->listener);
	log_end(&line);
}

static uint64_t
timeval_msec(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000;
}

void
connlog_exit(const struct proc *proc, int status, const struct rusage *usage,
    struct monotime now)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "exit");
	log_str(&line, "service", proc->service->name);
	log_uint(&line, "id", proc->conn.id);
	log_uint(&line, "pid", (uint64_t)proc->handle.pid);
	connlog_peer(&line, &proc->conn.peer, &proc->conn.via);
	connlog_local(&line, &proc->conn.local, proc->listener);
	log_int(&line, "status", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	log_int(&line, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	log_secs(&line, "secs", monotime_secs(proc->started, now));
	log_uint(&line, "user_ms", timeval_msec(&usage->ru_utime));
	log_uint(&line, "sys_ms", timeval_msec(&usage->ru_stime));
	log_uint(&line, "maxrss_kib", (uint64_t)usage->ru_maxrss);
	if (WIFSIGNALED(status) && WCOREDUMP(status))
		log_str(&line, "core", "yes");
	if (proc->deadline.reason != DONE_CLOSED)
		log_str(&line, "end", done_name(proc->deadline.reason));
	log_end(&line);
}

/*
 * execve(2) says ENOENT both of the program and of its interpreter, which has
 * cost administrators many hours.
 */
static const char *
failure_hint(const struct child_plan *plan, const struct child_report *report)
{
	struct stat st;

	if (report->step != CHILD_EXEC || plan->chroot != NULL)
		return NULL;
	if (report->error == ENOENT && stat(plan->path, &st) == 0)
		return "the interpreter or loader of the program is missing";
	if (report->error == ENOEXEC)
		return "no #! line and no binary for this machine";
	return NULL;
}

void
connlog_spawn_failed(struct service *svc, const struct child_report *report,
    struct monotime began, struct monotime now)
{
	const struct child_plan *plan = NULL;
	unsigned long left_out;
	struct log_line line;
	const char *hint;

	if (!log_limit_pass(&svc->spawn_failed_limit, now, &left_out))
		return;
	if (svc->plan != NULL && !monotime_before(began, svc->configured))
		plan = &svc->plan->spawn.child;
	log_begin(&line, LOG_LEVEL_ERROR, "spawn_failed");
	log_str(&line, "service", svc->name);
	log_str(&line, "step", child_step_name(report->step));
	log_errno(&line, "error", report->error);
	if (plan != NULL) {
		log_str(&line, "exec", plan->path);
		hint = failure_hint(plan, report);
		if (hint != NULL)
			log_str(&line, "hint", hint);
	}
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}
