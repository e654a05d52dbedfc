#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

# hold_conf KEYS: two services that hold their clients.
hold_conf()
{
	conf "${2:-}
	service \"hold\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"hold\"} $1 }
	service \"other\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"hold\"} }"
}

greets()
{
	[[ $(talk hold) == pid* ]]
}

# The handler of the last held client has begun to talk.
greeted()
{
	wait_until 5 grep -q '^pid' "$CLIENT_OUT" || fail "not served"
}

running()
{
	[[ $(handler_pids | wc -l) == "$1" ]]
}

@test "a client above instances waits in the backlog and is served later" {
	hold_conf 'instances = 2'
	start_minetd
	hold_client hold; greeted
	local first=$CLIENT_PID
	hold_client hold; greeted
	hold_client hold
	local third=$CLIENT_OUT
	# The twin: another service is not held back by it.
	hold_client other; greeted
	wait_until 5 running 3
	[[ ! -s $third ]] || fail "served above the limit"
	kill "$first"
	wait_until 5 grep -q '^pid' "$third"
	assert_eq 0 "$(count_log reject)"
}

@test "with on_full = refuse a client above instances is closed at once" {
	hold_conf 'instances = 1 on_full = refuse'
	start_minetd
	hold_client hold; greeted
	assert_eq '' "$(dial "tcp://127.0.0.1:$(port_of hold)")"
	wait_log 'reject service=hold peer=127.0.0.1:[0-9]+ reason=full'
	kill "$CLIENT_PID"
	wait_log 'exit service=hold id=1 '
	wait_until 5 greets
}

@test "refusals are logged once and counted after that" {
	hold_conf 'instances = 1 on_full = refuse'
	start_minetd
	hold_client hold; greeted
	dial -c 200 "tcp://127.0.0.1:$(port_of hold)" || true
	wait_log 'reject service=hold'
	(($(count_log reject) <= 2)) || fail "a line per refusal"
}

@test "max_children holds all services together" {
	hold_conf '' 'max_children = 2'
	start_minetd
	hold_client hold; greeted
	local first=$CLIENT_PID
	hold_client other; greeted
	hold_client other
	local third=$CLIENT_OUT
	wait_until 5 running 2
	[[ ! -s $third ]] || fail "served above the limit"
	kill "$first"
	wait_until 5 grep -q '^pid' "$third"
}

@test "the limit is exact when many clients come at once" {
	hold_conf 'instances = 5'
	start_minetd
	local i
	for ((i = 0; i < 20; i++)); do
		hold_client hold
	done
	wait_until 5 running 5
	# Each end lets in exactly one.
	kill "$(handler_pids | head -n 1)"
	wait_log 'exit service=hold'
	wait_until 5 running 5
	served() { [[ $(grep -l '^pid' "$BATS_TEST_TMPDIR"/client.* | wc -l) == 6 ]]; }
	wait_until 5 served
	assert_eq 0 "$(count_log 'frontend event=(malformed|ended)')"
}

@test "a frontend that replaces another keeps to the limits" {
	hold_conf 'instances = 1'
	start_minetd
	hold_client hold; greeted
	local first=$CLIENT_PID
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	hold_client hold
	local second=$CLIENT_OUT
	hold_client other; greeted
	[[ ! -s $second ]] || fail "served above the limit"
	kill "$first"
	wait_until 5 grep -q '^pid' "$second"
}

@test "a service with many clients does not hold up another at max_children" {
	hold_conf '' 'max_children = 1'
	start_minetd
	local i
	hold_client hold; greeted
	local first=$CLIENT_PID
	for i in 1 2 3 4; do
		hold_client hold
	done
	hold_client other
	local other=$CLIENT_OUT
	kill "$first"
	# Whoever of the first service is let in next, then it is other's turn.
	next_ends()
	{
		[[ -s $other ]] && return
		handler_pids | xargs -r kill 2>/dev/null
		return 1
	}
	wait_until 5 next_ends
	(($(count_log 'exit service=hold') <= 3)) || fail "it had to wait for all"
}
