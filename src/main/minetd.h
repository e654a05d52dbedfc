/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The running daemon: one struct that everything hangs off.
 *
 * Seen only by the files that run the process (run, reload, front, serve);
 * the mechanisms that they use get the values that they need.
 */

#ifndef MINETD_MINETD_H
#define MINETD_MINETD_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "main/listener.h"
#include "main/notify.h"
#include "main/proc.h"
#include "main/service.h"
#include "main/spawn.h"
#include "main/starter.h"

STAILQ_HEAD(service_list, service);

/* What the frontend of the moment is doing; see front.h. */
enum front_state {
	FRONT_NONE,		/* none runs; a timer may start one */
	FRONT_CONFINING,	/* started, not READY */
	FRONT_READY,		/* waits for GO */
	FRONT_SERVING,
};

struct front {
	enum front_state state;
	pid_t pid;
	struct watch channel;
	struct timer restart;	/* when to start the next one */
	struct timer send_retry; /* when to send again, for want of an event */
	struct monotime started;
	int admission_fd;	/* the block that it is given */
	uint32_t next_listener;	/* those before it were told */
	unsigned unanswered;	/* seconds since the PING without a PONG */
	unsigned backoff_msec;	/* before the next start; 0: at once */
	bool setup_sent;
	bool ping_due;
	bool killed;		/* by us, or it has closed the channel */
	bool reaped;		/* its pid may be somebody else's by now */
	bool replaced;		/* it is not the first one */
};

enum run_phase {
	RUN_STARTING,		/* not ready: a failure ends the start */
	RUN_SERVING,
	RUN_STOPPING,		/* handlers were told to end */
	RUN_LEAVING,		/* the loop ends after this wake-up */
};

struct minetd {
	struct loop *loop;
	struct starter starter;
	const struct conf *conf;
	struct service *services; /* conf->services.count */
	struct listener *listeners; /* conf->listens.count */
	struct spawner *spawner;
	struct proc_table *procs;
	struct front front;
	struct service_list dirty; /* whose count the frontend must be told */
	struct notify notify;	/* who waits for us to be ready */
	uint64_t next_id;	/* of a connection */
	uint32_t children;	/* handlers alive: the sum of the services */
	enum run_phase phase;
	int exit_status;
	struct watch signals;	/* a signalfd */
	struct timer tick;	/* each second */
	struct timer retry;	/* of degraded listeners */
	unsigned retry_msec;	/* until the next one */
	struct timer kill_due;	/* when stopping: the next grace that ends */
	struct monotime stopped; /* when stopping began */
	bool killed_all;	/* when stopping: nothing is left to wait for */
	struct log_limit accept_limit; /* lines about failures of accept */
};

#endif
