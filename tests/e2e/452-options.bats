#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Each option of a socket, as others see it: the listener by ss(8), and what a
# handler has by getsockopt(2).

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/inherit
load ../lib/sockets

setup()
{
	daemon_setup
	need_ipv6
	need_root
	need ss
}

# with KEYS: a daemon whose services have these keys.
with()
{
	probe_conf "$1"
	start_minetd
}

# differs TRANSPORT <WANTED: of the options of a connection, these have another
# value than the kernel gives them, and the others do not.
differs()
{
	local wanted
	wanted=$(cat)
	probe_report "$(probe_address "$1")" || return
	{
		"$TESTBIN/probe" sockopts "$1" | grep -vF -f <(
			awk -F = '{ print $1 "=" }' <<<"$wanted"
			# What a mark of a packet and its class bring about.
			echo so.PRIORITY=
		)
		echo "$wanted"
	} | expect "$1"
}

# listener [SERVICE]: what ss says of it.
listener()
{
	ss -Hltneom --tos --inet-sockopt "sport = :$(port_of "${1:-four}")"
}

# udp_listener KEYS: what ss says of one with these keys.
udp_listener()
{
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" $1 exec = {\"/bin/cat\"} }"
	start_minetd
	UDP=$(ss -Hluneom --tos --inet-sockopt "sport = :$(bound_port u)")
	stop_minetd
	assert_match '127\.0\.0\.1' "$UDP"
}

@test "without options, no connection differs from the kernel's" {
	with ''
	local transport
	for transport in tcp4 tcp6 unix; do
		probe_report "$(probe_address "$transport")"
		"$TESTBIN/probe" sockopts "$transport" | expect "$transport"
		assert_eq 0 "$(said so.BUF_LOCK)"
	done
	assert_no_match 'fwmark|tos:0x|freebind|transparent' "$(listener)"
}

@test "backlog is the length of the queue" {
	with 'backlog = 33'
	assert_match '^LISTEN +0 +33 ' "$(listener four)"
	assert_match '^LISTEN +0 +33 ' "$(listener six)"
	assert_match ' 33 ' \
		"$(ss -Hlx | grep "$(public_dir)/socket ")"
	local transport
	for transport in tcp4 tcp6 unix; do
		differs "$transport" <<<'so.BUF_LOCK=0'
	done
}

@test "interface binds to one, where others do not find it" {
	need ip
	need unshare
	conf <<-END
	service "four" { listen = "tcp://*:0" interface = "lo" exec = {"$(public_bin probe)"} }
	service "u" { listen = "udp://*:0" interface = "lo" exec = {"/bin/cat"} }
	END
	start_minetd
	assert_match '%lo:' "$(listener four)"
	assert_match '%lo:' "$(ss -Hlun "sport = :$(bound_port u)")"
	probe_report "tcp://127.0.0.1:$(port_of four)"
	expect four <<<'so.BINDTODEVICE=lo'
}

@test "an interface that is missing degrades the listener until it comes" {
	need ip
	need unshare
	START_WITH=(unshare --net sh -c 'ip link set lo up && exec "$@"' sh)
	conf <<-END
	service "four" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
	service "u" { listen = {"udp://*:0"} interface = "later0" exec = {"/bin/cat"} }
	END
	start_minetd || skip_or_fail "needs a network namespace"
	wait_log 'degraded service=u .* step=interface error="No such device"'
	nsenter --net="/proc/$MINETD_PID/ns/net" ip link add later0 type veth ||
		skip_or_fail "needs veth interfaces"
	wait_log 'listen service=u addr=udp://\*:'
}

@test "reuse_port lets two daemons have one port, which others do not get" {
	local port udp
	conf <<-END
	service "four" { listen = "tcp://127.0.0.1:0" reuse_port = yes exec = {"$(public_bin probe)"} }
	service "u" { listen = "udp://127.0.0.1:0" reuse_port = yes exec = {"/bin/cat"} }
	END
	start_minetd
	port=$(port_of four)
	udp=$(bound_port u)
	probe_report "tcp://127.0.0.1:$port"
	expect four <<<'so.REUSEPORT=1'
	conf <<-END
	service "a" { listen = "tcp://127.0.0.1:$port" reuse_port = yes exec = {"/bin/cat"} }
	service "b" { listen = "udp://127.0.0.1:$udp" reuse_port = yes exec = {"/bin/cat"} }
	END
	start_minetd
	assert_eq 2 "$(inode_of tcp "$port" | wc -l)"
	assert_eq 2 "$(inode_of udp "$udp" | wc -l)"
	conf <<-END
	service "a" { listen = "tcp://127.0.0.1:$port" exec = {"/bin/cat"} }
	service "b" { listen = "udp://127.0.0.1:$udp" exec = {"/bin/cat"} }
	END
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS"
}

@test "freebind has addresses that are not there" {
	conf <<-END
	service "four" { listen = "tcp://192.0.2.77:0" freebind = yes exec = {"/bin/cat"} }
	service "six" { listen = "tcp://[2001:db8::77]:0" freebind = yes exec = {"/bin/cat"} }
	service "u" { listen = "udp://192.0.2.77:0" freebind = yes exec = {"/bin/cat"} }
	service "not" { listen = "udp://192.0.2.77:0" exec = {"/bin/cat"} }
	END
	start_minetd
	wait_log 'listen service=four addr=tcp://192\.0\.2\.77:'
	wait_log 'listen service=six addr="?tcp://\[2001:db8::77\]:'
	wait_log 'listen service=u addr=udp://192\.0\.2\.77:'
	wait_log 'degraded service=not .* error="Cannot assign requested address"'
}

@test "freebind and transparent are set, and no more" {
	with 'freebind = yes'
	differs tcp4 <<<'so.IP_FREEBIND=1'
	# Both families have the one bit.
	differs tcp6 <<<'so.IP_FREEBIND=1'
	differs unix <<<'so.BUF_LOCK=0'
	assert_match 'freebind' "$(listener)"
	assert_no_match 'transparent' "$(listener)"
	stop_minetd
	with 'transparent = yes'
	differs tcp4 <<<'so.IP_TRANSPARENT=1'
	assert_match 'transparent' "$(listener)"
	stop_minetd
	udp_listener 'freebind = yes transparent = yes'
	assert_match 'freebind' "$UDP"
	assert_match 'transparent' "$UDP"
	udp_listener ''
	assert_no_match 'freebind|transparent' "$UDP"
}

@test "nodelay is set, and no more" {
	with 'nodelay = yes'
	differs tcp4 <<<'so.TCP_NODELAY=1'
	differs tcp6 <<<'so.TCP_NODELAY=1'
}

@test "defer_accept starts no handler before the client has said something" {
	conf "service \"echo\" { listen = \"tcp://127.0.0.1:0\" defer_accept = 10
		log_connections = verbose exec = {\"/bin/cat\"} }
	service \"other\" { listen = \"tcp://127.0.0.1:0\" exec = {\"/bin/cat\"} }"
	start_minetd
	hold_client echo
	established()
	{
		[[ -n $(ss -Htn state established "dport = :$(port_of echo)") ]]
	}
	wait_until 5 established
	# Whoever comes later and speaks is served before.
	assert_eq x "$(talk other x)"
	assert_eq y "$(talk echo y)"
	assert_eq 1 "$(count_log '(^| )start service=echo ')" "handlers"
}

@test "keepalive is set, with its times, and no more" {
	with 'keepalive = yes'
	differs tcp4 <<<'so.KEEPALIVE=1'
	differs tcp6 <<<'so.KEEPALIVE=1'
	stop_minetd
	with 'keepalive = yes keepalive_time = 71 keepalive_interval = 11
		keepalive_probes = 3'
	local transport
	for transport in tcp4 tcp6; do
		differs "$transport" <<-END
		so.KEEPALIVE=1
		so.TCP_KEEPIDLE=71
		so.TCP_KEEPINTVL=11
		so.TCP_KEEPCNT=3
		END
	done
	stop_minetd
	# And at work: the timer of a connection that does nothing.
	conf 'service "echo" { listen = "tcp://127.0.0.1:0" keepalive = yes
		keepalive_time = 71 exec = {"/bin/cat"} }'
	start_minetd
	hold_client echo
	watched()
	{
		ss -Htno state established "sport = :$(port_of echo)" |
			grep -qE 'timer:\(keepalive,(1min)?[0-9]+sec'
	}
	wait_until 5 watched
}

@test "send_buffer and receive_buffer are sizes that do not grow" {
	with 'send_buffer = 30000 receive_buffer = 40000'
	local transport
	for transport in tcp4 tcp6; do
		differs "$transport" <<-END
		so.BUF_LOCK=3
		so.SNDBUF=60000
		so.RCVBUF=80000
		END
	done
	assert_match 'rb80000,t0,tb60000' "$(listener)"
	stop_minetd
	with 'send_buffer = 30000'
	differs tcp4 <<<$'so.BUF_LOCK=1\nso.SNDBUF=60000'
	stop_minetd
	udp_listener 'send_buffer = 30000 receive_buffer = 40000'
	assert_match 'rb80000,t0,tb60000' "$UDP"
	udp_listener ''
	assert_no_match 'rb80000|tb60000' "$UDP"
}

@test "dscp marks what is sent, over both families" {
	with 'dscp = 46'
	differs tcp4 <<<"so.IP_TOS=$((46 << 2))"
	differs tcp6 <<<"so.IPV6_TCLASS=$((46 << 2))"
	assert_match 'tos:0xb8' "$(listener four)"
	assert_match 'tclass:0xb8' "$(listener six)"
	stop_minetd
	udp_listener 'dscp = 46'
	assert_match 'tos:0xb8' "$UDP"
	udp_listener ''
	assert_no_match 'tos:0xb8' "$UDP"
}

@test "mark is on the socket" {
	with 'mark = 77'
	differs tcp4 <<<'so.MARK=77'
	differs tcp6 <<<'so.MARK=77'
	assert_match 'fwmark:0x4d' "$(listener)"
	stop_minetd
	udp_listener 'mark = 77'
	assert_match 'fwmark:0x4d' "$UDP"
	udp_listener ''
	assert_no_match 'fwmark' "$UDP"
}

@test "mptcp is another protocol, and only when asked for" {
	conf <<-END
	service "m" { listen = "tcp://127.0.0.1:0" mptcp = yes exec = {"/bin/cat"} }
	service "t" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }
	END
	start_minetd || skip_or_fail "needs mptcp"
	# An mptcp listener is one of tcp that belongs to another protocol.
	assert_match 'tcp-ulp-mptcp' "$(ss -Hltni "sport = :$(port_of m)")"
	assert_no_match 'mptcp' "$(ss -Hltni "sport = :$(port_of t)")"
	assert_eq x "$(talk m x)"
}

@test "a reload changes the options of udp listeners in place" {
	local inode port
	conf 'service "u" { listen = "udp://127.0.0.1:0" exec = {"/bin/cat"} }'
	start_minetd
	port=$(bound_port u)
	inode=$(inode_of udp "$port")
	conf 'service "u" { listen = "udp://127.0.0.1:0" dscp = 46 mark = 77
		receive_buffer = 40000 exec = {"/bin/cat"} }'
	reload
	assert_match 'kept=1' "$RELOADED"
	assert_eq "$inode" "$(inode_of udp "$port")"
	assert_match 'rb80000.*' "$(ss -Hlunm "sport = :$port")"
	assert_match 'fwmark:0x4d' "$(ss -Hlune "sport = :$port")"
	conf 'service "u" { listen = "udp://127.0.0.1:0" exec = {"/bin/cat"} }'
	reload
	assert_no_match 'fwmark' "$(ss -Hlune "sport = :$port")"
	assert_no_match 'rb80000' "$(ss -Hlunm "sport = :$port")"
}
