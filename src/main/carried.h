/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Conversations that a frontend carries itself: their lines in the log, and
 * what they need of main.
 */

#ifndef MINETD_CARRIED_H
#define MINETD_CARRIED_H

#include "base/channel.h"
#include "main/minetd.h"

/* Log the beginning, or the end; -1 when no frontend of ours can say so. */
int	carried_began(const struct front *front,
	    const struct channel_msg *msg);
int	carried_done(const struct front *front,
	    const struct channel_msg *msg);

/*
 * Conversations that a frontend carries on when another one serves count for
 * their services; and do so no more when it is gone.  -1 as above.
 */
int	carried_count(struct minetd *mi, struct front *front,
	    const struct channel_msg *msg);
void	carried_forget(struct minetd *mi, struct front *front);

/*
 * Connect to a unix target of a redirect and hand over the socket, unread.
 * Returns as above.
 */
int	carried_connect(struct front *front, const struct channel_msg *msg);

/*
 * A target of a redirect of the frontend's edition, and the configuration that
 * it is of; NULL when there is no such one.
 */
const struct conf_target *carried_target(const struct front *front,
	    uint32_t service, uint32_t target, const struct conf **conf);

#endif
