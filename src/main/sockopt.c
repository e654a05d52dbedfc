/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The options of listening sockets.
 *
 * Both ways to set them go through one list, in which an option that was not
 * configured has no name.  A change compares two such lists; the values to go
 * back to are read from a new socket of the same kind.
 */

#include "main/sockopt.h"

#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <unistd.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

enum {
	OPTIONS_MAX = 20,
	LOCK_SEND = 1,		/* of SO_BUF_LOCK: no automatic size */
	LOCK_RECEIVE = 2,
	/* Interfaces that are never there; two, for sockets that have the same
	 * one and share a port are a group to the kernel. */
	NO_INTERFACE_HIDDEN = INT_MAX,
	NO_INTERFACE_CONCEALED = INT_MAX - 1,
};

/* One setsockopt(2) of an int. */
struct option {
	int level;
	int number;
	int value;
	const char *name;	/* what a complaint calls it; NULL: not set */
};

struct option_list {
	struct option items[OPTIONS_MAX];
	size_t count;
};

/* An option that is left alone unless it was configured. */
static void
list_add(struct option_list *list, bool configured, struct option option)
{
	if (!configured)
		option.name = NULL;
	list->items[list->count++] = option;
}

static void
common_add(struct option_list *list, const struct conf_socket *sock)
{
	list_add(list, sock->send_buffer != 0, (struct option){
	    SOL_SOCKET, SO_SNDBUF, sock->send_buffer, "send_buffer" });
	list_add(list, sock->receive_buffer != 0, (struct option){
	    SOL_SOCKET, SO_RCVBUF, sock->receive_buffer, "receive_buffer" });
}

static void
ip_add(struct option_list *list, const struct sockopt_kind *kind,
    const struct conf_socket *sock)
{
	bool v6 = kind->family == AF_INET6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int tos = sock->dscp * 4;	/* the upper six bits of the octet */
	bool dscp = sock->dscp != CONF_KEEP;

	list_add(list, sock->reuse_port, (struct option){
	    SOL_SOCKET, SO_REUSEPORT, 1, "reuse_port" });
	list_add(list, sock->freebind, (struct option){
	    level, v6 ? IPV6_FREEBIND : IP_FREEBIND, 1, "freebind" });
	list_add(list, sock->transparent, (struct option){
	    level, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1, "transparent" });
	list_add(list, sock->mark != 0, (struct option){
	    SOL_SOCKET, SO_MARK, (int)sock->mark, "mark" });
	list_add(list, dscp && v6, (struct option){
	    IPPROTO_IPV6, IPV6_TCLASS, tos, "dscp" });
	list_add(list, dscp && (!v6 || kind->dual), (struct option){
	    IPPROTO_IP, IP_TOS, tos, "dscp" });
}

static void
tcp_add(struct option_list *list, const struct conf_socket *sock)
{
	list_add(list, sock->nodelay, (struct option){
	    IPPROTO_TCP, TCP_NODELAY, 1, "nodelay" });
	list_add(list, sock->defer_accept != 0, (struct option){
	    IPPROTO_TCP, TCP_DEFER_ACCEPT, sock->defer_accept,
	    "defer_accept" });
	list_add(list, sock->keepalive, (struct option){
	    SOL_SOCKET, SO_KEEPALIVE, 1, "keepalive" });
	list_add(list, sock->keepalive_time != 0, (struct option){
	    IPPROTO_TCP, TCP_KEEPIDLE, sock->keepalive_time,
	    "keepalive_time" });
	list_add(list, sock->keepalive_interval != 0, (struct option){
	    IPPROTO_TCP, TCP_KEEPINTVL, sock->keepalive_interval,
	    "keepalive_interval" });
	list_add(list, sock->keepalive_probes != 0, (struct option){
	    IPPROTO_TCP, TCP_KEEPCNT, sock->keepalive_probes,
	    "keepalive_probes" });
}

static void
list_fill(struct option_list *list, const struct sockopt_kind *kind,
    const struct conf_socket *sock)
{
	list->count = 0;
	common_add(list, sock);
	if (kind->family != AF_INET && kind->family != AF_INET6)
		return;
	ip_add(list, kind, sock);
	if (kind->type == SOCK_STREAM)
		tcp_add(list, sock);
}

static int
option_set(int fd, const struct option *opt)
{
	return setsockopt(fd, opt->level, opt->number, &opt->value,
	    sizeof(opt->value));
}

static int
number_set(int fd, int level, int number, int value)
{
	return setsockopt(fd, level, number, &value, sizeof(value));
}

int
sockopt_set(int fd, const struct sockopt_kind *kind,
    const struct conf_socket *options, const char **step)
{
	struct option_list list;

	/* For datagrams it would let two daemons have one port. */
	if (kind->type == SOCK_STREAM && kind->family != AF_UNIX) {
		*step = "SO_REUSEADDR";
		if (number_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
			return -1;
	}
	if (kind->family == AF_INET6) {
		*step = "IPV6_V6ONLY";
		if (number_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !kind->dual) ==
		    -1)
			return -1;
	}
	list_fill(&list, kind, options);
	for (size_t i = 0; i < list.count; i++) {
		*step = list.items[i].name;
		if (*step != NULL && option_set(fd, &list.items[i]) == -1)
			return -1;
	}
	return 0;
}

static bool
options_equal(const struct option *a, const struct option *b)
{
	if (a->name == NULL || b->name == NULL)
		return a->name == b->name;
	return a->value == b->value;
}

/*
 * What a new socket has.  A buffer's size is reported as twice of what is to
 * be asked for.
 */
static int
default_get(const struct sockopt_kind *kind, struct option *opt)
{
	int fd = socket(kind->family, kind->type | SOCK_CLOEXEC,
	    kind->protocol);
	socklen_t len = sizeof(opt->value);
	int rc, saved;

	if (fd == -1)
		return -1;
	rc = getsockopt(fd, opt->level, opt->number, &opt->value, &len);
	saved = errno;
	close(fd);
	errno = saved;
	if (opt->level == SOL_SOCKET &&
	    (opt->number == SO_SNDBUF || opt->number == SO_RCVBUF))
		opt->value /= 2;
	return rc;
}

/* The kernel sizes those buffers that nobody has. */
static void
buffers_unlock(int fd, const struct conf_socket *to)
{
	number_set(fd, SOL_SOCKET, SO_BUF_LOCK,
	    (to->send_buffer != 0 ? LOCK_SEND : 0) |
	    (to->receive_buffer != 0 ? LOCK_RECEIVE : 0));
}

int
sockopt_change(int fd, const struct sockopt_kind *kind,
    const struct conf_socket *from, const struct conf_socket *to,
    const char **step)
{
	struct option_list before, after;
	int error = 0;

	list_fill(&before, kind, from);
	list_fill(&after, kind, to);
	for (size_t i = 0; i < after.count; i++) {
		struct option opt = after.items[i];
		const char *name = opt.name != NULL ? opt.name :
		    before.items[i].name;

		if (options_equal(&before.items[i], &opt))
			continue;
		if ((opt.name != NULL || default_get(kind, &opt) == 0) &&
		    option_set(fd, &opt) == 0)
			continue;
		if (error == 0) {
			error = errno;
			*step = name;
		}
	}
	if (from->send_buffer != to->send_buffer ||
	    from->receive_buffer != to->receive_buffer)
		buffers_unlock(fd, to);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
sockopt_share_port(int fd, bool share)
{
	return number_set(fd, SOL_SOCKET, SO_REUSEPORT, share);
}

void
sockopt_hide(int fd)
{
	/* The kernel looks for listeners that may hear of an interface, and
	 * this one hears of one that is never there.  Connections have their
	 * own, from the beginning of the handshake on. */
	number_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, NO_INTERFACE_HIDDEN);
}

int
sockopt_conceal(int fd)
{
	/* Anybody may bind to an interface, but not anybody may undo it. */
	if (number_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX,
	    NO_INTERFACE_CONCEALED) == -1 || sockopt_reveal(fd) == -1)
		return -1;
	return number_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX,
	    NO_INTERFACE_CONCEALED);
}

int
sockopt_reveal(int fd)
{
	return number_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
}
