/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The running daemon: one struct that everything hangs off.
 *
 * Seen only by the files that run the process (run, reload, retry, front, tell,
 * serve, upgrade, restore); the mechanisms that they use get the values that
 * they need.
 */

#ifndef MINETD_MINETD_H
#define MINETD_MINETD_H

#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/bantable.h"
#include "base/log.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "main/answers.h"
#include "main/edition.h"
#include "main/handler.h"
#include "main/loan.h"
#include "main/notify.h"
#include "main/options.h"
#include "main/proc.h"
#include "main/service.h"
#include "main/spawn.h"
#include "main/starter.h"

STAILQ_HEAD(service_list, service);
STAILQ_HEAD(source_news_list, source_news);
TAILQ_HEAD(resolution_list, resolution);

/* What a frontend is doing; see front.h. */
enum front_state {
	FRONT_CONFINING,	/* started, not READY */
	FRONT_READY,		/* waits for GO */
	FRONT_SERVING,
	FRONT_STOPPING,		/* was told STOP, has not said STOPPED */
	FRONT_DRAINING,		/* carries on what it has begun, and leaves */
};

struct front {
	TAILQ_ENTRY(front) entry;
	struct minetd *mi;
	struct edition *edition; /* that it serves; referenced.  NULL: it was
				  * started by the image before an upgrade */
	enum front_state state;
	pid_t pid;
	struct watch channel;
	struct timer send_retry; /* when to send again, for want of an event */
	struct timer drain_end;	/* when what it carries on is given up */
	struct answer_queue answers; /* that it waits for */
	struct monotime started;
	bool *told;		/* per listener: it was sent */
	uint32_t *carried;	/* per service: conversations that it carries
				 * on; NULL: it has not said so */
	uint32_t next_listener;	/* those before it were told */
	unsigned unanswered;	/* seconds since the PING without a PONG */
	unsigned stopping;	/* seconds since STOP without STOPPED */
	bool setup_sent;
	bool goes;		/* GO is to be sent: no other one accepts */
	bool counted;		/* it was told of handlers alive, in part */
	bool stop_due;		/* STOP is to be sent */
	bool ping_due;
	bool killed;		/* by us, or it has closed the channel */
	bool reaped;		/* its pid may be somebody else's by now */
	bool replaces;		/* one that has died */
};

TAILQ_HEAD(front_list, front);

/* When the frontend dies. */
struct respawn {
	struct timer due;	/* when to start the next one */
	unsigned backoff_msec;	/* before that; 0: at once */
	bool needed;		/* the next one replaces a dead one */
};

/* What a reload prepares, and then makes true. */
struct reload_plan {
	struct edition *edition; /* owned */
	uint32_t kept;		/* listeners that go on */
	uint32_t opened;	/* new ones that are bound */
	uint32_t degraded;	/* new ones that could not be */
	uint32_t removed;	/* those that are no more */
	bool shares_ports;	/* some are being swapped */
	int pid_fd;		/* of a new pid file; -1: none */
};

enum reload_phase {
	RELOAD_IDLE,
	RELOAD_LOADING,		/* a helper reads the configuration */
	RELOAD_STAGED,		/* the new frontend confines itself */
	RELOAD_SWITCHING,	/* committed; the old frontend stops */
};

struct reload {
	enum reload_phase phase;
	bool wanted;		/* another one, after this */
	struct conf_loading *loading;
	struct timer deadline;	/* of the helper */
	struct reload_plan plan;
	struct front *front;	/* the staged one; NULL when it has died */
	struct monotime began;
};

enum upgrade_phase {
	UPGRADE_IDLE,
	UPGRADE_CHECKING,	/* the new binary looks at a snapshot */
	UPGRADE_STOPPING,	/* the frontend stops, then execve */
	UPGRADE_RESTORING,	/* this is the new image: can it serve? */
};

struct upgrade {
	enum upgrade_phase phase;
	bool wanted;		/* when nothing else is being changed */
	pid_t checker;		/* the new binary, checking; 0: none */
	struct stat binary;	/* the file that is checked; st_ino 0: none */
	int answer_fd;		/* where it leaves its answer; -1: none */
	int conf_fd;		/* the configuration as it wants it; -1: none */
	int undo_exe_fd;	/* restoring: the image before, */
	int undo_conf_fd;	/*   and the configuration as it had it */
	struct timer due;	/* deadline of the check, or the next look */
	unsigned looks;		/* at children that are not executed yet */
	bool expired;		/* the check was ended by the deadline */
	struct monotime began;
};

/* Degraded listeners, and those whose interface may come back. */
struct retry {
	struct timer due;
	unsigned msec;		/* until the next attempt */
	struct watch netlink;	/* news of addresses and interfaces */
};

enum run_phase {
	RUN_STARTING,		/* not ready: a failure ends the start */
	RUN_RESTORING,		/* after an upgrade: nothing is a failure */
	RUN_SERVING,
	RUN_STOPPING,		/* handlers were told to end */
	RUN_LEAVING,		/* the loop ends after this wake-up */
};

struct minetd {
	struct loop *loop;
	const struct options *options;
	struct starter starter;
	int pid_fd;		/* the locked pid file; -1: none */
	char *pid_path;		/* its path; NULL: none.  Owned */
	struct service_table services; /* all that anybody remembers */
	struct edition *edition; /* that is served */
	struct handler_plan_list retired;
	struct spawner *spawner;
	struct proc_table *procs;
	struct front_list fronts; /* all that run */
	struct front *front;	/* that serves the edition, or will; NULL */
	struct respawn respawn;
	struct reload reload;
	struct upgrade upgrade;
	struct retry retry;
	struct loan_table loans; /* descriptors that frontends read */
	struct resolution_list resolutions; /* see resolve.h */
	struct service_list dirty; /* whose count the frontend must be told */
	struct source_news_list source_news; /* see sourcetell.h */
	size_t source_news_count;
	struct bantable bans;
	struct timer ban_end;	/* when the first of them is over */
	struct notify notify;	/* who waits for us to be ready */
	uint64_t next_id;	/* of a connection */
	uint32_t children;	/* handlers alive: the sum of the services */
	uint32_t kept;		/* of them connections that wait for a process,
				 * see trouble.h */
	struct monotime late;	/* when one was last started of which the
				 * frontend that serves had to be told */
	enum run_phase phase;
	int exit_status;
	struct watch signals;	/* a signalfd */
	struct timer tick;	/* each second */
	struct timer kill_due;	/* when stopping: the next grace that ends */
	struct monotime stopped; /* when stopping began */
	bool killed_all;	/* when stopping: nothing is left to wait for */
	bool last_words;	/* when stopping: or only their stderr is */
	struct log_limit ban_limit; /* lines about new bans */
	struct log_limit accept_limit; /* lines about failures of accept */
};

#endif
