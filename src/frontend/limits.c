/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * How much, and how fast: rates, and limits of one source.
 */

#include "frontend/limits.h"

#include <sys/random.h>

#include <stdlib.h>

#include "base/origin.h"
#include "frontend/accept.h"
#include "frontend/rules.h"

enum {
	SOURCES_MAX = 1 << 17,
};

static void
pace_due(void *arg, struct monotime now)
{
	struct pace *pace = arg;

	(void)now;
	inlets_release_service(pace->acceptor, pace->service, HOLD_RATE);
	pace->acceptor->peers.room = true;
}

static struct pace *
pace_new(struct acceptor *acc, uint32_t service, const struct conf_rate *rate)
{
	struct pace *pace = calloc(1, sizeof(*pace));

	if (pace == NULL)
		return NULL;
	pace->acceptor = acc;
	pace->service = service;
	pace->rate = bucket_rate(rate->count, rate->interval_msec,
	    rate->burst);
	timer_init(&pace->due, pace_due, pace);
	return pace;
}

int
limits_init(struct acceptor *acc)
{
	const struct admission_service *services =
	    admission_services(acc->adm);
	struct limits *limits = &acc->limits;
	uint64_t secret[SOURCES_SECRET];

	limits->paces = calloc((size_t)acc->adm->services + 1,
	    sizeof(struct pace *));
	if (limits->paces == NULL)
		return -1;
	for (uint32_t i = 0; i < acc->adm->services; i++) {
		if (services[i].rate.count == 0)
			continue;
		limits->paces[i] = pace_new(acc, i, &services[i].rate);
		if (limits->paces[i] == NULL)
			return -1;
	}
	if (acc->adm->limits_sources == 0)
		return 0;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -1;
	return sources_init(&limits->sources, SOURCES_MAX, secret);
}

/* Whether the rate is used up; then the timer is armed. */
static bool
pace_is_over(struct acceptor *acc, uint32_t service, struct monotime now)
{
	struct pace *pace = acc->limits.paces[service];
	struct monotime when;

	if (pace == NULL)
		return false;
	when = bucket_when(&pace->bucket, &pace->rate);
	if (!monotime_before(now, when))
		return false;
	if (!pace->due.armed)
		timer_arm(loop_timers(acc->loop), &pace->due, when);
	return true;
}

uint32_t
limits_hold(struct acceptor *acc, uint32_t service, struct monotime now)
{
	if (admission_services(acc->adm)[service].on_rate ==
	    CONF_ON_FULL_QUEUE && pace_is_over(acc, service, now))
		return HOLD_RATE;
	return 0;
}

static bool
has_source_limits(const struct admission_service *svc)
{
	return svc->per_source != 0 || svc->per_source_rate.count != 0;
}

/*
 * Whether conversations of the peer count.  Groups that only a connection can
 * tell of are not asked for: who is exempt for one is counted, and not limited,
 * so that what is taken is what is given back.
 */
static bool
counts(const struct acceptor *acc, const struct admission_service *svc,
    const struct addr *peer)
{
	return has_source_limits(svc) && !rules_exempt(acc->adm, peer, -1);
}

static struct addr
origin_at(const struct admission_service *svc, const struct addr *peer)
{
	return origin_of(peer, svc->source_prefix4, svc->source_prefix6);
}

static struct bucket_rate
source_rate(const struct admission_service *svc)
{
	const struct conf_rate *rate = &svc->per_source_rate;

	return bucket_rate(rate->count, rate->interval_msec, rate->burst);
}

static enum verdict
source_check(struct acceptor *acc, const struct admission_service *svc,
    const struct client *client, struct monotime now)
{
	struct sources *sources = &acc->limits.sources;
	const struct addr origin = origin_at(svc, &client->peer);
	struct source *source = sources_find(sources, client->service,
	    &origin);

	/* That others fill the table is nothing to ban a source for. */
	if (source == NULL)
		return sources_full(sources) ? VERDICT_FULL : VERDICT_SERVE;
	if (svc->per_source != 0 && source->active >= svc->per_source)
		return VERDICT_PER_SOURCE;
	if (svc->per_source_rate.count != 0) {
		const struct bucket_rate rate = source_rate(svc);

		if (monotime_before(now, bucket_when(&source->bucket, &rate)))
			return VERDICT_PER_SOURCE_RATE;
	}
	return VERDICT_SERVE;
}

enum verdict
limits_check(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];

	if (has_source_limits(svc) &&
	    !rules_exempt(acc->adm, &client->peer, client->fd)) {
		enum verdict verdict = source_check(acc, svc, client, now);

		if (verdict != VERDICT_SERVE)
			return verdict;
	}
	return pace_is_over(acc, client->service, now) ? VERDICT_RATE :
	    VERDICT_SERVE;
}

void
limits_take(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[client->service];
	struct pace *pace = acc->limits.paces[client->service];
	struct sources *sources = &acc->limits.sources;

	if (pace != NULL)
		bucket_take(&pace->bucket, &pace->rate, now);
	if (!counts(acc, svc, &client->peer))
		return;
	const struct addr origin = origin_at(svc, &client->peer);
	struct source *source = sources_get(sources, client->service, &origin);
	if (source == NULL)
		return;
	if (svc->per_source != 0)
		sources_hold(sources, source);
	if (svc->per_source_rate.count != 0) {
		const struct bucket_rate rate = source_rate(svc);

		bucket_take(&source->bucket, &rate, now);
	}
}

void
limits_give(struct acceptor *acc, uint32_t service, const struct addr *peer)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[service];
	struct source *source;

	if (svc->per_source == 0 || !counts(acc, svc, peer))
		return;
	const struct addr origin = origin_at(svc, peer);
	source = sources_find(&acc->limits.sources, service, &origin);
	if (source != NULL)
		sources_release(&acc->limits.sources, source);
}

void
limits_add(struct acceptor *acc, uint32_t service, const struct addr *peer)
{
	const struct admission_service *svc =
	    &admission_services(acc->adm)[service];
	struct source *source;

	if (svc->per_source == 0 || !counts(acc, svc, peer))
		return;
	const struct addr origin = origin_at(svc, peer);
	source = sources_get(&acc->limits.sources, service, &origin);
	if (source != NULL)
		sources_hold(&acc->limits.sources, source);
}
