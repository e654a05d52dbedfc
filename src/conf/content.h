/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read what a service says of itself: banners and the text of builtin text.
 */

#ifndef MINETD_CONTENT_H
#define MINETD_CONTENT_H

#include "conf/merge.h"

/*
 * Fill in the bytes of the keys that name them, or complain.  The files of a
 * service that is disabled are not looked at.
 */
void	content_load(const struct merge *merge, struct merged *merged);

#endif
