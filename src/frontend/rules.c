/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * For whom: access rules as a frontend asks them.
 */

#include "frontend/rules.h"

#include <sys/socket.h>

#include "base/acl.h"

enum {
	GROUPS_MAX = 1024,	/* of a peer that are looked at */
};

/* As acl_match(), with the groups of the peer where they matter. */
static int
match(const void *table, const struct addr *peer, int fd)
{
	uint32_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (peer->family != ADDR_UNIX || fd == -1 || !acl_has_groups(table) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		return acl_match(table, peer, NULL, 0);
	return acl_match(table, peer, groups, len / sizeof(groups[0]));
}

bool
rules_deny(const struct admission *adm, const struct admission_service *svc,
    const struct addr *peer, int fd)
{
	int allowed, denied;

	if (!svc->only_from_set && svc->no_access.len == 0)
		return false;
	allowed = match(admission_table(adm, svc->only_from), peer, fd);
	denied = match(admission_table(adm, svc->no_access), peer, fd);
	if (denied != ACL_NONE && denied >= allowed)
		return true;
	return svc->only_from_set && allowed == ACL_NONE;
}

bool
rules_exempt(const struct admission *adm, const struct addr *peer, int fd)
{
	return match(admission_table(adm, adm->exempt), peer, fd) != ACL_NONE;
}

bool
rules_believe(const struct admission *adm, const struct admission_service *svc,
    const struct addr *sender)
{
	return acl_match(admission_table(adm, svc->proxy_from), sender, NULL,
	    0) != ACL_NONE;
}
