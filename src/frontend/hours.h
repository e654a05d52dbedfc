/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * When: times of day, and the load of the machine.
 */

#ifndef MINETD_HOURS_H
#define MINETD_HOURS_H

#include "base/monotime.h"
#include "base/verdict.h"
#include "conf/admission.h"

struct hours {
	struct monotime looked;	/* when the load was last asked for */
};

/* VERDICT_SERVE, or VERDICT_TIMES or VERDICT_LOAD. */
enum verdict hours_check(struct hours *hours,
	    const struct admission_service *svc, struct monotime now);

#endif
