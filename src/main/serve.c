/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a connection takes is taken in one function here and given back in
 * another: a place in the count of its service, an entry in the table of
 * handlers, a child.
 *
 * Everything that a frontend says is checked against what main knows before it
 * is believed, since the frontend is the part that can be captured.
 */

#include "main/serve.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/verdict.h"
#include "main/tell.h"

static void
address_log(struct log_line *line, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];
	size_t len = addr_format(addr, text);

	log_strn(line, key, text, len);
}

/* The local side: the address that was asked, or the path. */
static void
local_log(struct log_line *line, const struct minetd *mi,
    const struct proc *proc)
{
	const struct conf_listen *lst =
	    &conf_listens(mi->conf)[proc->conn.listener];

	if (proc->conn.local.family == ADDR_UNIX)
		log_str(line, "local", conf_string(mi->conf, lst->path));
	else
		address_log(line, "local", &proc->conn.local);
}

static void
start_log(const struct minetd *mi, const struct proc *proc)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "start");
	log_str(&line, "service", proc->service->name);
	log_uint(&line, "id", proc->conn.id);
	log_uint(&line, "pid", (uint64_t)proc->handle.pid);
	address_log(&line, "peer", &proc->conn.peer);
	local_log(&line, mi, proc);
	log_end(&line);
}

static uint64_t
timeval_msec(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000;
}

static void
exit_log(const struct minetd *mi, const struct proc *proc, int status,
    const struct rusage *usage, struct monotime now)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "exit");
	log_str(&line, "service", proc->service->name);
	log_uint(&line, "id", proc->conn.id);
	log_uint(&line, "pid", (uint64_t)proc->handle.pid);
	address_log(&line, "peer", &proc->conn.peer);
	local_log(&line, mi, proc);
	log_int(&line, "status", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	log_int(&line, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	log_secs(&line, "secs", monotime_secs(proc->started, now));
	log_uint(&line, "user_ms", timeval_msec(&usage->ru_utime));
	log_uint(&line, "sys_ms", timeval_msec(&usage->ru_stime));
	log_uint(&line, "maxrss_kib", (uint64_t)usage->ru_maxrss);
	if (WIFSIGNALED(status) && WCOREDUMP(status))
		log_str(&line, "core", "yes");
	log_end(&line);
}

/*
 * execve(2) says ENOENT both of the program and of its interpreter, which has
 * cost administrators many hours.
 */
static const char *
failure_hint(const struct service *svc, const struct child_report *report)
{
	struct stat st;

	if (report->step != CHILD_EXEC || svc->plan == NULL ||
	    svc->plan->child.chroot != NULL)
		return NULL;
	if (report->error == ENOENT &&
	    stat(svc->plan->child.path, &st) == 0)
		return "the interpreter or loader of the program is missing";
	if (report->error == ENOEXEC)
		return "no #! line and no binary for this machine";
	return NULL;
}

static void
spawn_failed_log(const struct minetd *mi, struct service *svc,
    const struct child_report *report, struct monotime now)
{
	unsigned long left_out;
	struct log_line line;
	const char *hint;

	if (!log_limit_pass(&svc->spawn_failed_limit, now, &left_out))
		return;
	hint = failure_hint(svc, report);
	log_begin(&line, LOG_LEVEL_ERROR, "spawn_failed");
	log_str(&line, "service", svc->name);
	log_str(&line, "step", child_step_name(report->step));
	log_errno(&line, "error", report->error);
	log_str(&line, "exec", conf_string(mi->conf,
	    conf_strings(mi->conf, svc->conf->exec)[0]));
	if (hint != NULL)
		log_str(&line, "hint", hint);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
}

static void
service_take(struct minetd *mi, struct service *svc)
{
	svc->active++;
	svc->told++;	/* The frontend counted it before it told us. */
	mi->children++;
}

static void
service_give(struct minetd *mi, struct service *svc)
{
	svc->active--;
	mi->children--;
	tell_count(mi, svc);
}

/* Whether the frontend may ask for another handler of the service. */
static bool
service_has_room(const struct minetd *mi, const struct service *svc)
{
	uint32_t instances = svc->conf->instances;
	uint32_t max = mi->conf->max_children;

	return (instances == 0 || svc->active < instances) &&
	    (max == 0 || mi->children < max);
}

/* Start a child for the entry; on failure errno says why. */
static int
handler_start(struct minetd *mi, struct proc *proc, int socket)
{
	const struct spawn_plan *plan = service_plan(proc->service, mi->conf,
	    &mi->starter);

	if (plan == NULL)
		return -1;
	return spawn_start(mi->spawner, plan, &proc->conn, socket,
	    &proc->handle);
}

static void
handler_serve(struct minetd *mi, struct service *svc,
    const struct connection *conn, int socket, struct monotime now)
{
	struct proc *proc = proc_new(mi->procs);
	struct child_report report = { CHILD_CLONE, ENOMEM };

	service_take(mi, svc);
	if (proc != NULL) {
		proc->service = svc;
		proc->conn = *conn;
		proc->started = now;
		if (handler_start(mi, proc, socket) == 0) {
			proc_add(mi->procs, proc);
			if (svc->conf->log_connections == CONF_LOG_VERBOSE)
				start_log(mi, proc);
			return;
		}
		report.error = errno;
		proc_free(mi->procs, proc);
	}
	spawn_failed_log(mi, svc, &report, now);
	service_give(mi, svc);
}

/*
 * Whether the peer is what such a connection has.  The ids of a unix peer are
 * the kernel's word, not the frontend's.
 */
static bool
peer_check(struct connection *conn, int socket)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (conn->local.family != ADDR_UNIX)
		return conn->peer.family == ADDR_IP4 ||
		    conn->peer.family == ADDR_IP6;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return false;
	conn->peer = addr_from_cred((uint32_t)cred.pid, cred.uid, cred.gid);
	return true;
}

/* The service that such a message may ask for; NULL when it may not. */
static struct service *
service_check(const struct minetd *mi, uint32_t listener)
{
	struct service *svc;

	if (listener >= mi->conf->listens.count)
		return NULL;
	svc = &mi->services[mi->listeners[listener].conf->service];
	return service_has_room(mi, svc) ? svc : NULL;
}

/* A connection whose descriptor found no place here is lost. */
static int
connection_lost(struct minetd *mi, struct service *svc, struct monotime now)
{
	const struct child_report report = { CHILD_CLONE, EMFILE };

	service_take(mi, svc);
	spawn_failed_log(mi, svc, &report, now);
	service_give(mi, svc);
	return 0;
}

int
serve_connection(struct minetd *mi, const struct channel_item *item,
    struct monotime now)
{
	struct connection conn = {
		.peer = item->msg.start.peer,
		.listener = item->msg.listener,
	};
	const struct linger off = { 0, 0 };
	struct service *svc = service_check(mi, conn.listener);

	if (svc != NULL && item->fd == CHANNEL_FD_LOST)
		return connection_lost(mi, svc, now);
	/* Before the handler, which may want it, and before any close. */
	if (item->fd >= 0)
		setsockopt(item->fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	if (svc == NULL || item->fd < 0 || !listener_accepted(
	    &mi->listeners[conn.listener], mi->conf, item->fd, &conn.local) ||
	    !peer_check(&conn, item->fd)) {
		channel_discard(item->fd);
		return -1;
	}
	conn.id = mi->next_id++;
	handler_serve(mi, svc, &conn, item->fd, now);
	close(item->fd);
	return 0;
}

int
serve_rejected(struct minetd *mi, const struct channel_msg *msg,
    struct monotime now)
{
	const struct channel_rejected *rejected = &msg->rejected;
	const char *reason = verdict_reason(rejected->reason);
	struct service *svc;
	struct log_line line;
	unsigned long left_out;

	if (msg->listener >= mi->conf->listens.count || reason == NULL ||
	    rejected->count == 0)
		return -1;
	svc = &mi->services[mi->listeners[msg->listener].conf->service];
	if (!log_limit_pass(&svc->reject_limit, now, &left_out)) {
		svc->reject_limit.left_out += rejected->count - 1;
		return 0;
	}
	left_out += rejected->count - 1;
	log_begin(&line, LOG_LEVEL_WARNING, "reject");
	log_str(&line, "service", svc->name);
	address_log(&line, "peer", &rejected->peer);
	log_str(&line, "reason", reason);
	if (left_out != 0)
		log_uint(&line, "left_out", left_out);
	log_end(&line);
	return 0;
}

void
serve_reaped(struct minetd *mi, struct proc *proc, int status,
    const struct rusage *usage, struct monotime now)
{
	struct service *svc = proc->service;
	struct child_report report = spawn_reaped(mi->spawner, &proc->handle);

	if (report.step != CHILD_DONE)
		spawn_failed_log(mi, svc, &report, now);
	if (svc->conf->log_connections != CONF_LOG_NO)
		exit_log(mi, proc, status, usage, now);
	proc_remove(mi->procs, proc);
	proc_free(mi->procs, proc);
	service_give(mi, svc);
}

void
serve_kill(const struct proc *proc, int signal_number)
{
	/* Not reaped, so the pid is its own; without a session yet it has no
	 * group of that number. */
	if (kill(-proc->handle.pid, signal_number) == -1 && errno == ESRCH)
		kill(proc->handle.pid, signal_number);
}
