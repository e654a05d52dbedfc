/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What has moved on a TCP connection that somebody else has.
 *
 * It is found by its addresses, so that no descriptor of it is kept open.
 */

#include "main/tcpmoved.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>

#include "main/sockdiag.h"

enum {
	REPLY_SIZE = 4096,	/* more than the kernel sends */
	IP4_SIZE = 4,
	/* Of the kernel's states of a connection, see tcp_states.h there: that
	 * of a listener, and those in which the peer says no more. */
	STATE_LISTEN = 10,
	STATE_CLOSE_WAIT = 8,
	STATE_LAST_ACK = 9,
	STATE_CLOSING = 11,
};

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 req;
};

static void
question_fill(struct question *question, const struct tcpmoved_key *key)
{
	const struct addr *local = &key->local;
	const struct addr *peer = &key->peer;
	bool v4 = local->family == ADDR_IP4;
	struct inet_diag_req_v2 *req = &question->req;

	*question = (struct question){
		.head = {
			.nlmsg_len = sizeof(*question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.req = {
			.sdiag_family = v4 ? AF_INET : AF_INET6,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1u << (INET_DIAG_INFO - 1),
			.idiag_states = UINT32_MAX,
			.id = {
				.idiag_sport = htons(local->port),
				.idiag_dport = htons(peer->port),
				.idiag_if = key->interface != 0 ?
				    key->interface : local->scope,
				.idiag_cookie = { INET_DIAG_NOCOOKIE,
				    INET_DIAG_NOCOOKIE },
			},
		},
	};
	memcpy(req->id.idiag_src, local->bytes, v4 ? IP4_SIZE :
	    sizeof(local->bytes));
	memcpy(req->id.idiag_dst, peer->bytes, v4 ? IP4_SIZE :
	    sizeof(peer->bytes));
}

static bool
peer_has_ended(uint8_t state)
{
	return state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK ||
	    state == STATE_CLOSING;
}

/* A kernel that is older tells less: what is missing is 0. */
static void
info_read(struct tcpmoved *moved, const void *bytes, size_t len,
    uint8_t state)
{
	struct tcp_info info = { 0 };

	memcpy(&info, bytes, len < sizeof(info) ? len : sizeof(info));
	*moved = (struct tcpmoved){
		.received = info.tcpi_bytes_received,
		.sent = info.tcpi_bytes_acked,
		.quiet_msec = info.tcpi_last_data_recv <
		    info.tcpi_last_data_sent ? info.tcpi_last_data_recv :
		    info.tcpi_last_data_sent,
		.repeating = info.tcpi_retransmits != 0,
	};
	/* The end takes a number in the sequence of bytes. */
	if (peer_has_ended(state) && moved->received > 0)
		moved->received--;
}

/* The answer is only read. */
static enum tcpmoved_found
answer_read(struct tcpmoved *moved, void *bytes, size_t size)
{
	struct nlmsghdr *head = bytes;
	struct inet_diag_msg *msg;
	struct nlmsgerr *error;
	struct rtattr *attr;
	int len;

	if (!NLMSG_OK(head, size))
		return TCPMOVED_UNKNOWN;
	if (head->nlmsg_type == NLMSG_ERROR &&
	    head->nlmsg_len >= NLMSG_LENGTH(sizeof(*error))) {
		error = NLMSG_DATA(head);
		return error->error == -ENOENT ? TCPMOVED_MISSING :
		    TCPMOVED_UNKNOWN;
	}
	if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    head->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)))
		return TCPMOVED_UNKNOWN;
	msg = NLMSG_DATA(head);
	/* What is found in place of a connection that is no more. */
	if (msg->idiag_state == STATE_LISTEN)
		return TCPMOVED_GONE;
	len = (int)(head->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));
	for (attr = (struct rtattr *)(msg + 1); RTA_OK(attr, len);
	    attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type != INET_DIAG_INFO)
			continue;
		info_read(moved, RTA_DATA(attr), RTA_PAYLOAD(attr),
		    msg->idiag_state);
		return TCPMOVED_FOUND;
	}
	/* It has ended, and is kept so that its ports are not used again. */
	return TCPMOVED_GONE;
}

enum tcpmoved_found
tcpmoved_look(struct tcpmoved *moved, const struct tcpmoved_key *key)
{
	char reply[REPLY_SIZE] __attribute__((aligned(8)));
	struct question question;
	ssize_t n;

	question_fill(&question, key);
	n = sockdiag_ask(&question, sizeof(question), reply, sizeof(reply));
	if (n <= 0)
		return TCPMOVED_UNKNOWN;
	return answer_read(moved, reply, (size_t)n);
}
