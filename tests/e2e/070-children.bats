#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What becomes of a handler, and what is written down about it.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	probe=$(public_bin probe)
}

# service NAME ARGUMENT... : a service for conf; SERVICE_KEYS go into it.
service()
{
	local name=$1 exec="\"$probe\"" argument
	shift
	for argument; do
		exec+=", \"$argument\""
	done
	echo "service \"$name\" { listen = {\"tcp://127.0.0.1:0\"}" \
		"exec = {$exec} ${SERVICE_KEYS:-} }"
}

# exit_of SERVICE KEY: from its last exit line, for which this waits.
exit_of()
{
	wait_log "^exit service=$1 " || return
	log_field "$2" "$(log_line "^exit service=$1 ")"
}

@test "every exit status from 0 to 255 is told" {
	local status
	conf "$(for status in 0 1 42 125 127 128 254 255; do
		service "s$status" exit "$status"
	done)"
	start_minetd
	for status in 0 1 42 125 127 128 254 255; do
		assert_eq exiting "$(talk "s$status")"
		assert_eq "$status" "$(exit_of "s$status" status)"
		assert_eq 0 "$(exit_of "s$status" signal)"
	done
	# Its own 125 and 127 are no failures of a start.
	assert_eq 0 "$(count_log spawn_failed)"
}

@test "a signal is told, and the client sees the end" {
	local signal
	conf "$(for signal in 1 6 9 11 15 31; do
		service "s$signal" signal "$signal"
	done)"
	start_minetd
	for signal in 1 6 9 11 15 31; do
		assert_eq dying "$(talk "s$signal")"
		assert_eq "$signal" "$(exit_of "s$signal" signal)"
	done
}

@test "numbers of connections count up over all services" {
	conf "$(service one exit 0; service two exit 0)"
	start_minetd
	talk one
	talk two
	talk one
	wait_log '^exit service=one id=3 '
	wait_log '^exit service=two id=2 '
	assert_eq 3 "$(count_log '^exit ')"
}

@test "the line tells the memory, and not what main itself uses" {
	conf "$(service eat eat 60; service small exit 0)"
	start_minetd
	assert_eq 'ate 60' "$(talk eat)"
	assert_eq exiting "$(talk small)"
	local most
	most=$(exit_of eat maxrss_kib)
	((most > 60000 && most < 90000)) || fail "eat: $most KiB"
	most=$(exit_of small maxrss_kib)
	((most < 20000)) || fail "small: $most KiB"
}

@test "a handler that is stopped has not ended" {
	conf "$(SERVICE_KEYS='instances = 1' service stop stop)"
	start_minetd
	hold_client stop
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	local handler stopped
	handler=$(sed -n 's/^pid //p' "$CLIENT_OUT")
	stopped() { [[ $(state_of "$handler") == T ]]; }
	wait_until 5 stopped
	# The slot is still its own, and its client is still connected.
	run dial -k -t 1 "tcp://127.0.0.1:$(port_of stop)"
	assert_eq 3 "$status" "the status of dial"
	alive "$CLIENT_PID"
	assert_eq 0 "$(count_log '^exit')"
	kill -CONT "$handler"
	kill "$CLIENT_PID"
	wait_log '^exit service=stop .* status=0 signal=0'
}

@test "what a handler has started ends with it when the daemon stops" {
	local family
	family=$(script family <<-'END'
	#!/bin/sh
	trap '' TERM
	tail -f /dev/null &
	echo "$!"
	wait
	wait
	END
	)
	conf "service \"family\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$family\"} kill_grace = \"200ms\" }"
	start_minetd
	hold_client family
	wait_until 5 test -s "$CLIENT_OUT"
	local child
	child=$(<"$CLIENT_OUT")
	alive "$child"
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
	wait_until 5 gone "$child"
}

@test "a handler that ends while its client still sends ends the connection" {
	conf "$(service early exit 0; service echo hold)"
	start_minetd
	# Reset or end: what is sent is not read, but the client is told.
	run dial -t 5 -n 100000000 "tcp://127.0.0.1:$(port_of early)"
	assert_match '^(0|2)$' "$status" "the status of dial"
	wait_log '^exit service=early .* status=0'
	assert_eq exiting "$(talk early)"
}

# crowd: five hundred clients, each with its handler, in the process CROWD.
crowd()
{
	conf "$(SERVICE_KEYS='instances = 0' service hold hold
		service one exit 0)"
	start_minetd
	start_process "$TESTBIN/dial" -p 500 -t 60 \
		"tcp://127.0.0.1:$(port_of hold)"
	CROWD=$STARTED_PID
	wait_until 15 running 500
}

running()
{
	(($(handler_pids | wc -l) == $1))
}

accounted()
{
	(($(count_log '^exit service=hold ') == $1))
}

@test "five hundred handlers at once are started and reaped" {
	crowd
	assert_eq exiting "$(talk one)"
	kill "$CROWD"
	wait_until 15 running 0
	wait_until 5 accounted 500
	assert_eq exiting "$(talk one)"
}

@test "five hundred handlers that end while main cannot look are accounted for" {
	crowd
	kill -STOP "$MINETD_PID"
	kill "$CROWD"
	zombies() { (($(pgrep -c -r Z -P "$MINETD_PID") == 500)); }
	wait_until 15 zombies
	kill -CONT "$MINETD_PID"
	wait_until 5 accounted 500
	assert_eq exiting "$(talk one)"
}
