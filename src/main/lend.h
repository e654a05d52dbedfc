/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What main and the serving frontend say to each other of loans.
 */

#ifndef MINETD_LEND_H
#define MINETD_LEND_H

#include <stdbool.h>

#include "base/channel.h"
#include "main/minetd.h"

/*
 * This frontend begins to serve and gets all loans; who had them before has
 * let go of them.
 */
void	lend_anew(struct minetd *mi, struct front *front);

/* Nobody has the loans, if it was this one. */
void	lend_forget(struct minetd *mi, const struct front *front);

/* Whether something that handlers wrote to stderr may be unread. */
bool	lend_reads(struct minetd *mi);

/*
 * Say what there is to say, if it is this frontend that has the loans.  False
 * with errno when the rest has to wait.
 */
bool	lend_send(struct minetd *mi, const struct front *front);

/*
 * The same of what it asks for when it was told to stop: it gives what waits to
 * new handlers.  Everything else is the next one's.
 */
bool	lend_asked(struct minetd *mi, const struct front *front);

/*
 * Do what a LOG or a REPAID message says.  Returns 0, or -1 when no frontend of
 * ours can have sent it.
 */
int	lend_log(struct minetd *mi, const struct front *front,
	    const struct channel_msg *msg);
int	lend_repaid(struct minetd *mi, const struct front *front,
	    const struct channel_msg *msg);

#endif
