/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How often something may happen: so many times in a while, and so many at once
 * when it was quiet before.
 */

#ifndef MINETD_BUCKET_H
#define MINETD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/monotime.h"

/* burst * nsec is below INT64_MAX / 2. */
struct bucket_rate {
	int64_t nsec;		/* in the long run, once in that time; not 0 */
	uint32_t burst;		/* at once; not 0 */
};

/* Zero-initialised it is full. */
struct bucket {
	struct monotime settled; /* when it is full again */
};

/*
 * So many in an interval.  Rounded such that there are never more, by less than
 * a nanosecond each.
 */
struct bucket_rate bucket_rate(uint32_t count, uint32_t interval_msec,
	    uint32_t burst);

/* When there is one to take; in the past when there is now. */
struct monotime bucket_when(const struct bucket *bucket,
	    const struct bucket_rate *rate);

/* Take one; false when it is empty. */
bool	bucket_take(struct bucket *bucket, const struct bucket_rate *rate,
	    struct monotime now);

#endif
