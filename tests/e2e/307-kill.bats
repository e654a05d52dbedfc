#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Main is killed, as by the kernel for want of memory: handlers run on, and the
# next daemon has all ports at once.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	probe=$(public_bin probe)
	path=$(public_dir)/socket
	ports=(0 0 0)
}

# fixed_conf: services on these ports, and on a path.
fixed_conf()
{
	conf <<-END
	service "hold" { listen = {"tcp://127.0.0.1:${ports[0]}"} exec = {"$probe", "hold"} }
	service "all" { listen = {"tcp://*:${ports[1]}"} exec = {"$probe", "hold"} }
	service "shared" { listen = {"tcp://127.0.0.1:${ports[2]}"} exec = {"$probe", "hold"}
		reuse_port = yes }
	service "local" { listen = {"unix://$path"} exec = {"$probe", "hold"} }
	END
}

# start_fixed: twice, to have the ports that are free.
start_fixed()
{
	fixed_conf
	start_minetd
	ports=("$(port_of hold)" "$(port_of all)" "$(port_of shared)")
	stop_minetd
	fixed_conf
	start_minetd
}

# held ADDRESS: a client that is served and stays; HANDLER is its handler's pid.
held()
{
	hold_client "$1"
	wait_until 5 grep -q '^pid' "$CLIENT_OUT" || fail "not served"
	HANDLER=$(sed -n 's/^pid //p' "$CLIENT_OUT")
}

addresses()
{
	printf '%s\n' "tcp://127.0.0.1:${ports[0]}" \
		"tcp://127.0.0.1:${ports[1]}" "tcp://127.0.0.1:${ports[2]}" \
		"unix://$path"
}

# start_again: it is ready, with every listener; in MSEC milliseconds.
start_again()
{
	local from=${EPOCHREALTIME/[.,]/}
	start_minetd || return
	MSEC=$(((${EPOCHREALTIME/[.,]/} - from) / 1000))
	wait_log 'ready .* listeners=4 degraded=0'
	assert_eq 0 "$(count_log '(^| )degraded service=')" "degraded"
}

@test "after main was killed, the next daemon has every port and path" {
	start_fixed
	local address handlers=() outputs=() pids=() i
	while read -r address; do
		held "$address"
		handlers+=("$HANDLER")
		outputs+=("$CLIENT_OUT")
		pids+=("$CLIENT_PID")
	done < <(addresses)
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	start_again
	while read -r address; do
		assert_match '^pid' "$(dial "$address")"
	done < <(addresses)
	# The handlers of the first are nobody's, and have noticed nothing.
	for i in 0 1 2 3; do
		alive "${handlers[i]}"
		alive "${pids[i]}"
		assert_no_match bye "$(<"${outputs[i]}")"
		kill "${pids[i]}"
		wait_until 5 gone "${handlers[i]}"
	done
}

@test "the next daemon is ready in a second, as often as main is killed" {
	start_fixed
	local i slow=0
	for ((i = 0; i < 10; i++)); do
		held "tcp://127.0.0.1:${ports[0]}"
		kill -KILL "$MINETD_PID"
		# At once: nobody waits for what else is to end.
		start_again
		((MSEC < 1000)) || slow=$((slow + 1))
	done
	echo "slow: $slow of 10, the last in $MSEC ms"
}

@test "a handler that a killed main has left goes on talking to its client" {
	local chat
	chat=$(script chat <<-'END'
	#!/bin/sh
	echo "pid $$"
	while read -r line; do echo "you said $line"; done
	END
	)
	conf "service \"chat\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$chat\"} }"
	start_minetd
	local port fd line
	port=$(port_of chat)
	exec {fd}<>"/dev/tcp/127.0.0.1/$port"
	read -r -t 5 -u "$fd" line
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	conf "service \"chat\" { listen = {\"tcp://127.0.0.1:$port\"} exec = {\"$chat\"} }"
	start_minetd
	assert_eq 0 "$(count_log '(^| )degraded service=')" "degraded"
	echo hello >&"$fd"
	read -r -t 5 -u "$fd" line
	exec {fd}>&-
	assert_eq "you said hello" "$line"
	# The twin.
	assert_match 'you said again' "$(talk chat $'again\n')"
}

@test "who waits while main is killed during a reload is served by the next" {
	start_fixed
	kill -HUP "$MINETD_PID"
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	start_again
	local address
	while read -r address; do
		assert_match '^pid' "$(dial "$address")"
	done < <(addresses)
	reload
	assert_match ' kept=4 ' "$RELOADED"
}

@test "a socket that main was about to close does not hold up the next" {
	start_fixed
	held "tcp://127.0.0.1:${ports[0]}"
	conf 'service "other" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	reload
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	fixed_conf
	start_again
	alive "$CLIENT_PID"
}
