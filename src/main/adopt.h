/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find out what a listening socket is that somebody else has made.
 */

#ifndef MINETD_ADOPT_H
#define MINETD_ADOPT_H

#include "main/listener.h"

/*
 * Note in the listener what the socket is: its transport, address and path.
 * Nothing about the socket is changed.  Returns 0, or -1 with errno when it is
 * none that can be served, and *step, the literal name of what is wrong.
 */
int	adopt_look(struct listener *lst, int fd, const char **step);

/*
 * Let clients come, if it was only bound, and let nobody wait at it who looks
 * for them.  Returns as above.
 */
int	adopt_listen(const struct listener *lst, const char **step);

#endif
