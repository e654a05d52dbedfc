/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Carry a client to another server.
 *
 * Targets are tried in order.  Those of TCP are connected to here; main does it
 * for paths, which this process cannot see, and hands over the socket.  A
 * target has its time to answer, whoever asks it.
 */

#include "frontend/redirect.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/proxyout.h"
#include "frontend/relay.h"

enum {
	ROOM_MSEC = 10,		/* until there may be room in the outbox */
	RESOLVE_MSEC = 5000,	/* main is told of a service so often at most */
};

/* What redirects have in common. */
struct redirects {
	struct pipes pipes;
	struct addr *addrs;	/* of all targets, as they are by now */
	struct monotime *told;	/* per service: when main was told that no
				 * target answers; 0: never */
};

struct redirect {
	struct carried carried;
	struct redirects *shared;
	struct relay relay;	/* first side: the client */
	struct timer timeout;	/* of the target that is tried */
	uint32_t target;	/* that is tried: index in the service */
	uint32_t asked;		/* partners that main has not answered for */
	int fd;			/* of the target; -1: none */
	int error;		/* why the last target could not be had */
	bool waits;		/* for main, which does not know yet */
	bool names_fail;	/* a target that is a host name was passed */
};

/* What came of trying a target. */
enum tried {
	TRIED_PENDING,		/* an event or the timer goes on */
	TRIED_NEXT,		/* it cannot be had */
	TRIED_FAILED,		/* no descriptors, or no memory */
};

static void targets_try(struct redirect *rd, struct monotime now);

/* Made by the first client: most frontends have none. */
static struct redirects *
redirects_of(struct carrier *carrier)
{
	const struct admission *adm = carrier->adm;
	struct redirects *shared = carrier->redirects;

	if (shared != NULL)
		return shared;
	shared = calloc(1, sizeof(*shared));
	if (shared == NULL)
		return NULL;
	shared->addrs = calloc(adm->targets + 1, sizeof(*shared->addrs));
	shared->told = calloc(adm->services + 1, sizeof(*shared->told));
	if (shared->addrs == NULL || shared->told == NULL) {
		free(shared->addrs);
		free(shared->told);
		free(shared);
		return NULL;
	}
	pipes_init(&shared->pipes);
	for (uint32_t i = 0; i < adm->targets; i++)
		shared->addrs[i] = admission_targets(adm)[i].addr;
	carrier->redirects = shared;
	return shared;
}

static struct timer_set *
timers_of(struct redirect *rd)
{
	return loop_timers(rd->carried.carrier->loop);
}

/* Let go of the target, connected or not. */
static void
target_close(struct redirect *rd)
{
	timer_disarm(timers_of(rd), &rd->timeout);
	loop_disarm(rd->carried.carrier->loop, &rd->relay.sides[1]);
	if (rd->fd != -1)
		close(rd->fd);
	rd->fd = -1;
	rd->waits = false;
}

static const struct admission_target *
target_of(const struct redirect *rd)
{
	return &admission_targets(rd->carried.carrier->adm)[
	    carried_service(&rd->carried)->first_target + rd->target];
}

/* The present target cannot be had. */
static void
target_pass(struct redirect *rd)
{
	if (target_of(rd)->named)
		rd->names_fail = true;
	rd->target++;
}

static void
redirect_end(struct redirect *rd, enum done_reason reason, struct monotime now)
{
	relay_stop(&rd->relay, reason == DONE_RESET || reason == DONE_FAILED ||
	    reason == DONE_OVERDUE);
	target_close(rd);
	rd->carried.bytes_in = rd->relay.ways[0].taken;
	rd->carried.bytes_out = rd->relay.ways[1].given;
	carried_end(&rd->carried, reason, now);
}

static void
redirect_expire(struct carried *carried, enum done_reason reason,
    struct monotime now)
{
	redirect_end((struct redirect *)carried, reason, now);
}

static void
redirect_free(struct carried *carried)
{
	free(carried);
}

static void
relay_moved(void *arg, struct monotime now)
{
	struct redirect *rd = arg;

	rd->carried.bytes_in = rd->relay.ways[0].taken;
	carried_touch(&rd->carried, now);
}

static void
relay_ended(void *arg, enum done_reason reason, struct monotime now)
{
	redirect_end(arg, reason, now);
}

static const struct relay_user relay_user = { relay_moved, relay_ended };

/* Who the client is, in the words of the PROXY protocol; 0, or -1. */
static int
header_send(struct redirect *rd)
{
	const struct client *client = &rd->carried.client;
	struct proxyout ends = { .src = client->peer };
	union {
		struct sockaddr_storage ss;
		struct sockaddr_un sun;
	} local;
	socklen_t len = sizeof(local);
	uint8_t buf[PROXYOUT_MAX];
	size_t size;

	memset(&local, 0, sizeof(local));
	ends.dst = client->local;
	if (client->local.family != ADDR_NONE)
		len = 0;
	else if (getsockname(client->fd, (struct sockaddr *)&local.ss,
	    &len) == 0)
		addr_from_sockaddr(&ends.dst, (struct sockaddr *)&local.ss,
		    len);
	if (local.ss.ss_family == AF_UNIX)
		ends.path = &local.sun;
	size = proxyout_format(carried_service(&rd->carried)->proxy_out, &ends,
	    buf);
	/* A new connection has room for it. */
	return size == 0 || send(rd->fd, buf, size, MSG_DONTWAIT |
	    MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}

/* What arrives is passed on at once: who sends it has waited long enough. */
static void
delay_end(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/*
 * Main looks whether names have other addresses by now; with an error, it also
 * says that no target could be had.
 */
static void
failure_tell(struct redirect *rd, uint32_t target, int error,
    struct monotime now)
{
	struct carried *carried = &rd->carried;
	struct monotime *told = &rd->shared->told[carried->client.service];
	struct channel_msg *msg;

	if (told->nsec != 0 &&
	    monotime_before(now, monotime_add_msec(*told, RESOLVE_MSEC)))
		return;
	msg = outbox_add(carried->carrier->outbox, CHANNEL_RESOLVE,
	    carried->client.listener, -1);
	if (msg == NULL)
		return;
	*told = now;
	msg->connect.service = carried->client.service;
	msg->connect.target = target;
	msg->connect.error = error;
}

/* The target is there; it may be gone, too, when the conversation is over. */
static void
target_serve(struct redirect *rd, struct monotime now)
{
	struct carried *carried = &rd->carried;

	timer_disarm(timers_of(rd), &rd->timeout);
	if (carried_service(carried)->proxy_out != CONF_PROXY_OUT_NONE &&
	    header_send(rd) == -1) {
		rd->error = errno;
		target_close(rd);
		target_pass(rd);
		targets_try(rd, now);
		return;
	}
	if (rd->names_fail && !target_of(rd)->named)
		failure_tell(rd, rd->target, 0, now);
	carried->target = rd->target;
	carried_touch(carried, now);
	relay_start(&rd->relay, carried->client.fd, rd->fd, now);
}

static void
target_ready(void *arg, uint32_t events, struct monotime now)
{
	struct redirect *rd = arg;
	socklen_t len = sizeof(rd->error);

	(void)events;
	if (getsockopt(rd->fd, SOL_SOCKET, SO_ERROR, &rd->error, &len) == 0 &&
	    rd->error == 0) {
		delay_end(rd->fd);
		target_serve(rd, now);
		return;
	}
	target_close(rd);
	target_pass(rd);
	targets_try(rd, now);
}

/* It has had its time; or there was no room to ask main, but now may be. */
static void
timeout_due(void *arg, struct monotime now)
{
	struct redirect *rd = arg;
	bool tried = rd->fd != -1 || rd->waits;

	target_close(rd);
	if (tried) {
		rd->error = ETIMEDOUT;
		target_pass(rd);
	}
	targets_try(rd, now);
}

/* What lacks is ours, or it is the target's fault. */
static enum tried
tried_of_errno(struct redirect *rd)
{
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case ENOSPC:
		return TRIED_FAILED;
	default:
		rd->error = errno;
		return TRIED_NEXT;
	}
}

static enum tried
tcp_try(struct redirect *rd, const struct addr *addr)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(addr, &ss);
	struct watch *watch = &rd->relay.sides[1];

	/* The name has less addresses than it had. */
	if (len == 0)
		return TRIED_NEXT;
	rd->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (rd->fd == -1)
		return tried_of_errno(rd);
	if (connect(rd->fd, (struct sockaddr *)&ss, len) == -1 &&
	    errno != EINPROGRESS)
		return tried_of_errno(rd);
	watch_init(watch, rd->fd, target_ready, rd);
	if (loop_arm(rd->carried.carrier->loop, watch, EPOLLOUT) == -1)
		return TRIED_FAILED;
	return TRIED_PENDING;
}

/* Main is asked; without room for that, the timer comes back soon. */
static void
unix_ask(struct redirect *rd)
{
	struct channel_msg *msg = outbox_add(rd->carried.carrier->outbox,
	    CHANNEL_CONNECT, rd->carried.client.listener, -1);

	if (msg == NULL)
		return;
	msg->connect.tag = rd->carried.tag;
	msg->connect.service = rd->carried.client.service;
	msg->connect.target = rd->target;
	rd->asked++;
	rd->waits = true;
}

static enum tried
target_try(struct redirect *rd, struct monotime now)
{
	const struct admission_service *svc = carried_service(&rd->carried);
	uint32_t msec = svc->connect_timeout_msec;
	enum tried tried = TRIED_PENDING;

	if (target_of(rd)->transport == CONF_TCP) {
		tried = tcp_try(rd, &rd->shared->addrs[svc->first_target +
		    rd->target]);
	} else {
		unix_ask(rd);
		if (!rd->waits)
			msec = ROOM_MSEC;
	}
	if (tried == TRIED_PENDING)
		timer_arm(timers_of(rd), &rd->timeout,
		    monotime_add_msec(now, msec));
	else
		target_close(rd);
	return tried;
}

/* Try the present target, and those after it; or end. */
static void
targets_try(struct redirect *rd, struct monotime now)
{
	uint32_t count = carried_service(&rd->carried)->targets;

	for (; rd->target < count; target_pass(rd)) {
		enum tried tried = target_try(rd, now);

		if (tried == TRIED_FAILED)
			redirect_end(rd, DONE_FAILED, now);
		if (tried != TRIED_NEXT)
			return;
	}
	failure_tell(rd, count - 1, rd->error, now);
	redirect_end(rd, DONE_UNREACHABLE, now);
}

/* Answers come in the order of the questions; the last one is waited for. */
static void
redirect_partner(struct carried *carried, int fd, int error,
    struct monotime now)
{
	struct redirect *rd = (struct redirect *)carried;

	if (rd->asked > 0)
		rd->asked--;
	if (rd->asked > 0 || !rd->waits) {
		if (fd >= 0)
			close(fd);
		return;
	}
	rd->waits = false;
	if (fd >= 0) {
		rd->fd = fd;
		watch_init(&rd->relay.sides[1], fd, NULL, NULL);
		target_serve(rd, now);
		return;
	}
	/* It was sent, but found no place here. */
	if (fd == CHANNEL_FD_LOST) {
		redirect_end(rd, DONE_FAILED, now);
		return;
	}
	rd->error = error;
	target_pass(rd);
	targets_try(rd, now);
}

static const struct carried_kind redirect_kind = {
	.expire = redirect_expire,
	.free = redirect_free,
	.partner = redirect_partner,
	.counted = true,
	.reported = true,
};

void
redirect_begin(struct carrier *carrier, const struct client *client,
    struct monotime now)
{
	struct redirects *shared = redirects_of(carrier);
	struct redirect *rd = calloc(1, sizeof(*rd));

	if (shared == NULL || rd == NULL) {
		free(rd);
		close(client->fd);
		return;
	}
	rd->shared = shared;
	rd->fd = -1;
	rd->error = EADDRNOTAVAIL;
	relay_init(&rd->relay, carrier->loop, &shared->pipes, &relay_user, rd);
	timer_init(&rd->timeout, timeout_due, rd);
	carried_begin(&rd->carried, carrier, &redirect_kind, client, now);
	/* Nobody else has it; splice(2) looks at this flag only. */
	fcntl(client->fd, F_SETFL, O_NONBLOCK);
	if (client->peer.family == ADDR_IP4 || client->peer.family == ADDR_IP6)
		delay_end(client->fd);
	targets_try(rd, now);
}

int
redirect_target(struct carrier *carrier, const struct channel_target *target)
{
	const struct admission *adm = carrier->adm;
	const struct admission_service *svc;
	struct redirects *shared;

	if (target->service >= adm->services)
		return -1;
	svc = &admission_services(adm)[target->service];
	if (target->target >= svc->targets)
		return -1;
	shared = redirects_of(carrier);
	if (shared != NULL)
		shared->addrs[svc->first_target + target->target] =
		    target->addr;
	return 0;
}
