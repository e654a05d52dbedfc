#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Main is killed before any of the system calls of a reload and of an upgrade;
# the next start finds nothing in its way.
#
# MINETD_LONG=1: before a hundred of each.

bats_require_minimum_version 1.5.0
BATS_TEST_TIMEOUT=${MINETD_LONG:+900}
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}
load ../lib/daemon

setup()
{
	daemon_setup
	need_root
	need strace
	dir=$(public_dir)
	points=10
	[[ -z ${MINETD_LONG:-} ]] || points=100
}

# kill_conf [TEXT]
kill_conf()
{
	conf <<-END
	pid_file = "$BATS_TEST_TMPDIR/pid"
	service "echo" { listen = {"tcp://127.0.0.1:${port:-0}", "unix://$dir/socket"} exec = {"/bin/cat"} }
	service "hold" { listen = {"tcp://127.0.0.1:${port_hold:-0}"} exec = {"$(public_bin probe)", "hold"} }
	${1:-}
	END
}

changed_conf()
{
	kill_conf "service \"more\" { listen = {\"tcp://127.0.0.1:${port_more:-0}\", \"unix://$dir/more\"} exec = {\"/bin/echo\", \"more\"} }"
}

# traced ARGUMENT...: strace on main alone, until it has attached.
traced()
{
	rm -f "$BATS_TEST_TMPDIR/strace"
	start_process strace -s 300 -o "$BATS_TEST_TMPDIR/strace" "$@" -p "$MINETD_PID" \
		2>/dev/null
	# To be attached to interrupts a call, which may be the one.
	attached() { grep -qs "TracerPid:[[:space:]]*$STARTED_PID" "/proc/$MINETD_PID/status" || gone "$MINETD_PID"; }
	wait_until 10 attached
}

# A daemon that serves, with a handler that runs.
serve()
{
	kill_conf
	start_minetd
	port=$(port_of echo)
	port_hold=$(port_of hold)
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	changed_conf
}

# Each system call of the change, and for which time it is made.
boundaries()
{
	traced
	kill -"$1" "$MINETD_PID"
	wait_log "$2"
	stop_minetd
	awk -F '(' '/result=ok/ { exit } /^[a-z]/ { print $1, ++count[$1] }' \
		"$BATS_TEST_TMPDIR/strace"
}

# clean_start: what the killed one has left is in nobody's way.
clean_start()
{
	start_minetd || fail "killed before $1" || return
	assert_eq 0 "$(count_log '^degraded')" "degraded, killed before $1" &&
		assert_eq hello "$(dial -s hello "tcp://127.0.0.1:$port")" &&
		assert_eq hello "$(dial -s hello "unix://$dir/socket")" &&
		assert_eq more "$(dial "unix://$dir/more")" &&
		alive "$CLIENT_PID" && stop_minetd &&
		assert_eq 0 "$MINETD_STATUS" &&
		assert_eq '' "$(find "$dir" -type s)" "sockets that are left"
}

# killed_at SIGNAL RESULT: at as many of the calls as there are points.
killed_at()
{
	local call time i=0 kills=0 total step frontend
	serve
	boundaries "$1" "$2" >"$BATS_TEST_TMPDIR/calls"
	total=$(wc -l <"$BATS_TEST_TMPDIR/calls")
	((total > 20))
	step=$(((total + points - 1) / points))
	while read -r call time; do
		((i++ % step == 0)) || continue
		serve
		frontend=$(frontend_pid)
		traced -e trace="$call" -e inject="$call:signal=KILL:when=$time"
		kill -"$1" "$MINETD_PID" || true
		ended() { gone "$MINETD_PID" || grep -q "$2" "$LOG"; }
		wait_until 10 ended "" "$2"
		if gone "$MINETD_PID"; then
			kills=$((kills + 1))
		else
			kill -KILL "$MINETD_PID"
			wait_until 5 gone "$MINETD_PID"
		fi
		wait_until 5 gone "$frontend"
		clean_start "$call $time"
		kill "$CLIENT_PID"
	done <"$BATS_TEST_TMPDIR/calls"
	echo "# $BATS_TEST_DESCRIPTION: killed at $kills of $total" >&3
	# Now and then a call is not made as often as when it was looked at.
	((kills * 2 > points))
}

@test "killed while it reloads" { killed_at HUP 'reload result=ok'; }
@test "killed while it upgrades" { killed_at USR2 'upgrade result=ok'; }
