#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# When clients are served: hours of the week, and the load of the machine.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/udp

# at_hour HOUR: the daemon's clock shows this hour, in a time zone made for it.
# Sets TODAY and YESTERDAY, as a configuration names them.
at_hour()
{
	local now
	printf -v now '%(%s)T'
	export TZ=HERE$((now / 3600 % 24 - $1))
	printf -v TODAY '%(%a)T' "$now"
	printf -v YESTERDAY '%(%a)T' "$((now - 86400))"
}

# times_conf KEYS: "echo" with them, and "always" without.
times_conf()
{
	conf <<-END
	service "echo" { listen = "tcp://127.0.0.1:${port:-0}" exec = "/bin/cat"
		log_connections = verbose $1 }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" }
	END
}

served()
{
	assert_eq hello "$(talk "${1:-echo}" hello)"
}

# denied [SERVICE [REASON]]: closed at once, and told; others are served.
denied()
{
	local before
	before=$(count_log "reject service=${1:-echo} ")
	assert_eq '' "$(talk "${1:-echo}" hello 2>/dev/null)"
	((before > 0)) ||
		wait_log "reject service=${1:-echo} peer=127.0.0.1:[0-9]+ reason=${2:-times}"
	served always
}

@test "a service is open within its hours, and not after them" {
	at_hour 12
	times_conf 'access_times = "11:00-14:00"'
	start_minetd
	served
	at_hour 15
	start_minetd
	denied
	assert_eq 0 "$(count_log 'start service=echo')"
	at_hour 9
	start_minetd
	denied
}

@test "hours go on beyond midnight" {
	at_hour 2
	times_conf 'access_times = "22:00-06:00"'
	start_minetd
	served
	at_hour 23
	start_minetd
	served
	at_hour 12
	start_minetd
	denied
}

@test "hours beyond midnight are those of the day on which they begin" {
	at_hour 2
	times_conf "access_times = \"$YESTERDAY 22:00-06:00\""
	start_minetd
	served
	times_conf "access_times = \"$TODAY 22:00-06:00\""
	start_minetd
	denied
}

@test "a day of the week is that of the local time" {
	# Wherever it is the same day in both, one of these is not.
	local hour
	for hour in 1 12 22; do
		at_hour "$hour"
		times_conf "access_times = \"$TODAY 00:00-24:00\""
		start_minetd
		served
		times_conf "access_times = \"$YESTERDAY 00:00-24:00\""
		start_minetd
		denied
	done
}

@test "one of several windows is enough" {
	at_hour 12
	times_conf "access_times = {\"$YESTERDAY 00:00-24:00\", \"01:00-02:00\", \"$TODAY 11:00-14:00\"}"
	start_minetd
	served
	times_conf "access_times = {\"$YESTERDAY 00:00-24:00\", \"01:00-02:00\"}"
	start_minetd
	denied
}

@test "a service without a window is never open, one without the key always" {
	times_conf 'access_times = {}'
	start_minetd
	denied
}

@test "a reload changes the hours" {
	local port
	at_hour 12
	times_conf 'access_times = "15:00-16:00"'
	start_minetd
	denied
	port=$(port_of echo)
	times_conf 'access_times = "15:00-13:00"'
	reload
	served
}

@test "hours of the defaults are those of each service without its own" {
	at_hour 12
	conf <<-'END'
	defaults { access_times = "15:00-16:00" }
	service "echo" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat"
		access_times = "00:00-24:00" }
	END
	start_minetd
	denied
}

@test "hours hold for clients of every kind of service" {
	at_hour 12
	local path
	path=$(public_dir)/socket
	conf <<-END
	defaults { access_times = "15:00-16:00" }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat"
		access_times = "00:00-24:00" }
	service "builtin" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "redirect" { listen = "tcp://127.0.0.1:0" redirect = "unix:///nowhere" }
	service "pty" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" pty = yes }
	service "local" { listen = "unix://$path" exec = "/bin/cat" }
	END
	start_minetd
	local service
	for service in builtin redirect pty; do
		denied "$service"
	done
	assert_eq '' "$(dial -s hello "unix://$path" 2>/dev/null)"
	wait_log 'reject service=local peer=uid:[0-9]+,pid:[0-9]+ reason=times'
	assert_eq 0 "$(count_log '^(start|exit) service=(builtin|redirect|pty|local)')"
}

@test "hours hold for those who ask for a service by name" {
	at_hour 12
	conf <<-'END'
	service "mux" { listen = "tcp://127.0.0.1:0" builtin = "tcpmux" }
	service "closed" { listen = "tcpmux://closed" exec = "/bin/cat"
		access_times = "15:00-16:00" }
	service "open" { listen = "tcpmux://open" exec = "/bin/cat"
		access_times = "11:00-14:00" }
	END
	start_minetd
	assert_match '^\+.*hello$' "$(talk mux $'open\r\nhello' | tr -d '\r\n')"
	assert_no_match hello "$(talk mux $'closed\r\nhello')"
	wait_log 'reject service=closed peer=127.0.0.1:[0-9]+ reason=times'
}

@test "a datagram out of hours is not answered" {
	at_hour 12
	conf <<-'END'
	service "open" { listen = "udp://127.0.0.1:0" builtin = "echo"
		access_times = "11:00-14:00" }
	service "closed" { listen = "udp://127.0.0.1:0" builtin = "echo"
		access_times = "15:00-16:00" }
	service "handler" { listen = "udp://127.0.0.1:0" exec = "/bin/cat"
		log_connections = verbose
		access_times = "15:00-16:00" }
	END
	start_minetd
	local closed handler
	closed=$(bound_port closed)
	handler=$(bound_port handler)
	client "$(bound_port open)" <<-END
	for port in $closed, $handler:
	    peer(port=port).send(b"hello")
	assert ask(peer(), b"hello") == b"hello"
	END
	wait_log 'reject service=closed peer=127.0.0.1:[0-9]+ reason=times'
	wait_log 'reject service=handler peer=127.0.0.1:[0-9]+ reason=times'
	assert_eq 0 "$(count_log 'start service=handler')"
}

@test "a service that gets the listener itself has no hours" {
	conf 'service "wait" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" wait = yes
		access_times = "11:00-14:00" }'
	run -78 "$MINETD" -t -c "$CONF"
	assert_match ':2: access_times: ' "$output"
}

busy()
{
	local load
	read -r load _ </proc/loadavg
	[[ ${load/./} -ge 10 ]]
}

@test "a service is closed while the load is too high" {
	conf <<-'END'
	service "echo" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" max_load = 0.05 }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "/bin/cat" max_load = 10000 }
	service "udp" { listen = "udp://127.0.0.1:0" builtin = "echo" max_load = 0.05 }
	END
	start_minetd
	start_process sh -c 'while :; do :; done'
	wait_until 25 busy || fail "no load"
	denied echo load
	client "$(bound_port udp)" <<<'peer().send(b"hello")'
	wait_log 'reject service=udp peer=127.0.0.1:[0-9]+ reason=load'
	assert_eq 0 "$(count_log 'frontend event=(died|restarted)')"
}

@test "a load of 0 is no limit" {
	start_process sh -c 'while :; do :; done'
	wait_until 25 busy || fail "no load"
	times_conf 'max_load = 0.0'
	start_minetd
	served
}
