/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A token bucket as one point in time.
 *
 * Each thing taken moves the time at which the bucket is full again; it is
 * empty when that is a whole burst away.
 */

#include "base/bucket.h"

enum {
	NSEC_PER_SEC = 1000000000,
};

bool
bucket_take(struct bucket *bucket, const struct bucket_rate *rate,
    struct monotime now)
{
	int64_t each = NSEC_PER_SEC / (int64_t)rate->per_sec;
	int64_t settled = bucket->settled.nsec;

	if (settled < now.nsec)
		settled = now.nsec;
	if (settled - now.nsec > each * ((int64_t)rate->burst - 1))
		return false;
	bucket->settled.nsec = settled + each;
	return true;
}
