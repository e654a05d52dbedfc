/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Two chained hash tables over entries from a free list.
 *
 * The tables double when they hold as many entries as chains; when there is no
 * memory for that, the chains grow longer and everything still works.  Entries
 * are allocated in chunks, which are never given back: they are the memory of
 * the largest number of handlers so far.
 */

#include "main/proc.h"

#include <stdlib.h>

enum {
	CHAINS_AT_FIRST = 64,	/* a power of two, as ever after */
	CHUNK = 32,		/* entries allocated at once */
};

LIST_HEAD(proc_list, proc);

struct chunk {
	SLIST_ENTRY(chunk) entry;
	struct proc procs[CHUNK];
};

SLIST_HEAD(chunk_list, chunk);

struct proc_table {
	struct proc **by_pid;
	struct proc **by_id;
	size_t chains;
	size_t count;
	struct proc_list all;
	struct proc *unused;	/* linked by next_by_pid */
	struct chunk_list chunks;
};

/* Pids and connection numbers are dense, so their low bits will do. */
static struct proc **
pid_chain(struct proc_table *table, pid_t pid)
{
	return &table->by_pid[(size_t)pid & (table->chains - 1)];
}

static struct proc **
id_chain(struct proc_table *table, uint64_t id)
{
	return &table->by_id[(size_t)id & (table->chains - 1)];
}

static void
chains_insert(struct proc_table *table, struct proc *proc)
{
	struct proc **by_pid = pid_chain(table, proc->handle.pid);
	struct proc **by_id = id_chain(table, proc->conn.id);

	proc->next_by_pid = *by_pid;
	*by_pid = proc;
	proc->next_by_id = *by_id;
	*by_id = proc;
}

static void
table_grow(struct proc_table *table)
{
	size_t chains = table->chains * 2;
	struct proc **by_pid = calloc(chains, sizeof(struct proc *));
	struct proc **by_id = calloc(chains, sizeof(struct proc *));
	struct proc *proc;

	if (by_pid == NULL || by_id == NULL) {
		free(by_pid);
		free(by_id);
		return;
	}
	free(table->by_pid);
	free(table->by_id);
	table->by_pid = by_pid;
	table->by_id = by_id;
	table->chains = chains;
	LIST_FOREACH(proc, &table->all, entry)
		chains_insert(table, proc);
}

struct proc_table *
proc_table_new(void)
{
	struct proc_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->chains = CHAINS_AT_FIRST;
	table->by_pid = calloc(table->chains, sizeof(struct proc *));
	table->by_id = calloc(table->chains, sizeof(struct proc *));
	LIST_INIT(&table->all);
	SLIST_INIT(&table->chunks);
	if (table->by_pid == NULL || table->by_id == NULL) {
		proc_table_free(table);
		return NULL;
	}
	return table;
}

void
proc_table_free(struct proc_table *table)
{
	struct chunk *chunk;

	if (table == NULL)
		return;
	while ((chunk = SLIST_FIRST(&table->chunks)) != NULL) {
		SLIST_REMOVE_HEAD(&table->chunks, entry);
		free(chunk);
	}
	free(table->by_pid);
	free(table->by_id);
	free(table);
}

struct proc *
proc_new(struct proc_table *table)
{
	struct proc *proc = table->unused;

	if (proc == NULL) {
		struct chunk *chunk = calloc(1, sizeof(*chunk));

		if (chunk == NULL)
			return NULL;
		SLIST_INSERT_HEAD(&table->chunks, chunk, entry);
		for (int i = 0; i < CHUNK; i++)
			proc_free(table, &chunk->procs[i]);
		proc = table->unused;
	}
	table->unused = proc->next_by_pid;
	*proc = (struct proc){ 0 };
	return proc;
}

void
proc_free(struct proc_table *table, struct proc *proc)
{
	proc->next_by_pid = table->unused;
	table->unused = proc;
}

void
proc_add(struct proc_table *table, struct proc *proc)
{
	LIST_INSERT_HEAD(&table->all, proc, entry);
	chains_insert(table, proc);
	if (++table->count > table->chains)
		table_grow(table);
}

struct proc *
proc_find(struct proc_table *table, pid_t pid)
{
	struct proc *proc = *pid_chain(table, pid);

	while (proc != NULL && proc->handle.pid != pid)
		proc = proc->next_by_pid;
	return proc;
}

struct proc *
proc_find_id(struct proc_table *table, uint64_t id)
{
	struct proc *proc = *id_chain(table, id);

	while (proc != NULL && proc->conn.id != id)
		proc = proc->next_by_id;
	return proc;
}

void
proc_remove(struct proc_table *table, struct proc *proc)
{
	struct proc **by_pid = pid_chain(table, proc->handle.pid);
	struct proc **by_id = id_chain(table, proc->conn.id);

	while (*by_pid != proc)
		by_pid = &(*by_pid)->next_by_pid;
	*by_pid = proc->next_by_pid;
	while (*by_id != proc)
		by_id = &(*by_id)->next_by_id;
	*by_id = proc->next_by_id;
	LIST_REMOVE(proc, entry);
	table->count--;
}

size_t
proc_count(const struct proc_table *table)
{
	return table->count;
}

struct proc *
proc_first(struct proc_table *table)
{
	return LIST_FIRST(&table->all);
}

struct proc *
proc_next(struct proc *proc)
{
	return LIST_NEXT(proc, entry);
}
