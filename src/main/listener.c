/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sockets as configured, and nothing about them left to chance.
 *
 * A socket is bound by a plan, which may be given up, and listens when the
 * plan has become true.
 */

#include "main/listener.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bug.h"
#include "conf/transport.h"
#include "main/adopt.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int
fail(struct listener *lst, const char *step)
{
	lst->error = errno;
	lst->step = step;
	return -1;
}

struct listener *
listener_new(const struct listener_id *id, const struct conf_socket *options)
{
	struct listener *lst = calloc(1, sizeof(*lst));

	if (lst == NULL)
		return NULL;
	lst->refs = 1;
	lst->fd = -1;
	lst->index = LISTENER_NO_INDEX;
	lst->options = *options;
	lst->id = *id;
	lst->id.path = strdup(id->path);
	lst->id.interface = strdup(id->interface);
	if (lst->id.path != NULL && lst->id.interface != NULL)
		return lst;
	listener_unref(lst);
	errno = ENOMEM;
	return NULL;
}

struct listener *
listener_ref(struct listener *lst)
{
	lst->refs++;
	return lst;
}

void
listener_unref(struct listener *lst)
{
	if (lst == NULL)
		return;
	if (lst->refs == 0)
		BUG("a listener was given up twice");
	if (--lst->refs > 0)
		return;
	listener_close(lst);
	free((char *)(uintptr_t)lst->id.path);
	free((char *)(uintptr_t)lst->id.interface);
	free(lst->bound_path);
	free(lst);
}

static int
interface_bind(struct listener *lst, int fd)
{
	const char *interface = lst->id.interface;

	if (interface[0] == '\0')
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
	    (socklen_t)strlen(interface)) == -1)
		return fail(lst, "interface");
	lst->ifindex = if_nametoindex(interface);
	return 0;
}

static int
address_bind(struct listener *lst, int fd, const struct addr *addr)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(addr, &ss);

	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		return fail(lst, "bind");
	len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return fail(lst, "getsockname");
	addr_from_sockaddr(&lst->local, (struct sockaddr *)&ss, len);
	return 0;
}

/* Of a socket of this transport; family is for those of IP. */
static struct sockopt_kind
kind_of(const struct listener_id *id, unsigned transport, int family)
{
	switch (transport) {
	case CONF_TCP:
		return (struct sockopt_kind){ family, SOCK_STREAM,
			id->mptcp ? IPPROTO_MPTCP : IPPROTO_TCP,
			id->v6 == CONF_V6_DUAL };
	case CONF_UDP:
		return (struct sockopt_kind){ family, SOCK_DGRAM, IPPROTO_UDP,
			id->v6 == CONF_V6_DUAL };
	case CONF_VSOCK:
		return (struct sockopt_kind){ AF_VSOCK, SOCK_STREAM, 0, false };
	case CONF_UNIX_DGRAM:
		return (struct sockopt_kind){ AF_UNIX, SOCK_DGRAM, 0, false };
	case CONF_UNIX_SEQPACKET:
		return (struct sockopt_kind){ AF_UNIX, SOCK_SEQPACKET, 0,
			false };
	default:
		return (struct sockopt_kind){ AF_UNIX, SOCK_STREAM, 0, false };
	}
}

/* Of a socket that is open. */
static struct sockopt_kind
kind_of_open(const struct listener *lst)
{
	return kind_of(&lst->id, lst->transport,
	    lst->local.family == ADDR_IP6 ? AF_INET6 : AF_INET);
}

static int
kind_open(const struct sockopt_kind *kind)
{
	return socket(kind->family, kind->type | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    kind->protocol);
}

static int
options_set(struct listener *lst, int fd, const struct sockopt_kind *kind)
{
	const char *step;

	if (sockopt_set(fd, kind, &lst->options, &step) == -1)
		return fail(lst, step);
	return 0;
}

/*
 * Bound, a socket for datagrams gets them.  One that takes a port over is not
 * to get any before the plan that it belongs to has become true.
 */
static int
datagrams_conceal(struct listener *lst, int fd,
    const struct sockopt_kind *kind)
{
	if (sockopt_conceal(fd) == 0) {
		lst->concealed = true;
		return fd;
	}
	/* Who may not undo it has to do without. */
	close(fd);
	return kind_open(kind);
}

static int
ip_open(struct listener *lst, bool shares)
{
	struct addr addr = lst->id.addr;
	struct sockopt_kind kind = kind_of(&lst->id, lst->id.transport,
	    addr.family == ADDR_IP6 ? AF_INET6 : AF_INET);
	int fd = kind_open(&kind);

	if (fd == -1 && errno == EAFNOSUPPORT && kind.dual) {
		kind.family = AF_INET;
		addr = (struct addr){ .family = ADDR_IP4, .port = addr.port };
		fd = kind_open(&kind);
	}
	lst->concealed = false;
	if (fd != -1 && shares && kind.type == SOCK_DGRAM)
		fd = datagrams_conceal(lst, fd, &kind);
	if (fd == -1)
		return fail(lst, "socket");
	if (shares)
		sockopt_share_port(fd, true);
	if (options_set(lst, fd, &kind) == -1 ||
	    (!lst->concealed && interface_bind(lst, fd) == -1) ||
	    address_bind(lst, fd, &addr) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
vsock_open(struct listener *lst)
{
	const struct sockopt_kind kind = kind_of(&lst->id, CONF_VSOCK, 0);
	int fd = kind_open(&kind);

	if (fd == -1)
		return fail(lst, "socket");
	if (options_set(lst, fd, &kind) == -1 ||
	    address_bind(lst, fd, &lst->id.addr) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether it has no path, but a name that lives as long as the socket. */
static bool
is_abstract(const struct listener *lst)
{
	return lst->id.path[0] == '@';
}

/* A path that is ours. */
static bool
has_path(const struct listener *lst)
{
	return lst->id.path[0] == '/' && lst->id.transport != CONF_FD;
}

/* unix(7): the name follows a zero byte; its length is that of the address. */
static int
abstract_bind(struct listener *lst, int fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(lst->id.path);

	if (len > sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(lst, "bind");
	}
	memcpy(sun.sun_path + 1, lst->id.path + 1, len - 1);
	if (bind(fd, (struct sockaddr *)&sun, (socklen_t)(offsetof(
	    struct sockaddr_un, sun_path) + len)) == -1)
		return fail(lst, "bind");
	return 0;
}

static int
path_bind(struct listener *lst, int fd)
{
	const char *step;

	if (sockpath_bind(fd, lst->id.path, &lst->options, &lst->file,
	    &step) == -1)
		return fail(lst, step);
	return 0;
}

static int
unix_open(struct listener *lst)
{
	const struct sockopt_kind kind = kind_of(&lst->id, lst->id.transport,
	    0);
	int fd = kind_open(&kind);

	if (fd == -1)
		return fail(lst, "socket");
	if (options_set(lst, fd, &kind) == -1 || (is_abstract(lst) ?
	    abstract_bind(lst, fd) : path_bind(lst, fd)) == -1) {
		close(fd);
		return -1;
	}
	lst->local = (struct addr){ .family = ADDR_UNIX };
	return fd;
}

/* A descriptor of our own of what we were given. */
static int
inherited_open(struct listener *lst, const struct inherited *inherited)
{
	int given = inherited_find(inherited, lst->id.path,
	    lst->id.addr.port);
	const char *step;
	int fd;

	if (given == -1) {
		errno = ENOENT;
		return fail(lst, "inherited");
	}
	fd = fcntl(given, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd == -1)
		return fail(lst, "inherited");
	if (adopt_look(lst, fd, &step) == 0)
		return fd;
	fail(lst, step);
	close(fd);
	return -1;
}

static int
socket_open(struct listener *lst, const struct inherited *inherited,
    bool shares)
{
	if (lst->id.transport != CONF_FD)
		lst->transport = lst->id.transport;
	switch (lst->id.transport) {
	case CONF_TCP:
	case CONF_UDP:
		return ip_open(lst, shares);
	case CONF_VSOCK:
		return vsock_open(lst);
	case CONF_FD:
		return inherited_open(lst, inherited);
	default:
		return unix_open(lst);
	}
}

int
listener_bind(struct listener *lst, const struct inherited *inherited,
    bool shares)
{
	int fd = socket_open(lst, inherited, shares);

	if (fd == -1)
		return -1;
	lst->fd = fd;
	lst->shares_port = shares;
	lst->listening = false;
	lst->closing = false;
	lst->error = 0;
	lst->step = NULL;
	return 0;
}

/* The call that lets clients come, or what stands for it. */
static int
socket_listen(struct listener *lst, const char **step)
{
	if (lst->id.transport == CONF_FD)
		return adopt_listen(lst, step);
	*step = "interface";
	if (lst->concealed && sockopt_reveal(lst->fd) == -1)
		return -1;
	if (lst->concealed && interface_bind(lst, lst->fd) == -1)
		return -1;
	lst->concealed = false;
	/* Other sockets for datagrams were reached since they were bound. */
	*step = "listen";
	return transport_is_dgram(lst->transport) ? 0 :
	    listen(lst->fd, lst->options.backlog);
}

int
listener_listen(struct listener *lst)
{
	const char *step;

	if (socket_listen(lst, &step) == -1) {
		fail(lst, step);
		listener_close(lst);
		return -1;
	}
	lst->listening = true;
	return 0;
}

void
listener_share_port(struct listener *lst, bool share)
{
	if (lst->fd == -1 || !transport_is_ip(lst->id.transport) ||
	    lst->shares_port == share)
		return;
	if (sockopt_share_port(lst->fd, share || lst->options.reuse_port) == 0)
		lst->shares_port = share;
}

int
listener_change(struct listener *lst, const struct conf_socket *options)
{
	const struct sockopt_kind kind = kind_of_open(lst);
	struct conf_socket before = lst->options;
	const char *step;
	int rc = 0;

	lst->options = *options;
	if (lst->fd == -1 || lst->id.transport == CONF_FD)
		return 0;
	if (sockopt_change(lst->fd, &kind, &before, options, &step) == -1)
		rc = fail(lst, step);
	if (lst->listening && !transport_is_dgram(lst->transport) &&
	    before.backlog != options->backlog &&
	    listen(lst->fd, options->backlog) == -1)
		rc = fail(lst, "backlog");
	if (has_path(lst) && (before.uid != options->uid ||
	    before.gid != options->gid || before.mode != options->mode) &&
	    sockpath_change(lst->id.path, options, &lst->file, &step) == -1)
		rc = fail(lst, step);
	return rc;
}

void
listener_follow_interface(struct listener *lst)
{
	const char *interface = lst->id.interface;
	unsigned ifindex;

	if (lst->fd == -1 || interface[0] == '\0')
		return;
	ifindex = if_nametoindex(interface);
	if (ifindex != 0 && ifindex != lst->ifindex)
		interface_bind(lst, lst->fd);
}

void
listener_begin_closing(struct listener *lst)
{
	if (lst->fd == -1 || lst->closing)
		return;
	lst->closing = true;
	if (has_path(lst))
		sockpath_remove(lst->id.path, &lst->file);
	else if (transport_is_ip(lst->id.transport))
		sockopt_hide(lst->fd);
}

void
listener_close(struct listener *lst)
{
	if (lst->fd == -1)
		return;
	if (has_path(lst))
		sockpath_remove(lst->id.path, &lst->file);
	close(lst->fd);
	lst->fd = -1;
	lst->listening = false;
}

bool
listener_intact(const struct listener *lst)
{
	if (lst->closing)
		return false;
	return !has_path(lst) || sockpath_intact(lst->id.path, &lst->file);
}

void
listener_format(const struct listener *lst, char *buf)
{
	static const char *const schemes[] = {
		[CONF_TCP] = "tcp",
		[CONF_UDP] = "udp",
		[CONF_UNIX] = "unix",
		[CONF_UNIX_DGRAM] = "unix-dgram",
		[CONF_UNIX_SEQPACKET] = "unix-seqpacket",
		[CONF_VSOCK] = "vsock",
		[CONF_FD] = "fd",
	};
	const struct addr *addr = lst->fd != -1 ? &lst->local : &lst->id.addr;
	bool ip = transport_is_ip(lst->id.transport);
	char text[ADDR_TEXT_SIZE];

	strlcpy(buf, schemes[lst->id.transport], LISTENER_TEXT_SIZE);
	if (ip && lst->id.v6 == CONF_V6_ONLY)
		strlcat(buf, "6", LISTENER_TEXT_SIZE);
	strlcat(buf, "://", LISTENER_TEXT_SIZE);
	if (lst->id.path[0] != '\0') {
		strlcat(buf, lst->id.path, LISTENER_TEXT_SIZE);
		return;
	}
	if (ip && lst->id.v6 != CONF_V6_NONE && addr_is_any(addr))
		snprintf(text, sizeof(text), "*:%u", addr->port);
	else
		addr_format(addr, text);
	strlcat(buf, text, LISTENER_TEXT_SIZE);
}
