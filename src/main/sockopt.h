/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The options of listening sockets, set when one is made or changed while it
 * is in use.
 *
 * Only what was configured is set: nearly every option of a listener is
 * inherited by the sockets that it accepts, and so by handlers.  What was
 * configured and is no more goes back to what a new socket has.
 */

#ifndef MINETD_SOCKOPT_H
#define MINETD_SOCKOPT_H

#include <stdbool.h>

#include "conf/conf.h"

/* What decides which options a socket has. */
struct sockopt_kind {
	int family;		/* AF_… of socket(2) */
	int type;		/* SOCK_… likewise, without flags */
	int protocol;		/* likewise; 0 where there is one only */
	bool dual;		/* an IPv6 one that also serves IPv4 */
};

/*
 * Set everything on a new socket before it is bound.  Returns 0, or -1 with
 * errno; *step is then the literal name of what could not be set.
 */
int	sockopt_set(int fd, const struct sockopt_kind *kind,
	    const struct conf_socket *options, const char **step);

/*
 * Change what differs between two sets on a socket that is bound, and may
 * listen; not its backlog.  Goes on after a failure.  Returns as above, of the
 * first failure.
 */
int	sockopt_change(int fd, const struct sockopt_kind *kind,
	    const struct conf_socket *from, const struct conf_socket *to,
	    const char **step);

/*
 * Let another socket be bound to the same port, or no more than options say.
 * Both sockets need it, and one user.  Returns 0, or -1 with errno.
 */
int	sockopt_share_port(int fd, bool share);

/*
 * Let new clients of an IP listener find another one, or none: as if this one
 * were closed, but that it can still accept those in its queue, and those whose
 * handshake is under way.  Cannot be undone.
 */
void	sockopt_hide(int fd);

/*
 * Keep a new socket for datagrams from being found where it is going to be
 * bound, and undo that.  Both return 0, or -1 with errno; a socket that could
 * not be concealed is of no use.
 */
int	sockopt_conceal(int fd);
int	sockopt_reveal(int fd);

#endif
