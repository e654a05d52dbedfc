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

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bug.h"

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
tcp_bind(struct listener *lst, int fd, const struct addr *addr)
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

static struct sockopt_kind
kind_of(const struct listener_id *id, int family)
{
	if (id->transport == CONF_UNIX)
		return (struct sockopt_kind){ .family = AF_UNIX };
	return (struct sockopt_kind){
		.family = family,
		.protocol = id->mptcp ? IPPROTO_MPTCP : IPPROTO_TCP,
		.dual = id->v6 == CONF_V6_DUAL,
	};
}

/* Of a socket that is open. */
static struct sockopt_kind
kind_of_open(const struct listener *lst)
{
	return kind_of(&lst->id, lst->local.family == ADDR_IP6 ? AF_INET6 :
	    AF_INET);
}

static int
options_set(struct listener *lst, int fd, const struct sockopt_kind *kind)
{
	const char *step;

	if (sockopt_set(fd, kind, &lst->options, &step) == -1)
		return fail(lst, step);
	return 0;
}

static int
tcp_open(struct listener *lst, bool shares)
{
	struct addr addr = lst->id.addr;
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	struct sockopt_kind kind = kind_of(&lst->id,
	    addr.family == ADDR_IP6 ? AF_INET6 : AF_INET);
	int fd = socket(kind.family, type, kind.protocol);

	if (fd == -1 && errno == EAFNOSUPPORT && kind.dual) {
		kind.family = AF_INET;
		addr = (struct addr){ .family = ADDR_IP4, .port = addr.port };
		fd = socket(AF_INET, type, kind.protocol);
	}
	if (fd == -1)
		return fail(lst, "socket");
	if (shares)
		sockopt_share_port(fd, true);
	if (options_set(lst, fd, &kind) == -1 ||
	    interface_bind(lst, fd) == -1 || tcp_bind(lst, fd, &addr) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
unix_open(struct listener *lst)
{
	const struct sockopt_kind kind = { .family = AF_UNIX };
	const char *step;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);

	if (fd == -1)
		return fail(lst, "socket");
	if (options_set(lst, fd, &kind) == -1)
		goto fail;
	if (sockpath_bind(fd, lst->id.path, &lst->options, &lst->file,
	    &step) == -1) {
		fail(lst, step);
		goto fail;
	}
	lst->local = (struct addr){ .family = ADDR_UNIX };
	return fd;

fail:
	close(fd);
	return -1;
}

int
listener_bind(struct listener *lst, bool shares)
{
	int fd = lst->id.transport == CONF_UNIX ? unix_open(lst) :
	    tcp_open(lst, shares);

	if (fd == -1)
		return -1;
	lst->fd = fd;
	lst->transport = lst->id.transport;
	lst->shares_port = shares;
	lst->listening = false;
	lst->closing = false;
	lst->error = 0;
	lst->step = NULL;
	return 0;
}

int
listener_listen(struct listener *lst)
{
	if (listen(lst->fd, lst->options.backlog) == -1) {
		fail(lst, "listen");
		listener_close(lst);
		return -1;
	}
	lst->listening = true;
	return 0;
}

void
listener_share_port(struct listener *lst, bool share)
{
	if (lst->fd == -1 || lst->id.transport != CONF_TCP ||
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
	if (lst->fd == -1)
		return 0;
	if (sockopt_change(lst->fd, &kind, &before, options, &step) == -1)
		rc = fail(lst, step);
	if (lst->listening && before.backlog != options->backlog &&
	    listen(lst->fd, options->backlog) == -1)
		rc = fail(lst, "backlog");
	if (lst->id.transport == CONF_UNIX && (before.uid != options->uid ||
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
	if (lst->id.transport == CONF_UNIX)
		sockpath_remove(lst->id.path, &lst->file);
	else
		sockopt_hide(lst->fd);
}

void
listener_close(struct listener *lst)
{
	if (lst->fd == -1)
		return;
	if (lst->id.transport == CONF_UNIX)
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
	return lst->id.transport != CONF_UNIX ||
	    sockpath_intact(lst->id.path, &lst->file);
}

void
listener_format(const struct listener *lst, char *buf)
{
	static const char *const schemes[] = {
		[CONF_V6_NONE] = "tcp://",
		[CONF_V6_DUAL] = "tcp://",
		[CONF_V6_ONLY] = "tcp6://",
	};
	const struct addr *addr = lst->fd != -1 ? &lst->local : &lst->id.addr;
	char text[ADDR_TEXT_SIZE];

	if (lst->id.transport == CONF_UNIX) {
		strlcpy(buf, "unix://", LISTENER_TEXT_SIZE);
		strlcat(buf, lst->id.path, LISTENER_TEXT_SIZE);
		return;
	}
	strlcpy(buf, schemes[lst->id.v6], LISTENER_TEXT_SIZE);
	if (lst->id.v6 != CONF_V6_NONE && addr_is_any(addr)) {
		snprintf(text, sizeof(text), "*:%u", addr->port);
		strlcat(buf, text, LISTENER_TEXT_SIZE);
		return;
	}
	addr_format(addr, text);
	strlcat(buf, text, LISTENER_TEXT_SIZE);
}
