/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Whether a socket is what a frontend says it is.
 *
 * What the kernel says of the socket is compared with what it says of the
 * listener; of the peer, only what cannot be asked is taken from the frontend.
 */

#include "main/accepted.h"

#include <sys/socket.h>

#include <string.h>

#include "conf/transport.h"

/* What getsockname(2) says. */
struct name {
	struct sockaddr_storage ss;
	socklen_t len;
};

static bool
name_get(int fd, struct name *name)
{
	memset(name, 0, sizeof(*name));
	name->len = sizeof(name->ss);
	return fd != -1 && getsockname(fd, (struct sockaddr *)&name->ss,
	    &name->len) == 0;
}

/* An int option of the socket, or -1. */
static int
option_get(int fd, int number)
{
	int value;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, number, &value, &len) == -1)
		return -1;
	return value;
}

static bool
type_check(const struct listener *lst, int socket)
{
	int type = lst->transport == CONF_UNIX_SEQPACKET ? SOCK_SEQPACKET :
	    SOCK_STREAM;

	return lst->listening && !transport_is_dgram(lst->transport) &&
	    option_get(socket, SO_TYPE) == type &&
	    option_get(socket, SO_ACCEPTCONN) == 0;
}

/* Path or abstract name: accepted sockets have that of their listener. */
static bool
unix_check(const struct listener *lst, const struct name *name)
{
	struct name own;

	return name->ss.ss_family == AF_UNIX && name_get(lst->fd, &own) &&
	    own.len == name->len && memcmp(&own.ss, &name->ss, own.len) == 0;
}

static bool
ip_check(const struct listener *lst, const struct addr *local)
{
	if (local->family != ADDR_IP4 && local->family != ADDR_IP6)
		return false;
	/* A transparent one stands in for any address and port. */
	if (lst->options.transparent || lst->transparent)
		return true;
	return local->port == lst->local.port && (addr_is_any(&lst->local) ||
	    addr_equal(local, &lst->local));
}

static bool
vsock_check(const struct listener *lst, const struct addr *local)
{
	const struct addr_vsock bound = addr_vsock(&lst->local);
	const struct addr_vsock own = addr_vsock(local);

	return local->family == ADDR_VSOCK && own.port == bound.port &&
	    (bound.cid == UINT32_MAX || own.cid == bound.cid);
}

static bool
local_check(const struct listener *lst, const struct name *name,
    const struct addr *local)
{
	if (transport_is_unix(lst->transport))
		return unix_check(lst, name);
	if (lst->transport == CONF_VSOCK)
		return vsock_check(lst, local);
	return ip_check(lst, local);
}

static bool
peer_check(struct connection *conn, int socket)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (conn->local.family == ADDR_VSOCK)
		return conn->peer.family == ADDR_VSOCK;
	if (conn->local.family != ADDR_UNIX)
		return conn->peer.family == ADDR_IP4 ||
		    conn->peer.family == ADDR_IP6;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return false;
	conn->peer = addr_from_cred((uint32_t)cred.pid, cred.uid, cred.gid);
	return true;
}

bool
accepted_check(const struct listener *lst, int socket,
    struct connection *conn)
{
	struct name name;

	if (!type_check(lst, socket) || !name_get(socket, &name))
		return false;
	addr_from_sockaddr(&conn->local, (struct sockaddr *)&name.ss,
	    name.len);
	return local_check(lst, &name, &conn->local) &&
	    peer_check(conn, socket);
}
