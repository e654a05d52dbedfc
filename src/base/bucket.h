/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How often something may happen: so many times a second, and so many at once
 * when it was quiet before.
 */

#ifndef MINETD_BUCKET_H
#define MINETD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/monotime.h"

struct bucket_rate {
	uint32_t per_sec;	/* in the long run; not 0 */
	uint32_t burst;		/* at once; not 0 */
};

/* Zero-initialised it is full. */
struct bucket {
	struct monotime settled; /* when it is full again */
};

/* Take one; false when it is empty. */
bool	bucket_take(struct bucket *bucket, const struct bucket_rate *rate,
	    struct monotime now);

#endif
