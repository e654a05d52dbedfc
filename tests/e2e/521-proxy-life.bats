#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# proxy_protocol: what a handler sees, and headers that an upgrade overtakes.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets

setup()
{
	daemon_setup
	need python3
	keys='proxy_protocol = required proxy_from = "127.0.0.1"'
	v1=$'PROXY TCP4 192.0.2.1 198.51.100.7 5 6\r\n'
}

# has LINE: among what the handler has printed.
has()
{
	grep -qx -- "$1" <<<"$output" || fail "no line $1" "$output"
}

@test "only a client that a proxy has named has variables of the proxy" {
	conf "service \"env\" { listen = \"tcp://127.0.0.1:0\" exec = \"/usr/bin/env\" $keys }"
	start_minetd
	local address
	address=tcp://127.0.0.1:$(port_of env)
	run -0 dial -s "$v1" "$address"
	has REMOTE_ADDR=192.0.2.1
	has PROXY_ADDR=127.0.0.1
	run -0 dial -s $'PROXY UNKNOWN\r\n' "$address"
	has REMOTE_ADDR=127.0.0.1
	has TCPLOCALIP=127.0.0.1
	assert_no_match 'PROXY_' "$output"
}

@test "the socket of the handler is still that of the proxy" {
	local ends
	ends=$(script ends <<-'END'
	#!/usr/bin/env python3
	import os, socket
	s = socket.socket(fileno=0)
	print(s.getpeername()[1] == int(os.environ['PROXY_PORT']))
	print(s.getpeername()[0] == os.environ['PROXY_ADDR'])
	print(s.getsockname()[0])
	END
	)
	conf "service \"ends\" { listen = \"tcp://127.0.0.1:0\" exec = \"$ends\" $keys }"
	start_minetd
	assert_eq $'True\nTrue\n127.0.0.1' \
		"$(dial -s "$v1" "tcp://127.0.0.1:$(port_of ends)")"
}

@test "the addresses may be of another family than the socket" {
	conf "service \"env\" { listen = \"tcp://127.0.0.1:0\" exec = \"/usr/bin/env\" $keys }"
	start_minetd
	run -0 dial -s $'PROXY TCP6 2001:db8::7 2001:db8::1 7 8\r\n' \
		"tcp://127.0.0.1:$(port_of env)"
	has PROTO=TCP
	has TCPREMOTEIP=2001:db8::7
	has TCPLOCALIP=2001:db8::1
	has TCPLOCALPORT=8
	has PROXY_ADDR=127.0.0.1
}

@test "nobody on a unix socket is believed" {
	local dir
	dir=$(public_dir)
	conf "service \"must\" { listen = \"unix://$dir/must\" exec = \"/bin/cat\" $keys }
	service \"may\" { listen = \"unix://$dir/may\" exec = \"/bin/cat\"
		proxy_protocol = optional proxy_from = \"127.0.0.1\" }"
	start_minetd
	output=$(dial -s "$v1" "unix://$dir/must" 2>/dev/null) || [[ $? == 2 ]]
	assert_eq '' "$output"
	wait_log 'reject service=must .* reason=preface'
	# The twin: what it says is for the handler.
	assert_eq "${v1%$'\n'}" "$(dial -s "$v1" "unix://$dir/may")"
}

@test "who was about to send a header at an upgrade is parted with in order" {
	conf "preface_timeout = 20s
	service \"cat\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\" $keys }"
	start_minetd
	local address early
	address=tcp://127.0.0.1:$(port_of cat)
	exec {early}<>"/dev/tcp/127.0.0.1/$(port_of cat)"
	printf 'PROXY TCP4 192.0' >&"$early"
	# The next one is accepted after it.
	assert_eq hello "$(dial -s "${v1}hello" "$address")"
	upgrade
	printf '.2.9 198.51.100.7 5 6\r\nlate' >&"$early"
	# A reset is as good as an end.
	run timeout 10 cat <&"$early"
	((status < 2)) || fail "it is neither served nor closed"
	exec {early}>&-
	assert_eq hello "$(dial -s "${v1}hello" "$address")"
	assert_eq 0 "$(count_log 'frontend event=(malformed|ended)')"
}
