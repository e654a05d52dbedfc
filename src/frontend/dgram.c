/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Listeners of datagrams that the frontend reads itself.
 *
 * A builtin sends at most one datagram for each that it gets, and to nobody who
 * is known to answer that.  Its answer gets one hop less far than the question
 * might have: even two minetds that take each other's answers for questions,
 * because somebody has forged the first, fall silent soon.
 */

#include "frontend/dgram.h"

#include <errno.h>
#include <time.h>

#include "frontend/answer.h"
#include "frontend/datagram.h"
#include "frontend/peers.h"

enum {
	DATAGRAMS_PER_WAKEUP = 64, /* of one listener; then others get a turn */
	PAUSE_MSEC = 100,	/* when all that came from it were errors */
};

void
dgram_listen(struct inlet *in)
{
	struct acceptor *acc = in->acceptor;
	uint32_t service;

	datagram_prepare(in->watch.fd, &in->bound);
	if (inlet_service(in, &service)->does != ADMISSION_BUILTIN)
		return;
	datagram_count_hops(in->watch.fd, &in->bound);
	acc->builtin_ports[in->bound.port / 8] |=
	    (uint8_t)(1u << in->bound.port % 8);
}

/* Whether one of our own builtins has that port, whatever its address. */
static bool
port_is_own(const struct acceptor *acc, uint16_t port)
{
	return (acc->builtin_ports[port / 8] & (1u << port % 8)) != 0;
}

/* Each datagram is a conversation, which begins and ends with it. */
static bool
builtin_admit(struct inlet *in, const struct addr *peer, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	struct client client = { .fd = -1, .peer = *peer,
		.listener = in->index };
	enum verdict verdict;

	inlet_service(in, &client.service);
	verdict = acceptor_admit(acc, &client, now);
	if (verdict != VERDICT_SERVE) {
		acceptor_refuse(acc, &client, verdict, now);
		return false;
	}
	limits_take(acc, &client, now);
	limits_give(acc, client.service, peer);
	return true;
}

static void
builtin_answer(struct inlet *in, const struct admission_service *svc,
    const struct datagram *dg, size_t len, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	struct datagram to = *dg;
	uint8_t reply[DATAGRAM_MAX];
	size_t reply_len;

	if (!datagram_answerable(dg) || port_is_own(acc, dg->peer.port) ||
	    !builtin_admit(in, &dg->peer, now))
		return;
	if (to.hops != 0)
		to.hops--;
	reply_len = answer_make(svc->builtin, &(struct answer_request){
		    acc->datagram, len, time(NULL) }, reply, sizeof(reply));
	/* An empty datagram is answered by an empty one. */
	if (reply_len > 0 || (svc->builtin == CONF_BUILTIN_ECHO && len == 0))
		datagram_send(in->watch.fd, &in->bound, &to, reply, reply_len);
}

bool
dgram_serve(struct inlet *in, struct monotime now)
{
	struct acceptor *acc = in->acceptor;
	uint32_t service;
	const struct admission_service *svc = inlet_service(in, &service);
	int errors = 0;

	for (int i = 0; i < DATAGRAMS_PER_WAKEUP; i++) {
		struct datagram dg;
		ssize_t len;

		uint32_t lacks = svc->does == ADMISSION_BUILTIN ?
		    acceptor_lacks(in, now) : 0;

		if (lacks == 0 && !outbox_has_room(acc->outbox))
			lacks = HOLD_CHANNEL;
		if (lacks != 0) {
			inlet_hold(in, lacks);
			return false;
		}
		len = datagram_receive(in->watch.fd, &in->bound, &dg,
		    acc->datagram, sizeof(acc->datagram));
		if (len == -1 && errno == EAGAIN)
			return true;
		/* What was sent before may not have arrived: no matter. */
		if (len == -1) {
			errors++;
			continue;
		}
		if (svc->does == ADMISSION_BUILTIN)
			builtin_answer(in, svc, &dg, (size_t)len, now);
		else
			peers_receive(&acc->peers, in, &dg, (size_t)len, now);
	}
	/* No memory, perhaps: nothing will change at once. */
	if (errors == DATAGRAMS_PER_WAKEUP) {
		inlet_pause(in, PAUSE_MSEC, now);
	}
	return false;
}
