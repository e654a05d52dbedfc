#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What a reload does to the daemon itself: log, pid file, frontend, manager.

# Each test is a process of its own.
# shellcheck disable=SC2030,SC2031

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	echo_service='service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	file=$BATS_TEST_TMPDIR/file.log
	other=$BATS_TEST_TMPDIR/other.log
}

# logged FILE: a connection's end is, from now on.
logged()
{
	local before
	before=$(grep -c 'exit service=echo' "$1" || true)
	assert_eq hello "$(dial -s hello "tcp://127.0.0.1:$PORT")"
	more() { (($(grep -c 'exit service=echo' "$1") > before)); }
	wait_until 5 more "$1" || fail "not in $1"
}

# start_log KEYS: with the log that they say, in LOG.
start_log()
{
	conf "$1 $echo_service"
	start_minetd
	LOG=$file
	wait_log 'ready '
	PORT=$(port_of echo)
}

@test "the log gets another file" {
	start_log "log = \"file:$file\""
	logged "$file"
	conf "log = \"file:$other\" $echo_service"
	LOG=$other reload
	logged "$other"
	assert_eq 1 "$(grep -c 'exit service=echo' "$file")" "in the old one"
	assert_eq 640 "$(stat -c %a "$other")" "the mode"
	# And no file: with -f that is stderr.
	conf "$echo_service"
	LOG=$BATS_TEST_TMPDIR/log reload
	logged "$BATS_TEST_TMPDIR/log"
}

@test "a log file that was renamed is made anew" {
	start_log "log = \"file:$file\""
	mv "$file" "$other"
	reload
	logged "$file"
	assert_eq 0 "$(grep -c 'exit service=echo' "$other")" "in the old one"
	# The twin: one that is there is written on.
	reload
	logged "$file"
	assert_eq 2 "$(reloads)"
}

@test "a log that cannot be opened leaves the old one" {
	start_log "log = \"file:$file\""
	conf "log = \"file:$BATS_TEST_TMPDIR/missing/log\" $echo_service"
	reload
	wait_log 'log message=.*missing/log cannot be opened: No such file'
	logged "$file"
	conf "log = \"file:$other\" $echo_service"
	LOG=$other reload
	logged "$other"
}

@test "a log that could not be opened is tried again by the next reload" {
	start_log "log = \"file:$file\""
	conf "log = \"file:$BATS_TEST_TMPDIR/later/log\" $echo_service"
	reload
	mkdir "$BATS_TEST_TMPDIR/later"
	LOG=$BATS_TEST_TMPDIR/later/log reload
	logged "$BATS_TEST_TMPDIR/later/log"
}

@test "a renamed log file that cannot be made anew is written on" {
	mkdir "$BATS_TEST_TMPDIR/logs"
	file=$BATS_TEST_TMPDIR/logs/log
	start_log "log = \"file:$file\""
	mv "$BATS_TEST_TMPDIR/logs" "$BATS_TEST_TMPDIR/moved"
	file=$BATS_TEST_TMPDIR/moved/log
	LOG=$file reload
	logged "$file"
	LOG=$file wait_log 'log message=.*cannot be opened: No such file'
}

@test "log_level is changed" {
	conf "$echo_service"
	start_minetd
	PORT=$(port_of echo)
	local front
	front=$(frontend_pid)
	logged "$LOG"
	conf "log_level = warning $echo_service"
	kill -HUP "$MINETD_PID"
	# Its end is not said any more.
	replaced() { gone "$front" && [[ -n $(frontend_pid) ]]; }
	wait_until 5 replaced
	assert_eq hello "$(talk echo hello)"
	conf "log_level = debug $echo_service"
	wait_until 5 all_ended
	reload
	assert_eq 1 "$(count_log 'exit service=echo')" "while it was warning"
	reload
	wait_log 'frontend event=(confining|left)'
	logged "$LOG"
}

all_ended()
{
	[[ -z $(handler_pids) ]]
}

@test "-d stays what it is over a reload" {
	conf "$echo_service"
	start_minetd -d
	conf "log_level = error log = \"file:$file\" $echo_service"
	reload
	PORT=$(port_of echo)
	logged "$LOG"
	[[ ! -e $file ]]
}

@test "log_format is changed" {
	need python3
	conf "$echo_service"
	start_minetd
	PORT=$(port_of echo)
	conf "log_format = json $echo_service"
	kill -HUP "$MINETD_PID"
	wait_log '"event":"reload","result":"ok"'
	assert_eq hello "$(dial -s hello "tcp://127.0.0.1:$PORT")"
	wait_log '"event":"exit","service":"echo"'
	grep '"result":"ok"' "$LOG" | python3 -c '
import json, sys
line = json.loads(sys.stdin.readline())
assert line["event"] == "reload" and line["kept"] == 1, line'
	conf "$echo_service"
	reload
	logged "$LOG"
}

@test "the pid file moves, and is the lock" {
	local one=$BATS_TEST_TMPDIR/one two=$BATS_TEST_TMPDIR/two first
	conf "pid_file = \"$one\" $echo_service"
	start_minetd
	first=$MINETD_PID
	assert_eq "$first" "$(<"$one")"
	conf "pid_file = \"$two\" $echo_service"
	reload
	assert_eq "$first" "$(<"$two")"
	[[ ! -e $one ]]
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS"
	assert_match "already, with pid $first" "$(<"$LOG")"
	# The old one is free, and a daemon's that has it cannot be taken.
	conf "pid_file = \"$one\" $echo_service"
	start_minetd
	assert_eq "$MINETD_PID" "$(<"$one")"
	MINETD_PID=$first
	LOG=$BATS_TEST_TMPDIR/log
	reload failed
	wait_log "failed message=\"$one: another instance has locked it"
	assert_eq "$first" "$(<"$two")"
	assert_eq hello "$(talk echo hello)"
	conf "pid_file = \"\" $echo_service"
	reload
	[[ ! -e $two ]]
	conf "pid_file = \"$two\" $echo_service"
	reload
	assert_eq "$first" "$(<"$two")"
	stop_minetd
	[[ ! -e $two ]]
}

@test "a pid file of the command line stays over a reload" {
	conf "pid_file = \"\" $echo_service"
	start_minetd -p "$BATS_TEST_TMPDIR/pid"
	conf "pid_file = \"$BATS_TEST_TMPDIR/two\" $echo_service"
	reload
	assert_eq "$MINETD_PID" "$(<"$BATS_TEST_TMPDIR/pid")"
	[[ ! -e $BATS_TEST_TMPDIR/two ]]
}

@test "a pid file that cannot be made fails the reload" {
	conf "$echo_service"
	start_minetd
	conf "pid_file = \"$BATS_TEST_TMPDIR/missing/pid\" service \"new\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
	reload failed
	wait_log 'failed message=".*missing/pid: No such file'
	assert_eq hello "$(talk echo hello)"
	mkdir "$BATS_TEST_TMPDIR/missing"
	reload
	assert_eq "$MINETD_PID" "$(<"$BATS_TEST_TMPDIR/missing/pid")"
	assert_eq hello "$(talk new hello)"
}

@test "a changed frontend_user is the new frontend's" {
	need_root
	conf "$echo_service"
	start_minetd
	local first
	first=$(frontend_pid)
	uid_of() { awk '/^Uid:/ { print $2 }' "/proc/$1/status"; }
	[[ $(uid_of "$first") != "$(id -u daemon)" ]]
	conf "frontend_user = daemon $echo_service"
	reload
	wait_until 5 gone "$first"
	assert_eq "$(id -u daemon)" "$(uid_of "$(frontend_pid)")" "the uid"
	assert_eq hello "$(talk echo hello)"
}

@test "a reload replaces the frontend, and the old one leaves" {
	conf "$echo_service"
	start_minetd -d
	local first
	first=$(frontend_pid)
	reload
	wait_log "frontend event=started pid=[0-9]+"
	wait_log "frontend event=left pid=$first status=0 signal=0"
	gone "$first"
	[[ -n $(frontend_pid) ]]
	assert_eq 0 "$(count_log 'frontend event=(restarted|ended|overdue|malformed|hung)')"
	# The twin: without a reload none starts.
	assert_eq hello "$(talk echo hello)"
	assert_eq 2 "$(count_log 'frontend event=started')"
}

@test "a frontend that dies after a reload is replaced with what it had" {
	conf "$echo_service"
	start_minetd
	conf "service \"new\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"new\"} }"
	reload
	wait_log 'close service=echo'
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	assert_eq new "$(talk new)"
}

@test "a reload while no frontend runs starts one" {
	conf "$echo_service"
	start_minetd
	# At its second death in a row the next one is started later.
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	kill -KILL "$(frontend_pid)"
	twice() { (($(count_log 'frontend event=ended') == 2)); }
	wait_until 5 twice
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/echo", "new"} }'
	reload
	assert_eq new "$(talk echo)"
	assert_eq 1 "$(count_log 'frontend event=restarted')"
}

@test "the service manager is told of a reload and of its end" {
	need socat
	need python3
	local socket=$BATS_TEST_TMPDIR/notify said=$BATS_TEST_TMPDIR/said
	# In the order in which it comes, and with nothing in between.
	start_process socat -u "UNIX-RECV:$socket" "OPEN:$said,creat,append"
	wait_until 5 test -S "$socket"
	conf "$echo_service"
	NOTIFY_SOCKET=$socket start_minetd
	wait_until 5 grep -q 'READY=1' "$said"
	: >"$said"
	conf "$echo_service service \"two\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
	local before after usec
	monotonic_usec() { python3 -c 'import time; print(time.monotonic_ns() // 1000)'; }
	before=$(monotonic_usec)
	reload
	after=$(monotonic_usec)
	wait_until 5 grep -q 'READY=1' "$said"
	assert_eq "RELOADING=1" "$(head -n 1 "$said")"
	usec=$(sed -n 's/^MONOTONIC_USEC=\([0-9]*\).*/\1/p' "$said")
	((usec >= before && usec <= after)) || fail "$before $usec $after"
	grep -q 'STATUS=Serving 2 services on 2 of 2 listeners' "$said"
	# Also when it is refused: the manager waits for it.
	: >"$said"
	conf 'colour = 1'
	reload refused
	wait_until 5 grep -q 'READY=1' "$said"
	assert_eq "RELOADING=1" "$(head -n 1 "$said")"
}

@test "a relative path of the configuration is that of the start" {
	conf "service \"it\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"old\"} }
	include(\"more.conf\")"
	: >"$BATS_TEST_TMPDIR/more.conf"
	cd "$BATS_TEST_TMPDIR"
	start_minetd -c minetd.conf
	assert_eq / "$(readlink "/proc/$MINETD_PID/cwd")" "the directory"
	conf "service \"it\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"new\"} }
	include(\"more.conf\")"
	reload
	assert_eq new "$(talk it)"
	stop_minetd
	start_daemonised -c ./minetd.conf
	conf "$echo_service"
	reload
	assert_eq hello "$(talk echo hello)"
}

@test "a daemon in the background reloads and goes on logging" {
	conf "$echo_service"
	start_daemonised
	reload
	PORT=$(port_of echo)
	logged "$LOG"
	assert_eq "$MINETD_PID" "$(<"$PID_FILE")"
}
