/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Look into the queue of a listening unix socket, by sock_diag(7).
 *
 * The kernel answers with the inodes of the sockets in the queue, first those
 * that have waited for longest.  It says nothing of a queue that is longer than
 * a page, and where unix_diag is missing it says nothing at all.
 */

#include "main/unixqueue.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <string.h>

#include "main/sockdiag.h"

enum {
	REPLY_SIZE = 8192,	/* more than the kernel sends */
};

struct question {
	struct nlmsghdr head;
	struct unix_diag_req req;
};

/*
 * The first number of the list in the answer, which is only read; 0 when there
 * is none.
 */
static uint32_t
answer_read(void *bytes, size_t size, uint32_t inode)
{
	struct nlmsghdr *head = bytes;
	struct unix_diag_msg *msg;
	struct rtattr *attr;
	uint32_t first = 0;
	int len;

	if (!NLMSG_OK(head, size) || head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    head->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)))
		return 0;
	msg = NLMSG_DATA(head);
	if (msg->udiag_ino != inode)
		return 0;
	len = (int)(head->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));
	for (attr = (struct rtattr *)(msg + 1); RTA_OK(attr, len);
	    attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type != UNIX_DIAG_ICONS ||
		    RTA_PAYLOAD(attr) < sizeof(first))
			continue;
		memcpy(&first, RTA_DATA(attr), sizeof(first));
		break;
	}
	return first;
}

uint32_t
unixqueue_front(int fd)
{
	char reply[REPLY_SIZE] __attribute__((aligned(8)));
	struct question question;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return 0;
	question = (struct question){
		.head = {
			.nlmsg_len = sizeof(question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.req = {
			.sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_ino = (uint32_t)st.st_ino,
			.udiag_show = UDIAG_SHOW_ICONS,
			.udiag_cookie = { UINT32_MAX, UINT32_MAX },
		},
	};
	n = sockdiag_ask(&question, sizeof(question), reply, sizeof(reply));
	return n > 0 ? answer_read(reply, (size_t)n, (uint32_t)st.st_ino) : 0;
}
