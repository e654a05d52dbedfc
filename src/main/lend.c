/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What main and the serving frontend say to each other of loans.
 *
 * As with all that frontends are told, what is due is state and not a queue: a
 * loan was told or not, and its handler has ended or not.
 */

#include "main/lend.h"

#include "main/loan.h"

void
lend_anew(struct minetd *mi, struct front *front)
{
	struct loan *loan, *next;

	mi->loans.front = front;
	for (loan = loan_first(mi); loan != NULL; loan = next) {
		next = loan_next(loan);
		loan->told = false;
		loan->tag = 0;
		/* Who waited for the answer is not there any more; nor,
		 * when we stop, are the sockets for datagrams. */
		if (loan->fd == -1 || (mi->phase == RUN_STOPPING &&
		    loan->kind == CHANNEL_LOAN_DATAGRAMS))
			loan_free(mi, loan);
		else if (loan->pid != 0)
			loan_set_due(mi, loan, true);
	}
}

void
lend_forget(struct minetd *mi, const struct front *front)
{
	if (mi->loans.front == front)
		mi->loans.front = NULL;
}

bool
lend_reads(struct minetd *mi)
{
	for (struct loan *loan = loan_first(mi); loan != NULL;
	    loan = loan_next(loan))
		if (loan->kind == CHANNEL_LOAN_STDERR)
			return true;
	return false;
}

static bool
message_send(const struct front *front, enum channel_type type,
    const struct loan *loan, int fd)
{
	/* Indexes are of the edition that is served. */
	bool served = front->edition == front->mi->edition;
	struct channel_item item;

	channel_msg_init(&item.msg, type);
	item.fd = fd;
	item.msg.listener = served && loan->listener != NULL ?
	    loan->listener->index : LISTENER_NO_INDEX;
	item.msg.loan.peer = loan->conn.peer;
	item.msg.loan.local = loan->conn.local;
	item.msg.loan.id = loan->conn.id;
	item.msg.loan.kind = loan->kind;
	item.msg.loan.service = served ? loan->service->index :
	    SERVICE_NO_INDEX;
	item.msg.loan.tag = loan->tag;
	return channel_send(front->channel.fd, &item, 1) == 1;
}

/* Say what is due of a loan, which may be its last; false: it has to wait. */
static bool
loan_tell(struct minetd *mi, const struct front *front, struct loan *loan)
{
	if (!loan->told && loan->fd != -1) {
		if (!message_send(front, CHANNEL_LOAN, loan, loan->fd))
			return false;
		loan->told = true;
	}
	if (!loan->ended || loan->kind != CHANNEL_LOAN_DATAGRAMS) {
		loan_set_due(mi, loan, false);
		return true;
	}
	if (!message_send(front, CHANNEL_RETURN, loan, loan->other_fd))
		return false;
	loan_free(mi, loan);
	return true;
}

bool
lend_send(struct minetd *mi, const struct front *front)
{
	struct loan *loan;

	if (front != mi->loans.front || front->state == FRONT_DRAINING)
		return true;
	while ((loan = TAILQ_FIRST(&mi->loans.due)) != NULL)
		if (!loan_tell(mi, front, loan))
			return false;
	return true;
}

bool
lend_asked(struct minetd *mi, const struct front *front)
{
	struct loan *loan, *next;

	if (front != mi->loans.front)
		return true;
	for (loan = TAILQ_FIRST(&mi->loans.due); loan != NULL; loan = next) {
		next = TAILQ_NEXT(loan, entry);
		if (loan->tag == 0 || loan->told)
			continue;
		if (loan->fd == -1) {
			if (!loan_tell(mi, front, loan))
				return false;
			continue;
		}
		if (!message_send(front, CHANNEL_LOAN, loan, loan->fd))
			return false;
		loan->told = true;
	}
	return true;
}

/* The loan that a frontend speaks of; NULL when it has none such. */
static struct loan *
loan_check(struct minetd *mi, const struct front *front,
    enum channel_loan_kind kind, uint64_t id)
{
	struct loan *loan = NULL;

	if (front == mi->loans.front && front->state != FRONT_DRAINING)
		loan = loan_find(mi, kind, id);
	return loan != NULL && loan->told ? loan : NULL;
}

int
lend_log(struct minetd *mi, const struct front *front,
    const struct channel_msg *msg)
{
	const struct loan *loan = loan_check(mi, front, CHANNEL_LOAN_STDERR,
	    msg->log.id);
	struct log_line line;

	if (loan == NULL || (msg->log.len == 0 && msg->log.left_out == 0))
		return -1;
	log_begin(&line, LOG_LEVEL_INFO, "stderr");
	log_str(&line, "service", loan->service->name);
	log_uint(&line, "id", loan->conn.id);
	log_uint(&line, "pid", (uint64_t)loan->pid);
	/* Before the text, with which the line may become full. */
	if (msg->log.left_out != 0)
		log_uint(&line, "left_out", msg->log.left_out);
	if (msg->log.cut != 0)
		log_uint(&line, "cut", msg->log.cut);
	if (msg->log.len != 0)
		log_strn(&line, "text", msg->text, msg->log.len);
	log_end(&line);
	return 0;
}

int
lend_repaid(struct minetd *mi, const struct front *front,
    const struct channel_msg *msg)
{
	enum channel_loan_kind kind = msg->loan.kind;
	struct loan *loan = loan_check(mi, front, kind, msg->loan.id);

	if (loan != NULL) {
		loan_free(mi, loan);
		return 0;
	}
	/* A RETURN may have crossed it. */
	return front == mi->loans.front && kind == CHANNEL_LOAN_DATAGRAMS &&
	    msg->loan.id < mi->next_id ? 0 : -1;
}
