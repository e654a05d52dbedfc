/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * For whom: access rules as a frontend asks them.
 */

#include "frontend/rules.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>

#include "base/acl.h"

enum {
	GROUPS_FEW = 64,	/* for more, memory is taken */
};

/* What a rule can know of a peer beside its address. */
struct groups {
	uint32_t few[GROUPS_FEW];
	uint32_t *more;		/* owned; NULL: they are few */
	size_t count;
};

/* The supplementary groups of a unix peer; -1 when they cannot be known. */
static int
groups_ask(struct groups *groups, int fd)
{
	socklen_t len = sizeof(groups->few);

	groups->more = NULL;
	groups->count = 0;
	if (fd == -1)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups->few, &len) == 0) {
		groups->count = len / sizeof(groups->few[0]);
		return 0;
	}
	/* Whoever connected had none that the kernel has kept. */
	if (errno == ENODATA)
		return 0;
	if (errno != ERANGE)
		return -1;
	groups->more = malloc(len);
	if (groups->more == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS,
	    groups->more, &len) == -1) {
		free(groups->more);
		return -1;
	}
	groups->count = len / sizeof(groups->few[0]);
	return 0;
}

static const uint32_t *
groups_ids(const struct groups *groups)
{
	return groups->more != NULL ? groups->more : groups->few;
}

/* How specific the entries are that match. */
struct matches {
	int allowed;
	int denied;
};

/* Where entries about groups do not matter, nobody is asked for them. */
static int
tables_match(struct matches *matches, const void *allowed, const void *denied,
    const struct addr *peer, int fd)
{
	struct groups groups = { .more = NULL, .count = 0 };
	bool asked = peer->family == ADDR_UNIX &&
	    (acl_has_groups(allowed) || acl_has_groups(denied));

	if (asked && groups_ask(&groups, fd) == -1)
		return -1;
	matches->allowed = acl_match(allowed, peer, groups_ids(&groups),
	    groups.count);
	matches->denied = acl_match(denied, peer, groups_ids(&groups),
	    groups.count);
	free(groups.more);
	return 0;
}

bool
rules_deny(const struct admission *adm, const struct admission_service *svc,
    const struct addr *peer, int fd)
{
	struct matches matches;

	if (!svc->only_from_set && svc->no_access.len == 0)
		return false;
	/* Of whom not all is known, the worst may be true. */
	if (tables_match(&matches, admission_table(adm, svc->only_from),
	    admission_table(adm, svc->no_access), peer, fd) == -1)
		return true;
	if (matches.denied != ACL_NONE && matches.denied >= matches.allowed)
		return true;
	return svc->only_from_set && matches.allowed == ACL_NONE;
}

bool
rules_exempt(const struct admission *adm, const struct addr *peer, int fd)
{
	struct matches matches;

	return tables_match(&matches, admission_table(adm, adm->exempt), NULL,
	    peer, fd) == 0 && matches.allowed != ACL_NONE;
}

bool
rules_believe(const struct admission *adm, const struct admission_service *svc,
    const struct addr *sender)
{
	return acl_match(admission_table(adm, svc->proxy_from), sender, NULL,
	    0) != ACL_NONE;
}
