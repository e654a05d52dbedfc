#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

echo_conf='service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'

@test "a start whose frontend cannot serve fails with 69" {
	conf 'service "e" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	run -69 "$MINETD-other-frontend" -f -c "$CONF"
}

@test "a service answers as soon as the daemon says that it is ready" {
	conf "$echo_conf"
	start_minetd
	assert_eq hello "$(talk echo hello)"
	wait_log 'ready version=.* services=1 listeners=1 degraded=0'
}

@test "an empty configuration starts, serves nobody and stops" {
	conf ''
	start_minetd
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
}

@test "TERM ends the daemon with status 0 and frees its ports at once" {
	conf "$echo_conf"
	start_minetd
	local port
	port=$(port_of echo)
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:$port\"} exec = {\"/bin/cat\"} }"
	start_minetd
	assert_eq again "$(talk echo again)"
}

@test "-V and -h print to standard output and exit with 0" {
	run -0 "$MINETD" -V
	assert_match '^minetd [0-9]+\.[0-9]+' "$output"
	run -0 "$MINETD" -h
	assert_match 'usage: minetd' "$output"
}

@test "a wrong command line exits with 64 and says what is wrong" {
	run -64 "$MINETD" -x
	assert_match 'usage: minetd' "$output"
	run -64 "$MINETD" -f surplus
	assert_match 'surplus' "$output"
	run -64 "$MINETD" -f -r 77
	assert_match '77' "$output"
	run -64 "$MINETD" -f -l nowhere
	assert_match 'nowhere' "$output"
	run -64 "$MINETD" -f -p relative
	assert_match 'relative' "$output"
}

@test "-t accepts a good configuration without opening anything" {
	conf "service \"echo\" { listen = {\"unix://$(public_dir)/s\"} exec = {\"/bin/cat\"} }"
	run -0 "$MINETD" -t -c "$CONF"
	assert_match ': ok$' "$output"
	[[ ! -e $(public_dir)/s ]]
}

@test "-T prints what -T prints again" {
	conf "$echo_conf"
	"$MINETD" -T -c "$CONF" >"$BATS_TEST_TMPDIR/first.conf"
	chmod 644 "$BATS_TEST_TMPDIR/first.conf"
	"$MINETD" -T -c "$BATS_TEST_TMPDIR/first.conf" >"$BATS_TEST_TMPDIR/second.conf"
	assert_same "$BATS_TEST_TMPDIR/first.conf" "$BATS_TEST_TMPDIR/second.conf"
}

@test "the background daemon serves before the command returns" {
	conf "$echo_conf"
	start_daemonised
	assert_eq hello "$(talk echo hello)"
	assert_eq "$MINETD_PID" "$(<"$PID_FILE")"
	kill -TERM "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	[[ ! -e $PID_FILE ]]
}

@test "a start in the background that fails says so with its status" {
	conf "$(printf 'strict = yes\n'; echo 'service "a" { listen = {"tcp://192.0.2.1:1"} exec = {"/bin/cat"} }')"
	! start_daemonised || fail "it started"
	assert_eq 69 "$MINETD_STATUS"
	assert_match 'start has failed' "$(<"$LOG.stderr")"
}

@test "a second instance is refused and leaves the first one alone" {
	local pid_file=$BATS_TEST_TMPDIR/pid
	conf "$echo_conf"
	start_minetd -p "$pid_file"
	local first=$MINETD_PID port
	port=$(port_of echo)
	assert_eq "$first" "$(<"$pid_file")"
	refuse_minetd -p "$pid_file"
	assert_eq 69 "$MINETD_STATUS"
	assert_match "another instance runs already, with pid $first" "$(<"$LOG")"
	assert_eq "$first" "$(<"$pid_file")"
	assert_eq hello "$(dial -s hello "tcp://127.0.0.1:$port")"
}

@test "a pid file that a killed daemon left behind is no obstacle" {
	local pid_file=$BATS_TEST_TMPDIR/pid
	conf "$echo_conf"
	start_minetd -p "$pid_file"
	kill -KILL "$MINETD_PID"
	wait_minetd
	[[ -e $pid_file ]]
	start_minetd -p "$pid_file"
	assert_eq "$MINETD_PID" "$(<"$pid_file")"
}

@test "a pid file that cannot be made ends the start with 69" {
	conf "$echo_conf"
	refuse_minetd -p "$BATS_TEST_TMPDIR/missing/pid"
	assert_eq 69 "$MINETD_STATUS"
	assert_match 'missing/pid: No such file' "$(<"$LOG")"
}

@test "the service manager is told when the daemon is ready and when it stops" {
	need socat
	local socket=$BATS_TEST_TMPDIR/notify said=$BATS_TEST_TMPDIR/said
	start_process socat -u "UNIX-RECVFROM:$socket,fork" "OPEN:$said,creat,append"
	wait_until 5 test -S "$socket"
	conf "$echo_conf"
	NOTIFY_SOCKET=$socket start_minetd
	wait_until 5 grep -q 'READY=1' "$said"
	grep -q "MAINPID=$MINETD_PID" "$said"
	grep -q 'STATUS=Serving 1 services' "$said"
	stop_minetd
	wait_until 5 grep -q 'STOPPING=1' "$said"
}

@test "a service manager that is gone is no obstacle" {
	conf "$echo_conf"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/nobody start_minetd
	assert_eq hello "$(talk echo hello)"
}

# Hold a port until the test ends, or until it is told otherwise.
take_port()
{
	start_process python3 -c '
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
time.sleep(60)' >"$BATS_TEST_TMPDIR/taken"
	HOLDER=$STARTED_PID
	wait_until 10 test -s "$BATS_TEST_TMPDIR/taken"
	TAKEN=$(<"$BATS_TEST_TMPDIR/taken")
}

@test "a port in use degrades its listener, and is served when it is free" {
	take_port
	conf <<-END
	service "late" { listen = {"tcp://127.0.0.1:$TAKEN"} exec = {"/bin/cat"} }
	$echo_conf
	END
	start_minetd
	wait_log "degraded service=late addr=tcp://127.0.0.1:$TAKEN step=bind error=.*in use"
	assert_eq hello "$(talk echo hello)"
	kill -KILL "$HOLDER"
	wait_log "listen service=late addr=tcp://127.0.0.1:$TAKEN" 15
	assert_eq late "$(talk late late)"
	assert_eq 1 "$(count_log 'degraded service=late')"
}

@test "with strict = yes a port in use refuses the start" {
	take_port
	conf <<-END
	strict = yes
	service "late" { listen = {"tcp://127.0.0.1:$TAKEN"} exec = {"/bin/cat"} }
	$echo_conf
	END
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS"
}

@test "a start that can bind nothing exits with 69" {
	take_port
	conf "service \"late\" { listen = {\"tcp://127.0.0.1:$TAKEN\"} exec = {\"/bin/cat\"} }"
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS"
	assert_match '1 of 1 listeners could not be opened' "$(<"$LOG")"
}

@test "a pid file that is no file is refused, and left alone" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	conf "$echo_conf"
	refuse_minetd -p "$BATS_TEST_TMPDIR/fifo"
	assert_eq 69 "$MINETD_STATUS"
	[[ -p $BATS_TEST_TMPDIR/fifo ]]
	refuse_minetd -p /dev/null
	[[ -c /dev/null ]]
}

@test "readiness can be told to standard output, and services work" {
	conf "service \"echo\" { listen = {\"unix://$(public_dir)/s\"} exec = {\"/bin/cat\"} }"
	start_process "$MINETD" -f -c "$CONF" -r 1 >"$BATS_TEST_TMPDIR/out"
	wait_until 10 test -s "$BATS_TEST_TMPDIR/out"
	assert_eq hello "$(dial -s hello "unix://$(public_dir)/s")"
}

@test "a readiness pipe that is full does not hold up the daemon" {
	conf "service \"echo\" { listen = {\"unix://$(public_dir)/s\"} exec = {\"/bin/cat\"} }"
	start_process python3 -c '
import os, sys
r, w = os.pipe()
os.set_blocking(w, False)
try:
	while True: os.write(w, bytes(65536))
except BlockingIOError: pass
os.set_blocking(w, True)
os.set_inheritable(w, True)
os.set_inheritable(r, True)
if os.fork() == 0:
	os.close(w)
	import time; time.sleep(25); os._exit(0)
os.execv(sys.argv[1], sys.argv[1:] + ["-r", str(w)])' "$MINETD" -f -c "$CONF"
	local daemon=$STARTED_PID
	answers() { [[ $(dial -s hello "unix://$(public_dir)/s" 2>/dev/null) == hello ]]; }
	wait_until 10 answers
	kill -TERM "$daemon"
	wait_until 5 gone "$daemon"
}
