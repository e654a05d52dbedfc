/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Descriptors of handlers that main owns and the serving frontend reads.
 */

#include "main/loan.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "main/minetd.h"

static int
loan_compare(const struct loan *a, const struct loan *b)
{
	if (a->conn.id != b->conn.id)
		return a->conn.id < b->conn.id ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(loan_tree, loan, by_name, loan_compare,
    __attribute__((unused)) static)

void
loan_table_init(struct loan_table *table)
{
	RB_INIT(&table->all);
	TAILQ_INIT(&table->due);
	table->front = NULL;
}

struct loan *
loan_find(struct minetd *mi, enum channel_loan_kind kind, uint64_t id)
{
	struct loan wanted;

	wanted.kind = (uint8_t)kind;
	wanted.conn.id = id;
	return RB_FIND(loan_tree, &mi->loans.all, &wanted);
}

struct loan *
loan_add(struct minetd *mi, enum channel_loan_kind kind,
    const struct connection *conn, struct service *svc, struct listener *lst)
{
	struct loan *loan = calloc(1, sizeof(*loan));

	if (loan == NULL)
		return NULL;
	loan->kind = (uint8_t)kind;
	loan->conn = *conn;
	loan->service = service_ref(svc);
	loan->listener = lst != NULL ? listener_ref(lst) : NULL;
	loan->fd = -1;
	loan->other_fd = -1;
	RB_INSERT(loan_tree, &mi->loans.all, loan);
	return loan;
}

void
loan_set_due(struct minetd *mi, struct loan *loan, bool due)
{
	if (loan->due == due)
		return;
	loan->due = due;
	if (due)
		TAILQ_INSERT_TAIL(&mi->loans.due, loan, entry);
	else
		TAILQ_REMOVE(&mi->loans.due, loan, entry);
}

static void
fds_close(struct loan *loan)
{
	if (loan->fd != -1)
		close(loan->fd);
	if (loan->other_fd != -1)
		close(loan->other_fd);
	loan->fd = -1;
	loan->other_fd = -1;
}

void
loan_free(struct minetd *mi, struct loan *loan)
{
	loan_set_due(mi, loan, false);
	fds_close(loan);
	RB_REMOVE(loan_tree, &mi->loans.all, loan);
	if (loan->listener != NULL)
		listener_unref(loan->listener);
	service_unref(&mi->services, loan->service);
	free(loan);
}

int
loan_stderr_new(struct minetd *mi, struct service *svc,
    const struct connection *conn)
{
	struct loan *loan = loan_add(mi, CHANNEL_LOAN_STDERR, conn, svc, NULL);
	int ends[2];

	if (loan == NULL)
		return -1;
	if (pipe2(ends, O_CLOEXEC) == -1) {
		int saved = errno;

		loan_free(mi, loan);
		errno = saved;
		return -1;
	}
	loan->fd = ends[0];
	/* The ends of a pipe are open files of their own. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[1];
}

int
loan_datagrams_new(struct minetd *mi, const struct loan_datagrams *of)
{
	struct loan *loan = loan_add(mi, CHANNEL_LOAN_DATAGRAMS, of->conn,
	    of->service, of->listener);
	int ends[2];

	if (loan == NULL)
		return -1;
	loan->tag = of->tag;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
		int saved = errno;

		loan_failed(mi, of->conn->id);
		errno = saved;
		return -1;
	}
	loan->fd = ends[0];
	loan->other_fd = ends[1];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return ends[1];
}

static void
one_started(struct minetd *mi, struct loan *loan, pid_t pid)
{
	if (loan == NULL)
		return;
	loan->pid = pid;
	loan_set_due(mi, loan, true);
}

void
loan_started(struct minetd *mi, uint64_t id, pid_t pid)
{
	one_started(mi, loan_find(mi, CHANNEL_LOAN_DATAGRAMS, id), pid);
	one_started(mi, loan_find(mi, CHANNEL_LOAN_STDERR, id), pid);
}

/* Who has asked for datagrams waits for an answer. */
void
loan_failed(struct minetd *mi, uint64_t id)
{
	struct loan *loan = loan_find(mi, CHANNEL_LOAN_STDERR, id);

	if (loan != NULL)
		loan_free(mi, loan);
	loan = loan_find(mi, CHANNEL_LOAN_DATAGRAMS, id);
	if (loan == NULL)
		return;
	fds_close(loan);
	loan->ended = true;
	loan_set_due(mi, loan, true);
}

void
loan_reaped(struct minetd *mi, uint64_t id)
{
	struct loan *loan = loan_find(mi, CHANNEL_LOAN_DATAGRAMS, id);

	if (loan != NULL) {
		loan->ended = true;
		loan_set_due(mi, loan, true);
	}
	loan = loan_find(mi, CHANNEL_LOAN_STDERR, id);
	if (loan != NULL)
		loan->ended = true;
}

struct loan *
loan_first(struct minetd *mi)
{
	return RB_MIN(loan_tree, &mi->loans.all);
}

struct loan *
loan_next(struct loan *loan)
{
	return RB_NEXT(loan_tree, NULL, loan);
}
