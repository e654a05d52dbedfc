/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Socket addresses as small values: parse, print, compare, convert.
 *
 * An IPv4-mapped IPv6 address becomes plain IPv4 where it enters, so that no
 * rule, limit or log line ever sees the same peer in two shapes.  The paths of
 * unix sockets are not part of the value: a listener keeps its own.
 */

#ifndef MINETD_ADDR_H
#define MINETD_ADDR_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_family {
	ADDR_NONE,		/* not known */
	ADDR_IP4,
	ADDR_IP6,
	ADDR_UNIX,		/* bytes are struct addr_cred */
	ADDR_VSOCK,		/* bytes are struct addr_vsock */
};

/* 24 bytes without padding; crosses the channel and lies in configurations. */
struct addr {
	uint16_t family;	/* enum addr_family */
	uint16_t port;		/* host byte order; 0 for unix and vsock */
	uint32_t scope;		/* interface of a link-local IPv6 address */
	uint8_t bytes[16];	/* network byte order; IPv4: the first four */
};

/* What the kernel says of a unix peer (SO_PEERCRED), kept in bytes. */
struct addr_cred {
	uint32_t pid;
	uint32_t uid;
	uint32_t gid;
};

/* vsock(7), kept in bytes; UINT32_MAX is any. */
struct addr_vsock {
	uint32_t cid;
	uint32_t port;
};

enum {
	/* [IPv6%interface]:port and its terminator; the longest that a
	 * function of this module writes. */
	ADDR_TEXT_SIZE = 80,
};

/*
 * Parse a literal address without a port: 127.0.0.1, ::1, fe80::1%eth0.  No
 * brackets, no names, no short or octal IPv4 forms.  len bytes of text need no
 * terminator.  Returns 0, or -1 with errno EINVAL (not an address) or ENODEV
 * (the interface of the scope does not exist); *addr is then unspecified.
 * The port becomes 0.
 */
int	addr_parse(struct addr *addr, const char *text, size_t len);

/*
 * Take over what the kernel returned.  An unknown family, or a length too
 * short for it, gives ADDR_NONE.  AF_UNIX gives ADDR_UNIX with all ids 0.
 */
void	addr_from_sockaddr(struct addr *addr, const struct sockaddr *sa,
	    socklen_t len);

/*
 * Fill *ss from an address of IP or vsock and return its length; 0 for the
 * other families.
 */
socklen_t addr_to_sockaddr(const struct addr *addr,
	    struct sockaddr_storage *ss);

/*
 * Write the address without its port, the way addr_parse() reads it, and
 * return the length.  A scope that no longer names an interface is written as
 * a number.  A unix peer is "uid:N", one of vsock its CID, ADDR_NONE "-".  buf
 * has at least ADDR_TEXT_SIZE bytes and is terminated.
 */
size_t	addr_format_host(const struct addr *addr, char *buf);

/*
 * The same with the port: 127.0.0.1:80, [::1]:80, and CID:PORT; a unix peer is
 * "uid:N,pid:N".
 */
size_t	addr_format(const struct addr *addr, char *buf);

/* Equality of all fields that the family uses. */
bool	addr_equal(const struct addr *a, const struct addr *b);

/* Whether the address part is all zeroes (0.0.0.0 or ::). */
bool	addr_is_any(const struct addr *addr);

/* The credentials of an ADDR_UNIX address, and the address made of them. */
struct addr_cred addr_cred(const struct addr *addr);
struct addr addr_from_cred(uint32_t pid, uint32_t uid, uint32_t gid);

/* The same of ADDR_VSOCK. */
struct addr_vsock addr_vsock(const struct addr *addr);
struct addr addr_from_vsock(uint32_t cid, uint32_t port);

#endif
