/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Let libconfuse read the statements that the pre-scan found sound.
 *
 * The only module that knows libconfuse.  It is given one statement of the
 * top level at a time: its memory is that of one service, and its positions
 * are the pre-scan's.
 */

#ifndef MINETD_PARSE_H
#define MINETD_PARSE_H

#include "conf/complaint.h"
#include "conf/draft.h"
#include "conf/prescan.h"

/*
 * Read a statement of the file into the draft.  Returns the pattern if it is
 * an include, otherwise NULL.
 */
const char *parse_statement(const struct prescan *prescan,
	    const struct prescan_statement *statement, uint32_t file,
	    struct draft *draft, struct complaints *complaints);

#endif
