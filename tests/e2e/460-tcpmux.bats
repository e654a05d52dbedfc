#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# RFC 1078: one port, and services by name.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# mux_conf [TOP [MUX [SERVICES]]]: a tcpmux service, "cat" behind it, and one
# that is not.
mux_conf()
{
	conf <<-END
	${1:-}
	service "mux" { listen = {"tcp://*:0", "unix://$(public_dir)/mux"}
		builtin = "tcpmux" ${2:-} }
	service "cat" { listen = {"tcpmux://Cat"} exec = {"/bin/cat"} }
	service "plain" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
	${3:-}
	END
}

# say TEXT, with the escapes of printf(1): what the mux answers until it closes.
say()
{
	# shellcheck disable=SC2059
	printf "$1" | dial -i "${@:2}" "tcp://127.0.0.1:$(port_of mux)"
}

# script_client PORT <PYTHON: with a connection s and a function rest().
script_client()
{
	timeout 20 python3 -c "
import socket, struct, sys, time
s = socket.create_connection(('127.0.0.1', $1), timeout=10)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def rest():
    got = b''
    while True:
        piece = s.recv(65536)
        if not piece:
            return got
        got += piece
$(cat)"
}

@test "a client that says the name of a service reaches it" {
	mux_conf
	start_minetd
	assert_eq $'+Go\r\nhello' "$(say 'cat\r\nhello')"
	wait_log 'exit service=cat id=1 pid=[0-9]+ peer=127.0.0.1:[0-9]+ local=127.0.0.1:[0-9]+ status=0'
	# That line is the only one about it.
	assert_eq 0 "$(count_log 'exit service=mux')"
}

@test "names do not depend on the case, and a line may end with LF alone" {
	mux_conf
	start_minetd
	assert_eq $'+Go\r\nhello' "$(say 'CAT\nhello')"
	assert_eq $'+Go\r\nhello' "$(say 'cAt\r\nhello')"
}

@test "only services that listen on tcpmux are found" {
	mux_conf
	start_minetd
	assert_eq $'-Service not available\r' "$(say 'plain\r\n')"
	assert_eq $'-Service not available\r' "$(say 'mux\r\n')"
	assert_eq $'-Service not available\r' "$(say 'ca\r\n')"
	assert_eq $'-Service not available\r' "$(say 'cats\r\n')"
	wait_log 'exit service=mux id=[0-9]+ peer=127.0.0.1:[0-9]+ local=127.0.0.1:[0-9]+ end=refused secs=[0-9.]+ bytes_in=7 '
	assert_eq $'+Go\r\nhello' "$(say 'cat\r\nhello')"
}

@test "each of many names leads to its service" {
	local i services=''
	for i in {10..49}; do
		services+="service \"s$i\" { listen = {\"tcpmux://n$i\", \"tcpmux://also-$i\"} exec = {\"/bin/echo\", \"this is $i\"} }"$'\n'
	done
	mux_conf '' '' "$services"
	start_minetd
	for i in {10..49}; do
		assert_eq $'+Go\r\n'"this is $i" "$(say "n$i\\r\\n")"
	done
	assert_eq $'+Go\r\nthis is 33' "$(say 'Also-33\r\n')"
}

@test "help lists the names, in lower case and in order" {
	mux_conf '' '' 'service "two" { listen = {"tcpmux://b", "tcpmux://A"} exec = {"/bin/cat"} }'
	start_minetd
	assert_eq $'a\r\nb\r\ncat\r' "$(say 'HELP\r\n')"
	wait_log 'exit service=mux .* end=closed .* bytes_out=11'
}

@test "a list of names that is longer than a socket holds comes whole" {
	local list
	list=$(printf '"tcpmux://%060d", ' {1..9000})
	mux_conf '' '' "service \"many\" { listen = {${list%, }} exec = {\"/bin/cat\"} }"
	start_minetd
	script_client "$(port_of mux)" <<-'END' >"$BATS_TEST_TMPDIR/names"
	s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	s.sendall(b'help\r\n')
	sys.stdout.write(rest().decode().replace('\r', ''))
	END
	{
		printf '%060d\n' {1..9000}
		echo cat
	} | cmp - "$BATS_TEST_TMPDIR/names"
}

@test "a list that was begun goes on as it was, whatever is full by then" {
	local list
	list=$(printf '"tcpmux://%060d", ' {1..5000})
	mux_conf 'preface_timeout = 60s' 'send_buffer = 4096' "service \"many\" { listen = {${list%, }}
		exec = {\"/bin/cat\"} per_source = 1 }"
	start_minetd
	front=$(frontend_pid)
	script_client "$(port_of mux)" <<-END >"$BATS_TEST_TMPDIR/names"
	s.sendall(b'help\r\n')
	# The list has begun, and the rest waits for room.
	begun = s.recv(1)
	other = socket.create_connection(('127.0.0.1', $(port_of mux)), 10)
	other.sendall(b'%060d\r\n' % 1)
	assert other.recv(1) == b'+'
	sys.stdout.write((begun + rest()).decode().replace('\r', ''))
	END
	{
		printf '%060d\n' {1..5000}
		echo cat
	} | cmp - "$BATS_TEST_TMPDIR/names"
	assert_eq "$front" "$(frontend_pid)"
}

@test "with tcpmux_reply = no the handler has the first word" {
	mux_conf '' '' 'service "own" { listen = {"tcpmux://own"} tcpmux_reply = no exec = {"/bin/echo", "+My own"} }'
	start_minetd
	assert_eq '+My own' "$(say 'own\r\n')"
}

@test "the bytes behind the line reach the handler unchanged" {
	mux_conf
	start_minetd
	script_client "$(port_of mux)" <<-'END'
	import os, threading
	data = os.urandom(1000000) + b'\r\n\0\n'
	threading.Thread(target=lambda: (s.sendall(b'cat\r\n' + data),
	    s.shutdown(socket.SHUT_WR))).start()
	sys.exit(rest() != b'+Go\r\n' + data)
	END
}

@test "however the line is cut, the payload is the same" {
	mux_conf
	start_minetd
	local cut
	for cut in 1 2 3 4 5 6 7; do
		script_client "$(port_of mux)" <<-END
		line = b'cat\r\n\npayload'
		s.sendall(line[:$cut])
		time.sleep(0.03)
		s.sendall(line[$cut:])
		s.shutdown(socket.SHUT_WR)
		sys.exit(rest() != b'+Go\r\n\npayload')
		END
	done
	script_client "$(port_of mux)" <<-'END'
	for byte in b'cat\r\nbyte by byte':
	    s.sendall(bytes([byte]))
	    time.sleep(0.002)
	s.shutdown(socket.SHUT_WR)
	sys.exit(rest() != b'+Go\r\nbyte by byte')
	END
}

@test "what is no line of tcpmux is refused at its first wrong byte" {
	mux_conf 'preface_timeout = "20s"'
	start_minetd
	local text
	# No client closes its side: they would wait for the deadline.
	for text in '\x16\x03\x01' '\r\n' 'ca\tt' 'cat\rx' "$(printf '%065d' 0)"; do
		assert_eq $'-Service not available\r' "$(say "$text" -k -t 5)"
	done
	assert_eq $'+Go\r' "$(say 'cat\r\n')"
}

@test "a client that ends before its line does is answered" {
	mux_conf 'preface_timeout = "20s"'
	start_minetd
	assert_eq $'-Service not available\r' "$(say 'cat' -t 5)"
	assert_eq $'-Service not available\r' "$(say '' -t 5)"
	wait_log 'exit service=mux .* end=refused'
}

@test "the deadline runs from accept, whatever dribbles in" {
	mux_conf 'preface_timeout = "300ms"'
	start_minetd
	script_client "$(port_of mux)" <<-'END'
	began = time.monotonic()
	s.settimeout(0.05)
	for i in range(60):
	    s.sendall(b'x')
	    try:
	        got = s.recv(100)
	        break
	    except socket.timeout:
	        pass
	took = time.monotonic() - began
	sys.exit(got != b'-Service not available\r\n' or not 0.2 < took < 2)
	END
	wait_log 'exit service=mux .* end=refused'
	# One that has said its name has all the time there is.
	script_client "$(port_of mux)" <<-'END'
	s.sendall(b'cat\r\n')
	time.sleep(0.6)
	s.sendall(b'late')
	s.shutdown(socket.SHUT_WR)
	sys.exit(rest() != b'+Go\r\nlate')
	END
}

@test "of too many pending clients of one source the oldest has to go" {
	mux_conf $'preface_timeout = "20s"\npending_per_source = 2'
	start_minetd
	local port
	port=$(port_of mux)
	timeout 20 python3 - "$port" <<-'END'
	import socket, sys
	def connect(source):
	    return socket.create_connection(('127.0.0.1', int(sys.argv[1])),
	        10, (source, 0))
	other = connect('127.0.0.2')
	clients = []
	for i in range(4):
	    clients.append(connect('127.0.0.1'))
	    clients[-1].sendall(b'c')
	for gone in clients[:2]:
	    assert gone.recv(100) == b'-Service not available\r\n'
	    assert gone.recv(100) == b''
	for left in clients[2:] + [other]:
	    left.sendall(b'at\r\n' if left != other else b'cat\r\n')
	    assert left.recv(100) == b'+Go\r\n'
	END
}

@test "of too many pending clients in all the oldest has to go" {
	mux_conf $'preface_timeout = "20s"\npending_max = 3\npending_per_source = 0'
	start_minetd
	timeout 20 python3 - "$(port_of mux)" <<-'END'
	import socket, sys
	clients = []
	for i in range(1, 6):
	    clients.append(socket.create_connection(('127.0.0.1',
	        int(sys.argv[1])), 10, ('127.0.0.%d' % i, 0)))
	for gone in clients[:2]:
	    assert gone.recv(100) == b'-Service not available\r\n'
	for left in clients[2:]:
	    left.sendall(b'cat\r\n')
	    assert left.recv(100) == b'+Go\r\n'
	END
}

@test "IPv6 neighbours are one source, other networks are not" {
	need_root
	need ip unshare
	local mux_port
	mux_conf $'preface_timeout = "20s"\npending_per_source = 1'
	START_WITH=(unshare --net)
	start_minetd
	mux_port=$(port_of mux)
	nsenter -t "$MINETD_PID" --net ip link set lo up
	nsenter -t "$MINETD_PID" --net ip addr add fd00:1::1/128 dev lo nodad
	nsenter -t "$MINETD_PID" --net ip addr add fd00:1::2/128 dev lo nodad
	nsenter -t "$MINETD_PID" --net ip addr add fd00:2::1/128 dev lo nodad
	timeout 20 nsenter -t "$MINETD_PID" --net python3 - "$mux_port" <<-'END'
	import socket, sys
	def connect(source):
	    return socket.create_connection(('fd00:1::1', int(sys.argv[1])),
	        10, (source, 0))
	first, other, second = map(connect, ('fd00:1::1', 'fd00:2::1', 'fd00:1::2'))
	assert first.recv(100) == b'-Service not available\r\n'
	for left in other, second:
	    left.sendall(b'cat\r\n')
	    assert left.recv(100) == b'+Go\r\n'
	END
}

@test "a full service says so, and does not once there is room" {
	mux_conf '' '' "service \"one\" { listen = {\"tcpmux://one\"} instances = 1 exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	local first
	exec {first}<>"/dev/tcp/127.0.0.1/$(port_of mux)"
	printf 'one\r\n' >&"$first"
	IFS= read -r -t 5 -u "$first" line
	assert_eq $'+Go\r' "$line"
	assert_eq $'-Service is full\r' "$(say 'one\r\n')"
	wait_log 'reject service=one peer=127.0.0.1:[0-9]+ reason=full'
	assert_eq 0 "$(count_log 'exit service=mux')"
	exec {first}>&-
	wait_log 'exit service=one'
	served() { [[ $(say 'one\r\n') == $'+Go\r'* ]]; }
	wait_until 5 served
}

@test "a pending client counts among the instances of tcpmux, and later does not" {
	mux_conf 'preface_timeout = "20s"' 'instances = 1 on_full = refuse'
	start_minetd
	local first
	exec {first}<>"/dev/tcp/127.0.0.1/$(port_of mux)"
	assert_eq '' "$(say 'cat\r\n' || true)"
	wait_log 'reject service=mux .* reason=full'
	printf 'cat\r\n' >&"$first"
	IFS= read -r -t 5 -u "$first" line
	assert_eq $'+Go\r' "$line"
	assert_eq $'+Go\r\nnow' "$(say 'cat\r\nnow')"
	exec {first}>&-
}

@test "tcpmux works on a unix socket, and the handler knows its client" {
	mux_conf '' '' 'service "env" { listen = {"tcpmux://env"} exec = {"/usr/bin/env"} }'
	start_minetd
	local said
	said=$(dial -s $'env\r\n' "unix://$(public_dir)/mux")
	assert_match $'^\\+Go\r\n' "$said"
	assert_match "UNIXREMOTEUID=$EUID" "$said"
	assert_match 'MINETD_SERVICE=env' "$said"
}

@test "a client that resets its connection hurts nobody" {
	mux_conf 'preface_timeout = "20s"'
	start_minetd
	local i
	for i in 1 2 3; do
		script_client "$(port_of mux)" <<-'END'
		s.sendall(b'ca')
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
		s.close()
		END
	done
	wait_log 'exit service=mux .* end=reset'
	assert_eq $'+Go\r\nhello' "$(say 'cat\r\nhello')"
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}

# Two clients that have said half a name to the frontend before a reload:
# descriptors early and late.
reload_pending()
{
	mux_conf 'preface_timeout = "20s"' '' "service \"one\" {
		listen = {\"tcpmux://one\"} instances = 1
		exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	exec {early}<>"/dev/tcp/127.0.0.1/$(port_of mux)"
	printf 'on' >&"$early"
	exec {late}<>"/dev/tcp/127.0.0.1/$(port_of mux)"
	printf 'on' >&"$late"
	# The third is answered: so were the two before accepted.
	assert_eq $'-Service not available\r' "$(say 'x\r\n')"
	reload
}

# one_held FD: the service "one" is reached there.
one_held()
{
	IFS= read -r -t 5 -u "$1" line
	assert_eq $'+Go\r' "$line"
	IFS= read -r -t 5 -u "$1" line
	assert_match '^pid [0-9]+' "$line"
}

one_served()
{
	[[ $(say 'one\r\n') == $'+Go\r'* ]]
}

@test "a client that is pending at a reload is served all the same" {
	local early late
	reload_pending
	printf 'e\r\n' >&"$early"
	one_held "$early"
	# The frontend that serves now was told of it, and of its end.
	assert_eq $'-Service is full\r' "$(say 'one\r\n')"
	exec {early}>&-
	wait_log 'exit service=one'
	wait_until 5 one_served
	exec {late}>&-
	assert_eq 0 "$(count_log 'frontend event=malformed')"
}

@test "a client that is pending at a reload gets no more than there is" {
	local early late holder old
	reload_pending
	exec {holder}<>"/dev/tcp/127.0.0.1/$(port_of mux)"
	printf 'one\r\n' >&"$holder"
	one_held "$holder"
	# The frontend of before does not know of that one; main does.
	printf 'e\r\n' >&"$early"
	assert_eq $'+Go\r' "$(cat <&"$early")"
	wait_log 'reject service=one peer=127.0.0.1:[0-9]+ reason=full'
	exec {holder}>&-
	wait_log 'exit service=one'
	wait_until 5 one_served
	exec {late}>&- {early}>&-
	assert_eq 0 "$(count_log 'frontend event=malformed')"
}

@test "clients wait while main cannot be told of them, and none is lost" {
	mux_conf $'preface_timeout = "20s"\npending_max = 2000\npending_per_source = 0' \
		'instances = 0' 'service "ok" { listen = {"tcpmux://ok"} instances = 0 exec = {"/bin/echo", "ok"} }'
	start_minetd
	timeout 25 python3 - "$(port_of mux)" "$MINETD_PID" <<-'END'
	import os, signal, socket, sys
	def connect():
	    return socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
	def rest(s):
	    got = b''
	    while piece := s.recv(100):
	        got += piece
	    return got
	clients = [connect() for i in range(800)]
	last = connect()
	last.sendall(b'x\r\n')
	assert rest(last) == b'-Service not available\r\n'
	os.kill(int(sys.argv[2]), signal.SIGSTOP)
	for client in clients:
	    client.sendall(b'ok\r\n')
	clients[0].recv(1)
	os.kill(int(sys.argv[2]), signal.SIGCONT)
	assert rest(clients[0]) == b'Go\r\nok\n'
	for client in clients[1:]:
	    assert rest(client) == b'+Go\r\nok\n'
	END
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}
