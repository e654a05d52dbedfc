/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find out what a listening socket is that somebody else has made.
 *
 * The open file description is shared with whoever made it, who may go on to
 * use it when we are gone: none of its options is touched, and its path stays.
 */

#include "main/adopt.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf/transport.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* A socket of these three is of this transport. */
struct kind {
	int domain;
	int type;
	int protocol;		/* 0: any */
	enum conf_transport transport;
};

static const struct kind kinds[] = {
	{ AF_INET, SOCK_STREAM, IPPROTO_TCP, CONF_TCP },
	{ AF_INET, SOCK_STREAM, IPPROTO_MPTCP, CONF_TCP },
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDP, CONF_UDP },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, CONF_TCP },
	{ AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, CONF_TCP },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, CONF_UDP },
	{ AF_UNIX, SOCK_STREAM, 0, CONF_UNIX },
	{ AF_UNIX, SOCK_DGRAM, 0, CONF_UNIX_DGRAM },
	{ AF_UNIX, SOCK_SEQPACKET, 0, CONF_UNIX_SEQPACKET },
	{ AF_VSOCK, SOCK_STREAM, 0, CONF_VSOCK },
};

/* An int option, or -1 with errno. */
static int
option_get(int fd, int level, int number)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, level, number, &value, &len) == -1)
		return -1;
	return value;
}

static int
kind_find(struct listener *lst, int fd, const char **step)
{
	int domain = option_get(fd, SOL_SOCKET, SO_DOMAIN);
	int type = option_get(fd, SOL_SOCKET, SO_TYPE);
	int protocol = option_get(fd, SOL_SOCKET, SO_PROTOCOL);

	*step = "inherited";
	if (domain == -1 || type == -1 || protocol == -1)
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].domain == domain && kinds[i].type == type &&
		    (kinds[i].protocol == protocol ||
		    kinds[i].protocol == 0)) {
			lst->transport = kinds[i].transport;
			return 0;
		}
	*step = "kind";
	errno = ESOCKTNOSUPPORT;
	return -1;
}

/* "/path" or "@name", as `listen` has it; "" when it has none. */
static int
path_note(struct listener *lst, const struct sockaddr_un *sun, socklen_t len)
{
	size_t size = len - offsetof(struct sockaddr_un, sun_path);
	char path[sizeof(sun->sun_path) + 1] = "";

	memcpy(path, sun->sun_path, size);
	if (size > 1 && path[0] == '\0')
		path[0] = '@';
	free(lst->bound_path);
	lst->bound_path = strdup(path);
	return lst->bound_path != NULL ? 0 : -1;
}

/* Whether clients can name the address. */
static bool
is_bound(const struct listener *lst)
{
	if (lst->bound_path != NULL)
		return lst->bound_path[0] != '\0';
	if (lst->transport == CONF_VSOCK)
		return addr_vsock(&lst->local).port != UINT32_MAX;
	return lst->local.port != 0;
}

static int
address_note(struct listener *lst, int fd, const char **step)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	*step = "address";
	memset(&ss, 0, sizeof(ss));
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return -1;
	addr_from_sockaddr(&lst->local, (struct sockaddr *)&ss, len);
	if (transport_is_unix(lst->transport))
		return path_note(lst, (struct sockaddr_un *)&ss, len);
	lst->bound_v6 = CONF_V6_NONE;
	if (ss.ss_family == AF_INET6 && addr_is_any(&lst->local))
		lst->bound_v6 = option_get(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0 ?
		    CONF_V6_DUAL : CONF_V6_ONLY;
	lst->transparent = (ss.ss_family == AF_INET6 &&
	    option_get(fd, IPPROTO_IPV6, IPV6_TRANSPARENT) == 1) ||
	    (ss.ss_family == AF_INET &&
	    option_get(fd, IPPROTO_IP, IP_TRANSPARENT) == 1);
	return 0;
}

/* One conversation is no listener; one without an address is not found. */
static int
state_check(const struct listener *lst, int fd, const char **step)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	*step = "connected";
	errno = EISCONN;
	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		return -1;
	if (option_get(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 || is_bound(lst))
		return 0;
	*step = "address";
	errno = EADDRNOTAVAIL;
	return -1;
}

int
adopt_look(struct listener *lst, int fd, const char **step)
{
	if (kind_find(lst, fd, step) == -1 ||
	    address_note(lst, fd, step) == -1)
		return -1;
	return state_check(lst, fd, step);
}

int
adopt_listen(const struct listener *lst, const char **step)
{
	int flags = fcntl(lst->fd, F_GETFL);

	*step = "O_NONBLOCK";
	if (flags == -1 || ((flags & O_NONBLOCK) == 0 &&
	    fcntl(lst->fd, F_SETFL, flags | O_NONBLOCK) == -1))
		return -1;
	*step = "listen";
	if (transport_is_dgram(lst->transport) ||
	    option_get(lst->fd, SOL_SOCKET, SO_ACCEPTCONN) == 1)
		return 0;
	return listen(lst->fd, lst->options.backlog);
}
