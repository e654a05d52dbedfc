/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Run one disposable frontend: the process that faces the network.
 */

#ifndef MINETD_FRONTEND_H
#define MINETD_FRONTEND_H

/*
 * Serve main at the other end of channel until it says STOP or is gone.
 * Everything else that the process holds was closed by its starter.  Returns
 * the exit status of the process.
 */
int	frontend_run(int channel);

#endif
