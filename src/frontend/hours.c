/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * When: times of the week, and the load of the machine.
 *
 * The time is that of the wall clock, in the time zone of the process, which
 * was read before it was confined.
 */

#include "frontend/hours.h"

#include <sys/sysinfo.h>

#include <time.h>

#include "conf/times.h"

enum {
	LOAD_MSEC = 1000,	/* how old what we know may be */
};

static bool
is_open(const struct admission *adm, const struct admission_service *svc)
{
	const struct conf_window *windows = admission_table(adm,
	    svc->windows);
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (localtime_r(&ts.tv_sec, &tm) == NULL)
		return false;
	return times_have(windows, svc->windows.len / sizeof(*windows),
	    (unsigned)tm.tm_wday,
	    (unsigned)tm.tm_hour * 60 + (unsigned)tm.tm_min);
}

static uint32_t
load_get(struct hours *hours, struct monotime now)
{
	struct sysinfo info;

	if (hours->looked.nsec != 0 && monotime_before(now,
	    monotime_add_msec(hours->looked, LOAD_MSEC)))
		return hours->load;
	hours->looked = now;
	if (sysinfo(&info) == 0)
		hours->load = (uint32_t)(info.loads[0] * 100 >>
		    SI_LOAD_SHIFT);
	return hours->load;
}

enum verdict
hours_check(struct hours *hours, const struct admission *adm,
    const struct admission_service *svc, struct monotime now)
{
	if (svc->times_set && !is_open(adm, svc))
		return VERDICT_TIMES;
	if (svc->max_load != 0 && load_get(hours, now) > svc->max_load)
		return VERDICT_LOAD;
	return VERDICT_SERVE;
}
