/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Clients that come through a proxy, which says first who they are.
 *
 * Until then they are nobody's: only the bounds of prefaces concern them.  From
 * then on everything is as if they had connected themselves, but that there is
 * no queue that they could wait in.
 */

#include "frontend/proxied.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "frontend/proxy.h"
#include "frontend/rules.h"

struct proxied {
	struct preface pref;	/* the first member */
	struct acceptor *acc;
};

static void
proxied_free(struct carried *carried)
{
	free(carried);
}

static const struct carried_kind silent_kind = {
	.free = proxied_free,
};

static const struct admission_service *
service_of(const struct acceptor *acc, const struct client *client)
{
	return &admission_services(acc->adm)[client->service];
}

static enum preface_found
required_look(const uint8_t *bytes, size_t len, size_t *preface_len)
{
	struct proxy proxy;
	enum proxy_found found = proxy_parse(bytes, len, &proxy);

	*preface_len = proxy.len;
	switch (found) {
	case PROXY_MORE:
		return PREFACE_MORE;
	case PROXY_HEADER:
		return PREFACE_COMPLETE;
	default:
		return PREFACE_BAD;
	}
}

/* Nothing is complete, too. */
static enum preface_found
optional_look(const uint8_t *bytes, size_t len, size_t *preface_len)
{
	struct proxy proxy;

	if (proxy_parse(bytes, len, &proxy) != PROXY_NONE)
		return required_look(bytes, len, preface_len);
	*preface_len = 0;
	return PREFACE_COMPLETE;
}

/* It is a client of its service from here on. */
static void
proxied_pass(struct proxied *proxied, const struct proxy *proxy,
    struct monotime now)
{
	struct acceptor *acc = proxied->acc;
	struct client client = proxied->pref.carried.client;

	if (proxy != NULL && proxy->source.family != ADDR_NONE) {
		client.via = client.peer;
		client.peer = proxy->source;
		client.local = proxy->destination;
	}
	client.preface += (uint32_t)proxied->pref.carried.bytes_in;
	client.fd = preface_pass(&proxied->pref, &silent_kind, now);
	acceptor_serve(acc, &client, now);
}

static void
proxied_taken(struct preface *pref, const uint8_t *bytes, size_t len,
    struct monotime now)
{
	struct proxied *proxied = (struct proxied *)pref;
	struct proxy proxy;

	if (len == 0)
		proxied_pass(proxied, NULL, now);
	else if (proxy_parse(bytes, len, &proxy) == PROXY_HEADER)
		proxied_pass(proxied, &proxy, now);
	else
		pref->kind->failed(pref, DONE_REFUSED, now);
}

/* Whether no byte has come, at most the end. */
static bool
is_silent(int fd)
{
	uint8_t byte;
	ssize_t n = recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno == EAGAIN);
}

static void
proxied_failed(struct preface *pref, enum done_reason reason,
    struct monotime now)
{
	struct proxied *proxied = (struct proxied *)pref;
	struct acceptor *acc = proxied->acc;
	const struct client client = pref->carried.client;

	/* Who waits for us to speak first may do so. */
	if (service_of(acc, &client)->proxy_protocol ==
	    CONF_PROXY_OPTIONAL && reason == DONE_REFUSED &&
	    outbox_has_room(acc->outbox) && is_silent(client.fd)) {
		proxied_pass(proxied, NULL, now);
		return;
	}
	acceptor_refuse(acc, &client, VERDICT_PREFACE, now);
	preface_end(pref, reason, now);
}

static const struct preface_kind required_kind = {
	.carried = &silent_kind,
	.max = PROXY_MAX,
	.look = required_look,
	.taken = proxied_taken,
	.failed = proxied_failed,
};

static const struct preface_kind optional_kind = {
	.carried = &silent_kind,
	.max = PROXY_MAX,
	.look = optional_look,
	.taken = proxied_taken,
	.failed = proxied_failed,
};

bool
proxied_awaited(const struct acceptor *acc, const struct client *client)
{
	const struct admission_service *svc = service_of(acc, client);

	return svc->proxy_protocol != CONF_PROXY_NO &&
	    rules_believe(acc->adm, svc, &client->peer);
}

bool
proxied_missing(const struct acceptor *acc, const struct client *client)
{
	const struct admission_service *svc = service_of(acc, client);

	return svc->proxy_protocol == CONF_PROXY_REQUIRED &&
	    !rules_believe(acc->adm, svc, &client->peer);
}

void
proxied_begin(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	struct proxied *proxied = calloc(1, sizeof(*proxied));
	bool optional = service_of(acc, client)->proxy_protocol ==
	    CONF_PROXY_OPTIONAL;

	if (proxied == NULL) {
		close(client->fd);
		return;
	}
	proxied->acc = acc;
	preface_begin(&acc->prefaces, &proxied->pref,
	    optional ? &optional_kind : &required_kind, client, now);
}
