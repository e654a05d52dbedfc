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
#include <time.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    CMSG_SPACE(sizeof(struct in_pktinfo)) +
	    2 * CMSG_SPACE(sizeof(int)) +
	    CMSG_SPACE(sizeof(struct timespec))];
};

static void
option_set(int fd, int level, int number)
{
	int on = 1;

	setsockopt(fd, level, number, &on, sizeof(on));
}

void
datagram_prepare(int fd, struct addr *bound)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	*bound = (struct addr){ .family = ADDR_NONE };
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return;
	addr_from_sockaddr(bound, (struct sockaddr *)&ss, len);
	/* One bound to a mapped address looks like one of IPv4. */
	if (ss.ss_family == AF_INET6)
		option_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	/* Of IPv4, it is this one alone that knows which address of ours was
	 * meant by a broadcast; it comes after the other one. */
	if (ss.ss_family == AF_INET6 || ss.ss_family == AF_INET)
		option_set(fd, IPPROTO_IP, IP_PKTINFO);
}

void
datagram_count_hops(int fd, const struct addr *bound)
{
	option_set(fd, IPPROTO_IP, IP_RECVTTL);
	if (bound->family == ADDR_IP6)
		option_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
}

static void
local_from_ip6(struct datagram *dg, const struct cmsghdr *cmsg)
{
	struct in6_pktinfo info;
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	sin6.sin6_addr = info.ipi6_addr;
	sin6.sin6_scope_id = info.ipi6_ifindex;
	/* The answer comes from wherever it leaves. */
	dg->to_group = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
	if (dg->to_group)
		sin6.sin6_addr = in6addr_any;
	addr_from_sockaddr(&dg->local, (struct sockaddr *)&sin6, sizeof(sin6));
}

/* ipi_spec_dst is ours also when a group or a broadcast was asked. */
static void
local_from_ip4(struct datagram *dg, const struct cmsghdr *cmsg)
{
	struct in_pktinfo info;
	struct sockaddr_in sin = { .sin_family = AF_INET };

	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	sin.sin_addr = info.ipi_spec_dst;
	dg->to_group = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
	addr_from_sockaddr(&dg->local, (struct sockaddr *)&sin, sizeof(sin));
}

static void
control_read(struct msghdr *hdr, const struct addr *bound,
    struct datagram *dg)
{
	dg->local = *bound;
	dg->hops = 0;
	dg->to_group = false;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		bool ip6 = cmsg->cmsg_level == IPPROTO_IPV6;
		bool ip4 = cmsg->cmsg_level == IPPROTO_IP;
		int hops;

		if (ip6 && cmsg->cmsg_type == IPV6_PKTINFO) {
			local_from_ip6(dg, cmsg);
		} else if (ip4 && cmsg->cmsg_type == IP_PKTINFO) {
			local_from_ip4(dg, cmsg);
		} else if ((ip6 && cmsg->cmsg_type == IPV6_HOPLIMIT) ||
		    (ip4 && cmsg->cmsg_type == IP_TTL)) {
			memcpy(&hops, CMSG_DATA(cmsg), sizeof(hops));
			dg->hops = (uint8_t)hops;
		}
	}
	dg->local.port = bound->port;
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
	control_read(&hdr, bound, dg);
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

static void
control_add(struct msghdr *hdr, int level, int type, const void *data,
    size_t len)
{
	struct cmsghdr *cmsg = (struct cmsghdr *)((char *)hdr->msg_control +
	    hdr->msg_controllen);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	hdr->msg_controllen += CMSG_SPACE(len);
}

/* Say from which address it is to leave, and how far it is to get. */
static void
control_fill(struct msghdr *hdr, const struct addr *bound,
    const struct datagram *dg)
{
	bool ip4 = dg->peer.family == ADDR_IP4;
	int hops = dg->hops;

	if (hops != 0)
		control_add(hdr, ip4 ? IPPROTO_IP : IPPROTO_IPV6,
		    ip4 ? IP_TTL : IPV6_HOPLIMIT, &hops, sizeof(hops));
	if (addr_is_any(&dg->local))
		return;
	if (bound->family == ADDR_IP6) {
		const struct in6_pktinfo info = {
			.ipi6_addr = ip6_of(&dg->local),
			.ipi6_ifindex = dg->local.scope,
		};

		control_add(hdr, IPPROTO_IPV6, IPV6_PKTINFO, &info,
		    sizeof(info));
	} else {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, dg->local.bytes, 4);
		control_add(hdr, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
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
		.msg_control = &control, .msg_controllen = 0,
	};

	hdr.msg_namelen = name_fill(&ss, bound, &dg->peer);
	if (hdr.msg_namelen == 0)
		return;
	control_fill(&hdr, bound, dg);
	if (hdr.msg_controllen == 0)
		hdr.msg_control = NULL;
	sendmsg(fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
datagram_mark(int fd)
{
	option_set(fd, SOL_SOCKET, SO_TIMESTAMPNS);
}

ssize_t
datagram_take(int fd, uint8_t *buf, size_t size, bool *end)
{
	union control control;
	struct iovec iov = { buf, size };
	struct msghdr hdr = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &hdr, MSG_DONTWAIT);

	if (len != 0 || hdr.msg_controllen != 0)
		return len;
	*end = true;
	return -1;
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
datagram_answerable(const struct datagram *dg)
{
	const struct addr *peer = &dg->peer;

	if (port_answers(peer->port) || addr_is_any(peer) || dg->to_group ||
	    dg->hops == 1)
		return false;
	if (peer->family == ADDR_IP4)
		return peer->bytes[0] < 224 && peer->bytes[0] != 0;
	return peer->family == ADDR_IP6 && peer->bytes[0] != 0xff;
}
