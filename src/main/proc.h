/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of running handlers and what each holds.
 *
 * Found by pid and by connection number in constant time.  The table calls
 * nobody: what the end of a handler means is its caller's business.
 */

#ifndef MINETD_PROC_H
#define MINETD_PROC_H

#include <sys/queue.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/monotime.h"
#include "base/timer.h"
#include "main/environment.h"
#include "main/spawn.h"

struct listener;
struct minetd;
struct service;

/* When a handler is to be ended; see deadline.h.  Its durations: 0: never. */
struct deadline {
	struct timer due;
	struct minetd *mi;
	struct monotime touched; /* a byte moved then, as far as we know */
	struct monotime kill;	/* when it is killed, if it is ending */
	uint64_t moved;		/* bytes when we last looked */
	uint32_t max_runtime_msec;
	uint32_t first_byte_msec;
	uint32_t idle_msec;
	uint32_t preface;	/* bytes of the client that it did not get */
	bool seen;		/* the kernel has told of the connection */
	uint8_t reason;		/* enum done_reason; DONE_CLOSED: it was not
				 * told to end */
};

struct proc {
	struct proc *next_by_pid; /* chains of the table */
	struct proc *next_by_id;
	struct spawn_handle handle; /* holds the pid, unreaped while here */
	struct connection conn;
	struct service *service; /* referenced by whoever adds it */
	struct listener *listener; /* likewise */
	struct monotime started;
	struct deadline deadline;
	bool waits;		/* it has listening sockets as its own */
	LIST_ENTRY(proc) entry;	/* all of them, newest first */
};

struct proc_table;

/* Returns NULL with errno ENOMEM. */
struct proc_table *proc_table_new(void);

/* Free the table and all entries; NULL is fine. */
void	proc_table_free(struct proc_table *table);

/*
 * Reserve the memory of an entry, before anything is started; NULL with errno
 * ENOMEM.  The entry is not in the table yet.  Ended by proc_add() or
 * proc_free().
 */
struct proc *proc_new(struct proc_table *table);

/* Put it in the table under handle.pid and conn.id.  Cannot fail. */
void	proc_add(struct proc_table *table, struct proc *proc);

/* NULL when there is none. */
struct proc *proc_find(struct proc_table *table, pid_t pid);
struct proc *proc_find_id(struct proc_table *table, uint64_t id);

/* Take it out of the table; the entry lives until proc_free(). */
void	proc_remove(struct proc_table *table, struct proc *proc);
void	proc_free(struct proc_table *table, struct proc *proc);

size_t	proc_count(const struct proc_table *table);

/* Walk over all: the first, and the one after; NULL at the end. */
struct proc *proc_first(struct proc_table *table);
struct proc *proc_next(struct proc *proc);

#endif
