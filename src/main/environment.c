/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A connection's variables, written without printf(3): they are made anew for
 * every connection.
 */

#include "main/environment.h"

#include <string.h>

#include "base/bug.h"

/* A cursor over the caller's storage. */
struct writer {
	char *at;
	char *end;
	const char **vars;
	size_t count;
};

static void
text_put(struct writer *wr, const char *text)
{
	size_t len = strlen(text);

	if (len >= (size_t)(wr->end - wr->at))
		BUG("the variables of a connection have a known size");
	memcpy(wr->at, text, len + 1);
	wr->at += len;
}

static void
var_put(struct writer *wr, const char *name, const char *value)
{
	wr->vars[wr->count++] = wr->at;
	text_put(wr, name);
	text_put(wr, "=");
	text_put(wr, value);
	wr->at++;
}

static void
var_put_number(struct writer *wr, const char *name, uint64_t value)
{
	char buf[24];
	char *digit = buf + sizeof(buf) - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	var_put(wr, name, digit);
}

/* A handler that waits has no peer yet. */
static void
remote_vars(struct writer *wr, const struct connection *conn, bool udp)
{
	char host[ADDR_TEXT_SIZE];

	if (conn->peer.family == ADDR_NONE)
		return;
	addr_format_host(&conn->peer, host);
	var_put(wr, udp ? "UDPREMOTEIP" : "TCPREMOTEIP", host);
	var_put_number(wr, udp ? "UDPREMOTEPORT" : "TCPREMOTEPORT",
	    conn->peer.port);
	var_put(wr, "REMOTE_ADDR", host);
	var_put_number(wr, "REMOTE_PORT", conn->peer.port);
	var_put(wr, "REMOTE_HOST", host);
}

static void
ip_vars(struct writer *wr, const struct connection *conn)
{
	bool udp = conn->datagrams;
	char host[ADDR_TEXT_SIZE];

	var_put(wr, "PROTO", udp ? "UDP" : "TCP");
	addr_format_host(&conn->local, host);
	var_put(wr, udp ? "UDPLOCALIP" : "TCPLOCALIP", host);
	var_put_number(wr, udp ? "UDPLOCALPORT" : "TCPLOCALPORT",
	    conn->local.port);
	remote_vars(wr, conn, udp);
}

static void
unix_vars(struct writer *wr, const struct connection *conn)
{
	struct addr_cred cred = addr_cred(&conn->peer);

	var_put(wr, "PROTO", "UNIX");
	if (conn->peer.family == ADDR_NONE)
		return;
	var_put_number(wr, "UNIXREMOTEUID", cred.uid);
	var_put_number(wr, "UNIXREMOTEGID", cred.gid);
	var_put_number(wr, "UNIXREMOTEPID", cred.pid);
}

static void
vsock_vars(struct writer *wr, const struct connection *conn)
{
	struct addr_vsock peer = addr_vsock(&conn->peer);

	var_put(wr, "PROTO", "VSOCK");
	if (conn->peer.family == ADDR_NONE)
		return;
	var_put_number(wr, "VSOCKREMOTECID", peer.cid);
	var_put_number(wr, "VSOCKREMOTEPORT", peer.port);
}

/* Whom the client came through. */
static void
proxy_vars(struct writer *wr, const struct addr *via)
{
	char host[ADDR_TEXT_SIZE];

	if (via->family == ADDR_NONE)
		return;
	addr_format_host(via, host);
	var_put(wr, "PROXY_ADDR", host);
	if (via->family == ADDR_IP4 || via->family == ADDR_IP6)
		var_put_number(wr, "PROXY_PORT", via->port);
}

size_t
environment_format(const struct connection *conn, char *text,
    const char **vars)
{
	struct writer wr = {
		.at = text, .end = text + ENVIRONMENT_TEXT, .vars = vars,
	};

	var_put_number(&wr, "MINETD_ID", conn->id);
	if (conn->local.family == ADDR_UNIX)
		unix_vars(&wr, conn);
	else if (conn->local.family == ADDR_VSOCK)
		vsock_vars(&wr, conn);
	else
		ip_vars(&wr, conn);
	proxy_vars(&wr, &conn->via);
	return wr.count;
}
