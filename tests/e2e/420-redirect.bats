#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Clients that are carried to another server.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# server NAME [FAMILY:ADDRESS] <PYTHON: a server of its own, on 127.0.0.1 unless
# said otherwise.  The code has a connection as c, and say(...) writes to the
# file in SAID.  Sets PORT.
server()
{
	local at=${2:-tcp:127.0.0.1} ready=$BATS_TEST_TMPDIR/$1.port
	SAID=$BATS_TEST_TMPDIR/$1.said
	: >"$SAID"
	{
		cat <<-'END'
		import os, socket, struct, sys, threading
		kind, _, address = sys.argv[1].partition(":")
		ready, said = sys.argv[2:]
		lock = threading.Lock()
		def say(*words):
		    with lock, open(said, "a") as f:
		        print(*words, file=f)
		def read_all(c):
		    got = b""
		    while more := c.recv(65536):
		        got += more
		    return got
		def reset(c):
		    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    c.close()
		def serve(c):
		END
		sed 's/^/    /'
		cat <<-'END'
		if kind == "unix":
		    s = socket.socket(socket.AF_UNIX)
		    s.bind(address.replace("@", "\0"))
		else:
		    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
		    s.bind((address, 0))
		s.listen(1024)
		with open(ready + ".new", "w") as f:
		    print(0 if kind == "unix" else s.getsockname()[1], file=f)
		os.rename(ready + ".new", ready)
		while True:
		    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
		END
	} >"$BATS_TEST_TMPDIR/$1.py"
	start_process python3 "$BATS_TEST_TMPDIR/$1.py" "$at" "$ready" "$SAID"
	wait_until 10 test -e "$ready"
	PORT=$(<"$ready")
}

# A server that says its name and what it was told.
echo_server()
{
	server "$@" <<-END
	c.sendall(b"$1:" + read_all(c))
	c.close()
	END
}

# client <PYTHON: which has a connection to the redirect as c.
client()
{
	python3 <(
		cat <<-'END'
		import select, socket, struct, sys, threading
		c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		c.settimeout(20)
		def read_all(c):
		    got = b""
		    while more := c.recv(65536):
		        got += more
		    return got
		END
		cat
	) "$(port_of "${SERVICE:-way}")" "$@"
}

# logged COUNT REGEX: there are so many such lines.
logged()
{
	(($(count_log "$2") == $1))
}

# says SERVICE TEXT: that is its answer to hello.
says()
{
	[[ $(talk "$1" hello) == "$2" ]]
}

upgrade()
{
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok' 10
}

# redirect TARGETS [KEYS]
redirect()
{
	conf "service \"way\" { listen = \"tcp://127.0.0.1:0\" redirect = {$1} ${2:-} }"
	start_minetd
}

@test "a client is carried to a target over IPv4" {
	echo_server four
	redirect "\"tcp://127.0.0.1:$PORT\""
	assert_eq four:hello "$(talk way hello)"
	wait_log "exit service=way id=[0-9]+ peer=127.0.0.1:[0-9]+ local=127.0.0.1:[0-9]+ end=closed secs=[0-9.]+ bytes_in=5 bytes_out=10 target=tcp://127.0.0.1:$PORT"
}

@test "a client is carried to a target over IPv6" {
	echo_server six tcp:::1
	redirect "\"tcp6://[::1]:$PORT\""
	assert_eq six:hello "$(talk way hello)"
	wait_log 'exit .* end=closed .* bytes_in=5 bytes_out=9 target="?tcp6://\[::1\]:'
}

@test "a client is carried to the path of a unix socket" {
	echo_server path "unix:$BATS_TEST_TMPDIR/sock"
	redirect "\"unix://$BATS_TEST_TMPDIR/sock\""
	assert_eq path:hello "$(talk way hello)"
	wait_log "exit .* end=closed .* bytes_in=5 bytes_out=10 target=unix://$BATS_TEST_TMPDIR/sock"
}

@test "a client is carried to an abstract unix socket" {
	echo_server name "unix:@minetd-test-$BASHPID"
	redirect "\"unix://@minetd-test-$BASHPID\""
	assert_eq name:hello "$(talk way hello)"
	wait_log 'exit .* end=closed .* bytes_in=5 bytes_out=10 target="?unix://@'
}

@test "a client of a unix socket is carried to a target over IPv4" {
	local dir
	dir=$(public_dir)
	echo_server four
	conf "service \"way\" { listen = \"unix://$dir/way\" redirect = \"tcp://127.0.0.1:$PORT\" }"
	start_minetd
	assert_eq four:hello "$(dial -s hello "unix://$dir/way")"
	wait_log 'exit .* end=closed .* bytes_in=5 bytes_out=10 '
}

@test "the first target that answers is taken" {
	echo_server one
	one=$PORT
	echo_server two
	redirect "\"tcp://127.0.0.1:$one\", \"tcp://127.0.0.1:$PORT\""
	assert_eq one: "$(talk way '')"
	assert_eq 0 "$(wc -l <"$SAID")"
}

# A path whose server has died is still there, and refuses.
@test "targets that refuse are passed over, in order" {
	local sock=$BATS_TEST_TMPDIR/sock
	server one "unix:$sock" <<<'c.close()'
	kill -KILL "$STARTED_PID"
	wait_until 5 gone "$STARTED_PID"
	echo_server two
	redirect "\"unix://$sock.missing\", \"tcp://127.0.0.1:1\", \"unix://$sock\", \"tcp://127.0.0.1:$PORT\""
	assert_eq two:hello "$(talk way hello)"
	wait_log "exit .* end=closed .* target=tcp://127.0.0.1:$PORT"
	assert_eq 0 "$(count_log unreachable)"
}

# full FAMILY:ADDRESS: a listening socket whose queue is full.  Sets PORT.
full()
{
	local ready=$BATS_TEST_TMPDIR/full
	cat >"$BATS_TEST_TMPDIR/full.py" <<-'END'
	import os, signal, socket, sys
	kind, _, address = sys.argv[1].partition(":")
	s = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
	s.bind(address if kind == "unix" else (address, 0))
	s.listen(0)
	held = []
	for i in range(3):
	    c = socket.socket(s.family)
	    c.setblocking(False)
	    try:
	        c.connect(s.getsockname())
	    except (BlockingIOError, InterruptedError):
	        pass
	    held.append(c)
	with open(sys.argv[2] + ".new", "w") as f:
	    print(0 if kind == "unix" else s.getsockname()[1], file=f)
	os.rename(sys.argv[2] + ".new", sys.argv[2])
	signal.pause()
	END
	start_process python3 "$BATS_TEST_TMPDIR/full.py" "$1" "$ready"
	wait_until 10 test -e "$ready"
	PORT=$(<"$ready")
}

@test "a target that does not answer has connect_timeout, then comes the next" {
	full tcp:127.0.0.1
	hole=$PORT
	echo_server two
	redirect "\"tcp://127.0.0.1:$hole\", \"tcp://127.0.0.1:$PORT\"" 'connect_timeout = 200ms'
	assert_eq two:hello "$(talk way hello)"
	wait_log 'exit .* end=closed '
	assert_match 'secs=0\.[2-9]' "$(log_line 'exit ')"
}

@test "a unix target with a full queue is passed over at once" {
	full "unix:$BATS_TEST_TMPDIR/full.sock"
	echo_server two
	redirect "\"unix://$BATS_TEST_TMPDIR/full.sock\", \"tcp://127.0.0.1:$PORT\"" 'connect_timeout = 1h'
	assert_eq two:hello "$(talk way hello)"
}

@test "without a target that answers the client is closed, until there is one" {
	local sock=$BATS_TEST_TMPDIR/sock
	redirect "\"unix://$sock\", \"tcp://127.0.0.1:1\""
	run talk way
	assert_eq '' "$output"
	wait_log 'unreachable service=way target=tcp://127.0.0.1:1 error="Connection refused" level=warning'
	wait_log 'exit service=way .* end=unreachable secs=[0-9.]+ bytes_in=0 bytes_out=0$'
	echo_server back "unix:$sock"
	assert_eq back:hello "$(talk way hello)"
	wait_log 'exit service=way .* end=closed '
}

@test "lines about unreachable targets are limited, exit lines are not" {
	redirect '"tcp://127.0.0.1:1"'
	dial -c 50 "tcp://127.0.0.1:$(port_of way)" || true
	wait_until 5 logged 50 'exit .* end=unreachable'
	assert_eq 1 "$(count_log 'unreachable service=way')"
}

@test "a client that has said all hears the answer" {
	server sum <<-'END'
	c.sendall(b"%d" % len(read_all(c)))
	c.close()
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	assert_eq 1000000 "$(dial -n 1000000 "tcp://127.0.0.1:$(port_of way)")"
	wait_log 'exit .* end=closed .* bytes_in=1000000 bytes_out=7 '
}

@test "a target that has said all hears the rest" {
	server rest <<-'END'
	c.sendall(b"hello")
	c.shutdown(socket.SHUT_WR)
	say(len(read_all(c)))
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	client <<-'END'
	assert read_all(c) == b"hello"
	c.sendall(bytes(1000000))
	c.close()
	END
	wait_until 5 grep -qx 1000000 "$SAID"
	wait_log 'exit .* end=closed .* bytes_in=1000000 bytes_out=5 '
}

# target_minetd TEXT: another daemon, whose service "to" is the target.
target_minetd()
{
	conf "service \"to\" { $1 }"
	start_minetd
	PORT=$(port_of to)
}

@test "100 MB go both ways at once and arrive unchanged" {
	target_minetd 'listen = "tcp://127.0.0.1:0" exec = "/bin/cat"'
	redirect "\"tcp://127.0.0.1:$PORT\""
	head -c 100000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	dial -i -t 25 "tcp://127.0.0.1:$(port_of way)" <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
	wait_log 'exit .* end=closed .* bytes_in=100000000 bytes_out=100000000 '
}

@test "100 MB go through a unix target both ways at once" {
	target_minetd "listen = {\"unix://$(public_dir)/to\", \"tcp://127.0.0.1:0\"} exec = \"/bin/cat\""
	redirect "\"unix://$(public_dir)/to\""
	head -c 100000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	dial -i -t 25 "tcp://127.0.0.1:$(port_of way)" <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
	wait_log 'exit .* end=closed .* bytes_in=100000000 bytes_out=100000000 '
}

# Who sends to a client that does not read is held back by the kernel; nothing
# grows here, others are served, and all arrives in the end.
@test "a slow reader holds back its sender, and nobody else" {
	server flood <<-'END'
	c.settimeout(0.5)
	sent = 0
	try:
	    while sent < 1 << 30:
	        sent += c.send(bytes(65536))
	    say("endless")
	except TimeoutError:
	    pass
	say("stuck", sent)
	c.settimeout(None)
	c.recv(1)
	say("sent", sent)
	c.close()
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	coproc SLOW { client <<-'END'
	sys.stdin = open("/dev/fd/3")
	c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
	sys.stdin.readline()
	c.sendall(b"x")
	print(len(read_all(c)), flush=True)
	END
	} 3<&0
	wait_until 10 grep -q stuck "$SAID"
	hold_client way
	wait_until 5 test -s "$CLIENT_OUT"
	kill "$CLIENT_PID"
	echo >&"${SLOW[1]}"
	read -r -t 20 got <&"${SLOW[0]}"
	wait_until 5 grep -qx "sent $got" "$SAID"
	assert_eq 0 "$(grep -c endless "$SAID")"
	((got < 64 << 20)) || fail "$got bytes under way"
}

@test "a silent conversation ends after idle" {
	server mute <<<'say(len(read_all(c)))'
	redirect "\"tcp://127.0.0.1:$PORT\"" 'idle = 200ms'
	hold_client way
	wait_log 'exit .* end=idle secs=0\.[2-9]'
	wait_until 5 gone "$CLIENT_PID"
	wait_until 5 grep -qx 0 "$SAID"
}

@test "bytes in one direction are enough not to be idle" {
	server drip <<-'END'
	import select
	for i in range(10):
	    c.sendall(b"x")
	    select.select([], [], [], 0.1)
	c.close()
	END
	redirect "\"tcp://127.0.0.1:$PORT\"" 'idle = 500ms'
	assert_eq xxxxxxxxxx "$(talk way '')"
	wait_log 'exit .* end=closed .* bytes_out=10 '
}

@test "a conversation ends after max_runtime, however busy it is" {
	server busy <<-'END'
	try:
	    while True:
	        c.sendall(bytes(1000))
	except OSError as error:
	    say("broken")
	END
	redirect "\"tcp://127.0.0.1:$PORT\"" 'max_runtime = 300ms'
	run dial -o /dev/null "tcp://127.0.0.1:$(port_of way)"
	assert_eq 2 "$status"
	wait_log 'exit .* end=overdue secs=0\.[3-9]'
	wait_until 5 grep -qx broken "$SAID"
}

hex_server()
{
	server hex <<-'END'
	c.sendall(read_all(c).hex().encode())
	c.close()
	END
}

@test "proxy_out = v1 names both ends before the first byte" {
	echo_server v1
	redirect "\"tcp://127.0.0.1:$PORT\"" 'proxy_out = v1'
	assert_match "^v1:PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [0-9]+ $(port_of way)"$'\r\nhello$' "$(talk way hello)"
	wait_log 'exit .* bytes_in=5 '
	assert_match " peer=127\.0\.0\.1:$(talk way '' | cut -d ' ' -f 5) " "$(wait_log 'exit .* bytes_in=0 '; log_line 'exit .* bytes_in=0')"
}

@test "proxy_out = v1 over IPv6, and for a mapped address" {
	echo_server v1
	conf "service \"way\" { listen = \"tcp://*:0\" redirect = \"tcp://127.0.0.1:$PORT\" proxy_out = v1 }"
	start_minetd
	local port
	port=$(port_of way)
	assert_match "^v1:PROXY TCP6 ::1 ::1 [0-9]+ $port"$'\r$' "$(dial "tcp://[::1]:$port")"
	assert_match "^v1:PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [0-9]+ $port"$'\r$' "$(dial "tcp://127.0.0.1:$port")"
}

@test "proxy_out = v1 for a client of a unix socket says that it does not know" {
	local dir
	dir=$(public_dir)
	echo_server v1
	conf "service \"way\" { listen = \"unix://$dir/way\" redirect = \"tcp://127.0.0.1:$PORT\" proxy_out = v1 }"
	start_minetd
	assert_eq $'v1:PROXY UNKNOWN\r\nhello' "$(dial -s hello "unix://$dir/way")"
}

signature=0d0a0d0a000d0a515549540a

@test "proxy_out = v2 names both ends before the first byte" {
	hex_server
	redirect "\"tcp://127.0.0.1:$PORT\"" 'proxy_out = v2'
	assert_match "^${signature}2111000c7f0000017f000001[0-9a-f]{4}$(printf %04x "$(port_of way)")68656c6c6f\$" "$(talk way hello)"
}

@test "proxy_out = v2 to a unix target, for a client of a unix socket" {
	local dir path
	dir=$(public_dir)
	server hex "unix:$BATS_TEST_TMPDIR/sock" <<-'END'
	c.sendall(read_all(c).hex().encode())
	c.close()
	END
	conf "service \"way\" { listen = \"unix://$dir/way\" redirect = \"unix://$BATS_TEST_TMPDIR/sock\" proxy_out = v2 }"
	start_minetd
	path=$(printf %s "$dir/way" | od -An -tx1 | tr -d ' \n')
	assert_eq "${signature}213100d8$(printf '%0216d' 0)$path$(printf "%0$((216 - ${#path}))d" 0)61" "$(dial -s a "unix://$dir/way")"
}

@test "curl fetches through a redirect to a handler of the same daemon" {
	need curl busybox
	local dir
	dir=$(public_dir)
	mkdir "$dir/www"
	head -c 3000000 /dev/urandom >"$dir/www/data"
	conf "service \"httpd\" { listen = \"unix://$dir/httpd\" exec = {\"$(type -P busybox)\", \"httpd\", \"-i\", \"-h\", \"$dir/www\"} }
	service \"way\" { listen = \"tcp://127.0.0.1:0\" redirect = \"unix://$dir/httpd\" }"
	start_minetd
	curl -sf -o "$BATS_TEST_TMPDIR/data" "http://127.0.0.1:$(port_of way)/data"
	cmp "$dir/www/data" "$BATS_TEST_TMPDIR/data"
	run curl -sf "http://127.0.0.1:$(port_of way)/other"
	assert_eq 22 "$status"
}

@test "a redirect has no more conversations than instances" {
	server hold <<-'END'
	c.sendall(b"hello")
	say("came")
	read_all(c)
	c.close()
	END
	redirect "\"tcp://127.0.0.1:$PORT\"" 'instances = 2'
	hold_client way
	first=$CLIENT_PID
	hold_client way
	wait_until 5 test -s "$CLIENT_OUT"
	hold_client way
	run dial -t 1 "tcp://127.0.0.1:$(port_of way)"
	assert_eq 3 "$status"
	assert_eq 2 "$(wc -l <"$SAID")"
	[[ ! -s $CLIENT_OUT ]]
	kill "$first"
	wait_until 5 test -s "$CLIENT_OUT"
}

@test "a client that resets is a reset to the target" {
	server seen <<-'END'
	try:
	    say("end", len(read_all(c)))
	except ConnectionResetError:
	    say("reset")
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	client <<-'END'
	c.sendall(b"hello")
	c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	c.close()
	END
	wait_until 5 grep -qx reset "$SAID"
	wait_log 'exit .* end=reset .* target='
	talk way hello || true
	wait_until 5 grep -qx 'end 5' "$SAID"
}

@test "a target that resets is a reset to the client, also one that has said all" {
	server seen <<-'END'
	c.sendall(b"hello")
	read_all(c)
	reset(c)
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	run dial "tcp://127.0.0.1:$(port_of way)"
	assert_eq 2 "$status"
	wait_log 'exit .* end=reset .* target='
}

@test "500 clients at once are carried, and leave nothing behind" {
	need_root	# to look into the frontend
	echo_server many
	redirect "\"tcp://127.0.0.1:$PORT\""
	talk way hello
	local front before
	front=$(frontend_pid)
	descriptors() { ls "/proc/$front/fd"; }
	before=$(descriptors)
	client <<-'END'
	all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(500)]
	for i, one in enumerate(all):
	    one.sendall(b"%d" % i)
	for one in all:
	    one.shutdown(socket.SHUT_WR)
	for i, one in enumerate(all):
	    assert read_all(one) == b"many:%d" % i
	END
	# With the one of talk.
	wait_until 10 logged 501 'exit .* end=closed .*bytes_in=[1-9]'
	# And with the one that client begins with, which is gone when it is
	# answered, and may answer that with a reset.
	wait_until 10 logged 502 'exit .* end=(closed|reset) '
	# Some pipes are kept for later.
	few() { (($(descriptors | wc -l) <= $(wc -l <<<"$before") + 94)); }
	wait_until 5 few
}

@test "conversations that wait hold no pipes" {
	need_root	# to look into the frontend
	server hold <<-'END'
	c.sendall(c.recv(5))
	read_all(c)
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	client "$(frontend_pid)" <<-'END'
	import os
	all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(300)]
	for one in all:
	    one.sendall(b"hello")
	for one in all:
	    assert one.recv(5) == b"hello"
	path = "/proc/" + sys.argv[2] + "/fd/"
	kinds = [os.readlink(path + fd).split(":")[0] for fd in os.listdir(path)]
	assert kinds.count("socket") >= 600, kinds.count("socket")
	assert kinds.count("pipe") <= 4, kinds.count("pipe")
	END
}

@test "without descriptors a client is closed, and the next one served" {
	need_root
	echo_server few
	# Seven, and a pair for each client: that of the tenth is not complete.
	START_WITH=(prlimit --nofile=26:26)
	redirect "\"tcp://127.0.0.1:$PORT\""
	client <<-'END'
	all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for i in range(12)]
	select.select(all, [], [], 10)
	END
	wait_log 'exit .* end=failed '
	wait_until 10 says way few:hello
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}

# slow_transfer COMMAND...: run it in the middle of a transfer, whose two halves
# must arrive as one.
slow_transfer()
{
	server slow <<-'END'
	c.sendall(c.recv(1) + bytes(5000000))
	say("half")
	c.sendall(c.recv(1) + bytes(5000000) + read_all(c))
	c.close()
	END
	redirect "\"tcp://127.0.0.1:$PORT\""
	local fifo=$BATS_TEST_TMPDIR/fifo out=$BATS_TEST_TMPDIR/out way
	mkfifo "$fifo"
	# shellcheck disable=SC2016	# the shell that is started expands it
	start_process bash -c 'exec "$0" -i -t 25 -o "$1" "$2" <"$3"' \
		"$TESTBIN/dial" "$out" "tcp://127.0.0.1:$(port_of way)" "$fifo"
	exec {way}>"$fifo"
	printf a >&"$way"
	wait_until 5 grep -q half "$SAID"
	"$@"
	printf bcd >&"$way"
	exec {way}>&-
	wait_until 10 gone "$STARTED_PID"
	{ printf a; head -c 5000000 /dev/zero; printf b; head -c 5000000 /dev/zero; printf cd; } | cmp - "$out"
}

@test "a transfer goes on over a reload" {
	slow_transfer reload
	wait_log 'exit service=way .* end=closed .* bytes_in=4 bytes_out=10000004 target=tcp'
}

@test "a transfer goes on over an upgrade" {
	slow_transfer upgrade
	wait_log 'exit service=- .* end=closed .* bytes_in=4 bytes_out=10000004$'
	assert_eq 0 "$(count_log 'event=(malformed|ended)')"
}

# asks_late COMMAND...: run it while the first of two targets does not answer;
# main is asked for the second one after it.
asks_late()
{
	full tcp:127.0.0.1
	echo_server late "unix:$BATS_TEST_TMPDIR/sock"
	redirect "\"tcp://127.0.0.1:$(<"$BATS_TEST_TMPDIR/full")\", \"unix://$BATS_TEST_TMPDIR/sock\"" 'connect_timeout = 2s log_connections = verbose'
	start_process "$TESTBIN/dial" -s hello -o "$BATS_TEST_TMPDIR/out" "tcp://127.0.0.1:$(port_of way)"
	wait_log 'start service=way'
	"$@"
	wait_until 10 gone "$STARTED_PID"
}

@test "one that was replaced still gets a unix target" {
	asks_late reload
	assert_eq late:hello "$(<"$BATS_TEST_TMPDIR/out")"
	wait_log 'exit service=way .* end=closed .* target=unix:'
}

@test "one that is older than an upgrade is told that there are no unix targets" {
	asks_late upgrade
	assert_eq '' "$(<"$BATS_TEST_TMPDIR/out")"
	wait_log 'exit service=- .* end=unreachable '
	assert_eq 0 "$(count_log 'event=(malformed|ended)')"
	assert_eq late:hello "$(talk way hello)"
}

# own_hosts <TEXT: the daemon has a hosts file of its own, HOSTS, with this text,
# and 127.0.0.9 is its name server.
own_hosts()
{
	need_root
	own_mounts
	HOSTS=$(public_dir)/hosts
	cat >"$HOSTS"
	echo 'nameserver 127.0.0.9' >"$HOSTS.resolv"
	# shellcheck disable=SC2016	# the shell that is started expands it
	START_WITH=("${OWN_MOUNTS[@]}" sh -c 'mount --bind "$0" /etc/hosts &&
		mount --bind "$0.resolv" /etc/resolv.conf && exec "$@"' "$HOSTS")
}

@test "a host name is looked up again when no target answers" {
	echo_server moved tcp:127.0.0.2
	own_hosts <<<'127.0.0.1 target.test'
	redirect "\"tcp://target.test:$PORT\""
	echo '127.0.0.2 target.test' >"$HOSTS"
	run ! says way moved:hello
	wait_log "unreachable service=way target=tcp://target.test:$PORT error=\"Connection refused\""
	wait_until 5 says way moved:hello
	wait_log "exit .* end=closed .* target=tcp://target.test:$PORT"
	assert_eq '' "$(children_of "$MINETD_PID" | grep -vx "$(frontend_pid)")"
}

@test "a host name is looked up again when only what comes after it answers" {
	echo_server moved tcp:127.0.0.2
	moved=$PORT
	echo_server after
	own_hosts <<<'127.0.0.1 target.test'
	redirect "\"tcp://target.test:$moved\", \"tcp://127.0.0.1:$PORT\""
	echo '127.0.0.2 target.test' >"$HOSTS"
	assert_eq after:hello "$(talk way hello)"
	wait_until 5 says way moved:hello
	assert_eq 0 "$(count_log unreachable)"
}

@test "a host name may have fewer addresses, or more, than when it was read" {
	echo_server moved tcp:127.0.0.2
	own_hosts <<-'END'
	127.0.0.3 less.test
	127.0.0.4 less.test
	127.0.0.3 more.test
	END
	conf "service \"less\" { listen = \"tcp://127.0.0.1:0\" redirect = {\"tcp4://less.test:$PORT\", \"unix://$BATS_TEST_TMPDIR/sock\"} }
	service \"more\" { listen = \"tcp://127.0.0.1:0\" redirect = \"tcp4://more.test:$PORT\" }"
	start_minetd
	cat >"$HOSTS" <<-'END'
	127.0.0.2 less.test
	127.0.0.2 more.test
	127.0.0.5 more.test
	END
	talk less || true
	talk more || true
	wait_until 5 says less moved:hello
	wait_until 5 says more moved:hello
	assert_eq 0 "$(count_log 'event=(ended|malformed)')"
}

@test "a name that is gone leaves the address as it was" {
	own_hosts <<<'127.0.0.2 target.test'
	server first tcp:127.0.0.2 <<<'c.close()'
	kill -KILL "$STARTED_PID"
	redirect "\"tcp://target.test:$PORT\""
	: >"$HOSTS"
	talk way || true
	wait_log 'unreachable '
	idle() { [[ $(children_of "$MINETD_PID") == "$(frontend_pid)" ]]; }
	wait_until 20 idle
	conf "service \"back\" { listen = \"tcp://127.0.0.2:$PORT\" exec = \"/bin/cat\" }"
	START_WITH=()
	log=$LOG
	start_minetd
	LOG=$log
	assert_eq hello "$(talk way hello)"
}

# lookup_hangs: one is under way that does not end.  Sets LOOKUP_PID.
lookup_hangs()
{
	local silent
	own_hosts <<<'127.0.0.2 target.test'
	conf "service \"echo\" { listen = \"tcp://127.0.0.1:0\" exec = \"/bin/cat\" }
	service \"way\" { listen = \"tcp://127.0.0.1:0\" redirect = \"tcp://target.test:1\" }"
	silent=$BATS_TEST_TMPDIR/silent.py
	cat >"$silent" <<-'END'
	import os, signal, socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind(("127.0.0.9", 53))
	os.mkdir(sys.argv[1])
	signal.pause()
	END
	start_process python3 "$silent" "$silent.ready"
	wait_until 5 test -e "$silent.ready"
	start_minetd
	: >"$HOSTS"
	talk way || true
	wait_log 'unreachable '
	busy() { [[ $(children_of "$MINETD_PID") != "$(frontend_pid)" ]]; }
	wait_until 5 busy
	LOOKUP_PID=$(children_of "$MINETD_PID" | grep -vx "$(frontend_pid)")
}

@test "while names are looked up others are served, and the daemon can end" {
	lookup_hangs
	assert_eq hello "$(talk echo hello)"
	alive "$LOOKUP_PID"
	assert_no_match $'\t0(\t|$)' "$(grep ^Uid: "/proc/$LOOKUP_PID/status")"
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
	gone "$LOOKUP_PID"
}

@test "an upgrade does not wait for names" {
	lookup_hangs
	upgrade
	gone "$LOOKUP_PID"
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(count_log 'orphan|event=(ended|malformed)')"
}
