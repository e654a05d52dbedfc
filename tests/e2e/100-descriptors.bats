#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Descriptors: what neither the daemon nor a handler keeps, and what comes back
# to where it was.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	probe=$(public_bin probe)
	hostile=$(public_bin hostile)
	conf <<-END
	service "hold" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "hold"} }
	service "fds" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "fds"} }
	service "fork" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "hold"}
		oom_score_adj = 10 }
	service "bad" { listen = {"tcp://127.0.0.1:0"} exec = {"/nonexistent"} }
	service "local" { listen = {"unix://$(public_dir)/socket"}
		exec = {"$probe", "hold"} }
	END
}

held()
{
	hold_client "$1"
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
}

# What a process has open, without the numbers of sockets.
targets_of()
{
	local fd
	for fd in "/proc/$1/fd/"*; do
		echo "${fd##*/} $(readlink "$fd")"
	done | sort -n
}

# The read end of $pipe is at its end, now or within the deadline.
pipe_ended()
{
	local byte
	IFS= read -r -N 1 -t 0.01 -u "$reader" byte
	(($? == 1))
}

# piped_start START...: with a pipe of which the daemon's starter has the
# writing end, twice.  Its reader is $reader.
piped_start()
{
	local pipe=$BATS_TEST_TMPDIR/pipe both
	mkfifo "$pipe"
	exec {both}<>"$pipe"
	exec {reader}<"$pipe"
	START_WITH=("$hostile" -f "5:$pipe" -f "300:$pipe" --)
	"$@"
	exec {both}>&-
}

@test "a pipe of the starter's comes to its end when the start is done" {
	piped_start start_minetd
	held hold
	wait_until 2 pipe_ended
}

@test "a pipe of the starter's ends also for a daemonised daemon" {
	piped_start start_daemonised
	held hold
	wait_until 2 pipe_ended
}

@test "a pipe that the starter itself keeps does not end" {
	local pipe=$BATS_TEST_TMPDIR/pipe both
	mkfifo "$pipe"
	exec {both}<>"$pipe"
	exec {reader}<"$pipe"
	start_minetd
	held hold
	run ! pipe_ended
	exec {both}>&-
	wait_until 2 pipe_ended
}

@test "a daemonised daemon lets go of its standard streams" {
	local pipe=$BATS_TEST_TMPDIR/pipe reader both fd streams=(0 1 2)
	mkfifo "$pipe"
	exec {both}<>"$pipe"
	exec {reader}<"$pipe"
	# shellcheck disable=SC2016	# for that bash
	START_WITH=(bash -c 'exec "$@" >"$0" 2>"$0"' "$pipe")
	if [[ $MINETD == */san/* ]]; then
		# It keeps stderr, to complain at the end.
		# shellcheck disable=SC2016
		START_WITH=(bash -c 'exec "$@" >"$0"' "$pipe")
		streams=(0 1)
	fi
	start_daemonised
	exec {both}>&-
	held hold
	wait_until 2 pipe_ended
	for fd in "${streams[@]}"; do
		assert_eq /dev/null "$(readlink "/proc/$MINETD_PID/fd/$fd")"
	done
}

@test "a lock of the starter's is free when the start is done" {
	local lock=$BATS_TEST_TMPDIR/lock
	START_WITH=("$hostile" -l "$lock" --)
	start_minetd
	held hold
	flock -n "$lock" true
}

@test "handlers keep neither the pid file's lock nor a port" {
	local port pid_file=$BATS_TEST_TMPDIR/pid first
	start_minetd -p "$pid_file"
	port=$(port_of fds)
	held hold
	held fork
	held "unix://$(public_dir)/socket"
	first=$(frontend_pid)
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	wait_until 5 gone "$first"
	alive "$CLIENT_PID"
	flock -n "$pid_file" true
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:$port\"}
		exec = {\"/bin/cat\"} }"
	start_minetd -p "$pid_file"
	assert_eq hello "$(talk echo hello)"
}

# churn: connections of every kind, to their ends.
churn()
{
	local i at
	dial -c 100 "tcp://127.0.0.1:$(port_of fds)" >/dev/null
	dial -c 20 "tcp://127.0.0.1:$(port_of fork)" >/dev/null
	# More of them in a row, and the service would rest.
	dial "tcp://127.0.0.1:$(port_of bad)" >/dev/null
	dial -c 50 "unix://$(public_dir)/socket" >/dev/null
	dial -R -c 20 "tcp://127.0.0.1:$(port_of fds)"
	for i in 1 2 3; do
		dial -k -r "tcp://127.0.0.1:$(port_of hold)"
	done
	at=$(port_of hold)
	dial -c 20 "tcp://127.0.0.1:$at" >/dev/null
}

no_handlers()
{
	[[ -z $(handler_pids) ]]
}

@test "no kind of connection leaves a descriptor behind" {
	start_minetd
	churn
	wait_until 5 no_handlers
	local main front
	main=$(targets_of "$MINETD_PID")
	front=$(targets_of "$(frontend_pid)")
	churn
	churn
	wait_until 5 no_handlers
	same() {
		[[ $(targets_of "$MINETD_PID") == "$main" &&
			$(targets_of "$(frontend_pid)") == "$front" ]]
	}
	wait_until 5 same
}

@test "frontends that come and go leave no descriptor behind" {
	start_minetd
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	local count
	count=$(targets_of "$MINETD_PID" | wc -l)
	kill -KILL "$(frontend_pid)"
	again() { (($(count_log 'frontend event=restarted') == 2)); }
	wait_until 10 again
	assert_eq "$count" "$(targets_of "$MINETD_PID" | wc -l)"
	held hold
}

@test "main holds listeners, the channel, the loop, and nothing of a client" {
	need_root	# to look into the frontend
	start_minetd
	held hold
	held fork
	held "unix://$(public_dir)/socket"
	local sockets
	sockets=$(targets_of "$MINETD_PID" | grep -c 'socket:')
	# Five listeners and the channel.
	assert_eq 6 "$sockets" "sockets of main"
	# The frontend: the same.
	sockets=$(targets_of "$(frontend_pid)" | grep -c 'socket:')
	assert_eq 6 "$sockets" "sockets of the frontend"
}

@test "a client that leaves is noticed by its handler alone" {
	start_minetd
	held hold
	local handler
	handler=$(sed -n 's/^pid //p' "$CLIENT_OUT")
	# EOF comes only if nobody else holds the connection open.
	kill -KILL "$CLIENT_PID"
	wait_until 5 gone "$handler"
	wait_log 'exit service=hold'
}

@test "a handler that closes its socket closes the connection" {
	local script
	script=$(script closer <<-'END'
	#!/bin/sh
	echo before
	exec <&- >&- 2>&-
	kill -STOP $$
	END
	)
	conf "service \"closer\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$script\"} kill_grace = \"100ms\" }"
	start_minetd
	assert_eq before "$(dial -t 3 -k "tcp://127.0.0.1:$(port_of closer)")"
	assert_eq 0 "$(count_log 'exit service=closer')"
}
