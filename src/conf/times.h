/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Times of the week at which a service is open.
 *
 * Pure functions; whose time it is, the caller knows.
 */

#ifndef MINETD_TIMES_H
#define MINETD_TIMES_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

/*
 * [DAYS] HH:MM-HH:MM, where DAYS are names of days and ranges of them with
 * commas between: mon, mon-fri, sat,sun.  A window that does not end later than
 * it begins ends on the next day.  Returns NULL, or what is wrong with the text
 * as a sentence.
 */
const char *times_parse(struct conf_window *window, const char *text,
	    size_t len);

/* Whether this minute (0 to 1439) of a weekday (0: Sunday) is in any. */
bool	times_have(const struct conf_window *windows, size_t count,
	    unsigned weekday, unsigned minute);

#endif
