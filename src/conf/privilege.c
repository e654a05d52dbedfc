/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Find what a daemon that is not root's could not do for a service.
 */

#include "conf/privilege.h"

#include <sys/resource.h>

static void
need_root(const struct merge *merge, const struct merged *merged,
    enum key_id id, bool wanted)
{
	if (wanted)
		merge_complain(merge, merged, id,
		    "minetd must be started as root for this");
}

/* Whether the limit is higher than the starter's hard limit. */
static bool
above_own_limit(const struct conf_limit *limit)
{
	struct rlimit own;

	if (getrlimit((int)limit->resource, &own) == -1 ||
	    own.rlim_max == RLIM_INFINITY)
		return false;
	return limit->hard > own.rlim_max;
}

static void
check_limits(const struct merge *merge, const struct merged *merged)
{
	const struct store_limits *limits = &merged->values.limits;

	for (enum key_id id = KEY_LIMIT_AS; id <= KEY_LIMIT_STACK; id++) {
		size_t resource = (size_t)keys[id].min;

		need_root(merge, merged, id, limits->set[resource] &&
		    above_own_limit(&limits->limits[resource]));
	}
}

void
privilege_check(const struct merge *merge, const struct merged *merged)
{
	const struct conf_identity *identity = &merged->values.identity;
	const struct conf_socket *socket = &merged->values.socket;

	if (merge->root)
		return;
	need_root(merge, merged, KEY_CHROOT, identity->chroot.offset != 0);
	need_root(merge, merged, KEY_NICE, identity->nice < 0);
	need_root(merge, merged, KEY_OOM_SCORE_ADJ,
	    identity->oom_score_adj < 0);
	need_root(merge, merged, KEY_TRANSPARENT, socket->transparent);
	need_root(merge, merged, KEY_MARK, socket->mark != 0);
	check_limits(merge, merged);
}
