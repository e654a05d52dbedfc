/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Open degraded listeners as soon as the world allows it.
 *
 * What the kernel says of addresses is not read, only that it says something:
 * an attempt to bind knows best.
 */

#include "main/retry.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "main/listenlog.h"
#include "main/tell.h"

enum {
	FIRST_MSEC = 1000,
	LAST_MSEC = 5000,
	NEWS_MSEC = 50,		/* news come in swarms */
	READS_PER_WAKEUP = 64,
};

/* Returns whether the listener is open by now. */
static bool
listener_retry(struct minetd *mi, uint32_t index)
{
	struct listener *lst = mi->edition->listeners[index].listener;
	int error = lst->error;

	if (listener_bind(lst, &mi->starter.inherited, false) == 0 &&
	    listener_listen(lst) == 0) {
		listenlog_state(mi->edition, index);
		tell_listener(mi, index);
		return true;
	}
	/* The same reason again is no news. */
	if (lst->error != error)
		listenlog_state(mi->edition, index);
	return false;
}

static void
retry_due(void *arg, struct monotime now)
{
	struct minetd *mi = arg;
	struct retry *retry = &mi->retry;
	const struct edition *ed = mi->edition;
	unsigned next = retry->msec * 2;

	/* A plan has looked at them, and is about to be committed, or given
	 * up, which closes what it has bound: come back in any case. */
	if (mi->reload.phase == RELOAD_STAGED) {
		timer_arm(loop_timers(mi->loop), &retry->due,
		    monotime_add_msec(now, retry->msec));
		return;
	}
	for (uint32_t i = 0; i < edition_configured(ed); i++) {
		struct listener *lst = ed->listeners[i].listener;

		if (lst->fd == -1 && listener_may_open(lst))
			listener_retry(mi, i);
		else if (lst->fd != -1)
			listener_follow_interface(lst);
	}
	retry->msec = next < LAST_MSEC ? next : LAST_MSEC;
	retry_update(mi, now);
}

static void
netlink_ready(void *arg, uint32_t events, struct monotime now)
{
	struct minetd *mi = arg;
	char head[1];

	(void)events;
	/* More than fits was said, ENOBUFS, is as good as any of it. */
	for (int i = 0; i < READS_PER_WAKEUP; i++)
		if (recv(mi->retry.netlink.fd, head, sizeof(head),
		    MSG_DONTWAIT | MSG_TRUNC) == -1 && errno == EAGAIN)
			break;
	timer_arm(loop_timers(mi->loop), &mi->retry.due,
	    monotime_add_msec(now, NEWS_MSEC));
}

/* Without it there is still the timer. */
static void
netlink_open(struct minetd *mi)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
		    RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    NETLINK_ROUTE);

	if (fd == -1)
		return;
	mi->retry.netlink.fd = fd;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    loop_arm(mi->loop, &mi->retry.netlink, EPOLLIN) == -1) {
		close(fd);
		mi->retry.netlink.fd = -1;
	}
}

static void
netlink_close(struct minetd *mi)
{
	struct watch *netlink = &mi->retry.netlink;

	loop_disarm(mi->loop, netlink);
	if (netlink->fd != -1)
		close(netlink->fd);
	netlink->fd = -1;
}

void
retry_init(struct minetd *mi)
{
	mi->retry.msec = FIRST_MSEC;
	timer_init(&mi->retry.due, retry_due, mi);
	watch_init(&mi->retry.netlink, -1, netlink_ready, mi);
}

void
retry_update(struct minetd *mi, struct monotime now)
{
	const struct edition *ed = mi->edition;
	struct retry *retry = &mi->retry;
	bool degraded = false;
	bool follows = false;

	for (uint32_t i = 0; i < edition_configured(ed); i++) {
		const struct listener *lst = ed->listeners[i].listener;

		degraded = degraded ||
		    (lst->fd == -1 && listener_may_open(lst));
		follows = follows || lst->id.interface[0] != '\0';
	}
	if ((degraded || follows) && retry->netlink.fd == -1)
		netlink_open(mi);
	else if (!degraded && !follows)
		netlink_close(mi);
	if (!degraded) {
		retry->msec = FIRST_MSEC;
		/* There may be news that were not looked at yet. */
		if (!follows)
			timer_disarm(loop_timers(mi->loop), &retry->due);
	} else if (!retry->due.armed) {
		timer_arm(loop_timers(mi->loop), &retry->due,
		    monotime_add_msec(now, retry->msec));
	}
}

void
retry_soon(struct minetd *mi, struct monotime now)
{
	if (mi->retry.due.armed)
		timer_arm(loop_timers(mi->loop), &mi->retry.due, now);
}

void
retry_stop(struct minetd *mi)
{
	timer_disarm(loop_timers(mi->loop), &mi->retry.due);
	netlink_close(mi);
}
