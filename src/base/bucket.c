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
	NSEC_PER_MSEC = 1000000,
};

struct bucket_rate
bucket_rate(uint32_t count, uint32_t interval_msec, uint32_t burst)
{
	int64_t interval = (int64_t)interval_msec * NSEC_PER_MSEC;

	return (struct bucket_rate){
		.nsec = (interval + count - 1) / count,
		.burst = burst,
	};
}

struct monotime
bucket_when(const struct bucket *bucket, const struct bucket_rate *rate)
{
	return (struct monotime){ bucket->settled.nsec -
	    rate->nsec * ((int64_t)rate->burst - 1) };
}

bool
bucket_take(struct bucket *bucket, const struct bucket_rate *rate,
    struct monotime now)
{
	int64_t settled = bucket->settled.nsec;

	if (monotime_before(now, bucket_when(bucket, rate)))
		return false;
	if (settled < now.nsec)
		settled = now.nsec;
	bucket->settled.nsec = settled + rate->nsec;
	return true;
}
