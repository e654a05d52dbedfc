#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Handlers on a terminal: minetd-handler(7), "Terminals".

bats_require_minimum_version 1.5.0
load ../lib/daemon

# pty_conf EXEC [KEYS [MORE]]: a service "pty".
pty_conf()
{
	conf <<-END
	service "pty" { listen = {"tcp://127.0.0.1:0", "unix://$(public_dir)/pty"}
		exec = {$1} pty = yes ${2:-} }
	service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
	${3:-}
	END
}

# open_client [SERVICE]: a connection with the descriptor CLIENT.
open_client()
{
	exec {CLIENT}<>"/dev/tcp/127.0.0.1/$(port_of "${1:-pty}")"
}

# expect_text TEXT: it is what the client gets next.
expect_text()
{
	local got=
	IFS= read -r -N "${#1}" -t 5 -u "$CLIENT" got || true
	assert_eq "$1" "$got" "what comes"
}

# exits N: so many handlers have ended.
exits()
{
	(($(count_log 'exit service=pty') == $1))
}

@test "a program that never flushes answers each line as it comes" {
	pty_conf "\"$(public_bin stdio)\""
	start_minetd
	open_client
	expect_text 'name? '
	echo one >&"$CLIENT"
	expect_text $'hello one\nname? '
	echo two >&"$CLIENT"
	expect_text $'hello two\nname? '
	exec {CLIENT}>&-
}

@test "without pty the same program says nothing until it ends" {
	conf "service \"plain\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin stdio)\"} }"
	start_minetd
	local got=
	open_client plain
	echo one >&"$CLIENT"
	run ! read -r -N 1 -t 0.5 -u "$CLIENT" got
	exec {CLIENT}>&-
	assert_eq $'name? hello one\nname? \n1 lines' "$(talk plain $'one\n')"
}

@test "descriptors 0 to 2 are a controlling terminal of the handler's own" {
	local want
	want=$(printf '%s\n' isatty.0=1 isatty.1=1 isatty.2=1 controlling=1 session=1 foreground=1 size=80x24 "owner=$EUID" others=0)
	pty_conf "\"$(public_bin stdio)\", \"terminal\"" "user = \"$(id -un)\""
	start_minetd
	assert_eq "$want" "$(talk pty)"
	assert_eq "$want" "$(dial "unix://$(public_dir)/pty")"
}

@test "the terminal belongs to the user of the handler" {
	need_root
	pty_conf "\"$(public_bin stdio)\", \"terminal\"" 'user = nobody'
	start_minetd
	assert_match "owner=$(id -u nobody)"$'\n' "$(talk pty)"
}

@test "a handler on a terminal has these descriptors and no others" {
	pty_conf "\"$(public_bin probe)\", \"fds\""
	start_minetd
	local said tty
	said=$(talk pty)
	assert_match $'fds=0 1 2\nfd.0=/dev/pts/[0-9]+\n' "$said"
	tty=$(sed -n 's/^fd.0=//p' <<<"$said")
	assert_eq "$(printf "fds=0 1 2\n"; printf "fd.%d=$tty\nfd.%d.access=2\nfd.%d.nonblock=0\nfd.%d.async=0\nfd.%d.append=0\nfd.%d.cloexec=0\nfd.%d.owner=0\nfd.%d.signal=0\n" 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2)" "$said"
}

@test "stderr of a handler on a terminal goes where it is configured" {
	local both
	both=$(script both <<-'END'
	#!/bin/sh
	echo out
	echo err >&2
	END
	)
	pty_conf "\"$both\"" '' "service \"quiet\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$both\"} pty = yes stderr = null }"
	start_minetd
	assert_eq $'out\nerr' "$(talk pty)"
	assert_eq out "$(talk quiet)"
}

@test "TERM is dumb, unless env sets it, and not there without a terminal" {
	pty_conf '"/usr/bin/printenv", "TERM"' '' 'service "vt" { listen = {"tcp://127.0.0.1:0"} exec = {"/usr/bin/printenv", "TERM"} pty = yes env = {"TERM=vt100"} }
	service "plain" { listen = {"tcp://127.0.0.1:0"} exec = {"/usr/bin/printenv", "TERM"} }'
	start_minetd
	assert_eq dumb "$(talk pty)"
	assert_eq vt100 "$(talk vt)"
	assert_eq '' "$(talk plain)"
}

@test "a megabyte of lines goes through unchanged" {
	pty_conf '"/bin/cat"'
	start_minetd
	head -c 750000 /dev/urandom | base64 >"$BATS_TEST_TMPDIR/data"
	dial -i -t 20 "tcp://127.0.0.1:$(port_of pty)" <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
}

@test "a line of any length and every byte but control-D go through unchanged" {
	pty_conf '"/bin/cat"'
	start_minetd
	python3 -c '
import sys
every = bytes(b for b in range(256) if b != 4)
sys.stdout.buffer.write(every * 400 + b"\n" + b"x" * 300000 + every.replace(b"\n", b""))' >"$BATS_TEST_TMPDIR/data"
	dial -i -t 20 "tcp://127.0.0.1:$(port_of pty)" <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
}

@test "the end of the client's input is the end of the handler's" {
	pty_conf "\"$(public_bin stdio)\""
	start_minetd
	assert_eq $'name? \n0 lines' "$(talk pty)"
	assert_eq $'name? hello one\nname? \n1 lines' "$(talk pty $'one\n')"
	# Behind an unfinished line, too.
	assert_eq $'name? hello one\nname? hello twoname? \n2 lines' "$(talk pty $'one\ntwo')"
}

@test "control-D ends the input, as on every terminal" {
	pty_conf "\"$(public_bin stdio)\""
	start_minetd
	open_client
	expect_text 'name? '
	printf '\4' >&"$CLIENT"
	expect_text $'\n0 lines\n'
	exec {CLIENT}>&-
}

@test "the end of input is heard by a shell after its command has heard it" {
	pty_conf '"/bin/sh"' 'env = {"PS1=% ", "ENV="}'
	start_minetd
	local said
	said=$(dial -t 15 -s $'echo $((6 * 7))\ncat\n' "tcp://127.0.0.1:$(port_of pty)")
	assert_match '42' "$said"
	wait_log 'exit service=pty .* signal=0'
}

@test "an interpreter reads, evaluates and prints" {
	need bc python3
	local python
	python=$(python3 -c 'import sys; print(sys.executable)')
	pty_conf '"/usr/bin/bc", "-q"' '' "service \"python\" { listen = {\"tcp://127.0.0.1:0\"} user = \"$(id -un)\" exec = {\"$python\", \"-q\"} pty = yes }"
	start_minetd
	open_client
	echo '2^64' >&"$CLIENT"
	expect_text $'18446744073709551616\n'
	exec {CLIENT}>&-
	assert_match '>>> 42' "$(talk python $'print(6*7)\n' | tr -d '\r')"
}

@test "what a handler says last arrives, however late it is read" {
	pty_conf '"/usr/bin/seq", "200000"'
	start_minetd
	seq 200000 >"$BATS_TEST_TMPDIR/want"
	python3 - "$(port_of pty)" >"$BATS_TEST_TMPDIR/got" <<-'END'
	import socket, sys
	s = socket.socket()
	s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	s.connect(('127.0.0.1', int(sys.argv[1])))
	s.settimeout(10)
	s.sendall(b'nobody reads this')
	while piece := s.recv(5000):
	    sys.stdout.buffer.write(piece)
	END
	cmp "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
	wait_log 'exit service=pty .* status=0 signal=0'
}

@test "a client that is gone hangs up the handler" {
	local how file
	file=$(public_dir)/hung
	pty_conf "\"$(public_bin stdio)\", \"hangup\", \"$file\"" "user = \"$(id -un)\""
	start_minetd
	for how in tcp unix; do
		rm -f "$file"
		case $how in
		tcp) dial -r -k "tcp://127.0.0.1:$(port_of pty)" ;;
		unix) dial -r -k "unix://$(public_dir)/pty" ;;
		esac
		wait_until 5 test -s "$file"
	done
	wait_until 5 exits 2
}

@test "a client that stays keeps the handler" {
	local file
	file=$(public_dir)/hung
	pty_conf "\"$(public_bin stdio)\", \"hangup\", \"$file\"" "user = \"$(id -un)\""
	start_minetd
	hold_client pty
	wait_until 5 grep -q ready "$CLIENT_OUT"
	assert_eq hello "$(talk echo hello)"
	[[ ! -e $file ]]
	assert_eq 0 "$(count_log 'exit service=pty')"
}

@test "idle hangs up the handler" {
	pty_conf '"/bin/cat"' 'idle = "300ms"'
	start_minetd
	open_client
	# As long as something is said, nothing is idle.
	local i
	for i in 1 2 3 4 5 6; do
		echo "$i" >&"$CLIENT"
		expect_text "$i"$'\n'
		read -r -t 0.1 -u "$CLIENT" || true
	done
	assert_eq '' "$(cat <&"$CLIENT")"
	wait_log 'exit service=pty .* status=-1 signal=1 '
}

@test "a program that cannot be started ends the connection" {
	pty_conf '"/bin/cat"' "directory = \"$(public_dir)/none\""
	start_minetd
	assert_eq '' "$(talk pty)"
	wait_log 'spawn_failed service=pty step=directory'
	# And gives back its place.
	assert_eq hello "$(talk echo hello)"
}

@test "instances counts handlers on terminals" {
	pty_conf "\"$(public_bin probe)\", \"hold\"" 'instances = 1 on_full = refuse'
	start_minetd
	hold_client pty
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	assert_eq '' "$(talk pty)"
	wait_log 'reject service=pty .* reason=full'
	kill "$CLIENT_PID"
	wait_log 'exit service=pty'
	served() { [[ $(talk pty) == pid* ]]; }
	wait_until 5 served
}

@test "a session goes on when a reload replaces the frontend" {
	need_root	# to see the frontends
	pty_conf "\"$(public_bin stdio)\""
	start_minetd
	local old
	old=$(frontend_pid)
	open_client
	expect_text 'name? '
	reload
	echo one >&"$CLIENT"
	expect_text $'hello one\nname? '
	alive "$old"
	assert_eq $'name? hello two\nname? \n1 lines' "$(talk pty $'two\n')"
	exec {CLIENT}>&-
	wait_until 5 gone "$old"
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}

@test "a reload may turn the terminal on and off" {
	pty_conf "\"$(public_bin stdio)\", \"terminal\""
	start_minetd
	assert_match 'isatty.0=1' "$(talk pty)"
	conf "service \"pty\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin stdio)\", \"terminal\"} }"
	reload
	assert_match 'isatty.0=0' "$(talk pty)"
	assert_match 'controlling=0' "$(talk pty)"
}

@test "a session ends with the frontend that relays it, and its place is free" {
	local file
	file=$(public_dir)/hung
	pty_conf "\"$(public_bin stdio)\", \"hangup\", \"$file\"" "user = \"$(id -un)\" instances = 1"
	start_minetd
	hold_client pty
	wait_until 5 grep -q ready "$CLIENT_OUT"
	kill -KILL "$(frontend_pid)"
	wait_until 5 test -s "$file"
	wait_until 5 gone "$CLIENT_PID"
	wait_log 'exit service=pty'
	hold_client pty
	wait_until 5 grep -q ready "$CLIENT_OUT"
}

@test "a client that does not read stops its handler, and costs little" {
	need_root	# to look into the frontend
	pty_conf '"/usr/bin/yes"'
	start_minetd
	local before after handler written='' looks=0
	memory() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$(frontend_pid)/status"; }
	before=$(memory)
	hold_client pty
	wait_until 5 test -s "$CLIENT_OUT"
	kill -STOP "$CLIENT_PID"
	handler=$(handler_pids)
	# Stopped for good: ten looks in a row find that it has written no more.
	stopped() {
		local now
		now=$(awk '$1 == "wchar:" { print $2 }' "/proc/$handler/io")
		[[ $now == "$written" ]] && looks=$((looks + 1)) || looks=0
		written=$now
		((looks >= 10))
	}
	wait_until 20 stopped
	assert_eq hello "$(talk echo hello)"
	after=$(memory)
	((after < before + 2000)) || fail "it took $((after - before)) KiB"
}

@test "a terminal is reached through tcpmux" {
	pty_conf '"/bin/cat"' '' "service \"mux\" { listen = {\"tcp://127.0.0.1:0\"} builtin = \"tcpmux\" }
	service \"ask\" { listen = {\"tcpmux://ask\"} exec = {\"$(public_bin stdio)\"} pty = yes }"
	start_minetd
	assert_eq $'+Go\r\nname? hello one\nname? \n1 lines' "$(talk mux $'ask\r\none\n')"
}

@test "both processes hold the same descriptors after 200 sessions" {
	need_root	# to look into the frontend
	pty_conf '"/bin/cat"'
	start_minetd
	local before front
	front=$(frontend_pid)
	descriptors() { ls "/proc/$MINETD_PID/fd" "/proc/$front/fd"; }
	before=$(descriptors)
	talk pty x >/dev/null
	dial -s x -c 200 "tcp://127.0.0.1:$(port_of pty)" >/dev/null
	wait_until 10 exits 201
	same() { [[ $(descriptors) == "$before" ]]; }
	wait_until 5 same
}

@test "64 sessions at once" {
	pty_conf "\"$(public_bin stdio)\"" 'instances = 0'
	start_minetd
	timeout 25 python3 - "$(port_of pty)" <<-'END'
	import socket, sys
	clients = [socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
	    for i in range(64)]
	def expect(s, text):
	    got = b''
	    while len(got) < len(text):
	        piece = s.recv(len(text) - len(got))
	        assert piece
	        got += piece
	    assert got == text, got
	for s in clients:
	    expect(s, b'name? ')
	for i, s in enumerate(clients):
	    s.sendall(b'%d\n' % i)
	for i, s in enumerate(clients):
	    expect(s, b'hello %d\nname? ' % i)
	END
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}

@test "a session goes on when another binary takes over" {
	pty_conf "\"$(public_bin stdio)\""
	install -m 755 "$MINETD" "$(public_dir)/minetd"
	MINETD=$(public_dir)/minetd
	start_minetd
	open_client
	expect_text 'name? '
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok' 10
	echo one >&"$CLIENT"
	expect_text $'hello one\nname? '
	assert_eq $'name? \n0 lines' "$(talk pty)"
	exec {CLIENT}>&-
	wait_until 5 exits 2
}
