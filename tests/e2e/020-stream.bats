#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

@test "a client over IPv4, IPv6 and a unix socket reaches the same handler" {
	conf "service \"echo\" {
		listen = {\"tcp://127.0.0.1:0\", \"tcp6://[::1]:0\", \"unix://$(public_dir)/echo\"}
		exec = {\"/bin/cat\"} }"
	start_minetd
	assert_eq four "$(dial -s four "tcp://127.0.0.1:$(port_of echo 1)")"
	assert_eq six "$(dial -s six "tcp://[::1]:$(port_of echo 2)")"
	assert_eq unix "$(dial -s unix "unix://$(public_dir)/echo")"
}

@test "a wildcard serves IPv4, which is shown as IPv4, and IPv6" {
	conf 'service "env" { listen = {"tcp://*:0"} exec = {"/usr/bin/env"} }'
	start_minetd
	local port
	port=$(port_of env)
	assert_match 'TCPREMOTEIP=127\.0\.0\.1' "$(dial "tcp://127.0.0.1:$port")"
	assert_match 'TCPREMOTEIP=::1' "$(dial "tcp://[::1]:$port")"
}

@test "a host name in listen is bound, and a service name is a port" {
	conf 'service "echo" { listen = {"tcp4://localhost:0"} exec = {"/bin/cat"} }'
	start_minetd
	assert_eq hello "$(talk echo hello)"
	conf 'service "a" { listen = {"tcp://127.0.0.1:daytime"} exec = {"/bin/cat"} }'
	"$MINETD" -t -c "$CONF"
}

@test "half-close works in both directions" {
	local sum
	sum=$(script sum <<-'END'
	#!/bin/sh
	wc -c
	END
	)
	conf "service \"sum\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$sum\"} }"
	start_minetd
	assert_eq 100000 "$(dial -n 100000 "tcp://127.0.0.1:$(port_of sum)" | tr -d ' ')"
}

@test "a megabyte goes through unchanged" {
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	dial -i -t 20 "tcp://127.0.0.1:$(port_of echo)" <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
}

@test "argv0, arguments with blanks and an empty one arrive as configured" {
	local args
	args=$(script args <<-'END'
	#!/bin/sh
	for arg; do printf '[%s]' "$arg"; done
	END
	)
	conf "service \"args\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$args\", \"a b\", \"\$HOME\", \"\${HOME}\"} }"
	start_minetd
	# shellcheck disable=SC2016	# literally
	assert_eq '[a b][$HOME][${HOME}]' "$(talk args)"
}

@test "the exit line accounts for the connection" {
	conf "service \"spin\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"spin\", \"300\"} }
	service \"three\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"exit\", \"3\"} }
	service \"dies\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"signal\", \"9\"} }"
	start_minetd
	talk spin >/dev/null
	wait_log 'exit service=spin id=1 pid=[0-9]+ peer=127.0.0.1:[0-9]+ local=127.0.0.1:[0-9]+ status=0 signal=0 secs=[0-9.]+ user_ms=[0-9]+ sys_ms=[0-9]+ maxrss_kib=[0-9]+'
	local line used
	line=$(log_line 'exit service=spin')
	used=$(($(log_field user_ms "$line") + $(log_field sys_ms "$line")))
	((used >= 200)) || fail "only $used ms of CPU"
	talk three >/dev/null
	wait_log 'exit service=three id=2 .* status=3 signal=0 '
	talk dies >/dev/null
	wait_log 'exit service=dies id=3 .* status=-1 signal=9 '
}

@test "log_connections chooses between no line, one and two" {
	conf 'service "quiet" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/true"} log_connections = no }
	service "plain" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/true"} }
	service "loud" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/true"} log_connections = verbose }'
	start_minetd
	talk quiet
	talk plain
	talk loud
	wait_log 'exit service=loud id=3'
	wait_log 'exit service=plain'
	wait_log 'start service=loud id=3 pid=[0-9]+ peer=127.0.0.1:[0-9]+ local='
	assert_eq 0 "$(count_log 'service=quiet id')"
	assert_eq 0 "$(count_log 'start service=plain')"
}

@test "a client that resets its connection hurts nobody" {
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	local i
	for i in 1 2 3 4 5; do
		dial -R "tcp://127.0.0.1:$(port_of echo)" || true
	done
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}

@test "both processes hold the same descriptors after 500 connections" {
	need_root	# to look into the frontend
	conf 'service "true" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/true"} }'
	start_minetd
	talk true
	wait_log 'exit service=true id=1 '
	local before front
	front=$(frontend_pid)
	descriptors() { ls "/proc/$MINETD_PID/fd" "/proc/$front/fd"; }
	before=$(descriptors)
	dial -c 500 -t 25 "tcp://127.0.0.1:$(port_of true)"
	wait_log 'exit service=true id=501 ' 10
	same() { [[ $(descriptors) == "$before" ]]; }
	wait_until 5 same
	assert_eq 501 "$(count_log 'exit service=true')"
}

@test "main holds no descriptor of a connection that a handler serves" {
	conf "service \"hold\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	local before
	before=$(ls "/proc/$MINETD_PID/fd")
	hold_client hold
	wait_until 5 grep -q pid "$CLIENT_OUT"
	assert_eq "$before" "$(ls "/proc/$MINETD_PID/fd")"
}

@test "the daemon survives a handler that makes its socket non-blocking" {
	conf "service \"nonblock\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"nonblock\"} }
	service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
	start_minetd
	talk nonblock || true
	talk nonblock || true
	assert_eq hello "$(talk echo hello)"
}

@test "a handler's grandchild keeps the connection when the handler has ended" {
	conf "service \"fork\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"grandchild\"} instances = 1 }"
	start_minetd
	hold_client fork
	wait_log 'exit service=fork id=1 '
	alive "$CLIENT_PID"
	hold_client fork
	wait_log 'exit service=fork id=2 '
}
