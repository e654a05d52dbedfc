/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read a configuration with all that it includes.
 *
 * Bounded: 16 MiB and 4,096 files in all, 16 levels deep, no file inside of
 * itself.
 */

#ifndef MINETD_READER_H
#define MINETD_READER_H

#include "conf/complaint.h"
#include "conf/draft.h"

/*
 * Gather what the file and its includes say in the draft, which starts
 * zeroed.  What cannot be read is complained of and left out.
 */
void	reader_run(const char *path, struct draft *draft,
	    struct complaints *complaints);

#endif
