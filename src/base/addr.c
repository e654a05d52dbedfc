/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Socket addresses as small values: parse, print, compare, convert.
 *
 * Every address is built from zeroed storage, so that the bytes a family does
 * not use are always zero and never carry anything across the channel.  A
 * family that came from elsewhere is not trusted: what is not known prints
 * as "-" and converts to nothing.
 */

#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static void
set_ip4(struct addr *addr, const void *bytes)
{
	*addr = (struct addr){ .family = ADDR_IP4 };
	memcpy(addr->bytes, bytes, 4);
}

/* Only a link-local address means different hosts on different interfaces. */
static void
set_ip6(struct addr *addr, const struct in6_addr *in6, uint32_t scope)
{
	if (memcmp(in6, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		set_ip4(addr, in6->s6_addr + sizeof(mapped_prefix));
		return;
	}
	*addr = (struct addr){ .family = ADDR_IP6 };
	memcpy(addr->bytes, in6->s6_addr, sizeof(addr->bytes));
	if (IN6_IS_ADDR_LINKLOCAL(in6))
		addr->scope = scope;
}

/* The name of an interface, or its number without a leading zero or sign. */
static int
parse_scope(uint32_t *scope, const char *name)
{
	*scope = if_nametoindex(name);
	if (*scope != 0)
		return 0;
	if (*name >= '1' && *name <= '9') {
		const char *error;

		*scope = (uint32_t)strtonum(name, 1, UINT32_MAX, &error);
		if (error == NULL)
			return 0;
	}
	errno = ENODEV;
	return -1;
}

static char *
put_text(char *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(at, text, len + 1);
	return at + len;
}

static char *
put_number(char *at, uint32_t value)
{
	char digits[10];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	while (n > 0)
		*at++ = digits[--n];
	*at = '\0';
	return at;
}

/* By hand because each log line has two of them; inet_ntop(3) is slow. */
static char *
put_ip4(char *at, const struct addr *addr)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_number(at, addr->bytes[i]);
	}
	return at;
}

static char *
put_ip6(char *at, const struct addr *addr)
{
	inet_ntop(AF_INET6, addr->bytes, at, INET6_ADDRSTRLEN);
	at += strlen(at);
	if (addr->scope == 0)
		return at;

	char name[IF_NAMESIZE];
	int saved = errno;

	*at++ = '%';
	if (if_indextoname(addr->scope, name) != NULL)
		at = put_text(at, name);
	else
		at = put_number(at, addr->scope);
	errno = saved;
	return at;
}

static char *
put_host(char *at, const struct addr *addr)
{
	switch (addr->family) {
	case ADDR_IP4:
		return put_ip4(at, addr);
	case ADDR_IP6:
		return put_ip6(at, addr);
	case ADDR_UNIX:
		return put_number(put_text(at, "uid:"), addr_cred(addr).uid);
	case ADDR_VSOCK:
		if (addr_vsock(addr).cid == UINT32_MAX)
			return put_text(at, "*");
		return put_number(at, addr_vsock(addr).cid);
	default:
		return put_text(at, "-");
	}
}

int
addr_parse(struct addr *addr, const char *text, size_t len)
{
	char buf[ADDR_TEXT_SIZE];
	struct in6_addr in6;
	struct in_addr in;
	uint32_t scope = 0;

	if (len >= sizeof(buf) || memchr(text, '\0', len) != NULL)
		goto invalid;
	memcpy(buf, text, len);
	buf[len] = '\0';

	if (inet_pton(AF_INET, buf, &in) == 1) {
		set_ip4(addr, &in);
		return 0;
	}

	char *percent = strchr(buf, '%');

	if (percent != NULL)
		*percent = '\0';
	if (inet_pton(AF_INET6, buf, &in6) != 1)
		goto invalid;
	if (percent != NULL) {
		if (!IN6_IS_ADDR_LINKLOCAL(&in6) || percent[1] == '\0')
			goto invalid;
		if (parse_scope(&scope, percent + 1) == -1)
			return -1;
	}
	set_ip6(addr, &in6, scope);
	return 0;

invalid:
	errno = EINVAL;
	return -1;
}

void
addr_from_sockaddr(struct addr *addr, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;
	struct sockaddr_vm svm;

	*addr = (struct addr){ .family = ADDR_NONE };
	if (len < sizeof(sa->sa_family))
		return;
	if (sa->sa_family == AF_INET && len >= sizeof(sin)) {
		memcpy(&sin, sa, sizeof(sin));
		set_ip4(addr, &sin.sin_addr);
		addr->port = ntohs(sin.sin_port);
	} else if (sa->sa_family == AF_INET6 && len >= sizeof(sin6)) {
		memcpy(&sin6, sa, sizeof(sin6));
		set_ip6(addr, &sin6.sin6_addr, sin6.sin6_scope_id);
		addr->port = ntohs(sin6.sin6_port);
	} else if (sa->sa_family == AF_UNIX) {
		addr->family = ADDR_UNIX;
	} else if (sa->sa_family == AF_VSOCK && len >= sizeof(svm)) {
		memcpy(&svm, sa, sizeof(svm));
		*addr = addr_from_vsock(svm.svm_cid, svm.svm_port);
	}
}

socklen_t
addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (addr->family == ADDR_IP4) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(addr->port);
		memcpy(&sin->sin_addr, addr->bytes, sizeof(sin->sin_addr));
		return sizeof(*sin);
	}
	if (addr->family == ADDR_IP6) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(addr->port);
		sin6->sin6_scope_id = addr->scope;
		memcpy(&sin6->sin6_addr, addr->bytes, sizeof(addr->bytes));
		return sizeof(*sin6);
	}
	if (addr->family == ADDR_VSOCK) {
		struct sockaddr_vm *svm = (struct sockaddr_vm *)ss;

		svm->svm_family = AF_VSOCK;
		svm->svm_cid = addr_vsock(addr).cid;
		svm->svm_port = addr_vsock(addr).port;
		return sizeof(*svm);
	}
	return 0;
}

size_t
addr_format_host(const struct addr *addr, char *buf)
{
	return (size_t)(put_host(buf, addr) - buf);
}

size_t
addr_format(const struct addr *addr, char *buf)
{
	char *at = buf;

	if (addr->family == ADDR_IP6)
		*at++ = '[';
	at = put_host(at, addr);
	if (addr->family == ADDR_IP6)
		*at++ = ']';
	if (addr->family == ADDR_UNIX)
		at = put_number(put_text(at, ",pid:"), addr_cred(addr).pid);
	else if (addr->family == ADDR_VSOCK)
		at = put_number(put_text(at, ":"), addr_vsock(addr).port);
	else if (addr->family == ADDR_IP4 || addr->family == ADDR_IP6)
		at = put_number(put_text(at, ":"), addr->port);
	return (size_t)(at - buf);
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return false;
	switch (a->family) {
	case ADDR_IP4:
		return a->port == b->port && memcmp(a->bytes, b->bytes, 4) == 0;
	case ADDR_IP6:
		return a->port == b->port && a->scope == b->scope &&
		    memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
	case ADDR_UNIX:
		return memcmp(a->bytes, b->bytes, sizeof(struct addr_cred)) ==
		    0;
	case ADDR_VSOCK:
		return memcmp(a->bytes, b->bytes, sizeof(struct addr_vsock)) ==
		    0;
	default:
		return true;
	}
}

bool
addr_is_any(const struct addr *addr)
{
	static const uint8_t zeroes[sizeof(addr->bytes)];

	if (addr->family == ADDR_IP4)
		return memcmp(addr->bytes, zeroes, 4) == 0;
	return addr->family == ADDR_IP6 &&
	    memcmp(addr->bytes, zeroes, sizeof(zeroes)) == 0;
}

struct addr_cred
addr_cred(const struct addr *addr)
{
	struct addr_cred cred = { 0 };

	if (addr->family == ADDR_UNIX)
		memcpy(&cred, addr->bytes, sizeof(cred));
	return cred;
}

struct addr
addr_from_cred(uint32_t pid, uint32_t uid, uint32_t gid)
{
	struct addr_cred cred = { .pid = pid, .uid = uid, .gid = gid };
	struct addr addr = { .family = ADDR_UNIX };

	memcpy(addr.bytes, &cred, sizeof(cred));
	return addr;
}

struct addr_vsock
addr_vsock(const struct addr *addr)
{
	struct addr_vsock vsock = { 0 };

	if (addr->family == ADDR_VSOCK)
		memcpy(&vsock, addr->bytes, sizeof(vsock));
	return vsock;
}

struct addr
addr_from_vsock(uint32_t cid, uint32_t port)
{
	struct addr_vsock vsock = { .cid = cid, .port = port };
	struct addr addr = { .family = ADDR_VSOCK };

	memcpy(addr.bytes, &vsock, sizeof(vsock));
	return addr;
}
