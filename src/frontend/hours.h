/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * When: times of the week, and the load of the machine.
 */

#ifndef MINETD_HOURS_H
#define MINETD_HOURS_H

#include "base/monotime.h"
#include "base/verdict.h"
#include "conf/admission.h"

/* The load as it was last looked at; zero-initialised it was not. */
struct hours {
	struct monotime looked;
	uint32_t load;		/* of one minute, in hundredths */
};

/* VERDICT_SERVE, or VERDICT_TIMES or VERDICT_LOAD. */
enum verdict hours_check(struct hours *hours, const struct admission *adm,
	    const struct admission_service *svc, struct monotime now);

#endif
