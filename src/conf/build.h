/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Make a configuration of what its files say.
 */

#ifndef MINETD_BUILD_H
#define MINETD_BUILD_H

#include "conf/block.h"
#include "conf/complaint.h"
#include "conf/draft.h"

/*
 * Check, merge and resolve the draft.  Returns the finished block, which is
 * of no use when there are errors among the complaints.
 */
struct block *build_conf(const struct draft *draft,
	    struct complaints *complaints);

#endif
