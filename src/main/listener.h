/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Open, bind, keep and close the listening sockets.
 *
 * A listener lives as long as any configuration wants its socket, or a
 * handler remembers it, and so holds nothing of a configuration's: it is handed
 * on from one to the next, the same open file description throughout.  One
 * that cannot be opened is degraded: the rest serves, and it is tried again.
 * This module reads nothing from a client and accepts nothing.
 */

#ifndef MINETD_LISTENER_H
#define MINETD_LISTENER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "main/inherited.h"
#include "main/sockopt.h"
#include "main/sockpath.h"

enum {
	LISTENER_NO_INDEX = UINT32_MAX,
	LISTENER_TEXT_SIZE = 160,
};

/* What makes a socket this one and no other; options can be changed. */
struct listener_id {
	uint8_t transport;	/* enum conf_transport */
	uint8_t v6;		/* enum conf_v6 */
	bool mptcp;
	struct addr addr;	/* ip, vsock: as configured; fd: see conf.h */
	const char *path;	/* unix: path, or @NAME; fd: NAME; else "" */
	const char *interface;	/* "" for none */
};

struct listener {
	unsigned refs;		/* of editions and handlers */
	struct listener_id id;	/* texts are owned */
	struct conf_socket options; /* as set; its texts are not valid */
	int fd;			/* -1: degraded, or closed for good */
	uint8_t transport;	/* enum conf_transport: what the socket is, when
				 * it is open; never CONF_FD */
	uint64_t waiter;	/* connection number of the handler that has it
				 * as its own, and no frontend polls it; 0:
				 * nobody has */
	uint32_t in_front;	/* unix: who was in front of the queue when that
				 * handler was started; see unixqueue.h */
	uint8_t took;		/* enum channel_took, of the last such one */
	bool listening;		/* otherwise just bound */
	bool concealed;		/* bound, and not found until it listens */
	bool transparent;	/* fd: it stands in for any address */
	uint8_t bound_v6;	/* fd: enum conf_v6 */
	bool shares_port;	/* for the time of a swap */
	bool fails;		/* accept has failed, as the log says */
	bool closing;		/* takes no new clients */
	int error;		/* errno of the last attempt; 0: none */
	const char *step;	/* the call that failed; a literal */
	struct addr local;	/* as bound, with the port the kernel chose */
	char *bound_path;	/* fd: of a unix socket, as in id.path; NULL */
	struct sockpath_file file; /* unix: what bind made */
	unsigned ifindex;	/* of the interface it is bound to; 0: none */
	uint32_t index;		/* in the edition that is served, or NO_INDEX */
};

/*
 * A listener for this identity, closed, with one reference.  NULL with errno
 * ENOMEM.
 */
struct listener *listener_new(const struct listener_id *id,
	    const struct conf_socket *options);
struct listener *listener_ref(struct listener *lst);

/* Give up a reference; the last one closes and frees.  NULL is fine. */
void	listener_unref(struct listener *lst);

/*
 * Make and bind the socket, or take one that was inherited.  Returns 0, or -1
 * with lst->error and lst->step; the listener is then as before.  shares:
 * others may be bound to its port while lst->shares_port is set.
 */
int	listener_bind(struct listener *lst, const struct inherited *inherited,
	    bool shares);

/* Let clients come.  Returns 0, or -1 as above; the socket is then closed. */
int	listener_listen(struct listener *lst);

/* Set SO_REUSEPORT for a swap, or go back to what is configured. */
void	listener_share_port(struct listener *lst, bool share);

/*
 * Make the options those given, in place.  Returns 0, or -1 as above; what
 * could not be changed is as before.
 */
int	listener_change(struct listener *lst,
	    const struct conf_socket *options);

/* An interface that was made anew has another number: bind to it again. */
void	listener_follow_interface(struct listener *lst);

/*
 * Let no new clients come, for good; those in the queue wait to be accepted.
 * Removes the path.  An abstract name and one of vsock are found until it is
 * closed.
 */
void	listener_begin_closing(struct listener *lst);

/* Close the socket, and remove its path if it is still ours. */
void	listener_close(struct listener *lst);

/*
 * Whether clients still find it: it is not closing, and its path names the file
 * that bind made.
 */
bool	listener_intact(const struct listener *lst);

/*
 * Write "tcp://127.0.0.1:80" or "unix:///path" as log lines have it, with the
 * port that is really bound; size is LISTENER_TEXT_SIZE.
 */
void	listener_format(const struct listener *lst, char *buf);

/* The path or @NAME that clients of a unix socket know. */
static inline const char *
listener_path(const struct listener *lst)
{
	return lst->bound_path != NULL ? lst->bound_path : lst->id.path;
}

/* Whether a degraded one is tried again: nobody hands down a socket later. */
static inline bool
listener_may_open(const struct listener *lst)
{
	return lst->id.transport != CONF_FD;
}

#endif
