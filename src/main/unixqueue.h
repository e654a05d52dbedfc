/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Look into the queue of a listening unix socket without accepting anybody.
 */

#ifndef MINETD_UNIXQUEUE_H
#define MINETD_UNIXQUEUE_H

#include <stdint.h>

/*
 * The number of the socket whose client is to be accepted next, which no other
 * socket has.  0 when there is none, when he has closed it, or when this kernel
 * does not tell.  Does not block.
 */
uint32_t unixqueue_front(int fd);

#endif
