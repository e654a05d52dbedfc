#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Every kind of socket: that it is reached by programs that know such sockets,
# and that it is the same socket throughout.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/inherit
load ../lib/sockets

setup()
{
	daemon_setup
	dir=$(public_dir)
	name=minetd-$$-$BATS_TEST_NUMBER
}

# env_conf: a service of each kind of connection that can be had here; all tell
# what they know of the client.
env_conf()
{
	conf <<-END
	service "four" { listen = "tcp://127.0.0.1:0" exec = "/usr/bin/env" }
	service "six" { listen = "tcp://[::1]:0" exec = "/usr/bin/env" }
	service "stream" { listen = "unix://$dir/stream" exec = "/usr/bin/env" }
	service "packets" { listen = "unix-seqpacket://$dir/packets" exec = "/usr/bin/env" }
	service "name" { listen = "unix://@$name" exec = "/usr/bin/env" }
	service "names" { listen = "unix-seqpacket://@$name" exec = "/usr/bin/env" }
	END
}

# every_conf [KEYS]: a listener of each kind there is, with these keys.
every_conf()
{
	local hold
	hold=$(public_bin probe)
	conf <<-END
	defaults { ${1:-} }
	service "tcp" { listen = {"tcp://127.0.0.1:0", "tcp6://*:0"} exec = "/bin/cat" }
	service "mptcp" { listen = "tcp://127.0.0.1:0" mptcp = yes exec = "/bin/cat" }
	service "udp" { listen = {"udp://127.0.0.1:0", "udp://*:0"} exec = "/bin/cat" }
	service "stream" { listen = {"unix://$dir/stream", "unix://@$name"} exec = "/bin/cat" }
	service "packets" { listen = {"unix-seqpacket://$dir/packets",
		"unix-seqpacket://@$name"} exec = "/bin/cat" }
	service "dgram" { listen = {"unix-dgram://$dir/dgram", "unix-dgram://@$name"}
		wait = yes exec = {"$hold", "hold"} }
	service "vsock" { listen = "vsock://*:$((7000 + BATS_TEST_NUMBER))" exec = "/bin/cat" }
	END
}

# The sockets of every_conf, as the kernel has them.
every_inode()
{
	local service n
	for service in tcp mptcp; do
		for n in 1 2; do
			[[ $service$n == mptcp2 ]] ||
				inode_of tcp "$(bound_port "$service" "$n")"
		done
	done
	inode_of udp "$(bound_port udp 1)"
	inode_of udp "$(bound_port udp 2)"
	for n in stream packets dgram; do
		inode_of unix "$dir/$n"
	done
	inode_of unix "@$name"
}

# Whatever main has open, of the kind that the kernel does not list, too.
main_sockets()
{
	find "/proc/$MINETD_PID/fd" -lname 'socket:*' -printf '%l\n' | sort
}

# main_kept SOCKETS: those of every_conf are among them.
main_kept()
{
	(($(comm -12 <(echo "$1") <(main_sockets) | wc -l) == 12))
}

# ask WHAT...: socat as a client; prints what comes.
ask()
{
	socat -t 5 - "$1" </dev/null
}

@test "socat reaches a handler over each kind of connection" {
	need socat
	need_ipv6
	env_conf
	start_minetd
	assert_match 'PROTO=TCP' "$(ask "TCP4:127.0.0.1:$(port_of four)")"
	assert_match 'TCPREMOTEIP=::1' "$(ask "TCP6:[::1]:$(port_of six)")"
	local got
	for got in "$(ask "UNIX-CONNECT:$dir/stream")" \
		"$(ask "UNIX-CONNECT:$dir/packets,type=5")" \
		"$(ask "ABSTRACT-CONNECT:$name")" \
		"$(ask "ABSTRACT-CONNECT:$name,type=5")"; do
		assert_match $'PROTO=UNIX\nUNIXREMOTEUID=0\nUNIXREMOTEGID=0\nUNIXREMOTEPID=[0-9]+\n' "$got"
	done
	# Which of the two sockets of one name it was.
	assert_match 'MINETD_SERVICE=names' "$(ask "ABSTRACT-CONNECT:$name,type=5")"
	assert_match 'MINETD_SERVICE=name'$'\n' "$(ask "ABSTRACT-CONNECT:$name")"$'\n'
}

@test "ncat reaches a handler over TCP and a unix socket" {
	need ncat
	need_ipv6
	env_conf
	start_minetd
	assert_match 'PROTO=TCP' \
		"$(ncat -4 127.0.0.1 "$(port_of four)" </dev/null)"
	assert_match 'TCPREMOTEIP=::1' \
		"$(ncat -6 ::1 "$(port_of six)" </dev/null)"
	assert_match 'PROTO=UNIX' "$(ncat -U "$dir/stream" </dev/null)"
}

@test "the ids of a seqpacket client are its own" {
	need socat
	need_root
	env_conf
	start_minetd
	local client=(setpriv --reuid 1234 --regid 2345 --clear-groups
		socat -t 5 -)
	local at
	for at in "UNIX-CONNECT:$dir/packets,type=5" \
		"ABSTRACT-CONNECT:$name,type=5" "ABSTRACT-CONNECT:$name"; do
		assert_match $'UNIXREMOTEUID=1234\nUNIXREMOTEGID=2345\n' \
			"$("${client[@]}" "$at" </dev/null)"
	done
	wait_log "exit service=packets .* peer=uid:1234,pid:[0-9]+ local=$dir/packets "
	wait_log "exit service=name .* local=@$name "
}

@test "a seqpacket handler gets packets, and its answers are some" {
	need perl python3
	local handler
	handler=$(script lengths <<-'END'
	#!/usr/bin/perl
	while (sysread(STDIN, my $packet, 100000)) {
		syswrite(STDOUT, length($packet) . ":" . substr($packet, 0, 1));
	}
	END
	)
	conf "service \"packets\" { listen = \"unix-seqpacket://$dir/packets\"
		exec = {\"$handler\"} }"
	start_minetd
	run python3 - "$dir/packets" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	s.settimeout(10)
	s.connect(sys.argv[1])
	for packet in b"a", b"b" * 1000, b"c" * 65536:
	    s.send(packet)
	print(*(s.recv(1000).decode() for i in range(3)))
	s.shutdown(socket.SHUT_WR)
	print(s.recv(1000))
	END
	assert_eq $'1:a 1000:b 65536:c\nb\'\'' "$output"
}

@test "a handler on seqpacket and abstract sockets inherits nothing else" {
	need socat
	local probe transport
	probe=$(public_bin probe)
	conf <<-END
	service "packets" { listen = "unix-seqpacket://$dir/packets"
		exec = {"$probe", "report", "an argument"} argv0 = "asked" }
	service "name" { listen = "unix://@$name"
		exec = {"$probe", "report", "an argument"} argv0 = "asked" }
	END
	start_minetd
	REPORT=$BATS_TEST_TMPDIR/report
	local at
	for at in "UNIX-CONNECT:$dir/packets,type=5" "ABSTRACT-CONNECT:$name"; do
		ask "$at" >"$REPORT"
		grep -qx 'end=' "$REPORT"
		{
			want_no_traces
			want_defaults
			want_descriptors
			"$TESTBIN/probe" sockopts unix | grep -v '^so.TYPE='
		} | expect "$at"
		check_environment unix
	done
}

@test "an mptcp listener serves those who speak it, and those who do not" {
	need python3
	conf 'service "m" { listen = "tcp://127.0.0.1:0" mptcp = yes exec = {"/usr/bin/env"} }'
	start_minetd || skip_or_fail "needs mptcp"
	assert_match PROTO=TCP "$(dial "tcp://127.0.0.1:$(port_of m)")"
	run python3 - "$(port_of m)" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
	s.settimeout(10)
	s.connect(("127.0.0.1", int(sys.argv[1])))
	while got := s.recv(10000):
	    print(got.decode(), end="")
	END
	assert_match $'PROTO=TCP\nTCPLOCALIP=127.0.0.1\n' "$output"
}

@test "a vsock listener is bound, and once" {
	conf <<-END
	service "any" { listen = "vsock://*:7501" exec = {"/bin/cat"} }
	END
	start_minetd
	assert_eq 'vsock://*:7501' "$(bound_at any)"
	# Another daemon has to wait for it.
	local first=$MINETD_PID
	conf <<-END
	service "any" { listen = "vsock://*:7501" exec = {"/bin/cat"} }
	service "echo" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }
	END
	start_minetd
	wait_log 'degraded service=any addr=vsock://\*:7501 step=bind error="Address already in use"'
	kill "$first"
	wait_log 'listen service=any addr=vsock://\*:7501'
}

@test "one vsock port of two services is refused" {
	conf <<-END
	service "a" { listen = "vsock://*:7501" exec = {"/bin/cat"} }
	service "b" { listen = "vsock://1:7501" exec = {"/bin/cat"} }
	END
	run -78 "$MINETD" -t -c "$CONF"
	assert_match 'overlaps' "$output"
	conf <<-END
	service "a" { listen = "vsock://*:7501" exec = {"/bin/cat"} }
	service "b" { listen = "vsock://1:7502" exec = {"/bin/cat"} }
	END
	"$MINETD" -t -c "$CONF"
}

@test "an abstract name can be two services' when its types differ" {
	conf <<-END
	service "a" { listen = "unix://@$name" exec = {"/bin/cat"} }
	service "b" { listen = "unix-seqpacket://@$name" exec = {"/bin/cat"} }
	END
	"$MINETD" -t -c "$CONF"
	conf <<-END
	service "a" { listen = "unix://@$name" exec = {"/bin/cat"} }
	service "b" { listen = "unix://@$name" exec = {"/bin/cat"} }
	END
	run -78 "$MINETD" -t -c "$CONF"
	conf <<-END
	service "a" { listen = "unix://$dir/x" exec = {"/bin/cat"} }
	service "b" { listen = "unix-seqpacket://$dir/x" exec = {"/bin/cat"} }
	END
	run -78 "$MINETD" -t -c "$CONF"
	assert_match 'overlaps' "$output"
}

@test "owner and mode are those configured, of each unix socket" {
	need_root
	every_conf 'socket_user = "daemon" socket_group = "bin" socket_mode = "0620"'
	start_minetd
	local file
	for file in stream packets dgram; do
		assert_eq "daemon bin 620" "$(stat -c '%U %G %a' "$dir/$file")"
	done
}

@test "a file that a dead socket has left is replaced, one in use is not" {
	local kind
	# Nobody has these any more.
	for kind in stream seqpacket dgram; do
		(
			close_fds
			exec "$TESTBIN/handdown" "$kind" "$dir/$kind" -- true
		)
	done
	kinds_conf()
	{
		conf <<-END
		service "stream" { listen = "unix://$dir/stream" exec = {"/bin/cat"} }
		service "seqpacket" { listen = "unix-seqpacket://$dir/seqpacket"
			exec = {"/bin/cat"} }
		service "dgram" { listen = "unix-dgram://$dir/dgram" wait = yes
			exec = {"/bin/cat"} }
		service "other" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }
		END
	}
	kinds_conf
	start_minetd
	assert_eq 0 "$(count_log '(^| )degraded service=')"
	# A second daemon leaves them to the first.
	local files
	files=$(stat -c %i "$dir/stream" "$dir/seqpacket" "$dir/dgram")
	start_minetd
	assert_eq 3 "$(count_log 'degraded .* step=bind error="Address already in use"')"
	stop_minetd
	assert_eq "$files" \
		"$(stat -c %i "$dir/stream" "$dir/seqpacket" "$dir/dgram")"
}

@test "a reload keeps the socket of each kind" {
	every_conf
	start_minetd
	local before main
	before=$(every_inode)
	main=$(main_sockets)
	assert_eq 11 "$(wc -l <<<"$before")" "sockets"
	every_conf 'instances = 3'
	reload
	assert_match ' kept=12 opened=0 removed=0 degraded=0 ' "$RELOADED"
	assert_eq "$before" "$(every_inode)"
	wait_until 5 main_kept "$main"
}

@test "an upgrade keeps the socket of each kind" {
	every_conf
	start_minetd
	local before main
	before=$(every_inode)
	main=$(main_sockets)
	upgrade
	assert_eq "$before" "$(every_inode)"
	wait_until 5 main_kept "$main"
	assert_eq x "$(talk tcp x)"
	assert_eq x "$(talk mptcp x)"
	[[ -S $dir/stream && -S $dir/packets && -S $dir/dgram ]]
	# What is removed afterwards is known for what it is.
	conf 'service "other" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	reload
	assert_match ' removed=12 ' "$RELOADED"
	[[ ! -e $dir/stream && ! -e $dir/packets && ! -e $dir/dgram ]]
}

@test "a stop removes the paths of each kind" {
	every_conf
	start_minetd
	[[ -S $dir/stream && -S $dir/packets && -S $dir/dgram ]]
	stop_minetd
	assert_eq '' "$(find "$dir" -type s)"
}

@test "a path becomes a socket of another type" {
	need socat
	conf "service \"a\" { listen = \"unix://$dir/x\" exec = {\"/bin/echo\", \"stream\"} }"
	start_minetd
	assert_eq stream "$(ask "UNIX-CONNECT:$dir/x")"
	conf "service \"a\" { listen = \"unix-seqpacket://$dir/x\" exec = {\"/bin/echo\", \"packets\"} }"
	reload
	assert_match ' opened=1 removed=1 degraded=0 ' "$RELOADED"
	assert_eq 0 "$(count_log '(^| )degraded service=')"
	assert_eq packets "$(ask "UNIX-CONNECT:$dir/x,type=5")"
	# The old one, which is closed later, does not take the new file along.
	wait_log "close service=a addr=unix://$dir/x"
	assert_eq packets "$(ask "UNIX-CONNECT:$dir/x,type=5")"
}

@test "an abstract name goes over to another service" {
	need socat
	conf "service \"a\" { listen = \"unix://@$name\" exec = {\"/bin/echo\", \"a\"} }"
	start_minetd
	local inode
	inode=$(inode_of unix "@$name")
	assert_eq a "$(ask "ABSTRACT-CONNECT:$name")"
	conf "service \"b\" { listen = \"unix://@$name\" exec = {\"/bin/echo\", \"b\"} }"
	reload
	assert_eq b "$(ask "ABSTRACT-CONNECT:$name")"
	assert_eq "$inode" "$(inode_of unix "@$name")"
}

@test "an abstract name that was removed and is wanted again serves again" {
	need socat
	local with without
	without='service "t" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }'
	with="service \"a\" { listen = \"unix://@$name\" exec = {\"/bin/echo\", \"a\"} }"
	conf "$with $without"
	start_minetd
	conf "$without"
	reload
	conf "$with $without"
	reload
	serves() { [[ $(ask "ABSTRACT-CONNECT:$name" 2>/dev/null) == a ]]; }
	wait_until 5 serves
	newest() { [[ $(count_log "listen service=a ") == 2 ]]; }
	wait_until 5 newest
	serves
}

@test "a udp port goes from every address to one, and back" {
	local port
	conf 'service "u" { listen = "udp4://*:0" exec = {"/bin/cat"} }'
	start_minetd
	port=$(bound_port u)
	conf "service \"u\" { listen = \"udp://127.0.0.1:$port\" exec = {\"/bin/cat\"} }"
	reload
	assert_match ' opened=1 removed=1 degraded=0 ' "$RELOADED"
	wait_log "close service=u addr=udp://0.0.0.0:$port"
	assert_match "127.0.0.1:$port " "$(ss -Hlun "sport = :$port")"
	assert_eq 1 "$(inode_of udp "$port" | wc -l)"
	conf "service \"u\" { listen = \"udp4://*:$port\" exec = {\"/bin/cat\"} }"
	reload
	wait_log "close service=u addr=udp://127.0.0.1:$port"
	assert_match "0.0.0.0:$port " "$(ss -Hlun "sport = :$port")"
	assert_eq 1 "$(inode_of udp "$port" | wc -l)"
}

@test "a degraded udp listener is opened when the port is free" {
	local port other
	conf <<-END
	service "u" { listen = "udp://127.0.0.1:0" exec = {"/bin/cat"} }
	END
	start_minetd
	port=$(bound_port u)
	other=$MINETD_PID
	conf <<-END
	service "u" { listen = "udp://127.0.0.1:$port" exec = {"/bin/cat"} }
	service "t" { listen = "tcp://127.0.0.1:0" exec = {"/bin/cat"} }
	END
	start_minetd
	wait_log 'degraded service=u .* step=bind error="Address already in use"'
	kill "$other"
	wait_log "listen service=u addr=udp://127.0.0.1:$port"
}
