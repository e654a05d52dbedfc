/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Sources that are refused for a while, whatever they want.
 */

#include "frontend/bans.h"

#include "base/origin.h"
#include "frontend/accept.h"
#include "frontend/rules.h"

bool
bans_have(const struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	return bantable_match(&acc->bans, &client->peer, now) != NULL &&
	    !rules_exempt(acc->adm, &client->peer, client->fd);
}

void
bans_trip(struct acceptor *acc, const struct client *client,
    enum ban_cause cause, struct monotime now)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];
	struct ban *ban, *first;
	unsigned bits;

	if (svc->ban_msec == 0 || client->fd == -1 ||
	    rules_exempt(acc->adm, &client->peer, client->fd))
		return;
	/* Those that are over make room. */
	while ((first = bantable_first(&acc->bans)) != NULL &&
	    !monotime_before(now, first->until))
		bantable_remove(&acc->bans, first);
	const struct addr net = origin_of(&client->peer, svc->source_prefix4,
	    svc->source_prefix6);
	bits = net.family == ADDR_IP4 ? svc->source_prefix4 :
	    net.family == ADDR_IP6 ? svc->source_prefix6 : BAN_BITS - 1;
	ban = bantable_add(&acc->bans, &net, bits,
	    monotime_add_msec(now, svc->ban_msec));
	if (ban == NULL)
		return;
	ban->service = client->service;
	ban->listener = client->listener;
	ban->cause = (uint8_t)cause;
	bantable_note(&acc->bans, ban);
	bans_report(acc);
}

int
bans_apply(struct acceptor *acc, const struct channel_banned *banned)
{
	const struct monotime until = { banned->until_nsec };
	struct ban *ban;

	if (banned->bits >= BAN_BITS)
		return -1;
	ban = bantable_find(&acc->bans, &banned->net, banned->bits);
	if (ban != NULL)
		bantable_remove(&acc->bans, ban);
	if (monotime_before(monotime_now(), until))
		bantable_add(&acc->bans, &banned->net, banned->bits, until);
	return 0;
}

bool
bans_report(struct acceptor *acc)
{
	struct ban *ban;

	while ((ban = TAILQ_FIRST(&acc->bans.news)) != NULL) {
		struct channel_msg *msg = outbox_add(acc->outbox, CHANNEL_BAN,
		    ban->listener, -1);

		if (msg == NULL)
			return false;
		msg->ban.peer = ban->net;
		msg->ban.service = ban->service;
		msg->ban.cause = ban->cause;
		bantable_told(&acc->bans, ban);
	}
	return true;
}
