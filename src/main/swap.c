/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From one socket to another in the same place.
 */

#include "main/swap.h"

#include <errno.h>
#include <string.h>

#include "conf/transport.h"
#include "main/listenlog.h"

/*
 * Sockets that will be closed, and have the port that this one wants, let it be
 * shared.  Returns whether there is one.
 */
static bool
port_share(const struct edition *old, const struct match_item *present,
    const struct listener *wanting)
{
	bool shared = false;

	for (uint32_t i = 0; i < old->listener_count; i++) {
		struct listener *lst = old->listeners[i].listener;

		if (present[i].other != MATCH_NONE || lst->fd == -1 ||
		    lst->id.transport != wanting->id.transport ||
		    lst->local.port != wanting->id.addr.port)
			continue;
		listener_share_port(lst, true);
		shared = true;
	}
	return shared;
}

/* Whether one that will be closed has the path. */
static bool
path_leaves(const struct edition *old, const struct match_item *present,
    const struct listener *wanting)
{
	for (uint32_t i = 0; i < old->listener_count; i++) {
		const struct listener *lst = old->listeners[i].listener;

		if (present[i].other == MATCH_NONE && lst->fd != -1 &&
		    transport_is_unix(lst->id.transport) &&
		    listener_intact(lst) &&
		    strcmp(lst->id.path, wanting->id.path) == 0)
			return true;
	}
	return false;
}

int
swap_bind(struct reload_plan *plan, const struct edition *old,
    const struct match_item *present, struct listener *lst)
{
	static const struct inherited none = { 0 };

	if (lst->error != EADDRINUSE)
		return -1;
	if (transport_is_ip(lst->id.transport) &&
	    port_share(old, present, lst)) {
		plan->shares_ports = true;
		return listener_bind(lst, &none, true);
	}
	if (!transport_is_unix(lst->id.transport) || lst->id.path[0] != '/' ||
	    !path_leaves(old, present, lst))
		return -1;
	lst->error = 0;
	return 0;
}

bool
swap_is_deferred(const struct listener *lst)
{
	return lst->fd == -1 && lst->error == 0;
}

/*
 * Sockets that share a port and have the very same address as well are a group
 * to the kernel, which hands out clients to any of them.  The one that is left
 * over must not be in it.
 */
void
swap_prepare(const struct edition *ed, const struct listener *lst)
{
	for (uint32_t i = edition_configured(ed); lst->shares_port &&
	    i < ed->listener_count; i++) {
		struct listener *left = ed->listeners[i].listener;

		if (left->id.transport == lst->id.transport &&
		    addr_equal(&left->local, &lst->local) &&
		    strcmp(left->id.interface, lst->id.interface) == 0)
			listener_begin_closing(left);
	}
}

void
swap_complete(struct edition *ed)
{
	static const struct inherited none = { 0 };

	for (uint32_t i = 0; i < edition_configured(ed); i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (!swap_is_deferred(lst))
			continue;
		if (listener_bind(lst, &none, false) == 0)
			listener_listen(lst);
		listenlog_state(ed, i);
	}
}

/* Whether a leftover has the port of the listener. */
static bool
port_is_shared(const struct edition *ed, const struct listener *lst)
{
	for (uint32_t i = edition_configured(ed); i < ed->listener_count; i++) {
		const struct listener *left = ed->listeners[i].listener;

		if (left->fd != -1 &&
		    left->id.transport == lst->id.transport &&
		    left->local.port == lst->local.port)
			return true;
	}
	return false;
}

void
swap_end(struct edition *ed)
{
	for (uint32_t i = 0; i < edition_configured(ed); i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (lst->shares_port && !port_is_shared(ed, lst))
			listener_share_port(lst, false);
	}
}
