#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# fd://NAME: sockets that whoever started the daemon has opened for it.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/inherit
load ../lib/sockets

setup()
{
	daemon_setup
	dir=$(public_dir)
}

# names_conf NAME...: a service of each name that tells its name.
names_conf()
{
	local name
	for name; do
		printf 'service "%s" { listen = "fd://%s" exec = {"/bin/echo", "%s"} }\n' \
			"$name" "$name" "$name"
	done | conf
}

# said_at PORT
said_at()
{
	dial "tcp://127.0.0.1:$1"
}

# of_unix TYPE ADDRESS: 1 is a stream, 5 a seqpacket.
of_unix()
{
	local address=UNIX-CONNECT:$2
	[[ $2 != @* ]] || address=ABSTRACT-CONNECT:${2#@}
	socat -t 5 - "$address,type=$1" </dev/null
}

@test "an inherited listener of each kind is served" {
	need socat
	need_ipv6
	handed_down -n four:six:stream:packets:both \
		tcp4 0 tcp6 0 stream "$dir/stream" seqpacket @minetd-$$ dual 0
	names_conf four six stream packets both
	start_minetd
	assert_match '^tcp://0\.0\.0\.0:[0-9]+$' "$(bound_at four)"
	assert_eq four "$(said_at "$(bound_port four)")"
	assert_match '^tcp6://\*:[0-9]+$' "$(bound_at six)"
	assert_eq six "$(dial "tcp://[::1]:$(bound_port six)")"
	assert_eq "unix://$dir/stream" "$(bound_at stream)"
	assert_eq stream "$(of_unix 1 "$dir/stream")"
	assert_eq "unix-seqpacket://@minetd-$$" "$(bound_at packets)"
	assert_eq packets "$(of_unix 5 "@minetd-$$")"
	assert_match '^tcp://\*:[0-9]+$' "$(bound_at both)"
	assert_eq both "$(said_at "$(bound_port both)")"
	assert_eq both "$(dial "tcp://[::1]:$(bound_port both)")"
	# Lines of the log have the path, not the name.
	wait_log "exit service=stream .* local=$dir/stream "
	wait_log "exit service=packets .* local=@minetd-$$ "
}

@test "inherited datagram sockets, mptcp and vsock are known for what they are" {
	local probe
	probe=$(public_bin probe)
	handed_down -n u:d:v:m udp4 0 dgram "$dir/dgram" vsock 5000 mptcp 0
	conf <<-END
	service "u" { listen = "fd://u" wait = yes exec = {"$probe", "hold"} }
	service "d" { listen = "fd://d" wait = yes exec = {"$probe", "hold"} }
	service "v" { listen = "fd://v" exec = {"/bin/cat"} }
	service "m" { listen = "fd://m" exec = {"/bin/cat"} }
	END
	start_minetd
	assert_match '^udp://0\.0\.0\.0:[0-9]+$' "$(bound_at u)"
	assert_eq "unix-dgram://$dir/dgram" "$(bound_at d)"
	assert_match '^vsock://.*:5000$' "$(bound_at v)"
	assert_match '^tcp://0\.0\.0\.0:[0-9]+$' "$(bound_at m)"
	assert_eq m "$(dial -s m "tcp://127.0.0.1:$(bound_port m)")"
}

@test "a name stands for all sockets of that name, in their order" {
	handed_down -n a:b:a tcp4 0 tcp4 0 stream @minetd-$$
	names_conf a b
	start_minetd
	assert_match ^tcp: "$(bound_at a 1)"
	assert_eq "unix://@minetd-$$" "$(bound_at a 2)"
	assert_eq a "$(said_at "$(bound_port a 1)")"
	assert_eq a "$(of_unix 1 "@minetd-$$")"
	assert_eq b "$(said_at "$(bound_port b)")"
}

@test "sockets without a name are called unknown" {
	handed_down tcp4 0 tcp4 0
	names_conf unknown
	start_minetd
	assert_eq unknown "$(said_at "$(bound_port unknown 1)")"
	assert_eq unknown "$(said_at "$(bound_port unknown 2)")"
	stop_minetd
	# Nor is a name that cannot be written, or one that is missing.
	handed_down -n "a::b c" tcp4 0 tcp4 0 tcp4 0 tcp4 0
	names_conf a unknown
	start_minetd
	assert_eq 3 "$(grep -c 'listen service=unknown' "$LOG")"
	assert_eq a "$(said_at "$(bound_port a)")"
}

@test "what was meant for another process is closed, and not served" {
	handed_down -n a -p 1 tcp4 0
	conf <<-END
	service "a" { listen = "fd://a" exec = {"/bin/cat"} }
	service "echo" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }
	END
	start_minetd
	wait_log 'degraded service=a addr=fd://a step=inherited error="No such file'
	assert_eq x "$(talk echo x)"
	# Its own listener, signals, epoll, and the frontend's channel.
	local sockets
	sockets=$(find "/proc/$MINETD_PID/fd" -lname 'socket:*' | wc -l)
	assert_eq 2 "$sockets" "sockets of main"
	stop_minetd
	handed_down -n a tcp4 0
	start_minetd
	assert_match ^tcp: "$(bound_at a)"
}

@test "with nothing but missing sockets, or strict = yes, there is no start" {
	handed_down -n b tcp4 0
	names_conf a
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS"
	names_conf a b
	echo 'strict = yes' >>"$CONF"
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS"
	handed_down -n b:a tcp4 0 tcp4 0
	start_minetd
}

@test "what is no listener is degraded, and says why" {
	handed_down -n null:pair:loose:netlink:good \
		null pair loose tcp4 0 netlink tcp4 0
	names_conf null pair loose netlink good
	start_minetd
	wait_log 'degraded .*addr=fd://null step=inherited error="Socket operation on non-socket"'
	wait_log 'degraded .*addr=fd://pair step=connected error='
	wait_log 'degraded .*addr=fd://loose step=address error='
	wait_log 'degraded .*addr=fd://netlink step=kind error="Socket type not supported"'
	assert_eq good "$(said_at "$(bound_port good)")"
}

@test "a descriptor that is closed leaves the others their names" {
	handed_down -n a:b:c tcp4 0 gap tcp4 0
	names_conf a b c
	start_minetd
	wait_log 'degraded service=b addr=fd://b step=inherited '
	assert_eq a "$(said_at "$(bound_port a)")"
	assert_eq c "$(said_at "$(bound_port c)")"
}

@test "a service that cannot be done on the socket is degraded" {
	handed_down -n u:t udp4 0 tcp4 0
	conf <<-END
	service "u" { listen = "fd://u" pty = yes exec = {"/bin/cat"} }
	service "t" { listen = "fd://t" exec = {"/bin/cat"} }
	END
	start_minetd
	wait_log 'degraded service=u addr=fd://u step=service error='
	assert_match ^tcp: "$(bound_at t)"
}

@test "nobody waits for a missing socket" {
	# News of addresses are what the others are retried by.
	watches_addresses()
	{
		local inode
		while read -r inode; do
			! main_has "$inode" || return 0
		done < <(awk '$2 == 0 { print $10 }' /proc/net/netlink)
		return 1
	}
	handed_down -n a tcp4 0
	names_conf a b
	start_minetd
	wait_log 'degraded service=b '
	run ! watches_addresses
	conf <<-END
	service "a" { listen = "fd://a" exec = {"/bin/cat"} }
	service "c" { listen = "tcp://192.0.2.1:1" exec = {"/bin/cat"} }
	END
	reload
	watches_addresses
}

@test "a socket that was only bound is listened at" {
	handed_down -n a:b bound tcp4 0 bound stream "$dir/stream"
	names_conf a b
	start_minetd
	assert_eq a "$(said_at "$(bound_port a)")"
	assert_eq b "$(of_unix 1 "$dir/stream")"
}

@test "the options of an inherited socket are left alone" {
	handed_down -n a tcp4 0
	conf <<-END
	service "a" { listen = {"fd://a", "tcp://127.0.0.1:0"}
		backlog = 100 receive_buffer = 50000 exec = {"/bin/cat"} }
	END
	start_minetd
	local port line
	port=$(bound_port a)
	[[ $(bound_at a) == *0.0.0.0* ]] || port=$(bound_port a 2)
	line=$(ss -Hltnm "sport = :$port")
	assert_match '^LISTEN 0 +7 ' "$line"
	assert_no_match 'rb100000' "$line"
	line=$(ss -Hltnm "sport = :$(port_of a)")
	assert_match '^LISTEN 0 +100 ' "$line"
	assert_match 'rb100000' "$line"
}

@test "a path is neither given to anybody nor removed" {
	handed_down -n a stream "$dir/socket"
	conf <<-END
	service "a" { listen = {"fd://a", "unix://$dir/own"} exec = {"/bin/echo", "a"}
		socket_user = "daemon" socket_mode = "0600" }
	END
	start_minetd
	assert_eq a "$(of_unix 1 "$dir/socket")"
	assert_eq "root 755" "$(stat -c '%U %a' "$dir/socket")"
	assert_eq "daemon 600" "$(stat -c '%U %a' "$dir/own")"
	local file
	file=$(stat -c %i "$dir/socket")
	conf 'service "b" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	reload
	stop_minetd
	assert_eq "$file" "$(stat -c %i "$dir/socket")" "the file"
	[[ ! -e $dir/own ]]
}

@test "handlers get nothing of it, and the frontend only what it serves" {
	need_ipv6
	local probe
	probe=$(public_bin probe)
	handed_down -n a:b tcp4 0 tcp4 0
	conf <<-END
	service "a" { listen = "fd://a" exec = {"$probe", "report"} argv0 = "asked" }
	END
	start_minetd
	probe_report "tcp://127.0.0.1:$(bound_port a)"
	want_descriptors | expect "the handler"
	check_environment tcp4
	local front unclaimed
	front=$(frontend_pid)
	unclaimed=$(readlink "/proc/$MINETD_PID/fd/4")
	main_has "${unclaimed//[^0-9]/}"
	assert_eq '' "$(find "/proc/$front/fd" -lname "$unclaimed")"
}

@test "pass_env passes on the names alone, as they were understood" {
	handed_down -n a::b tcp4 0 tcp4 0 gap
	conf <<-END
	service "a" { listen = "fd://a" exec = {"/usr/bin/env"}
		pass_env = {"LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID"} }
	END
	start_minetd
	assert_eq LISTEN_FDNAMES=a:unknown \
		"$(said_at "$(bound_port a)" | grep LISTEN_)"
}

@test "the handler's connection blocks, the listener does not" {
	handed_down -n a tcp4 0
	names_conf a
	start_minetd
	local flags
	flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$MINETD_PID/fdinfo/3")
	(((8#$flags & 8#4000) != 0)) || fail "flags $flags"
}

@test "what no listener has is told once, and a reload can have it" {
	handed_down -n a:b tcp4 0 tcp4 0
	names_conf a
	start_minetd
	assert_eq 1 "$(count_log '(^| )unclaimed name=b fd=4 ')"
	reload
	assert_eq 1 "$(count_log '(^| )unclaimed ')"
	names_conf a b
	reload
	assert_eq b "$(said_at "$(bound_port b)")"
}

@test "a reload keeps the socket, also for another service" {
	handed_down -n a tcp4 0
	names_conf a
	start_minetd
	local port inode
	port=$(bound_port a)
	inode=$(inode_of tcp "$port")
	conf 'service "other" { listen = "fd://a" exec = {"/bin/echo", "other"} }'
	reload
	assert_match ' kept=1 opened=0 removed=0 ' "$RELOADED"
	assert_eq other "$(said_at "$port")"
	assert_eq "$inode" "$(inode_of tcp "$port")"
}

@test "clients of a removed one wait for whoever takes it up again" {
	handed_down -n a tcp4 0
	names_conf a
	start_minetd
	local port
	port=$(bound_port a)
	assert_eq a "$(said_at "$port")"
	conf 'service "b" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	reload
	assert_match ' removed=1 ' "$RELOADED"
	assert_eq x "$(talk b x)"
	hold_client "tcp://127.0.0.1:$port"
	waits() { [[ $(ss -Hltn "sport = :$port" | awk '{ print $2 }') == 1 ]]; }
	wait_until 5 waits
	assert_eq 0 "$(count_log '(^| )close ')"
	names_conf a
	reload
	wait_until 5 grep -qx a "$CLIENT_OUT"
}

@test "a reload is no hindrance to clients that the frontend has just accepted" {
	handed_down -n a tcp4 0
	local i port
	names_conf a
	start_minetd
	port=$(bound_port a)
	start_process "$TESTBIN/dial" -c 200 -t 20 -o "$BATS_TEST_TMPDIR/out" \
		"tcp://127.0.0.1:$port"
	for i in 1 2 3; do
		conf 'service "b" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
		reload
		names_conf a
		reload
	done
	wait_until 20 gone "$STARTED_PID"
	assert_eq 200 "$(grep -cx a "$BATS_TEST_TMPDIR/out")"
	assert_eq 0 "$(count_log 'event=malformed')"
}

@test "an upgrade hands them on, those that are served and the others" {
	need socat
	handed_down -n a:b:p tcp4 0 tcp4 0 seqpacket "$dir/packets"
	names_conf a p
	start_minetd
	local port inodes
	port=$(bound_port a)
	inodes=$(inode_of tcp "$port"; inode_of unix "$dir/packets")
	upgrade
	assert_eq a "$(said_at "$port")"
	assert_eq p "$(of_unix 5 "$dir/packets")"
	assert_eq "$inodes" \
		"$(inode_of tcp "$port"; inode_of unix "$dir/packets")"
	# And what a reload afterwards wants.
	names_conf b p
	reload
	assert_eq b "$(said_at "$(bound_port b)")"
	upgrade
	assert_eq b "$(said_at "$(bound_port b)")"
	names_conf a b p
	reload
	assert_match ' kept=2 opened=1 ' "$RELOADED"
	assert_eq a "$(said_at "$port")"
}

@test "an upgrade while a handler of a removed one runs" {
	handed_down -n a tcp4 0
	conf "service \"a\" { listen = \"fd://a\" exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	hold_client "tcp://127.0.0.1:$(bound_port a)"
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	conf 'service "b" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	reload
	upgrade
	assert_eq x "$(talk b x)"
	kill "$CLIENT_PID"
	wait_log 'exit service=a id=1 '
}

@test "they survive the way to the background" {
	handed_down -n a tcp4 0
	names_conf a
	start_daemonised
	assert_eq a "$(said_at "$(bound_port a)")"
}

# handdown ARGUMENT...: in the foreground, with none of the test's descriptors.
handdown()
{
	(
		close_fds
		exec "$TESTBIN/handdown" "$@"
	)
}

@test "-t knows the names, and what has two services" {
	names_conf a
	handdown -n a tcp4 0 -- "$MINETD" -t -c "$CONF"
	conf <<-END
	service "one" { listen = "fd://a" exec = {"/bin/cat"} }
	service "two" { listen = "fd://a" exec = {"/bin/cat"} }
	END
	run -78 handdown -n a tcp4 0 -- "$MINETD" -t -c "$CONF"
	assert_match 'overlaps' "$output"
}

@test "systemd-socket-activate starts it, and the first client is served" {
	need systemd-socket-activate
	names_conf web
	local port
	# A port that is free; who else takes it makes the test fail.
	port=$(handdown tcp4 0 -- true)
	port=${port#* }
	(
		close_fds
		exec systemd-socket-activate -l "127.0.0.1:$port" \
			--fdname=web "$MINETD" -f -c "$CONF" 2>>"$LOG"
	) &
	watch_minetd $!
	daemon_logs+=("$LOG")
	accepts() { [[ $(said_at "$port" 2>/dev/null) == web ]]; }
	wait_until 10 accepts
	wait_log 'listen service=web addr=fd://web local=tcp://127.0.0.1:'
	assert_eq web "$(said_at "$port")"
}
