#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Another binary in the place of this one, and nobody notices.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	others=$(dirname "$MINETD")
	binary=$(public_dir)/minetd
	install -m 755 "$MINETD" "$binary"
	MINETD=$binary
	path=$(public_dir)/socket
}

upgrade_conf()
{
	conf <<-END
	service "echo" { listen = {"tcp://127.0.0.1:0", "unix://$path"}
		exec = {"/bin/cat"} }
	service "hold" { listen = {"tcp://127.0.0.1:0"} instances = 2
		exec = {"$(public_bin probe)", "hold"} }
	${1:-}
	END
}

held()
{
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
}

# replace FILE: the path of the daemon's binary names another file.
replace()
{
	install -m 755 "$1" "$binary.new"
	mv "$binary.new" "$binary"
}

results()
{
	count_log 'upgrade result='
}

# upgrade RESULT [SECONDS]: the next one ends with this.
upgrade()
{
	local before
	before=$(results)
	kill -USR2 "$MINETD_PID"
	another() { (($(results) > before)); }
	wait_until "${2:-10}" another || fail "no result" || return
	assert_match "(^| )upgrade result=$1 " "$(log_line 'upgrade result=')"
}

# What a socket is to the kernel: it does not change with its owners.
inodes()
{
	ss -Hlntxe | grep -E "127\.0\.0\.1:($(port_of echo)|$(port_of hold)) |$path " |
		grep -oE 'ino:[0-9]+|[0-9]+ +\* 0' | sort
}

descriptors()
{
	find "/proc/$MINETD_PID/fd" -type l -printf '%l\n' | sed 's/[0-9]*//g' |
		sort | uniq -c
}

without_inodes()
{
	sed 's/[0-9]\{4,\}//g'
}

served()
{
	assert_eq hello "$(talk echo hello)" &&
		assert_eq hello "$(dial -s hello "unix://$path")"
}

@test "the process, its sockets and its handlers go on under a new binary" {
	upgrade_conf
	start_minetd
	held
	local handler client=$CLIENT_PID sockets file started
	handler=$(handler_pids)
	sockets=$(inodes)
	file=$(stat -c %i "$path")
	started=$(awk '{ print $22 }' "/proc/$MINETD_PID/stat")
	[[ -n $sockets ]]
	replace "$others/minetd"
	upgrade ok
	assert_eq "$(stat -Lc %i "$binary")" \
		"$(stat -Lc %i "/proc/$MINETD_PID/exe")" "the binary that runs"
	assert_eq "$started" "$(awk '{ print $22 }' "/proc/$MINETD_PID/stat")"
	assert_eq "$sockets" "$(inodes)" "the inodes of the sockets"
	assert_eq "$file" "$(stat -c %i "$path")" "the inode of the path"
	served
	alive "$handler"
	alive "$client"
	assert_eq 0 "$(count_log 'exit service=hold')"
}

@test "a handler from before is logged at its end as if nothing had been" {
	upgrade_conf
	start_minetd
	held
	local handler exit
	handler=$(handler_pids)
	upgrade ok
	kill "$handler"
	wait_log 'exit service=hold'
	exit=$(log_line 'exit service=hold')
	assert_eq 1 "$(log_field id "$exit")"
	assert_eq "$handler" "$(log_field pid "$exit")"
	assert_eq "127.0.0.1:$(port_of hold)" "$(log_field local "$exit")"
	assert_match '^127\.0\.0\.1:[0-9]+$' "$(log_field peer "$exit")"
	assert_eq 15 "$(log_field signal "$exit")"
	# The numbers of connections go on, too.
	served
	wait_log 'exit service=echo id=2 '
	assert_eq 1 "$(count_log 'exit service=hold')"
}

@test "a handler on a unix socket has its path in the line of its end" {
	conf "service \"hold\" { listen = {\"unix://$path\"} exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	hold_client "unix://$path"
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	upgrade ok
	kill "$(handler_pids)"
	wait_log "exit service=hold id=1 pid=[0-9]+ peer=\"?uid:[0-9]+,pid:$CLIENT_PID\"? local=$path "
}

@test "handlers from before count" {
	upgrade_conf
	start_minetd
	held
	held
	local second=$CLIENT_PID third
	upgrade ok
	hold_client hold
	third=$CLIENT_OUT
	served
	[[ ! -s $third ]]
	kill "$second"
	wait_until 5 grep -q '^pid' "$third"
}

@test "descriptors are those of before, and none is a handler's to inherit" {
	upgrade_conf "service \"list\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$(public_bin probe)\", \"fds\"} }"
	start_minetd -p "$BATS_TEST_TMPDIR/pid"
	local before inherited i
	before=$(descriptors)
	inherited=$(talk list | without_inodes)
	for i in 1 2 3; do
		upgrade ok
	done
	served
	same() { [[ $(descriptors) == "$before" ]]; }
	wait_until 5 same || fail "want: $before" "got: $(descriptors)"
	assert_eq "$inherited" "$(talk list | without_inodes)" \
		"what handlers get"
}

@test "the starter's environment and limits reach handlers as before" {
	upgrade_conf 'service "env" { listen = {"tcp://127.0.0.1:0"} pass_env = {"OF_STARTER"}
		exec = {"/bin/sh", "-c", "printenv OF_STARTER; ulimit -n; umask; pwd"} }'
	START_WITH=(env OF_STARTER=yes prlimit --nofile=300:4000)
	start_minetd
	local before
	before=$(talk env)
	assert_match '^yes.300.0022./$' "$before"
	upgrade ok
	assert_eq "$before" "$(talk env)"
}

@test "the pid file stays locked, and is removed at the end" {
	upgrade_conf
	start_minetd -p "$BATS_TEST_TMPDIR/pid"
	upgrade ok
	assert_eq "$MINETD_PID" "$(<"$BATS_TEST_TMPDIR/pid")"
	run "$MINETD" -f -c "$CONF" -p "$BATS_TEST_TMPDIR/pid"
	assert_eq 69 "$status"
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
	[[ ! -e $BATS_TEST_TMPDIR/pid && ! -e $path ]]
}

@test "in the background too, with its log file, also under another name" {
	upgrade_conf
	start_daemonised
	mv "$LOG" "$LOG.old"
	kill -USR2 "$MINETD_PID"
	LOG=$LOG.old wait_log 'upgrade result=ok'
	kill -USR1 "$MINETD_PID"
	wait_log 'log message=reopened'
	upgrade ok
	kill "$MINETD_PID"
	wait_log 'stop signal=TERM'
}

@test "reload works after an upgrade, and the other way round" {
	upgrade_conf
	start_minetd
	upgrade ok
	local sockets
	sockets=$(inodes)
	upgrade_conf 'service "late" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/echo", "late"} }'
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=ok services=3 kept=3 opened=1 removed=0 '
	assert_eq late "$(talk late)"
	upgrade ok
	assert_eq late "$(talk late)"
	assert_eq "$sockets" "$(inodes)"
	served
}

@test "signals that come together are all obeyed" {
	upgrade_conf
	start_minetd
	kill -STOP "$MINETD_PID"
	kill -HUP "$MINETD_PID"
	kill -USR2 "$MINETD_PID"
	kill -USR1 "$MINETD_PID"
	kill -CONT "$MINETD_PID"
	wait_log 'reload result=ok'
	wait_log 'upgrade result=ok'
	served
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
}

@test "a daemon that is to stop does not upgrade" {
	upgrade_conf "service \"deaf\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$(public_bin probe)\", \"deaf\"} kill_grace = 1h }"
	start_minetd
	hold_client deaf
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	kill -TERM "$MINETD_PID"
	wait_log 'stop signal=TERM'
	kill -USR2 "$MINETD_PID"
	kill -USR1 "$MINETD_PID"
	wait_log 'log message=reopened'
	assert_eq 0 "$(results)"
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
}

# refused REASON: nothing has happened but a line in the log.
refused()
{
	local front sockets pids
	upgrade_conf
	start_minetd
	held
	front=$(frontend_pid)
	sockets=$(inodes)
	pids=$(handler_pids)
	spoil
	upgrade failed 15
	assert_match "reason=\"?$1" "$(log_line 'upgrade result=')"
	assert_eq "$front" "$(frontend_pid)" "the frontend"
	assert_eq "$sockets" "$(inodes)"
	assert_eq "$pids" "$(handler_pids)"
	served
	assert_eq 0 "$(count_log '^exit service=hold')"
	# The twin: with a good one it works.
	replace "$others/minetd"
	upgrade ok
	served
}

@test "a binary that is missing" {
	spoil() { rm "$binary"; }
	refused 'it cannot be executed: No such file'
}

@test "a binary that may not be executed" {
	need_root	# who may execute it all the same, with any x
	spoil() { chmod 644 "$binary"; }
	refused 'it cannot be executed: Permission denied'
}

@test "a binary that is text" {
	spoil() { echo 'this is text' >"$BATS_TEST_TMPDIR/text"; replace "$BATS_TEST_TMPDIR/text"; }
	refused 'it cannot be executed: Exec format error'
}

@test "a binary for another machine" {
	spoil()
	{
		# e_machine of the ELF header.
		{ head -c 18 "$others/minetd"; printf '\x02\x00'
		tail -c +21 "$others/minetd"; } >"$BATS_TEST_TMPDIR/foreign"
		replace "$BATS_TEST_TMPDIR/foreign"
	}
	refused 'it cannot be executed: Exec format error'
}

@test "a binary that is cut off" {
	spoil() { head -c 100000 "$others/minetd" >"$BATS_TEST_TMPDIR/cut"; replace "$BATS_TEST_TMPDIR/cut"; }
	refused 'it '
}

@test "a binary that fails" {
	spoil() { replace /bin/false; }
	refused 'it is no minetd that can take over: it ended with status 1'
}

@test "a binary that succeeds, and is no minetd" {
	spoil() { replace /bin/true; }
	refused 'it is no minetd that can take over: it ended with status 0'
}

@test "a binary that crashes" {
	spoil() { replace "$(script crash <<<$'#!/bin/sh\nkill -SEGV $$')"; }
	refused 'it was ended by signal 11'
}

@test "a binary that does not answer" {
	spoil() { replace "$(script sleeper <<<$'#!/bin/sh\nexec sleep 100')"; }
	refused 'it did not answer within 10 s'
	run pgrep -f "sleep 100$"
	[[ $status == 1 ]]
}

@test "a binary that speaks another version of the state" {
	spoil() { replace "$others/minetd-other-state"; }
	refused 'the state is of another version'
}

@test "a binary that says yes and can then not take over gives back" {
	spoil()
	{
		replace "$(script liar <<-END
		#!/bin/sh
		[ "\$1" != --upgrade-check ] || exec "$others/minetd" "\$@"
		exec "$others/minetd-other-state" "\$@"
		END
		)"
	}
	local sockets
	upgrade_conf
	start_minetd
	held
	sockets=$(inodes)
	spoil
	upgrade failed
	assert_match 'the new binary could not serve' "$(log_line 'upgrade result=')"
	assert_match 'minetd \(deleted\)$' "$(readlink "/proc/$MINETD_PID/exe")"
	assert_eq "$sockets" "$(inodes)"
	served
	kill "$(handler_pids)"
	wait_log 'exit service=hold id=1 .* signal=15 '
	replace "$others/minetd"
	upgrade ok
	served
}

@test "a binary whose frontend cannot serve gives back" {
	upgrade_conf
	start_minetd
	held
	local sockets
	sockets=$(inodes)
	replace "$others/minetd-other-frontend"
	upgrade failed
	assert_match 'the new binary could not serve' "$(log_line 'upgrade result=')"
	assert_eq "$sockets" "$(inodes)"
	served
	assert_eq 0 "$(count_log '^exit service=hold')"
	replace "$others/minetd"
	upgrade ok
	served
}

@test "a binary with another layout of configurations reads the text anew" {
	upgrade_conf
	start_minetd
	held
	local sockets
	sockets=$(inodes)
	replace "$others/minetd-other-block"
	upgrade ok
	assert_eq "$sockets" "$(inodes)"
	served
	assert_eq "$(stat -Lc %i "$binary")" \
		"$(stat -Lc %i "/proc/$MINETD_PID/exe")" "the binary that runs"
	# And back.
	replace "$others/minetd"
	upgrade ok
	assert_eq "$sockets" "$(inodes)"
	served
	assert_eq 0 "$(count_log '^exit service=hold')"
}

@test "one with another layout that can then not serve gives back, too" {
	upgrade_conf
	start_minetd
	local sockets
	sockets=$(inodes)
	replace "$(script liar <<-END
	#!/bin/sh
	[ "\$1" != --upgrade-check ] || exec "$others/minetd-other-block" "\$@"
	exec "$others/minetd-other-state" "\$@"
	END
	)"
	upgrade failed
	assert_eq "$sockets" "$(inodes)"
	served
}

@test "a binary that is replaced after it was checked is not executed" {
	upgrade_conf
	start_minetd
	replace "$(script fickle <<-END
	#!/bin/sh
	cp "$others/minetd-other-state" "$binary.new"
	mv "$binary.new" "$binary"
	exec "$others/minetd" "\$@"
	END
	)"
	upgrade failed
	assert_match 'it was replaced after it had been checked' \
		"$(log_line 'upgrade result=')"
	served
	replace "$others/minetd"
	upgrade ok
	served
}

other_handler()
{
	handler_pids | grep -qvx "$1"
}

# stop_once HANDLER: stop a child of the service, in $victim, that has not come
# so far as to execute its program.  What is open for writing cannot be
# executed, and is tried for a while.
stop_once()
{
	local write
	exec {write}>>"$program"
	hold_client victim
	wait_until 5 other_handler "$1" || true
	victim=$(handler_pids | grep -vx "$1")
	kill -STOP "$victim" 2>/dev/null || true
	exec {write}>&-
	[[ $(readlink "/proc/$victim/exe") == */minetd && $(state_of "$victim") == T ]]
}

@test "a child that is stopped before it executes its program is given up" {
	need_root
	local victim program
	program=$(public_dir)/victim
	install -m 755 "$(public_bin probe)" "$program"
	upgrade_conf "service \"victim\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$program\", \"hold\"} }"
	start_minetd
	held
	wait_until 20 stop_once "$(handler_pids)"
	upgrade ok
	wait_log "exit service=victim .* pid=$victim .* signal=9 "
	alive "$(handler_pids)"
	served
}

@test "lines that the log does not take are counted, and hold up nothing" {
	upgrade_conf
	local fifo=$BATS_TEST_TMPDIR/fifo reader
	mkfifo "$fifo"
	exec {reader}<>"$fifo"
	(
		close_fds "$reader"
		exec </dev/null >/dev/null 2>"$fifo"
		exec "$MINETD" -d -c "$CONF" -p "$BATS_TEST_TMPDIR/pid"
	) &
	watch_minetd $!
	wait_until 10 test -S "$path"
	wait_until 10 dial -s hello "unix://$path" >/dev/null
	# Nobody reads on: a pipe is full after so many lines.
	local i old
	for ((i = 0; i < 700; i++)); do
		dial -s hello "unix://$path" >/dev/null
	done
	old=$(frontend_pid)
	kill -USR2 "$MINETD_PID"
	other() { local new; new=$(frontend_pid); [[ -n $new && $new != "$old" ]]; }
	wait_until 10 other
	wait_until 10 dial -s hello "unix://$path" >/dev/null
	timeout 10 grep -m 1 -E '^lost n=[0-9]+' <&"$reader"
	exec {reader}>&-
}

@test "a configuration that has become wrong does not matter to an upgrade" {
	upgrade_conf
	start_minetd
	conf 'service "broken" {'
	upgrade ok
	served
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=refused'
	served
}

@test "a user's daemon keeps its capabilities" {
	need_root
	need setpriv
	local port own=$BATS_TEST_TMPDIR/own
	upgrade_conf
	install -d -o 63211 "$own"
	path=$own/socket
	upgrade_conf
	START_WITH=(setpriv --reuid 63211 --regid 63211 --clear-groups
		--inh-caps +net_bind_service --ambient-caps +net_bind_service)
	start_minetd
	local before
	before=$(grep ^Cap "/proc/$MINETD_PID/status")
	assert_match 'CapPrm:.0000000000000400' "$before"
	upgrade ok
	assert_eq "$before" "$(grep ^Cap "/proc/$MINETD_PID/status")"
	# Also on the way back, from either point.
	replace "$others/minetd-other-frontend"
	upgrade failed
	assert_eq "$before" "$(grep ^Cap "/proc/$MINETD_PID/status")"
	replace "$(script liar <<-END
	#!/bin/sh
	[ "\$1" != --upgrade-check ] || exec "$others/minetd" "\$@"
	exec "$others/minetd-other-state" "\$@"
	END
	)"
	upgrade failed
	assert_eq "$before" "$(grep ^Cap "/proc/$MINETD_PID/status")"
	upgrade_conf 'service "caps" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/grep", "CapPrm", "/proc/self/status"} }'
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=ok'
	assert_match '0000000000000000$' "$(talk caps)"
}

@test "process 1 of a container upgrades like any other" {
	need_root
	need unshare
	upgrade_conf
	unshare --pid --fork true 2>/dev/null || skip_or_fail "needs namespaces"
	(
		close_fds
		exec </dev/null >/dev/null 2>"$LOG"
		exec unshare --pid --fork --kill-child "$MINETD" -f -c "$CONF"
	) &
	local unshare=$!
	ends_with_test "$unshare"
	wait_log '^ready '
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	kill -USR2 "$(pgrep -P "$unshare")"
	wait_log '^upgrade result=ok'
	served
	kill "$CLIENT_PID"
	wait_log 'exit service=hold'
	kill -TERM "$(pgrep -P "$unshare")"
	wait_until 10 gone "$unshare"
}

@test "a service manager is told" {
	upgrade_conf
	local socket=$BATS_TEST_TMPDIR/notify out=$BATS_TEST_TMPDIR/told
	start_process python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
' "$socket" >"$out"
	wait_until 5 test -S "$socket"
	NOTIFY_SOCKET=$socket start_minetd
	wait_until 5 grep -q "READY=1 MAINPID=$MINETD_PID" "$out"
	upgrade ok
	told() { [[ $(tail -n 2 "$out" | cut -d ' ' -f 1 | tr '\n' ' ') == 'RELOADING=1 READY=1 ' ]]; }
	wait_until 5 told
}
