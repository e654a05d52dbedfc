/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sockets that whoever started us has opened for us, sd_listen_fds(3).
 *
 * They are kept as long as the process lives, under their names: a listener
 * gets a duplicate, so that a later configuration can have the socket again.
 */

#ifndef MINETD_INHERITED_H
#define MINETD_INHERITED_H

#include <stdint.h>

struct inherited_fd {
	int fd;			/* close-on-exec */
	char *name;		/* owned; as in `listen = "fd://NAME"` */
};

struct inherited {
	struct inherited_fd *items; /* owned; by their numbers */
	uint32_t count;
};

/*
 * Take over what LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES say, and remove the
 * three; what was taken over is left in LISTEN_FDNAMES, a name for each.
 * Nothing is, unless it was meant for this process.  keep_fd is not one of
 * them, whatever they say.  Returns 0, or -1 with errno ENOMEM.
 */
int	inherited_take(struct inherited *in, int keep_fd);

/* Add one under a name, which is copied.  0, or -1 with errno ENOMEM. */
int	inherited_add(struct inherited *in, int fd, const char *name);

/* The descriptor of that name, the first being 0; -1 when there is none. */
int	inherited_find(const struct inherited *in, const char *name,
	    unsigned number);

/* Forget them; they are not closed. */
void	inherited_fini(struct inherited *in);

#endif
