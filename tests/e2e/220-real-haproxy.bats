#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# Behind a real HAProxy, which says with PROXY headers who its clients are.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sources

setup()
{
	daemon_setup
	need haproxy python3 || return
	conf "service \"cat\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\"
		proxy_protocol = \"required\" proxy_from = \"127.0.0.1\"
		only_from = {\"127.0.0.2\", \"127.0.0.1\"} }"
}

# haproxy_start OPTIONS: in front of the service; its port is in the file FRONT.
haproxy_start()
{
	FRONT=$BATS_TEST_TMPDIR/front
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
	defaults
	    mode tcp
	    timeout connect 5s
	    timeout client 20s
	    timeout server 20s
	listen front
	    bind fd@\${LISTENER}
	    server minetd 127.0.0.1:$(port_of cat) $1
	END
	start_process python3 -c '
import os, socket, sys
s = socket.create_server(("127.0.0.1", 0))
os.set_inheritable(s.fileno(), True)
with open(sys.argv[1] + ".new", "w") as out:
    print(s.getsockname()[1], file=out)
os.rename(sys.argv[1] + ".new", sys.argv[1])
os.environ["LISTENER"] = str(s.fileno())
os.execvp("haproxy", ["haproxy", "-db", "-f", sys.argv[2]])
' "$FRONT" "$BATS_TEST_TMPDIR/haproxy.cfg"
	wait_until 10 test -e "$FRONT"
	front=tcp://127.0.0.1:$(<"$FRONT")
}

# through HOST TEXT: what a client of that address hears.
through()
{
	dial -t 20 -b "$1" -s "$2" "$front"
}

# passes OPTIONS: clients come through, with their addresses, bytes as they are.
passes()
{
	start_minetd
	haproxy_start "$1"
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
	assert_eq hello "$(through 127.0.0.2 hello)"
	wait_log 'exit service=cat .* peer=127.0.0.2:[0-9]+ via=127.0.0.1:[0-9]+ '
	assert_match " local=127.0.0.1:$(<"$FRONT") " \
		"$(log_line 'exit service=cat .* peer=127.0.0.2')"
	dial -i -t 20 -b 127.0.0.2 -o "$BATS_TEST_TMPDIR/back" "$front" \
		<"$BATS_TEST_TMPDIR/bytes"
	cmp "$BATS_TEST_TMPDIR/back" "$BATS_TEST_TMPDIR/bytes"
	# The rules are for the client.
	assert_eq '' "$(through 127.0.0.3 hello || true)"
	wait_log 'reject service=cat peer=127.0.0.3:[0-9]+ reason=acl'
}

@test "send-proxy: version 1" {
	passes send-proxy
}

@test "send-proxy-v2" {
	passes send-proxy-v2
}

@test "send-proxy-v2 with a checksum and other TLVs" {
	passes 'send-proxy-v2 proxy-v2-options crc32c,unique-id'
}

@test "health checks are served as the proxy's own, and keep it in use" {
	local version
	for version in send-proxy send-proxy-v2; do
		start_minetd
		haproxy_start "$version check inter 100ms"
		checked() { (($(count_log 'exit service=cat .* peer=127.0.0.1:') >= 3)); }
		wait_until 10 checked
		# Only version 2 can say that it is nobody's connection.
		[[ $version == send-proxy ]] ||
			assert_no_match via= "$(log_line 'exit service=cat')"
		assert_eq hello "$(through 127.0.0.2 hello)"
		kill "$STARTED_PID"
		wait_until 10 gone "$STARTED_PID"
		assert_eq 0 "$(count_log reject)"
		stop_minetd
		rm "$FRONT"
	done
}
