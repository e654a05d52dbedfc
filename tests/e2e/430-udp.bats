#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Datagrams: built-ins, and one handler for each peer.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets

setup()
{
	daemon_setup
	need python3
	one=$(script one <<-'END'
	#!/usr/bin/python3 -I
	import os
	os.write(1, b"%d " % os.getpid() + os.read(0, 70000))
	END
	)
	many=$(script many <<-'END'
	#!/usr/bin/python3 -I
	import os, socket
	peer = socket.socket(fileno=os.dup(0))
	while True:
	    data = peer.recv(70000)
	    if data == b"end" or not data: break
	    os.write(1, data if len(data) > 1000 else b"%d " % os.getpid() + data)
	END
	)
}

# client PORT <PROGRAM: with peer(HOST) to make a socket.
client()
{
	timeout 20 python3 -I -c "
import socket, sys
def peer(host='127.0.0.1'):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect((host, $1))
    return s
def ask(s, data):
    s.send(data)
    return s.recv(70000)
$(cat)"
}

@test "each peer has a handler of its own" {
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$many\" }"
	start_minetd
	client "$(bound_port u)" <<-'END'
	peers = [peer() for _ in range(5)]
	pids = [set() for _ in peers]
	for i in range(20):
	    for n, s in enumerate(peers):
	        pid, text = ask(s, b"m%d" % i).split()
	        assert text == b"m%d" % i
	        pids[n].add(pid)
	assert all(len(p) == 1 for p in pids) and len(set.union(*pids)) == 5
	END
}

@test "nothing is lost when handlers answer once and end" {
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$one\" }"
	start_minetd
	client "$(bound_port u)" <<-'END'
	s = peer()
	pids = set()
	for i in range(50):
	    pid, text = ask(s, b"r%d" % i).split()
	    assert text == b"r%d" % i
	    pids.add(pid)
	assert len(pids) == 50
	END
}

@test "the longest datagram goes through in both directions" {
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$many\" }"
	start_minetd
	client "$(bound_port u)" <<-'END'
	assert ask(peer(), b"z" * 65507) == b"z" * 65507
	END
}

@test "the answer leaves from the address that was asked" {
	conf "service \"u\" { listen = \"udp://*:0\" exec = \"$one\" }"
	start_minetd
	client "$(bound_port u)" <<-'END'
	for host in ("127.0.0.1", "127.0.0.2", "::1"):
	    assert ask(peer(host), b"x").endswith(b" x")
	END
}

@test "a reload and a frontend that dies leave the peer its handler" {
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$many\" log_connections = verbose }"
	start_minetd
	local port go=$BATS_TEST_TMPDIR/go
	port=$(bound_port u)
	mkfifo "$go"
	client "$port" >"$BATS_TEST_TMPDIR/said" <<-END &
	s = peer()
	for _ in range(3):
	    print(ask(s, b"hello").split()[0].decode(), flush=True)
	    open("$go").read()
	END
	local talks=$!
	said() { (($(wc -l <"$BATS_TEST_TMPDIR/said") == $1)); }
	wait_until 5 said 1
	reload
	echo >"$go"
	wait_until 5 said 2
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	echo >"$go"
	wait_until 5 said 3
	echo >"$go"
	wait "$talks"
	assert_eq 1 "$(sort -u "$BATS_TEST_TMPDIR/said" | wc -l)"
	assert_eq 1 "$(count_log 'start service=u ')"
}

@test "a handler whose peer is silent reads end of file" {
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$many\" idle = 300ms }"
	start_minetd
	client "$(bound_port u)" <<-'END'
	ask(peer(), b"x")
	END
	wait_log 'exit service=u .*status=0 signal=0'
}

@test "echo answers each datagram, also an empty one" {
	conf 'service "e" { listen = "udp://127.0.0.1:0" builtin = echo }'
	start_minetd
	client "$(bound_port e)" <<-END
	s = peer()
	assert ask(s, b"hello") == b"hello"
	assert ask(s, b"") == b""
	assert len(ask(s, b"q" * 65507)) == 65507
	END
}
