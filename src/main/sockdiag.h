/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Ask the kernel about a socket, by sock_diag(7).
 */

#ifndef MINETD_SOCKDIAG_H
#define MINETD_SOCKDIAG_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Send a request, which is a whole struct nlmsghdr with what follows, and store
 * the answer: reply is aligned as a struct nlmsghdr is.  Returns its length, or
 * -1 with errno when nothing is to be had; never waits.
 */
ssize_t	sockdiag_ask(const void *request, size_t len, void *reply,
	    size_t size);

#endif
