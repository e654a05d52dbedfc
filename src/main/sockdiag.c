/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Ask the kernel about a socket.
 */

#include "main/sockdiag.h"

#include <sys/socket.h>

#include <errno.h>
#include <linux/netlink.h>
#include <unistd.h>

ssize_t
sockdiag_ask(const void *request, size_t len, void *reply, size_t size)
{
	int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
	    NETLINK_SOCK_DIAG);
	ssize_t n = -1;
	int saved;

	if (netlink == -1)
		return -1;
	/* The answer is there when send(2) returns. */
	if (send(netlink, request, len, MSG_DONTWAIT) == (ssize_t)len)
		n = recv(netlink, reply, size, MSG_DONTWAIT);
	saved = errno;
	close(netlink);
	errno = saved;
	return n;
}
