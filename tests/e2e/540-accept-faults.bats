#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Errors of accept(2), one by one, and a frontend without descriptors.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	need_root || return
	need strace prlimit || return
	conf "service \"echo\" { listen = \"tcp://127.0.0.1:0\" builtin = echo }
	service \"cat\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\" }"
}

# failing ERROR WHEN: what accept4 of the frontend says at these times.
failing()
{
	start_minetd
	front=$(frontend_pid)
	trace=$BATS_TEST_TMPDIR/trace
	start_process strace -qq -o "$trace" -p "$front" -e trace=accept4 \
		-e "inject=accept4:error=$1:when=$2"
	tracer=$STARTED_PID
	traced() { ! grep -qs $'^TracerPid:\t0$' "/proc/$front/status"; }
	wait_until 10 traced
}

injected()
{
	(($(grep -c INJECTED "$trace") >= $1))
}

# survives: it is the same frontend, and it serves.
survives()
{
	assert_eq hello "$(talk echo hello)"
	assert_eq hello "$(talk cat hello)"
	assert_eq "$front" "$(frontend_pid)"
}

# pauses_once ERROR [FIELDS]: a line in, a line out, and nobody is lost.
pauses_once()
{
	failing "$1" 1..2
	assert_eq hello "$(talk echo hello)"
	wait_log "accept_failed addr=tcp://127.0.0.1:[0-9]+ error=.*${2:-}"
	wait_log 'resume service=echo addr=tcp'
	survives
	assert_eq 1 "$(count_log accept_failed)"
	assert_eq 1 "$(count_log resume)"
	assert_eq 2 "$(grep -c INJECTED "$trace")"
}

@test "errors of a connection are passed over without a word" {
	local error
	for error in ECONNABORTED EPROTO ECONNRESET ETIMEDOUT ENETDOWN \
		ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH ENETUNREACH \
		ENOSR ESOCKTNOSUPPORT EPROTONOSUPPORT EINTR EOPNOTSUPP EINVAL; do
		failing "$error" 1..3
		assert_eq hello "$(talk echo hello)"
		wait_until 5 injected 3
		survives
		assert_eq 0 "$(count_log accept_failed)"
		stop_minetd
	done
}

@test "EPERM and what nobody knows are passed over with a line" {
	local error
	for error in EPERM EIO; do
		failing "$error" 1..3
		assert_eq hello "$(talk echo hello)"
		survives
		assert_eq 1 "$(count_log 'accept_failed addr=tcp')"
		assert_no_match msec= "$(log_line accept_failed)"
		assert_eq 0 "$(count_log resume)"
		stop_minetd
	done
}

@test "ENFILE: a pause, and one client less" {
	failing ENFILE 1
	# The next one is the first that is accepted after that.
	assert_eq '' "$(talk echo hello || true)"
	wait_log 'accept_failed addr=tcp.* error=.* msec=250'
	survives
	wait_log 'resume service=echo addr=tcp'
}

@test "ENOBUFS and ENOMEM: pauses" {
	pauses_once ENOBUFS msec=100
	stop_minetd
	pauses_once ENOMEM msec=100
}

@test "a listener that is none rests, for longer each time, and no other one" {
	failing EINVAL 1..5
	start_process "$TESTBIN/dial" -t 20 -s hello -o "$BATS_TEST_TMPDIR/out" \
		"tcp://127.0.0.1:$(port_of echo)"
	wait_log 'accept_failed addr=tcp.* error="Invalid argument" msec=1000'
	# The other one's turn, in which nothing fails any more but this.
	wait_until 10 injected 5
	wait_until 10 grep -q hello "$BATS_TEST_TMPDIR/out"
	wait_log 'resume service=echo addr=tcp'
	survives
	assert_eq 1 "$(count_log accept_failed)"
}

@test "without descriptors clients are shed, and it goes on by itself" {
	START_WITH=(prlimit --nofile=64:64)
	start_minetd
	wait_log 'limit message="2 listeners need more'
	front=$(frontend_pid)
	survives
	start_process "$TESTBIN/dial" -p 64 -t 30 \
		"tcp://127.0.0.1:$(port_of echo)"
	wait_log 'accept_failed addr=tcp.* error="Too many open files" limit=64 msec=100'
	# Whoever comes is not kept waiting.
	assert_eq '' "$(talk echo hello || true)"
	ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' \
		"/proc/$front/stat"; }
	later() { ((${EPOCHREALTIME/[.,]/} > $1)); }
	local before used
	before=$(ticks)
	wait_until 4 later $((${EPOCHREALTIME/[.,]/} + 2000000))
	used=$(($(ticks) - before))
	# Ticks are of 10 ms: below 5 % of one processor.
	((used <= 10)) || fail "$used ticks in 2 s"
	kill "$STARTED_PID"
	again() { [[ $(talk echo hello || true) == hello ]]; }
	wait_until 10 again
	wait_log 'resume service=echo addr=tcp' 10
	survives
	assert_eq 1 "$(count_log accept_failed)"
	assert_eq 0 "$(count_log 'frontend event=(ended|restarted)')"
}

@test "a limit of descriptors that is too low for the configuration is said" {
	START_WITH=(prlimit --nofile=1000:1000)
	conf 'pending_max = 2000
	service "echo" { listen = "tcp://127.0.0.1:0" builtin = echo }'
	start_minetd
	wait_log 'limit message="1 listeners and pending_max = 2000 need more'
	assert_eq hello "$(talk echo hello)"
	conf 'pending_max = 500
	service "echo" { listen = "tcp://127.0.0.1:0" builtin = echo }'
	start_minetd
	assert_eq 0 "$(count_log 'limit message')"
}
