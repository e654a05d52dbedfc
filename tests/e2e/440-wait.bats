#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Handlers that get the listening socket itself.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets

setup()
{
	daemon_setup
	dir=$BATS_TEST_TMPDIR/open
	mkdir -m 1777 "$dir"
	chmod 1777 "$dir"
	waiter=$(public_bin waiter)
	report=$dir/report
}

# ask ADDRESS... TEXT: send a datagram by socat, print what is answered.
ask()
{
	printf '%s' "$2" | socat -t 5 -T 5 - "$1" | head -c 2000
}

# asked ADDRESS TEXT: whether the answer ends in it.
asked()
{
	[[ $(printf '%s' "$2" | socat -t 1 -T 1 - "$1") == *" $2" ]]
}

udp()
{
	echo "UDP:127.0.0.1:$(udp_port "$1")"
}

udp_port()
{
	bound_port "$1"
}

starts()
{
	count_log "start service=$1 "
}

started()
{
	(($(starts "$1") >= $2))
}

exits()
{
	(($(count_log "exit service=$1 ") >= $2))
}

@test "a tcp handler gets the listening socket, and nothing else, blocking" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-r\", \"$report\"} }"
	start_minetd
	assert_match '^[0-9]+$' "$(talk w)"
	assert_match 'fds=0,1,2, blocking=1 types=1,' "$(cat "$report")"
	assert_match ' proto=TCP peer=-$' "$(cat "$report")"
	wait_log 'exit service=w .*peer=- .*status=0'
}

@test "the next client is served by the next handler" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes exec = \"$waiter\" }"
	start_minetd
	local one two
	one=$(talk w)
	two=$(talk w)
	assert_match '^[0-9]+$' "$one"
	assert_match '^[0-9]+$' "$two"
	[[ $one != "$two" ]]
}

@test "a handler that stays serves all clients itself" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"5\"} log_connections = verbose }"
	start_minetd
	local pids=
	for _ in 1 2 3 4 5; do
		pids+=$(talk w)$'\n'
	done
	assert_eq 1 "$(sort -u <<<"${pids%$'\n'}" | wc -l)"
	wait_log 'exit service=w '
	assert_eq 1 "$(starts w)"
	assert_match '^[0-9]+$' "$(talk w)"
}

@test "a datagram is left to the handler, whole" {
	need socat
	conf "service \"w\" { listen = \"udp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-r\", \"$report\"} }"
	start_minetd
	local text
	text=$(printf 'x%.0s' {1..900})
	assert_match "^[0-9]+ $text\$" "$(ask "$(udp w)" "$text")"
	assert_match 'fds=0,1,2, blocking=1 types=2, stamps=0' "$(cat "$report")"
	assert_match ' proto=UDP peer=-$' "$(cat "$report")"
	wait_until 5 exits w 1
	assert_match '^[0-9]+ again$' "$(ask "$(udp w)" again)"
}

@test "unix sockets of every type can be waited at" {
	need socat
	conf "service \"s\" { listen = \"unix://$dir/stream\" wait = yes exec = \"$waiter\" }
	service \"q\" { listen = \"unix-seqpacket://$dir/packets\" wait = yes exec = \"$waiter\" }
	service \"d\" { listen = \"unix-dgram://$dir/datagrams\" wait = yes
		exec = {\"$waiter\", \"-r\", \"$report\"} }"
	start_minetd
	assert_match '^[0-9]+$' "$(dial "unix://$dir/stream")"
	assert_match '^[0-9]+$' "$(socat -t 5 -u "UNIX-CONNECT:$dir/packets,type=5" -)"
	printf hi | socat -u - "UNIX-SENDTO:$dir/datagrams"
	wait_until 5 exits d 1
	assert_match 'types=2, .*proto=UNIX peer=-$' "$(cat "$report")"
}

@test "while no handler runs the socket does not block us" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} }"
	start_minetd
	local inode fd flags
	inode=$(inode_of tcp "$(port_of w)")
	nonblocking()
	{
		for fd in "/proc/$MINETD_PID/fd/"*; do
			[[ $(readlink "$fd") == "socket:[$inode]" ]] || continue
			flags=$(sed -n 's/^flags:\t//p' "/proc/$MINETD_PID/fdinfo/${fd##*/}")
			(((8#$flags & 8#4000) != 0))
			return
		done
		return 1
	}
	nonblocking
	talk w
	run nonblocking
	assert_eq 1 "$status"
	talk w
	wait_until 5 exits w 1
	wait_until 5 nonblocking
}

@test "the listeners of a service are waited at apart" {
	conf "service \"w\" { listen = {\"tcp://127.0.0.1:0\", \"tcp://127.0.0.2:0\"} wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} }"
	start_minetd
	local one two
	one=$(dial "tcp://127.0.0.1:$(port_of w 1)")
	two=$(dial "tcp://127.0.0.2:$(port_of w 2)")
	[[ $one != "$two" ]]
	assert_eq "$one" "$(dial "tcp://127.0.0.1:$(port_of w 1)")"
}

@test "with activation = systemd one handler gets all sockets" {
	conf "service \"w\" { listen = {\"tcp://127.0.0.1:0\", \"udp://127.0.0.1:0\", \"tcp://127.0.0.2:0\"}
		wait = yes activation = systemd
		exec = {\"$waiter\", \"-a\", \"-n\", \"2\", \"-r\", \"$report\"} }"
	start_minetd
	local one two
	one=$(dial "tcp://127.0.0.1:$(port_of w 1)")
	two=$(dial "tcp://127.0.0.2:$(bound_port w 3)")
	assert_match '^[0-9]+ 3$' "$one"
	assert_eq "${one% 3} 5" "$two"
	assert_match 'fds=0,1,2,3,4,5, blocking=111 types=1,2,1, ' "$(cat "$report")"
	assert_match ' own_pid=1 listen_fds=3 names=w:w:w ' "$(cat "$report")"
}

@test "with activation = systemd fd 0 to 2 are no sockets" {
	local look
	look=$(script look <<-END
	#!/bin/sh
	links=\$(readlink /proc/\$\$/fd/0 /proc/\$\$/fd/1 /proc/\$\$/fd/2)
	echo "\$links" >$dir/links.\$\$
	mv $dir/links.\$\$ $dir/links
	END
	)
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes activation = systemd
		exec = \"$look\" }"
	start_minetd
	hold_client w
	wait_until 5 exits w 1
	assert_eq '/dev/null /dev/null /dev/null' "$(tr '\n' ' ' <"$dir/links" | sed 's/ $//')"
}

@test "a handler that leaves its datagram is not started over and over" {
	need socat
	conf "service \"w\" { listen = \"udp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-b\", \"$dir/go\"} log_connections = verbose }"
	start_minetd
	printf 'one' | socat -u - "$(udp w)"
	wait_log 'throttle service=w addr=udp://.* reason=not_consumed msec=50'
	wait_until 5 started w 5
	# 0, 50, 100, 200, ... milliseconds: in the time that five have taken,
	# hundreds could have been.
	(($(starts w) < 8))
	: >"$dir/go"
	wait_log 'resume service=w '
	assert_match ' two$' "$(ask "$(udp w)" two)"
	assert_eq 1 "$(count_log 'throttle ')"
}

@test "what ten handlers have left is thrown away, and the next is served" {
	need socat
	[[ -n ${MINETD_LONG:-} ]] || BATS_TEST_TIMEOUT=60
	conf "service \"w\" { listen = {\"udp://127.0.0.1:0\"} wait = yes
		exec = {\"$waiter\", \"-b\", \"$dir/go\"} log_connections = verbose }
	service \"t\" { listen = {\"tcp://127.0.0.1:0\"} wait = yes exec = {\"/bin/true\"}
		log_connections = verbose }"
	start_minetd
	printf 'one' | socat -u - "$(udp w)"
	assert_eq '' "$(dial -k -t 40 "tcp://127.0.0.1:$(port_of t)")"
	wait_until 40 started w 11
	(($(starts w) < 14))
	: >"$dir/go"
	wait_until 20 asked "$(udp w)" two
}

@test "handlers that take one client each are never held back" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes exec = \"$waiter\" }"
	start_minetd
	local pids=()
	for _ in 1 2 3 4 5; do
		dial -c 20 "tcp://127.0.0.1:$(port_of w)" >/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	wait_until 5 exits w 100
	assert_eq 0 "$(count_log 'throttle ')"
}

@test "a missing program does not spin, and the daemon goes on" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes exec = {\"/nonexistent\"} }
	service \"echo\" { listen = \"tcp://127.0.0.1:0\" exec = {\"/bin/cat\"} }"
	start_minetd
	hold_client w
	wait_log 'throttle service=w '
	(($(count_log 'exit service=w ') < 6))
	assert_eq hello "$(talk echo hello)"
}

@test "a reload leaves the socket to the handler that has it" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"3\"} log_connections = verbose }"
	start_minetd
	local one
	one=$(talk w)
	reload
	assert_eq "$one" "$(talk w)"
	reload
	assert_eq "$one" "$(talk w)"
	wait_until 5 exits w 1
	assert_eq 1 "$(starts w)"
	[[ $(talk w) != "$one" ]]
}

@test "an upgrade leaves the socket to the handler that has it" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} log_connections = verbose }
	service \"sd\" { listen = {\"tcp://127.0.0.1:0\", \"tcp://127.0.0.2:0\"} wait = yes
		activation = systemd exec = {\"$waiter\", \"-a\", \"-n\", \"2\"} log_connections = verbose }"
	start_minetd
	local one other
	one=$(talk w)
	other=$(talk sd)
	upgrade
	assert_eq "$one" "$(talk w)"
	assert_eq "${other% *}" "$(dial "tcp://127.0.0.2:$(bound_port sd 2)" | cut -d' ' -f1)"
	wait_until 5 exits w 1
	wait_until 5 exits sd 1
	assert_eq 1 "$(starts w)"
	[[ $(talk w) != "$one" ]]
	[[ $(talk sd) != "$other" ]]
}

@test "a frontend that dies leaves the socket to the handler that has it" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} log_connections = verbose }"
	start_minetd
	local one
	one=$(talk w)
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	assert_eq "$one" "$(talk w)"
	wait_until 5 exits w 1
	assert_eq 1 "$(starts w)"
	[[ $(talk w) != "$one" ]]
}

@test "a handler keeps the socket of a service that is removed" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} }"
	start_minetd
	talk w
	conf 'service "echo" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	reload
	assert_eq hello "$(talk echo hello)"
	kill -TERM "$(handler_pids)"
	wait_log 'exit service=w .*signal=15'
	wait_log 'close service=w '
}

@test "a socket goes from wait = yes to wait = no when its handler has ended" {
	local port
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} }"
	start_minetd
	port=$(port_of w)
	talk w
	conf "service \"w\" { listen = \"tcp://127.0.0.1:$port\" exec = {\"/bin/cat\"} }"
	reload
	assert_match '^[0-9]+$' "$(dial "tcp://127.0.0.1:$port")"
	assert_eq hello "$(dial -s hello "tcp://127.0.0.1:$port")"
}

@test "a stop tells handlers that wait to end" {
	conf "service \"w\" { listen = \"tcp://127.0.0.1:0\" wait = yes
		exec = {\"$waiter\", \"-n\", \"2\"} }"
	start_minetd
	talk w
	stop_minetd
	assert_match 'exit service=w .*signal=15' "$(log_line 'exit service=w')"
}
