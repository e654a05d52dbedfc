#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

signal_conf()
{
	conf "service \"hold\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"hold\"} }
	service \"deaf\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"deaf\"} kill_grace = ${1:-5s} }
	service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
}

held()
{
	hold_client "$1"
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
}

@test "TERM tells handlers to end and waits for them" {
	signal_conf
	start_minetd
	held hold
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	wait_log 'stop signal=TERM handlers=1'
	wait_log 'exit service=hold .* signal=15 '
}

@test "INT does the same" {
	signal_conf
	start_minetd
	held hold
	stop_minetd INT
	assert_eq 0 "$MINETD_STATUS"
	wait_log 'exit service=hold .* signal=15 '
}

@test "a handler that ignores TERM is killed when its grace is over" {
	signal_conf 300ms
	start_minetd
	held deaf
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	wait_log 'exit service=deaf .* signal=9 '
}

@test "a second TERM shortens the wait" {
	signal_conf 1h
	start_minetd
	held deaf
	kill -TERM "$MINETD_PID"
	wait_log 'stop signal=TERM'
	alive "$MINETD_PID"
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	wait_log 'exit service=deaf .* signal=9 '
}

@test "while it stops, nobody new is served and the port is free" {
	signal_conf 1h
	start_minetd
	held deaf
	local port
	port=$(port_of echo)
	kill -TERM "$MINETD_PID"
	wait_log 'stop signal=TERM'
	refused() { dial -t 2 "tcp://127.0.0.1:$port"; [[ $? == 1 ]]; }
	wait_until 5 refused
}

@test "QUIT ends the daemon and leaves the handlers running" {
	signal_conf
	start_minetd
	held hold
	local handler
	handler=$(handler_pids)
	stop_minetd QUIT
	assert_eq 0 "$MINETD_STATUS"
	alive "$handler"
	alive "$CLIENT_PID"
	kill "$CLIENT_PID"
	wait_until 5 gone "$handler"
}

@test "USR1 reopens the log file" {
	signal_conf
	start_minetd -l "file:$BATS_TEST_TMPDIR/file.log"
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/file.log"
	mv "$BATS_TEST_TMPDIR/file.log" "$BATS_TEST_TMPDIR/old.log"
	kill -USR1 "$MINETD_PID"
	wait_until 5 grep -qs reopened "$BATS_TEST_TMPDIR/file.log"
	# Stderr, where start_minetd looks for ports, has no lines: ask the old file.
	LOG=$BATS_TEST_TMPDIR/old.log
	assert_eq hello "$(talk echo hello)"
	wait_until 5 grep -q 'exit service=echo' "$BATS_TEST_TMPDIR/file.log"
	run grep -q 'exit service=echo' "$BATS_TEST_TMPDIR/old.log"
	assert_eq 1 "$status"
}

@test "signals without a meaning do not end the daemon" {
	signal_conf
	start_minetd
	local name
	for name in ALRM PIPE WINCH VTALRM PROF XFSZ XCPU IO PWR; do
		kill -"$name" "$MINETD_PID"
	done
	kill -USR1 "$MINETD_PID"
	wait_log 'log message=reopened'
	assert_eq hello "$(talk echo hello)"
}

@test "the daemon reaps children whose SIGCHLD was lost" {
	need strace
	signal_conf
	start_minetd
	held hold
	local handler
	handler=$(handler_pids)
	# Stopped, it takes no signal; all that come are one.
	kill -STOP "$MINETD_PID"
	kill -KILL "$handler"
	kill -CONT "$MINETD_PID"
	wait_log 'exit service=hold .* signal=9 '
}

@test "as PID 1 it reaps orphans and stops on TERM" {
	need_root
	need unshare
	local orphan
	orphan=$(script orphan <<-'END'
	#!/bin/sh
	(setsid sleep 0.1 &) >/dev/null 2>&1 </dev/null
	END
	)
	conf "service \"orphan\" { listen = {\"unix://$(public_dir)/socket\"} exec = {\"$orphan\"} }"
	START_WITH=(unshare --pid --fork --kill-child)
	start_minetd
	local init
	init=$(children_of "$MINETD_PID")
	dial "unix://$(public_dir)/socket"
	wait_log 'exit service=orphan'
	only_frontend() { [[ $(children_of "$init" | wc -l) == 1 ]]; }
	wait_until 5 only_frontend
	kill -TERM "$init"
	wait_minetd
	assert_eq 0 "$MINETD_STATUS"
}

@test "after QUIT no TERM reaches the handlers" {
	signal_conf
	start_minetd
	held hold
	local handler
	handler=$(handler_pids)
	# Stopped, it gets both at once.
	kill -STOP "$MINETD_PID"
	kill -QUIT "$MINETD_PID"
	kill -TERM "$MINETD_PID"
	kill -CONT "$MINETD_PID"
	wait_minetd
	assert_eq 0 "$MINETD_STATUS"
	alive "$handler"
	assert_eq 0 "$(count_log 'stop signal=TERM')"
	kill "$CLIENT_PID"
}

@test "a handler that is stopped ends as soon as others" {
	signal_conf 1h
	sed -i 's/"hold"} }/"hold"} kill_grace = 1h }/' "$CONF"
	start_minetd
	held hold
	local handler
	handler=$(handler_pids)
	kill -STOP "$handler"
	stopped() { [[ $(state_of "$handler") == T ]]; }
	wait_until 5 stopped
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	wait_log 'exit service=hold .* signal=15 '
}
