#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

echo_service='service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'

# port_in FILE: the port of the first tcp listener named there.
port_in()
{
	sed -n 's/.*addr[":=]*tcp:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$1" | head -n 1
}

@test "json lines are what a JSON parser accepts, with the same names" {
	need python3
	conf "log_format = json
	log_level = debug
	$echo_service"
	start_minetd
	dial -s hello "tcp://127.0.0.1:$(port_in "$LOG")"
	wait_log '"event":"exit"'
	python3 - "$LOG" <<-'END'
	import json, sys
	lines = [json.loads(line) for line in open(sys.argv[1])]
	assert all("time" in l and "level" in l and "event" in l for l in lines)
	exit = [l for l in lines if l["event"] == "exit"][0]
	assert list(exit)[3:] == ["service", "id", "pid", "peer", "local",
	    "status", "signal", "secs", "user_ms", "sys_ms", "maxrss_kib"], exit
	assert exit["service"] == "echo" and exit["status"] == 0, exit
	assert isinstance(exit["secs"], float), exit
	END
}

@test "a log file has a time on each line and mode 0640" {
	local file=$BATS_TEST_TMPDIR/file.log
	conf "log = \"file:$file\"
	$echo_service"
	start_minetd
	wait_until 5 grep -q ready "$file"
	dial -s hello "tcp://127.0.0.1:$(port_in "$file")"
	wait_until 5 grep -q 'exit service=echo' "$file"
	if grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z [a-z_]+ ' "$file"; then
		fail "lines without a time"
	fi
	assert_eq 640 "$(stat -c %a "$file")"
}

@test "-l overrides the configured destination" {
	conf "log = \"file:$BATS_TEST_TMPDIR/never\"
	$echo_service"
	start_minetd -l stderr
	wait_log 'ready version'
	[[ ! -e $BATS_TEST_TMPDIR/never ]]
}

@test "a log file that is a link or not a file ends the start with 69" {
	ln -s /etc/passwd "$BATS_TEST_TMPDIR/link"
	conf "$echo_service"
	refuse_minetd -l "file:$BATS_TEST_TMPDIR/link"
	assert_eq 69 "$MINETD_STATUS"
	refuse_minetd -l "file:$BATS_TEST_TMPDIR"
	assert_eq 69 "$MINETD_STATUS"
	# The twin.
	start_minetd -l "file:$BATS_TEST_TMPDIR/plain"
}

@test "log_level chooses what is written, -d writes everything" {
	conf "log_level = error
	$echo_service"
	start_daemonised
	assert_eq '' "$(<"$LOG")"
	conf "log_level = error
	$echo_service"
	start_minetd -d
	wait_log 'frontend event=confining'
}

@test "syslog gets each line as a message of the configured facility" {
	need_root
	need socat
	own_mounts
	conf "log = \"syslog:local3\"
	service \"echo\" { listen = {\"unix://$(public_dir)/socket\"} exec = {\"/bin/cat\"} }"
	local said=$BATS_TEST_TMPDIR/said dev=$BATS_TEST_TMPDIR/dev
	mkdir "$dev"
	# A /dev of its own, in which there is nothing but null and our log.
	cat >"$BATS_TEST_TMPDIR/run" <<-END
	#!/bin/sh
	touch $dev/null && mount --bind /dev/null $dev/null &&
	mount --rbind $dev /dev && exec "\$@"
	END
	chmod 755 "$BATS_TEST_TMPDIR/run"
	start_process socat -u "UNIX-RECV:$dev/log" "OPEN:$said,creat,append"
	wait_until 5 test -S "$dev/log"
	START_WITH=("${OWN_MOUNTS[@]}" "$BATS_TEST_TMPDIR/run")
	start_minetd
	assert_eq hello "$(dial -s hello "unix://$(public_dir)/socket")"
	wait_until 5 grep -q 'exit service=echo' "$said"
	# local3 is 19: 19 * 8 + 6.
	grep -qE "<158>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} minetd\[[0-9]+\]: listen service=echo" "$said"
}

@test "without a syslog the daemon serves all the same" {
	need_root
	own_mounts
	conf "log = \"syslog\"
	service \"echo\" { listen = {\"unix://$(public_dir)/socket\"} exec = {\"/bin/cat\"} }"
	local dev=$BATS_TEST_TMPDIR/dev
	mkdir "$dev"
	cat >"$BATS_TEST_TMPDIR/run" <<-END
	#!/bin/sh
	touch $dev/null && mount --bind /dev/null $dev/null &&
	mount --rbind $dev /dev && exec "\$@"
	END
	chmod 755 "$BATS_TEST_TMPDIR/run"
	START_WITH=("${OWN_MOUNTS[@]}" "$BATS_TEST_TMPDIR/run")
	start_minetd
	assert_eq hello "$(dial -s hello "unix://$(public_dir)/socket")"
}

@test "a log that nobody reads stops no service" {
	local fifo=$BATS_TEST_TMPDIR/pipe socket reader
	socket=$(public_dir)/socket
	conf "service \"true\" { listen = {\"unix://$socket\"} exec = {\"/bin/true\"} log_connections = verbose }"
	mkfifo "$fifo"
	# Opened for both, so that neither side waits for the other.
	exec {reader}<>"$fifo"
	(
		exec 2>"$fifo"
		close_fds
		exec "$MINETD" -f -c "$CONF"
	) &
	daemon_pids+=("$!")
	# The path is there before anybody listens.
	wait_until 10 dial "unix://$socket"
	# More than the pipe and the buffer hold.
	dial -c 1500 -t 25 "unix://$socket"
	assert_eq 0 "$(dial "unix://$socket"; echo $?)"
	# Read again: the loss is said.
	timeout 10 grep -m 1 -o 'lost n=[0-9]*' <"$fifo"
	exec {reader}<&-
}

@test "a full disk stops no service, and the loss is said when there is room" {
	need_root
	own_mounts
	local socket mnt=$BATS_TEST_TMPDIR/mnt
	socket=$(public_dir)/socket
	mkdir "$mnt"
	conf "log = \"file:$mnt/log\"
	service \"true\" { listen = {\"unix://$socket\"} exec = {\"/bin/true\"} log_connections = verbose }"
	cat >"$BATS_TEST_TMPDIR/run" <<-END
	#!/bin/sh
	mount -t tmpfs -o size=64k tmpfs $mnt && exec "\$@"
	END
	chmod 755 "$BATS_TEST_TMPDIR/run"
	START_WITH=("${OWN_MOUNTS[@]}" "$BATS_TEST_TMPDIR/run")
	start_minetd
	dial -c 1500 -t 25 "unix://$socket"
	local log=/proc/$MINETD_PID/root$mnt/log
	[[ $(stat -c %s "$log") -le 65536 ]]
	: >"$log"
	dial "unix://$socket"
	wait_until 10 grep -q 'lost n=' "$log"
	dial "unix://$socket"
	wait_until 5 grep -q 'exit service=true' "$log"
}
