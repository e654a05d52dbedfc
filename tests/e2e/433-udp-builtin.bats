#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Built-in services over UDP: what they say, and to whom they say nothing.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/udp

setup()
{
	daemon_setup
	need python3
}

# own_network: for the daemons that are started from now on.  On its loopback
# interface a forged sender is as good as any.
own_network()
{
	need_root
	need ip unshare nsenter
	unshare --net true 2>/dev/null || skip_or_fail "needs a network namespace"
	start_process unshare --net tail -f /dev/null
	network=/proc/$STARTED_PID/ns/net
	wait_until 5 other_network
	there sh -c 'ip link set lo up && ip address add 192.0.2.1/24 dev lo'
	START_WITH=(nsenter "--net=$network")
	CLIENT_WITH=("${START_WITH[@]}")
}

other_network()
{
	[[ $(readlink "$network") != "$(readlink /proc/self/ns/net)" ]]
}

there()
{
	nsenter "--net=$network" "$@"
}

# forge FROM-ADDRESS FROM-PORT TO-ADDRESS TO-PORT: one datagram in that network.
forge()
{
	there timeout 10 python3 -I - "$@" <<-'END'
	import socket, struct, sys
	source, sport, to, port = sys.argv[1:]
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	data = b"x" * 64
	udp = struct.pack("!4H", int(sport), int(port), 8 + len(data), 0)
	ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 1, 0, 255, 17,
	    0, socket.inet_aton(source), socket.inet_aton(to))
	s.sendto(ip + udp + data, (to, 0))
	END
}

# udp_count NAME: of that network, InDatagrams or OutDatagrams.
udp_count()
{
	# shellcheck disable=SC2016	# for awk
	there awk -v name="$1" '$1 != "Udp:" { next }
		!column { for (i = 2; i <= NF; i++) if ($i == name) column = i; next }
		{ print $column }' /proc/net/snmp
}

# Nothing has come since the last look; how much had come by then is LAST.
quiet()
{
	local now
	now=$(udp_count InDatagrams)
	[[ $now == "${LAST:-}" ]] && return
	LAST=$now
	return 1
}

# builtins ADDRESS NAME=PORT...: a daemon with these.
builtins()
{
	local text='' each
	for each in "${@:2}"; do
		text+="service \"${each%=*}\" { listen = \"udp://$1:${each#*=}\" builtin = ${each%=*} }
		"
	done
	conf "$text"
	start_minetd
}

@test "each says what its RFC has it say" {
	builtins 127.0.0.1 echo=0 discard=0 chargen=0 daytime=0 time=0
	client "$(bound_port echo)" <<-'END'
	s = peer()
	for size in (0, 1, 1472, 65507): assert ask(s, b"e" * size) == b"e" * size
	END
	client "$(bound_port discard)" <<-'END'
	s = peer()
	for size in (0, 1, 65507): s.send(b"d" * size)
	assert all_of(s) == []
	END
	client "$(bound_port time)" <<-'END'
	said = struct.unpack("!I", ask(peer(), b""))[0]
	assert abs(said - 2208988800 - time.time()) < 5
	END
	client "$(bound_port daytime)" <<-'END'
	said = ask(peer(), b"")
	assert said.endswith(b"\r\n") and b":" in said and len(said) < 65, said
	END
	client "$(bound_port chargen)" <<-'END'
	s = peer()
	said = ask(s, b"c" * 100)
	assert said.startswith(b" !\"#$%&'()*+,-./0123") and len(said) == 100
	END
}

@test "chargen is never louder than what asks it" {
	builtins 127.0.0.1 chargen=0
	client "$(bound_port chargen)" <<-'END'
	s = peer()
	for size in (1, 74, 511, 512, 513, 65507):
	    assert len(ask(s, b"c" * size)) == min(size, 512), size
	s.send(b"")
	assert all_of(s) == []
	END
}

@test "each answers from the address that was asked" {
	builtins '*' echo=0
	client "$(bound_port echo)" <<-'END'
	hosts = ["127.0.0.1", "127.0.0.2", "127.1.2.3"]
	if open("/proc/net/if_inet6").read(): hosts.append("::1")
	for host in hosts:
	    assert ask(peer(host), b"x") == b"x", host
	END
}

@test "ten thousand datagrams a second are all answered" {
	builtins 127.0.0.1 echo=0
	client "$(bound_port echo)" <<-'END'
	s = peer()
	sent = got = 0
	begin = time.monotonic()
	while got < 20000:
	    while sent < min(20000, got + 100):
	        s.send(b"%064d" % sent)
	        sent += 1
	    assert int(s.recv(100)) == got
	    got += 1
	assert all_of(s) == []
	print("%.0f/s" % (got / (time.monotonic() - begin - 0.3)))
	END
}

@test "a flood leaves it as it was" {
	local before after
	builtins 127.0.0.1 echo=0 discard=0
	before=$(frontend_pid)
	client "$(bound_port discard)" <<-'END'
	s = peer()
	for i in range(20000): s.send(b"x" * (65507 if i % 50 == 0 else 0))
	END
	client "$(bound_port echo)" <<-'END'
	assert ask(peer(), b"x") == b"x"
	END
	after=$(frontend_pid)
	assert_eq "$before" "$after" "the frontend"
	# It has nothing to do, and does nothing.
	assert_eq S "$(state_of "$after")"
}

@test "a client is answered, and none that is known to answer" {
	own_network
	builtins '*' echo=5007
	forge 127.0.0.9 40000 127.0.0.1 5007
	wait_until 5 quiet
	assert_eq "1 1" "$(udp_count InDatagrams) $(udp_count OutDatagrams)"
	local port
	for port in 0 7 13 17 19 37 53 111 123; do
		forge 127.0.0.9 "$port" 127.0.0.1 5007
	done
	forge 192.0.2.255 40000 127.0.0.1 5007
	wait_until 5 quiet
	assert_eq 1 "$(udp_count OutDatagrams)" "answers"
	forge 127.0.0.9 40000 127.0.0.1 5007
	came() { (($(udp_count OutDatagrams) == 2)); }
	wait_until 5 came
}

# ask_many SCHEME: a broadcast, then a question to the same socket.
ask_many()
{
	conf "service \"e\" { listen = \"$1://*:5007\" builtin = echo }"
	start_minetd
	client 5007 <<-'END'
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
	s.bind(("192.0.2.1", 0))
	s.sendto(b"x", ("192.0.2.255", 5007))
	assert all_of(s) == []
	s.sendto(b"x", ("192.0.2.1", 5007))
	assert s.recv(10) == b"x"
	END
	# Both have come, and the one answer.
	assert_eq 3 "$(udp_count InDatagrams)"
}

@test "what is sent to many is not answered" {
	own_network
	ask_many udp
}

@test "nor by a socket of IPv4 alone" {
	own_network
	ask_many udp4
}

@test "two of one daemon do not talk to each other" {
	own_network
	builtins '*' echo=5007 chargen=5019 daytime=5013
	forge 127.0.0.1 5019 127.0.0.1 5007
	forge 127.0.0.1 5007 127.0.0.1 5019
	forge 127.0.0.1 5013 127.0.0.1 5007
	forge 127.0.0.1 5007 127.0.0.1 5007
	wait_until 5 quiet
	assert_eq "4 0" "$(udp_count InDatagrams) $(udp_count OutDatagrams)"
}

@test "those of two daemons do not on their ports" {
	own_network
	builtins 127.0.0.2 echo=7 chargen=19
	builtins 127.0.0.3 echo=7 chargen=19
	forge 127.0.0.3 7 127.0.0.2 7
	forge 127.0.0.3 19 127.0.0.2 7
	forge 127.0.0.3 7 127.0.0.2 19
	wait_until 5 quiet
	assert_eq "3 0" "$(udp_count InDatagrams) $(udp_count OutDatagrams)"
}

@test "those of two daemons fall silent on other ports" {
	own_network
	builtins 127.0.0.2 echo=5007
	builtins 127.0.0.3 echo=5008 daytime=5013
	forge 127.0.0.3 5008 127.0.0.2 5007
	wait_until 10 quiet
	# They have begun: the ports say nothing to either of them.
	((LAST > 2 && LAST <= 255)) || fail "$LAST datagrams"
	forge 127.0.0.3 5013 127.0.0.2 5007
	wait_until 10 quiet
	((LAST <= 2 * 255)) || fail "$LAST datagrams"
}
