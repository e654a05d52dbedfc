#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Handlers that are ended: first_byte, idle, max_runtime, stop_signal and
# kill_grace.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/sources

setup()
{
	daemon_setup
	hold="exec = {\"$(public_bin probe)\", \"hold\"}"
	deaf="exec = {\"$(public_bin probe)\", \"deaf\"}"
}

# service NAME KEYS [LISTEN]
service()
{
	echo "service \"$1\" { listen = {\"${3:-tcp://127.0.0.1:0}\"} $2 }"
}

# held_by SERVICE|ADDRESS: a client that is served, and says nothing.
held_by()
{
	hold_client "$1" && greeted "$CLIENT_OUT"
}

# feed COUNT SECONDS: a line each so many seconds.
feed()
{
	local i
	for ((i = 0; i < $1; i++)); do
		echo tick
		sleep "$2"
	done
}

@test "max_runtime ends a handler whatever goes on in it" {
	conf "$(service yes 'exec = "/usr/bin/yes" max_runtime = 300ms')"
	start_minetd
	dial "tcp://127.0.0.1:$(port_of yes)" >/dev/null || true
	wait_log 'exit service=yes .* status=-1 signal=15 .* end=overdue'
}

@test "without deadlines the exit line has no end" {
	conf "$(service hold "$hold")"
	start_minetd
	talk hold x
	wait_log 'exit service=hold'
	assert_eq 0 "$(count_log ' end=')"
}

@test "who ends before the deadline is not touched" {
	conf "$(service hold "$hold max_runtime = 2s idle = 2s")
	$(service after "$hold max_runtime = 2s")"
	start_minetd
	talk hold x
	wait_log 'exit service=hold .* status=0 signal=0'
	assert_no_match end= "$(log_line 'exit service=hold')"
	# The time that it had passes.
	hold_client after
	wait_log 'exit service=after .* end=overdue'
	alive "$MINETD_PID"
}

@test "the whole process group gets the signal" {
	script group <<-'END' >/dev/null
		#!/bin/sh
		tail -f /dev/null &
		echo $!
		wait
	END
	conf "$(service group "exec = \"$(public_dir)/group\" max_runtime = 500ms")"
	start_minetd
	run -0 talk group
	child=$output
	wait_log 'exit service=group .* end=overdue'
	wait_until 5 gone "$child"
}

@test "one that ignores the signal is killed after kill_grace" {
	conf "$(service deaf "$deaf max_runtime = 300ms kill_grace = 300ms")"
	start_minetd
	hold_client deaf
	wait_log 'exit service=deaf .* status=-1 signal=9 .* end=overdue'
}

@test "one that was stopped ends, too" {
	conf "$(service stop "exec = {\"$(public_bin probe)\", \"stop\"}
		max_runtime = 500ms kill_grace = 60s")"
	start_minetd
	hold_client stop
	wait_log 'exit service=stop .* signal=15 .* end=overdue'
}

@test "stop_signal ends them, by a deadline and at the end" {
	conf "$(service int "$hold max_runtime = 300ms stop_signal = INT")
	$(service hup "$hold stop_signal = HUP")
	$(service kill "$hold stop_signal = KILL")"
	start_minetd
	hold_client int
	wait_log 'exit service=int .* signal=2 .* end=overdue'
	held_by hup
	held_by kill
	stop_minetd
	wait_log 'exit service=hup .* signal=1 '
	wait_log 'exit service=kill .* signal=9 '
	assert_eq 0 "$(count_log 'exit service=(hup|kill) .* end=')"
}

@test "handlers that wait have a max_runtime" {
	conf "$(service wait "exec = {\"$(public_bin waiter)\", \"-n\", \"2\"}
		wait = yes max_runtime = 500ms kill_grace = 100ms")"
	start_minetd
	hold_client wait
	wait_log 'exit service=wait .* end=overdue'
}

@test "a terminal's handler gets the signal of max_runtime" {
	conf "$(service pty "$hold pty = yes max_runtime = 500ms
		stop_signal = INT")"
	start_minetd
	hold_client pty
	wait_log 'exit service=pty .* signal=2 .* end=overdue'
}

@test "a silent client's handler ends after idle" {
	conf "$(service hold "$hold idle = 300ms")"
	start_minetd
	hold_client hold
	wait_log 'exit service=hold .* signal=15 .* end=idle'
}

@test "as long as the client says something, nothing is idle" {
	conf "$(service hold "$hold idle = 1500ms")"
	start_minetd
	feed 8 0.3 | dial -i "tcp://127.0.0.1:$(port_of hold)" >/dev/null
	wait_log 'exit service=hold'
	assert_match 'status=0 signal=0 ' "$(log_line 'exit service=hold')"
	assert_no_match end= "$(log_line 'exit service=hold')"
}

@test "as long as the handler says something, nothing is idle" {
	script ticks <<-'END' >/dev/null
		#!/bin/sh
		pause=0.3	# the pace of what it says
		for i in 1 2 3 4 5 6 7 8; do
			echo $i
			sleep $pause
		done
	END
	conf "$(service ticks "exec = \"$(public_dir)/ticks\" idle = 1500ms")"
	start_minetd
	assert_eq 8 "$(dial "tcp://127.0.0.1:$(port_of ticks)" | tail -n 1)"
	wait_log 'exit service=ticks'
	assert_no_match end= "$(log_line 'exit service=ticks')"
}

@test "a client that does not read is idle when nothing moves any more" {
	conf "$(service yes 'exec = "/usr/bin/yes" idle = 500ms
		send_buffer = 4096')"
	start_minetd
	start_process "$TESTBIN/dial" -p 1 -t 60 \
		"tcp://127.0.0.1:$(port_of yes)"
	wait_log 'exit service=yes .* end=idle' 20
}

@test "idle goes for who came by IPv6 or is mapped" {
	conf "$(service six "$hold idle = 300ms" 'tcp://[::1]:0')
	$(service any "$hold idle = 300ms" 'tcp://*:0')"
	start_minetd
	hold_client "tcp://[::1]:$(port_of six)"
	wait_log 'exit service=six .* end=idle'
	hold_client any
	wait_log 'exit service=any .* end=idle'
}

@test "a handler whose client has gone long ago is idle" {
	script deaf <<-'END' >/dev/null
		#!/bin/sh
		exec sleep 60
	END
	conf "$(service gone "exec = \"$(public_dir)/deaf\" idle = 500ms")"
	start_minetd
	dial -R "tcp://127.0.0.1:$(port_of gone)"
	wait_log 'exit service=gone .* end=idle'
}

@test "idle goes for who came in by one interface" {
	need_root
	conf "$(service there "$hold idle = 500ms interface = lo")"
	start_minetd
	feed 4 0.2 | dial -i "tcp://127.0.0.1:$(port_of there)" >/dev/null
	wait_log 'exit service=there id=1 '
	assert_no_match end= "$(log_line 'exit service=there')"
	held_by there
	wait_log 'exit service=there id=2 .* end=idle'
}

@test "idle goes on when the service was removed" {
	conf "$(service hold "$hold idle = 1500ms")
	$(service echo 'builtin = echo')"
	start_minetd
	held_by hold
	conf "$(service echo 'builtin = echo')"
	reload
	wait_log 'exit service=hold .* end=idle'
}

@test "first_byte ends a handler whose client says nothing" {
	conf "$(service hold "$hold first_byte = 300ms")"
	start_minetd
	hold_client hold
	wait_log 'exit service=hold .* end=first_byte'
}

@test "one byte is enough for first_byte" {
	conf "$(service hold "$hold first_byte = 500ms max_runtime = 1500ms")"
	start_minetd
	dial -s x -k "tcp://127.0.0.1:$(port_of hold)" >/dev/null
	wait_log 'exit service=hold .* end=overdue'
}

@test "the end of what a client says is no byte" {
	script slow <<-'END' >/dev/null
		#!/bin/sh
		exec sleep 60
	END
	conf "$(service slow "exec = \"$(public_dir)/slow\" first_byte = 300ms")"
	start_minetd
	talk slow '' || true
	wait_log 'exit service=slow .* end=first_byte'
}

@test "what tcpmux and a proxy have read is no byte of the client" {
	conf "$(service mux 'builtin = tcpmux')
	$(service held "$hold first_byte = 500ms tcpmux_reply = no" tcpmux://held)
	$(service proxied "$hold first_byte = 500ms proxy_protocol = required
		proxy_from = \"127.0.0.1\"")"
	start_minetd
	dial -s $'held\r\n' -k "tcp://127.0.0.1:$(port_of mux)" >/dev/null
	wait_log 'exit service=held .* end=first_byte'
	dial -s $'PROXY TCP4 192.0.2.1 192.0.2.2 7 9\r\n' -k \
		"tcp://127.0.0.1:$(port_of proxied)" >/dev/null
	wait_log 'exit service=proxied .* peer=192.0.2.1:7 .* end=first_byte'
}

@test "first_byte goes for redirects, builtins and terminals" {
	conf "$(service echo 'builtin = echo first_byte = 300ms')
	$(service to 'exec = "/bin/cat"')
	$(service pty "$hold pty = yes first_byte = 300ms")"
	start_minetd
	conf "$(service echo 'builtin = echo first_byte = 300ms')
	$(service to 'exec = "/bin/cat"')
	$(service pty "$hold pty = yes first_byte = 300ms")
	$(service there "redirect = \"tcp://127.0.0.1:$(port_of to)\"
		first_byte = 300ms")"
	reload
	hold_client echo
	wait_log 'exit service=echo .* end=first_byte'
	hold_client there
	wait_log 'exit service=there .* end=first_byte'
	hold_client pty
	wait_log 'exit service=pty '
	assert_eq x "$(dial -s x "tcp://127.0.0.1:$(port_of echo)")"
}

@test "a handler keeps its deadlines over a reload" {
	conf "$(service hold "$hold max_runtime = 1500ms")"
	start_minetd
	held_by hold
	conf "$(service hold "$hold")"
	reload
	held_by hold
	wait_log 'exit service=hold id=1 .* end=overdue'
	alive "$MINETD_PID"
	assert_eq 0 "$(count_log 'exit service=hold id=2 ')"
}

@test "a handler keeps its deadlines over an upgrade, one that is ending too" {
	script told <<-'END' >/dev/null
		#!/bin/sh
		trap 'echo told' TERM
		while :; do tail -f /dev/null & wait; done
	END
	dir=$(public_dir)
	conf "$(service over "$hold max_runtime = 2s stop_signal = INT")
	$(service idle "$hold idle = 2s")
	$(service told "exec = \"$dir/told\" max_runtime = 300ms
		kill_grace = 2s")"
	start_minetd
	hold_client told
	told=$CLIENT_OUT
	held_by over
	held_by idle
	wait_until 5 grep -q told "$told"
	upgrade
	wait_log 'exit service=over .* signal=2 .* end=overdue'
	wait_log 'exit service=idle .* signal=15 .* end=idle'
	wait_log 'exit service=told .* signal=9 .* end=overdue'
}

@test "what cannot be measured is an error, and as a default does nothing" {
	conf "$(service u "$hold idle = 5s first_byte = 5s" unix:///x)
	$(service m "$hold idle = 5s mptcp = yes")
	$(service d "$hold first_byte = 5s" udp://127.0.0.1:0)
	$(service w "$hold wait = yes idle = 5s")"
	run -78 "$MINETD" -t -c "$CONF"
	assert_match 'idle: cannot be measured of a handler on such' "$output"
	assert_match 'first_byte: cannot be measured of a handler on' "$output"
	assert_match 'idle: cannot be measured of a handler with mptcp' "$output"
	conf "defaults { idle = 300ms first_byte = 300ms }
	$(service u "$hold" "unix://$BATS_TEST_TMPDIR/s")"
	run -0 "$MINETD" -t -c "$CONF"
}
