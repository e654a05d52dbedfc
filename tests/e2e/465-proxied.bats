#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Clients of proxies, before it is known who they are.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# proxied_conf [TOP [SERVICE [SERVICES]]]: a service behind a proxy.
proxied_conf()
{
	conf <<-END
	${1:-}
	service "cat" { listen = {"tcp://*:0"} exec = {"/bin/cat"}
		proxy_protocol = "required"
		proxy_from = {"127.0.0.1", "::1"} ${2:-} }
	${3:-}
	END
}

# script_client [NAME=VALUE ...] <PYTHON: with a function connect(HOST).
script_client()
{
	timeout 20 python3 -c "
import os, signal, socket, sys, time
port = $(port_of cat)
HEADER = b'PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\n'
def connect(host='127.0.0.1'):
    return socket.create_connection((host, port), timeout=10)
def rest(s):
    got = b''
    while True:
        piece = s.recv(65536)
        if not piece:
            return got
        got += piece
$(cat)"
}

@test "a client whose proxy was about to say who it is outlives a reload" {
	proxied_conf '' '' 'service "far" { listen = {"tcp://127.0.0.1:0"}
		redirect = {"tcp://127.0.0.1:9"} }'
	start_minetd
	front=$(frontend_pid)
	script_client <<-END
	s = connect()
	# The next one is accepted after it.
	t = connect()
	t.sendall(HEADER + b'x')
	t.shutdown(socket.SHUT_WR)
	assert rest(t) == b'x'
	os.kill($MINETD_PID, signal.SIGHUP)
	with open('$LOG') as log:
	    while 'reload result=ok' not in log.read():
	        log.seek(0)
	s.sendall(HEADER + b'hello')
	s.shutdown(socket.SHUT_WR)
	assert rest(s) == b'hello'
	END
	wait_until 5 gone "$front"
	assert_eq 0 "$(count_log 'frontend event=(malformed|ended)')"
}

# Two clients of one source, of whom the first has to go unless it is exempt.
two_pending()
{
	script_client <<-END
	s, t = connect('$1'), connect('$1')
	t.sendall(HEADER)
	t.shutdown(socket.SHUT_WR)
	assert rest(t) == b''
	s.sendall(HEADER + b'hello')
	s.shutdown(socket.SHUT_WR)
	assert rest(s) == b'hello'
	END
}

@test "a proxy that is exempt may have more than pending_per_source" {
	proxied_conf 'pending_per_source = 1  exempt = {"127.0.0.1", "::1"}'
	start_minetd
	two_pending 127.0.0.1
	two_pending ::1
}

@test "a proxy next to one that is exempt may not" {
	proxied_conf 'pending_per_source = 1  exempt = {"::/128"}'
	start_minetd
	run ! two_pending ::1
	wait_log 'reject service=cat peer=\[?::1.* reason=preface'
}

@test "what a LOCAL header says of addresses is ignored, and no other one may make up families" {
	proxied_conf
	start_minetd
	script_client <<-'END'
	def ask(header):
	    s = connect()
	    s.sendall(b'\r\n\r\n\0\r\nQUIT\n' + header + b'hello')
	    s.shutdown(socket.SHUT_WR)
	    try:
	        return rest(s)
	    except ConnectionResetError:
	        return b''
	assert ask(b'\x20\x00\0\0') == b'hello'
	assert ask(b'\x20\x11\0\0') == b'hello'
	assert ask(b'\x20\xff\0\1x') == b'hello'
	assert ask(b'\x21\x00\0\0') == b'hello'
	assert ask(b'\x21\x41\0\0') == b''
	assert ask(b'\x21\x03\0\0') == b''
	assert ask(b'\x21\x11\0\0') == b''
	END
	assert_eq 0 "$(count_log 'via=')"
}

@test "who begins a conversation after a reload only has a place in its service" {
	conf <<-'END'
	service "cat" { listen = {"tcp://*:0"} builtin = "echo" instances = 1
		on_full = "refuse"
		proxy_protocol = "required" proxy_from = {"127.0.0.1"} }
	END
	start_minetd
	script_client <<-END
	def served():
	    t = connect()
	    t.sendall(HEADER + b'x')
	    try:
	        return t.recv(1) == b'x'
	    except ConnectionResetError:
	        return False
	s = connect()
	while not served():
	    pass
	os.kill($MINETD_PID, signal.SIGHUP)
	with open('$LOG') as log:
	    while 'reload result=ok' not in log.read():
	        log.seek(0)
	s.sendall(HEADER + b'hello')
	assert s.recv(1) == b'h'
	# The news of it are on their way.
	while served():
	    pass
	END
}
