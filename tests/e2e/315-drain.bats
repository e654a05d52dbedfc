#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Frontends that have been replaced, and do not leave at once.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# This one's frontends never leave by themselves.
setup()
{
	daemon_setup
	MINETD=$(dirname "$MINETD")/minetd-other-linger
}

drain_conf()
{
	conf "drain_timeout = \"$1\"
	service \"echo\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\" }"
}

@test "nobody waits for a frontend that lingers, but it is left its time" {
	drain_conf 1h
	start_minetd
	front=$(frontend_pid)
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=ok'
	assert_eq hello "$(talk echo hello)"
	alive "$front"
	assert_eq 0 "$(count_log 'event=(overdue|hung|ended)')"
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
	gone "$front"
}

@test "one that is not done after drain_timeout is killed" {
	drain_conf 100ms
	start_minetd
	front=$(frontend_pid)
	kill -HUP "$MINETD_PID"
	wait_log "frontend event=overdue pid=$front"
	wait_until 5 gone "$front"
	wait_log "frontend event=ended pid=$front status=-1 signal=9"
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(count_log 'event=restarted')"
}

@test "without a limit it may linger as long as it likes" {
	drain_conf 0
	start_minetd
	front=$(frontend_pid)
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=ok'
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok'
	assert_eq hello "$(talk echo hello)"
	alive "$front"
	assert_eq 0 "$(count_log 'event=(overdue|hung|ended)')"
}

@test "one that lingers keeps no port busy" {
	drain_conf 1h
	start_minetd
	front=$(frontend_pid)
	local port
	port=$(port_of echo)
	conf 'service "other" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" }'
	kill -HUP "$MINETD_PID"
	wait_log 'close service=echo'
	alive "$front"
	start_process "$TESTBIN/dial" -t 1 "tcp://127.0.0.1:$port"
	free() { python3 -c 'import socket, sys; socket.socket().bind(("127.0.0.1", int(sys.argv[1])))' "$port" 2>/dev/null; }
	wait_until 5 free
}

@test "one that lingers over an upgrade is known to the new image" {
	drain_conf 1h
	start_minetd
	front=$(frontend_pid)
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=ok'
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok'
	assert_eq hello "$(talk echo hello)"
	alive "$front"
	kill -KILL "$front"
	wait_log "frontend event=ended pid=$front status=-1 signal=9"
	assert_eq 0 "$(count_log 'event=(restarted|malformed)|orphan')"
	assert_eq hello "$(talk echo hello)"
}

@test "one that lingers over an upgrade has its time, and no more" {
	drain_conf 2s
	start_minetd
	front=$(frontend_pid)
	kill -HUP "$MINETD_PID"
	wait_log 'reload result=ok'
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok'
	wait_log "frontend event=overdue pid=$front"
	wait_until 5 gone "$front"
}
