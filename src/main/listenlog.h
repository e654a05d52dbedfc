/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The lines of the log that are about a listening socket.
 */

#ifndef MINETD_LISTENLOG_H
#define MINETD_LISTENLOG_H

#include <stdint.h>

#include "base/log.h"
#include "main/edition.h"

/* Add the fields that say which listener a line is about. */
void	listenlog_fields(struct log_line *line, const struct edition *ed,
	    uint32_t listener);

/* The listener of this index is open, or why it is not. */
void	listenlog_state(const struct edition *ed, uint32_t listener);

/* One of its options could not be changed. */
void	listenlog_option(const struct edition *ed, uint32_t listener);

/* It is closed, after it was removed. */
void	listenlog_close(const struct edition *ed, uint32_t listener);

/* Sockets were opened for us that no listener has. */
void	listenlog_unclaimed(const struct edition *ed,
	    const struct inherited *in);

#endif
