/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * From an admitted client to what its service does.
 *
 * The one place where ways part: every client has passed the same questions
 * before, whichever way it came.
 */

#include "frontend/dispatch.h"

#include <unistd.h>

#include "frontend/active.h"
#include "frontend/builtin.h"
#include "frontend/linger.h"
#include "frontend/pty.h"
#include "frontend/redirect.h"
#include "frontend/tcpmux.h"

/*
 * A banner is said as far as the socket takes it at once: no client can make
 * us wait, and a new connection has room for one.
 */
static void
banner_say(const struct acceptor *acc, const struct client *client,
    enum conf_banner which)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];
	struct admission_bytes banner = svc->banner[which];

	if (banner.len != 0)
		linger_say(client->fd, admission_bytes(acc->adm, banner),
		    banner.len);
}

void
dispatch_start(struct channel_msg *msg, const struct client *client)
{
	msg->start.peer = client->peer;
	msg->start.local = client->local;
	msg->start.via = client->via;
	msg->start.service = client->service;
	msg->start.preface = client->preface;
}

static void
handler_ask(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	struct channel_msg *msg = outbox_add(acc->outbox, CHANNEL_START,
	    client->listener, client->fd);

	dispatch_start(msg, client);
	active_take(acc, client, now);
}

/* It keeps who came in, and from now on others away from it. */
static void
trap_spring(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	bans_trip(acc, client, BAN_TRAP, now);
	builtin_begin(&acc->carrier, client, now);
}

void
dispatch_serve(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];

	banner_say(acc, client, CONF_BANNER);
	banner_say(acc, client, CONF_BANNER_SUCCESS);
	switch (svc->does) {
	case ADMISSION_BUILTIN:
		if (svc->builtin == CONF_BUILTIN_TCPMUX)
			tcpmux_begin(acc, client, now);
		else if (svc->builtin == CONF_BUILTIN_TRAP)
			trap_spring(acc, client, now);
		else
			builtin_begin(&acc->carrier, client, now);
		break;
	case ADMISSION_REDIRECT:
		redirect_begin(&acc->carrier, client, now);
		break;
	case ADMISSION_PTY:
		pty_begin(acc, client, now);
		break;
	default:
		handler_ask(acc, client, now);
	}
}

void
dispatch_refuse(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];

	if (svc->banner[CONF_BANNER].len == 0 &&
	    svc->banner[CONF_BANNER_FAIL].len == 0 && !client->told) {
		close(client->fd);
		return;
	}
	banner_say(acc, client, CONF_BANNER);
	banner_say(acc, client, CONF_BANNER_FAIL);
	linger_close(&acc->carrier.linger, client->fd, now);
}
