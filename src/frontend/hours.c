/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * When: times of day, and the load of the machine.
 */

#include "frontend/hours.h"

enum verdict
hours_check(struct hours *hours, const struct admission_service *svc,
    struct monotime now)
{
	(void)hours;
	(void)svc;
	(void)now;
	return VERDICT_SERVE;
}
