/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The channel between main and frontend.
 *
 * Several messages cross in one system call (sendmmsg, recvmmsg), because a
 * message is sent for every connection.  The control buffer of a receiver has
 * room for exactly one descriptor, so that the kernel itself discards what a
 * captured sender attaches beyond it and says so with MSG_CTRUNC.
 */

#include "base/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* What every message has; version, type and listener, then the body. */
enum { MESSAGE_SIZE = 8 + CHANNEL_BODY };

static_assert(offsetof(struct channel_msg, text) == MESSAGE_SIZE,
    "messages keep their size");

/* Aligned as cmsg(3) wants it; CMSG_LEN of one int is less than its size. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

struct batch {
	struct mmsghdr hdrs[CHANNEL_BATCH];
	struct iovec iovs[CHANNEL_BATCH];
	union control controls[CHANNEL_BATCH];
};

int
channel_open(int ends[2])
{
	return socketpair(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

static void
batch_attach(struct batch *batch, int i, int fd)
{
	struct msghdr *hdr = &batch->hdrs[i].msg_hdr;
	struct cmsghdr *cmsg;

	hdr->msg_control = &batch->controls[i];
	hdr->msg_controllen = CMSG_LEN(sizeof(int));
	cmsg = CMSG_FIRSTHDR(hdr);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
}

/* How many bytes of a message cross; 0: its text has no such length. */
static size_t
message_size(const struct channel_msg *msg)
{
	if (msg->type != CHANNEL_LOG)
		return MESSAGE_SIZE;
	return msg->log.len <= CHANNEL_TEXT ? MESSAGE_SIZE + msg->log.len : 0;
}

static void
batch_add(struct batch *batch, int i, struct channel_msg *msg, size_t size)
{
	batch->iovs[i] = (struct iovec){ msg, size };
	batch->hdrs[i].msg_hdr = (struct msghdr){
		.msg_iov = &batch->iovs[i],
		.msg_iovlen = 1,
	};
}

int
channel_send(int fd, struct channel_item *items, int n)
{
	struct batch batch;
	int sent;

	if (n > CHANNEL_BATCH)
		n = CHANNEL_BATCH;
	for (int i = 0; i < n; i++) {
		items[i].msg.version = CHANNEL_VERSION;
		batch_add(&batch, i, &items[i].msg,
		    message_size(&items[i].msg));
		if (items[i].fd != -1)
			batch_attach(&batch, i, items[i].fd);
	}
	do {
		sent = sendmmsg(fd, batch.hdrs, (unsigned)n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent == -1 && errno == EINTR);
	return sent;
}

void
channel_discard(int fd)
{
	/* With SO_LINGER a close may wait for the peer to read. */
	const struct linger off = { 0, 0 };

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	close(fd);
}

/* Take the descriptor out of the control data; false when it is malformed. */
static bool
control_take(struct msghdr *hdr, int *fd)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr);

	*fd = -1;
	/* None arrived, but one was there: our own table is full. */
	if (cmsg == NULL && (hdr->msg_flags & MSG_CTRUNC) != 0) {
		*fd = CHANNEL_FD_LOST;
		return (hdr->msg_flags & MSG_TRUNC) == 0;
	}
	if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	else if (cmsg != NULL)
		return false;
	return (hdr->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0;
}

/*
 * Shape the items and return how many there are: those up to an empty message,
 * which is the end of file, or up to and including the first malformed one.
 */
static int
batch_check(struct batch *batch, struct channel_item *items, int n)
{
	int count = 0;
	bool ended = false;

	for (int i = 0; i < n; i++) {
		struct mmsghdr *hdr = &batch->hdrs[i];
		struct channel_item *item = &items[i];
		bool fine = control_take(&hdr->msg_hdr, &item->fd) &&
		    hdr->msg_len >= MESSAGE_SIZE &&
		    hdr->msg_len == message_size(&item->msg) &&
		    item->msg.version == CHANNEL_VERSION;

		if (!ended && hdr->msg_len != 0)
			count++;
		if (ended || !fine) {
			channel_discard(item->fd);
			item->fd = -1;
		}
		if (!fine) {
			item->msg.type = CHANNEL_MALFORMED;
			ended = true;
		}
	}
	return count;
}

int
channel_recv(int fd, struct channel_item *items, int n)
{
	struct batch batch;
	int received;

	if (n > CHANNEL_BATCH)
		n = CHANNEL_BATCH;
	for (int i = 0; i < n; i++) {
		batch_add(&batch, i, &items[i].msg, sizeof(items[i].msg));
		batch.hdrs[i].msg_hdr.msg_control = &batch.controls[i];
		batch.hdrs[i].msg_hdr.msg_controllen = CMSG_LEN(sizeof(int));
	}
	/* ECONNRESET says that the other side died with messages unread; what
	 * it had sent is still there and comes next. */
	do {
		received = recvmmsg(fd, batch.hdrs, (unsigned)n,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	} while (received == -1 && (errno == EINTR || errno == ECONNRESET));
	if (received <= 0)
		return received;
	return batch_check(&batch, items, received);
}
