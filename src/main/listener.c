/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sockets as configured, and nothing about them left to chance.
 *
 * Options are set before bind where the kernel wants them there, and only
 * those that were configured: nearly every option of a listener is inherited
 * by the sockets that it accepts, and so by handlers.
 *
 * A unix socket is made with mode 0600, its owner and mode are set through a
 * descriptor of that very file, and only then does it listen: there is no
 * moment at which somebody can connect who may not.
 */

#include "main/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* One setsockopt(2) of an int; name is what a complaint calls it. */
struct option {
	int level;
	int number;
	int value;
	const char *name;
};

static int
fail(struct listener *lst, const char *step)
{
	lst->error = errno;
	lst->step = step;
	return -1;
}

static int
options_set(struct listener *lst, int fd, const struct option *options,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *opt = &options[i];

		if (opt->name != NULL && setsockopt(fd, opt->level,
		    opt->number, &opt->value, sizeof(opt->value)) == -1)
			return fail(lst, opt->name);
	}
	return 0;
}

/* An option that is left alone unless it was configured. */
static struct option
option_if(bool configured, int level, int number, int value, const char *name)
{
	return (struct option){ level, number, value,
	    configured ? name : NULL };
}

static int
common_options_set(struct listener *lst, int fd, const struct conf_socket *sock)
{
	const struct option options[] = {
		option_if(sock->send_buffer != 0, SOL_SOCKET, SO_SNDBUF,
		    sock->send_buffer, "send_buffer"),
		option_if(sock->receive_buffer != 0, SOL_SOCKET, SO_RCVBUF,
		    sock->receive_buffer, "receive_buffer"),
	};

	return options_set(lst, fd, options,
	    sizeof(options) / sizeof(options[0]));
}

static int
keepalive_set(struct listener *lst, int fd, const struct conf_socket *sock)
{
	const struct option options[] = {
		option_if(sock->keepalive, SOL_SOCKET, SO_KEEPALIVE, 1,
		    "keepalive"),
		option_if(sock->keepalive_time != 0, IPPROTO_TCP, TCP_KEEPIDLE,
		    sock->keepalive_time, "keepalive_time"),
		option_if(sock->keepalive_interval != 0, IPPROTO_TCP,
		    TCP_KEEPINTVL, sock->keepalive_interval,
		    "keepalive_interval"),
		option_if(sock->keepalive_probes != 0, IPPROTO_TCP,
		    TCP_KEEPCNT, sock->keepalive_probes, "keepalive_probes"),
	};

	return options_set(lst, fd, options,
	    sizeof(options) / sizeof(options[0]));
}

static int
ip_options_set(struct listener *lst, int fd, int family,
    const struct conf_socket *sock)
{
	bool v6 = family == AF_INET6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int tos = sock->dscp * 4;	/* the upper six bits of the octet */
	const struct option options[] = {
		{ SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR" },
		option_if(v6, IPPROTO_IPV6, IPV6_V6ONLY,
		    lst->conf->v6 != CONF_V6_DUAL, "IPV6_V6ONLY"),
		option_if(sock->reuse_port, SOL_SOCKET, SO_REUSEPORT, 1,
		    "reuse_port"),
		option_if(sock->freebind, level,
		    v6 ? IPV6_FREEBIND : IP_FREEBIND, 1, "freebind"),
		option_if(sock->transparent, level,
		    v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1, "transparent"),
		option_if(sock->mark != 0, SOL_SOCKET, SO_MARK,
		    (int)sock->mark, "mark"),
		option_if(sock->dscp != CONF_KEEP && v6, IPPROTO_IPV6,
		    IPV6_TCLASS, tos, "dscp"),
		option_if(sock->dscp != CONF_KEEP && (!v6 ||
		    lst->conf->v6 == CONF_V6_DUAL), IPPROTO_IP, IP_TOS, tos,
		    "dscp"),
		option_if(sock->nodelay, IPPROTO_TCP, TCP_NODELAY, 1,
		    "nodelay"),
		option_if(sock->defer_accept != 0, IPPROTO_TCP,
		    TCP_DEFER_ACCEPT, sock->defer_accept, "defer_accept"),
	};

	if (options_set(lst, fd, options,
	    sizeof(options) / sizeof(options[0])) == -1)
		return -1;
	return keepalive_set(lst, fd, sock);
}

static int
interface_bind(struct listener *lst, int fd, const char *interface)
{
	if (interface[0] == '\0')
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
	    (socklen_t)strlen(interface)) == -1)
		return fail(lst, "interface");
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

static int
tcp_open(struct listener *lst, const struct conf *conf,
    const struct conf_socket *sock)
{
	struct addr addr = lst->conf->addr;
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int protocol = sock->mptcp ? IPPROTO_MPTCP : IPPROTO_TCP;
	int family = addr.family == ADDR_IP6 ? AF_INET6 : AF_INET;
	int fd = socket(family, type, protocol);

	if (fd == -1 && errno == EAFNOSUPPORT &&
	    lst->conf->v6 == CONF_V6_DUAL) {
		family = AF_INET;
		addr = (struct addr){ .family = ADDR_IP4, .port = addr.port };
		fd = socket(family, type, protocol);
	}
	if (fd == -1)
		return fail(lst, "socket");
	if (common_options_set(lst, fd, sock) == -1 ||
	    ip_options_set(lst, fd, family, sock) == -1 ||
	    interface_bind(lst, fd, conf_string(conf, sock->interface)) == -1 ||
	    tcp_bind(lst, fd, &addr) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether nobody answers at the path any more, and the file is a socket. */
static bool
path_is_stale(const struct sockaddr_un *sun, socklen_t len)
{
	struct stat st;
	int fd;
	bool stale;

	if (lstat(sun->sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	stale = connect(fd, (const struct sockaddr *)sun, len) == -1 &&
	    errno == ECONNREFUSED;
	close(fd);
	return stale;
}

/*
 * Others may not be able to replace what is in the directory, or the owner and
 * mode that are set below could go to a file of theirs.
 */
static int
directory_check(struct listener *lst, const char *path)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *slash = strrchr(path, '/');
	size_t len = slash == path ? 1 : (size_t)(slash - path);
	struct stat st;

	memcpy(dir, path, len);
	dir[len] = '\0';
	if (stat(dir, &st) == -1)
		return fail(lst, "directory");
	if ((st.st_mode & 022) == 0 || geteuid() != 0 ||
	    ((st.st_mode & S_ISVTX) != 0 && st.st_uid == 0))
		return 0;
	errno = EPERM;
	return fail(lst, "directory");
}

/* Set owner and mode of the very file that bind made. */
static int
path_claim(struct listener *lst, const char *path,
    const struct conf_socket *sock)
{
	char proc[40];
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return fail(lst, "open");
	if (fstat(fd, &st) == -1 || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != geteuid()) {
		errno = EEXIST;
		goto refused;
	}
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if ((sock->uid != UINT32_MAX || sock->gid != UINT32_MAX) &&
	    fchownat(fd, "", sock->uid, sock->gid, AT_EMPTY_PATH) == -1)
		goto refused;
	if (chmod(proc, sock->mode) == -1)
		goto refused;
	lst->path_dev = st.st_dev;
	lst->path_ino = st.st_ino;
	close(fd);
	return 0;

refused:
	fail(lst, "owner");
	close(fd);
	return -1;
}

static int
unix_bind(struct listener *lst, int fd, const char *path,
    const struct conf_socket *sock)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path) + 1);

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(lst, "bind");
	}
	if (directory_check(lst, path) == -1)
		return -1;
	if (path_is_stale(&sun, len))
		unlink(path);
	/* The mode of the socket becomes the mode of the file. */
	if (fchmod(fd, 0600) == -1)
		return fail(lst, "mode");
	if (bind(fd, (struct sockaddr *)&sun, len) == -1)
		return fail(lst, "bind");
	if (path_claim(lst, path, sock) == 0)
		return 0;
	unlink(path);
	return -1;
}

static int
unix_open(struct listener *lst, const struct conf *conf,
    const struct conf_socket *sock)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);

	if (fd == -1)
		return fail(lst, "socket");
	if (common_options_set(lst, fd, sock) == -1 ||
	    unix_bind(lst, fd, conf_string(conf, lst->conf->path), sock) ==
	    -1) {
		close(fd);
		return -1;
	}
	lst->local = (struct addr){ .family = ADDR_UNIX };
	return fd;
}

static void
path_remove(const struct listener *lst, const char *path)
{
	struct stat st;

	if (lst->path_ino != 0 && lstat(path, &st) == 0 &&
	    st.st_dev == lst->path_dev && st.st_ino == lst->path_ino)
		unlink(path);
}

void
listener_init(struct listener *lst, const struct conf *conf, uint32_t index)
{
	*lst = (struct listener){
		.conf = &conf_listens(conf)[index],
		.fd = -1,
	};
}

int
listener_open(struct listener *lst, const struct conf *conf)
{
	const struct conf_service *svc =
	    &conf_services(conf)[lst->conf->service];
	const struct conf_socket *sock = conf_socket(conf, svc);
	int fd = lst->conf->transport == CONF_UNIX ?
	    unix_open(lst, conf, sock) : tcp_open(lst, conf, sock);

	if (fd == -1)
		return -1;
	if (listen(fd, sock->backlog) == -1) {
		fail(lst, "listen");
		path_remove(lst, conf_string(conf, lst->conf->path));
		close(fd);
		return -1;
	}
	lst->fd = fd;
	lst->error = 0;
	lst->step = NULL;
	return 0;
}

void
listener_close(struct listener *lst, const struct conf *conf)
{
	if (lst->fd == -1)
		return;
	if (lst->conf->transport == CONF_UNIX)
		path_remove(lst, conf_string(conf, lst->conf->path));
	close(lst->fd);
	lst->fd = -1;
}

void
listener_format(const struct listener *lst, const struct conf *conf, char *buf)
{
	static const char *const schemes[] = {
		[CONF_V6_NONE] = "tcp://",
		[CONF_V6_DUAL] = "tcp://",
		[CONF_V6_ONLY] = "tcp6://",
	};
	const struct addr *addr = lst->fd != -1 ? &lst->local :
	    &lst->conf->addr;
	char text[ADDR_TEXT_SIZE];

	if (lst->conf->transport == CONF_UNIX) {
		strlcpy(buf, "unix://", LISTENER_TEXT_SIZE);
		strlcat(buf, conf_string(conf, lst->conf->path),
		    LISTENER_TEXT_SIZE);
		return;
	}
	strlcpy(buf, schemes[lst->conf->v6], LISTENER_TEXT_SIZE);
	if (lst->conf->v6 != CONF_V6_NONE && addr_is_any(addr)) {
		snprintf(text, sizeof(text), "*:%u", addr->port);
		strlcat(buf, text, LISTENER_TEXT_SIZE);
		return;
	}
	addr_format(addr, text);
	strlcat(buf, text, LISTENER_TEXT_SIZE);
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

bool
listener_accepted(const struct listener *lst, const struct conf *conf,
    int socket, struct addr *local)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	if (lst->fd == -1 || option_get(socket, SO_TYPE) != SOCK_STREAM ||
	    option_get(socket, SO_ACCEPTCONN) != 0 ||
	    getsockname(socket, (struct sockaddr *)&ss, &len) == -1)
		return false;
	addr_from_sockaddr(local, (struct sockaddr *)&ss, len);
	if (lst->conf->transport == CONF_UNIX) {
		const struct sockaddr_un *sun = (struct sockaddr_un *)&ss;

		return local->family == ADDR_UNIX &&
		    strncmp(sun->sun_path, conf_string(conf, lst->conf->path),
		    sizeof(sun->sun_path)) == 0;
	}
	if (local->family != ADDR_IP4 && local->family != ADDR_IP6)
		return false;
	/* A transparent one stands in for any address and port. */
	if (conf_socket(conf, &conf_services(conf)[lst->conf->service])
	    ->transparent)
		return true;
	return local->port == lst->local.port && (addr_is_any(&lst->local) ||
	    addr_equal(local, &lst->local));
}
