#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What handlers that wait have taken, and what they have left: nobody is held
# back, or thrown away, on a suspicion.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/inherit
load ../lib/sockets

setup()
{
	daemon_setup
	dir=$BATS_TEST_TMPDIR/open
	mkdir -m 1777 "$dir"
	chmod 1777 "$dir"
	waiter=$(public_bin waiter)
}

# serve LISTEN [OPTION...]: w, whose handlers are waiter with these options; they
# take one client, or datagram, each.  ACTIVATION is how they get the sockets.
serve()
{
	local words
	printf -v words ', "%s"' "${@:2}"
	(($# > 1)) || words=
	conf "service \"w\" { listen = {$1} wait = yes
		activation = \"${ACTIVATION:-inetd}\"
		log_connections = \"verbose\" exec = {\"$waiter\"$words} }"
	start_minetd
}

exits()
{
	(($(count_log 'exit service=w ') >= $1))
}

starts()
{
	count_log 'start service=w '
}

# all_served CLIENTS TIMES ADDRESS...: so many clients at each address connect so
# often, all at once, and are served; and nobody was suspected.
all_served()
{
	local address pids=() pid n
	for address in "${@:3}"; do
		for ((n = 0; n < $1; n++)); do
			dial -t 20 -c "$2" "$address" >>"$dir/answers" &
			pids+=($!)
		done
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	assert_eq "$(($1 * $2 * ($# - 2)))" "$(wc -l <"$dir/answers")" "answers"
	assert_eq 0 "$(count_log 'throttle ')" "times held back"
	frontend_well
}

frontend_well()
{
	assert_eq 0 "$(count_log 'frontend event=(malformed|ended)')" "deaths"
}

# queued TCP_PORT N: so many clients wait there to be accepted.
queued()
{
	[[ $(ss -Hltn "sport = :$1" | awk '{ print $2 }') == "$2" ]]
}

@test "handlers that take one unix client each are never held back" {
	serve "\"unix://$dir/socket\""
	all_served 5 20 "unix://$dir/socket"
}

@test "handlers that take one tcp client of many each are never held back" {
	serve '"tcp://127.0.0.1:0"'
	all_served 40 5 "tcp://127.0.0.1:$(port_of w)"
}

@test "one handler for two busy tcp sockets is never held back" {
	ACTIVATION=systemd serve '"tcp://127.0.0.1:0", "tcp://127.0.0.2:0"' -a
	all_served 6 20 "tcp://127.0.0.1:$(port_of w 1)" \
		"tcp://127.0.0.2:$(port_of w 2)"
}

@test "one handler for a busy unix and a busy tcp socket is never held back" {
	ACTIVATION=systemd serve "\"unix://$dir/socket\", \"tcp://127.0.0.1:0\"" -a
	all_served 6 20 "unix://$dir/socket" "tcp://127.0.0.1:$(port_of w)"
}

@test "clients at a socket that a reload takes from several are served" {
	local front one two n
	ACTIVATION=systemd serve '"tcp://127.0.0.1:0", "tcp://127.0.0.2:0"' -a
	one=$(port_of w 1)
	two=$(port_of w 2)
	front=$(frontend_pid)
	kill -STOP "$front"
	for n in 1 2 3 4; do
		hold_client "tcp://127.0.0.1:$one"
		hold_client "tcp://127.0.0.2:$two"
	done
	wait_until 5 queued "$one" 4
	wait_until 5 queued "$two" 4
	conf "service \"w\" { listen = \"tcp://127.0.0.1:$one\" wait = yes
		activation = systemd exec = {\"$waiter\", \"-a\"} }"
	kill -HUP "$MINETD_PID"
	kill -CONT "$front"
	wait_log 'reload result=ok' 10
	wait_until 10 exits 8
	wait_log 'close service=w '
	frontend_well
}

@test "what handlers have left at a unix socket is known, and held back" {
	serve "\"unix://$dir/socket\"" -b "$dir/go"
	hold_client "unix://$dir/socket"
	wait_log 'throttle service=w addr=unix://.* reason=not_consumed msec=50'
	wait_log 'start service=w id=5 '
	(($(starts) < 8))
	: >"$dir/go"
	wait_until 5 grep -q . "$CLIENT_OUT"
	wait_log 'resume service=w '
}

@test "what handlers have left at one of several sockets is held back" {
	ACTIVATION=systemd serve '"tcp://127.0.0.1:0", "tcp://127.0.0.2:0"' \
		-a -b "$dir/go"
	hold_client "tcp://127.0.0.2:$(port_of w 2)"
	wait_log 'throttle service=w addr=tcp://127.0.0.2:.* reason=not_consumed'
	# It takes longer to be certain.
	(($(starts) < 45))
	: >"$dir/go"
	wait_until 5 grep -q . "$CLIENT_OUT"
	wait_log 'resume service=w '
}

@test "a program that is missing is known to leave everybody" {
	waiter=/nonexistent serve "\"unix://$dir/socket\""
	hold_client "unix://$dir/socket"
	wait_log 'throttle service=w '
	(($(starts) < 6))
}

@test "a handler that stays does not wake the frontend for its clients" {
	local front before
	serve '"tcp://127.0.0.1:0"' -n 1000
	talk w
	front=$(frontend_pid)
	before=$(switches "$front")
	dial -c 300 "tcp://127.0.0.1:$(port_of w)" >/dev/null
	# It is asked each second whether it is alive.
	(($(switches "$front") - before < 60))
	assert_eq 1 "$(starts)" "handlers"
}

# How often a process has waited.
switches()
{
	sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$1/status"
}

@test "handlers that leave what is there do not keep us busy" {
	local before
	serve '"udp://127.0.0.1:0"' -b "$dir/never"
	need socat
	before=$(busy)
	printf 'one' | socat -u - "UDP:127.0.0.1:$(bound_port w)"
	# It is the seventh that has had to wait for 1.6 s.
	wait_until 15 exits 7
	# Hundredths of a second, of main and frontend.
	(($(busy) - before < 15))
}

# What the daemon has used of the processor, in hundredths of a second.
busy()
{
	cat "/proc/$MINETD_PID/stat" "/proc/$(frontend_pid)/stat" |
		sed 's/.*) //' | awk '{ sum += $12 + $13 } END { print sum }'
}

# How many datagrams the kernel has found to be damaged.
damaged()
{
	nstat -asz UdpInCsumErrors | awk '/UdpInCsum/ { print $2 }'
}

@test "a datagram that is damaged starts no handler, and an intact one does" {
	need_root
	need python3 nstat socat
	local before port
	conf "service \"w\" { listen = \"udp://127.0.0.1:0\" wait = yes
		log_connections = \"verbose\" exec = {\"$waiter\"} }
	service \"echo\" { listen = \"tcp://127.0.0.1:0\" exec = {\"/bin/cat\"} }"
	start_minetd
	port=$(bound_port w)
	before=$(damaged)
	python3 - "$port" <<-'END'
	import socket, struct, sys
	raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
	# Short ones never get as far as the queue.
	raw.sendto(struct.pack("!HHHH", 40000, int(sys.argv[1]), 208, 1) +
	    200 * b"x", ("127.0.0.1", 0))
	END
	more_damaged() { (($(damaged) > before)); }
	wait_until 5 more_damaged
	# What main was asked for before this, it has done.
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(starts)" "handlers"
	assert_match ' intact$' \
		"$(printf intact | socat -t 5 -T 5 - "UDP:127.0.0.1:$port")"
	assert_eq 1 "$(starts)" "handlers"
}

# report_of LISTEN CLIENT...: keep in REPORT what probe says of itself when it
# gets this socket.  It takes nobody, so others follow.
report_of()
{
	local look
	# shellcheck disable=SC2016	# for that shell
	look=$(printf '#!/bin/sh\nexec "%s" "$@" >"%s.$$"\n' \
		"$(public_bin probe)" "$dir/report" | script look)
	conf "service \"w\" { listen = {\"$1\"} wait = yes argv0 = \"asked\"
		exec = {\"$look\", \"report\", \"an argument\"} }"
	start_minetd
	"${@:2}"
	wait_until 5 exits 1
	REPORT=$dir/report.$(log_field pid "$(log_line 'exit service=w ')")
	grep -qx 'end=' "$REPORT"
}

# What is the same in every handler.
check_report()
{
	local uid gid
	uid=$(id -u nobody)
	gid=$(id -g nobody)
	{
		want_no_traces
		want_identity "$uid" "$gid" \
			"$(id -G nobody | tr ' ' '\n' | sort -n | paste -sd ' ')"
		want_starter
		printf '%s\n' 'fds=0 1 2' cwd=/ umask=022 oom_score_adj=0 \
			'argv.2=an argument' so.TIMESTAMP=0 so.LINGER=0,0 \
			so.KEEPALIVE=0 so.REUSEPORT=0 \
			so.RCVTIMEO=0.000000 so.PEEK_OFF=-1
		printf 'fd.%d.nonblock=0\nfd.%d.async=0\nfd.%d.cloexec=0\n' \
			0 0 0 2 2 2
	} | expect "$1"
	assert_eq "$2" "$(sed -n 's/^env \([^=]*\)=.*/\1/p' "$REPORT" |
		LC_ALL=C sort | paste -sd ' ')" "the environment"
}

@test "a handler that gets a tcp socket inherits nothing else" {
	need_root
	report_of 'tcp://127.0.0.1:0' hold_client w
	check_report tcp "HOME LOGNAME MINETD_ID MINETD_SERVICE PATH PROTO PWD \
SHELL TCPLOCALIP TCPLOCALPORT USER"
	assert_match '^[1-9]' "$(said 'env TCPLOCALPORT')"
}

@test "a handler that gets a udp socket inherits nothing else" {
	need_root
	need socat
	report_of 'udp://127.0.0.1:0' datagram
	check_report udp "HOME LOGNAME MINETD_ID MINETD_SERVICE PATH PROTO PWD \
SHELL UDPLOCALIP UDPLOCALPORT USER"
	assert_eq 0 "$(said so.IP_PKTINFO)"
}

datagram()
{
	printf x | socat -u - "UDP:127.0.0.1:$(bound_port w)"
}
