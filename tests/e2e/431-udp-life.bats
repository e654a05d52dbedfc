#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# From the first datagram of a peer to the last: handlers that end, that are
# silent, that fail; frontends that are replaced.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/udp

setup()
{
	daemon_setup
	need python3
}

# udp HANDLER [TEXT]: the configuration of one service, u.
udp()
{
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$1\"
		log_connections = verbose ${2:-} }"
}

# exits N: so many handlers have ended.
exits()
{
	(($(count_log '(^| )exit service=u ') >= $1))
}

# starts N
starts()
{
	assert_eq "$1" "$(count_log '(^| )start service=u ')" "handlers"
}

@test "a handler that shuts its socket down says no empty datagrams" {
	udp "$(handler ends <<-'END'
	peer.send(pid + peer.recv(100))
	peer.shutdown(socket.SHUT_WR)
	peer.recv(100)
	peer.shutdown(socket.SHUT_RDWR)
	open("/proc/self/comm", "w").write("done")
	import time
	time.sleep(0.5)
	END
	)"
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer()
	assert ask(s, b"x").endswith(b" x")
	assert all_of(s) == []
	s.send(b"second")
	got = all_of(s, 1)
	assert got == [], len(got)
	END
}

@test "an empty datagram goes through in both directions" {
	udp "$(handler empty <<-'END'
	for _ in range(3):
	    data, _, _, sender = peer.recvmsg(100)
	    peer.send(data)
	peer.send(b"last")
	END
	)"
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer()
	assert ask(s, b"") == b""
	assert ask(s, b"a") == b"a"
	assert ask(s, b"") == b""
	assert s.recv(10) == b"last"
	END
}

@test "a handler that reads nothing is started once for each datagram" {
	udp "$(handler date <<<'os.write(1, pid)')"
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer()
	for i in range(10): s.send(b"%d" % i)
	got = all_of(s, 2)
	assert len(set(got)) == 10, got
	END
	wait_until 5 exits 10
	starts 10
}

@test "what a silent peer sends at last is for the next handler" {
	udp "$(handler slow <<-'END'
	peer.send(pid + peer.recv(100))
	while data := peer.recv(100):
	    pass
	os.close(os.open(sys.argv[1], os.O_RDONLY))
	END
	)" "idle = 200ms"
	sed -i "s|exec = \(\"[^\"]*\"\)|exec = { \1, \"$(public_dir)/go\" }|" "$CONF"
	mkfifo -m 0666 "$(public_dir)/go"
	start_minetd
	steps late
	start_client "$(bound_port u)" <<-'END'
	s = peer()
	first = ask(s, b"one").split()[0]
	time.sleep(0.6)
	s.send(b"two")
	step("late")
	pid, text = s.recv(100).split()
	assert text == b"two" and pid != first
	END
	at_step late
	exec {go}<>"$(public_dir)/go"
	: >"$(public_dir)/go"
	go_on late
	client_ends
	exec {go}>&-
	starts 2
}

@test "the same after another frontend has come" {
	udp "$(handler slow <<-'END'
	peer.send(pid + peer.recv(100))
	while data := peer.recv(100):
	    pass
	os.close(os.open(sys.argv[1], os.O_RDONLY))
	END
	)" "idle = 200ms"
	sed -i "s|exec = \(\"[^\"]*\"\)|exec = { \1, \"$(public_dir)/go\" }|" "$CONF"
	mkfifo -m 0666 "$(public_dir)/go"
	start_minetd
	steps silent late
	start_client "$(bound_port u)" <<-'END'
	s = peer()
	first = ask(s, b"one").split()[0]
	time.sleep(0.6)
	step("silent")
	s.send(b"two")
	s.send(b"three")
	step("late")
	pid, text = s.recv(100).split()
	assert text == b"two" and pid != first
	END
	at_step silent
	reload
	go_on silent
	at_step late
	exec {go}<>"$(public_dir)/go"
	go_on late
	client_ends
	exec {go}>&-
}

@test "reloads lose no answer of handlers that answer once" {
	udp "$(handler_once)"
	start_minetd
	start_client "$(bound_port u)" <<-'END'
	peers = [peer() for _ in range(4)]
	print("begun", flush=True)
	for i in range(150):
	    for s in peers: s.send(b"%d" % i)
	    for s in peers: assert s.recv(100).split()[1] == b"%d" % i
	END
	at_step begun
	while alive "$CLIENT_PID"; do
		reload
	done
	client_ends
}

# Answers the first, and ends when it is told to; the others answer one each.
gated()
{
	udp "$(handler gate <<-END
	data = peer.recv(100)
	peer.send(pid + data)
	if data == b"0": open("$(public_dir)/go").read()
	END
	)"
	mkfifo -m 0666 "$(public_dir)/go"
}

go_on_gate()
{
	timeout 10 tee "$(public_dir)/go" </dev/null
	go_on sent
}

# burst N: a client that sends so many before it lets the first handler end.
burst()
{
	steps sent
	start_client "$(bound_port u)" <<-END
	s = peer()
	assert ask(s, b"0").endswith(b" 0")
	for i in range(1, $1):
	    s.send(b"%d" % i)
	    if i % 50 == 0: time.sleep(0.01)
	step("sent")
	got = [s.recv(100).split() for _ in range(1, $1)]
	assert [int(g[1]) for g in got] == list(range(1, $1)), got
	assert len({g[0] for g in got}) == $1 - 1
	END
	at_step sent
}

@test "a burst to handlers that answer once is answered whole" {
	gated
	start_minetd
	burst 200
	go_on_gate
	client_ends
	starts 200
}

@test "what handlers have left unread outlives a frontend" {
	gated
	start_minetd
	burst 100
	reload
	go_on_gate
	client_ends
	starts 100
}

@test "a service that is removed ends the input of its handlers" {
	udp "$(handler_each)" "idle = 0"
	start_minetd
	steps there
	start_client "$(bound_port u)" <<-'END'
	ask(peer(), b"x")
	step("there")
	END
	at_step there
	conf "service \"other\" { listen = \"tcp://127.0.0.1:0\" exec = /bin/true }"
	reload
	go_on there
	client_ends
	wait_until 5 exits 1
	wait_log '(^| )close service=u '
	assert_eq 0 "$(count_log 'frontend event=(ended|malformed)')"
}
