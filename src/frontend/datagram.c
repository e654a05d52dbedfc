/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Receive datagrams with the address that was asked, and answer from there.
 *
 * A socket of IPv6 that also serves IPv4 has addresses of both: ours are plain
 * IPv4 everywhere else, and mapped ones at the kernel.
 */

#include "frontend/datagram.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <string.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

void
datagram_prepare(int fd, struct addr *bound)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int on = 1;

	memset(&ss, 0, sizeof(ss));
	*bound = (struct addr){ .family = ADDR_NONE };
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return;
	addr_from_sockaddr(bound, (struct sockaddr *)&ss, len);
	/* One bound to a mapped address looks like one of IPv4. */
	if (ss.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
		    sizeof(on));
	else if (ss.ss_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

static void
local_from_ip6(struct addr *local, const struct in6_pktinfo *info)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = info->ipi6_addr,
		.sin6_scope_id = info->ipi6_ifindex,
	};

	/* To a group; the answer comes from wherever it leaves. */
	if (IN6_IS_ADDR_MULTICAST(&info->ipi6_addr))
		sin6.sin6_addr = in6addr_any;
	addr_from_sockaddr(local, (struct sockaddr *)&sin6, sizeof(sin6));
}

/* ipi_spec_dst is ours also when a group or a broadcast was asked. */
static void
local_from_ip4(struct addr *local, const struct in_pktinfo *info)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr = info->ipi_spec_dst,
	};

	addr_from_sockaddr(local, (struct sockaddr *)&sin, sizeof(sin));
}

static void
local_find(struct msghdr *hdr, const struct addr *bound, struct addr *local)
{
	*local = *bound;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IPV6 &&
		    cmsg->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			local_from_ip6(local, &info);
		} else if (cmsg->cmsg_level == IPPROTO_IP &&
		    cmsg->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			local_from_ip4(local, &info);
		}
	}
	local->port = bound->port;
}

ssize_t
datagram_receive(int fd, const struct addr *bound, struct datagram *dg,
    uint8_t *buf, size_t size)
{
	struct sockaddr_storage ss;
	union control control;
	struct iovec iov = { buf, size };
	struct msghdr hdr = {
		.msg_name = &ss, .msg_namelen = sizeof(ss),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &hdr, MSG_DONTWAIT);

	if (len == -1)
		return -1;
	addr_from_sockaddr(&dg->peer, (struct sockaddr *)&ss,
	    hdr.msg_namelen);
	local_find(&hdr, bound, &dg->local);
	return len;
}

/* The address as a socket of the family of bound has it. */
static struct in6_addr
ip6_of(const struct addr *addr)
{
	struct in6_addr in6 = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (addr->family == ADDR_IP4)
		memcpy(in6.s6_addr + 12, addr->bytes, 4);
	else
		memcpy(in6.s6_addr, addr->bytes, sizeof(addr->bytes));
	return in6;
}

static socklen_t
name_fill(struct sockaddr_storage *ss, const struct addr *bound,
    const struct addr *peer)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	socklen_t len = addr_to_sockaddr(peer, ss);

	if (bound->family != ADDR_IP6 || peer->family != ADDR_IP4)
		return len;
	memset(ss, 0, sizeof(*ss));
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(peer->port);
	sin6->sin6_addr = ip6_of(peer);
	return sizeof(*sin6);
}

/* Say from which address it is to leave. */
static void
source_fill(struct msghdr *hdr, const struct addr *bound,
    const struct addr *local)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr);

	if (bound->family == ADDR_IP6) {
		struct in6_pktinfo info = {
			.ipi6_addr = ip6_of(local),
			.ipi6_ifindex = local->scope,
		};

		cmsg->cmsg_level = IPPROTO_IPV6;
		cmsg->cmsg_type = IPV6_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		hdr->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, local->bytes, 4);
		cmsg->cmsg_level = IPPROTO_IP;
		cmsg->cmsg_type = IP_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		hdr->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

void
datagram_send(int fd, const struct addr *bound, const struct datagram *dg,
    const uint8_t *bytes, size_t len)
{
	struct sockaddr_storage ss;
	union control control = { .bytes = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr hdr = {
		.msg_name = &ss,
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	hdr.msg_namelen = name_fill(&ss, bound, &dg->peer);
	if (hdr.msg_namelen == 0)
		return;
	source_fill(&hdr, bound, &dg->local);
	if (addr_is_any(&dg->local)) {
		hdr.msg_control = NULL;
		hdr.msg_controllen = 0;
	}
	sendmsg(fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Services that answer whatever is sent to them. */
static bool
port_answers(uint16_t port)
{
	static const uint16_t ports[] = {
		0, 7, 13, 17, 19, 37, 53, 69, 111, 123, 137, 138, 161, 389,
		427, 514, 520, 1900, 3702, 5353, 11211,
	};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (port == ports[i])
			return true;
	return false;
}

bool
datagram_answerable(const struct addr *peer)
{
	if (port_answers(peer->port) || addr_is_any(peer))
		return false;
	if (peer->family == ADDR_IP4)
		return peer->bytes[0] < 224 && peer->bytes[0] != 0;
	return peer->family == ADDR_IP6 && peer->bytes[0] != 0xff;
}
