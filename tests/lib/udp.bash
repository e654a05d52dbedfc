# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash

# Peers that talk by datagrams, and handlers that answer them.

# handler NAME <BODY: a Python program for a service.  It has peer, a socket of
# fd 0, and pid, its process id as bytes.
handler()
{
	{
		cat <<-'END'
		#!/usr/bin/python3 -I
		import os, socket, sys
		peer = socket.socket(fileno=os.dup(0))
		pid = b"%d " % os.getpid()
		END
		cat
	} | script "$1"
}

# Reads one datagram, answers it with its pid before it, and ends.
handler_once()
{
	handler once <<<'peer.send(pid + peer.recv(70000))'
}

# Answers each, long ones without the pid, until the end of its input.
handler_each()
{
	handler each <<-'END'
	while data := peer.recv(70000):
	    peer.send(data if len(data) > 1000 else pid + data)
	END
}

# client PORT <PROGRAM: in Python, with peer(HOST), a new connected socket;
# ask(SOCKET, DATA), what is answered; and all_of(SOCKET), what comes until a
# while has passed without anything.  step(NAME) waits for step NAME.  It runs by
# way of the command in CLIENT_WITH.
client()
{
	timeout 25 "${CLIENT_WITH[@]}" python3 -I -c "
import os, select, socket, struct, sys, time
def peer(host='127.0.0.1', port=$1, source=None):
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    s = socket.socket(*info[:3])
    s.settimeout(5)
    if source: s.bind(source)
    s.connect(info[4])
    return s
def ask(s, data):
    s.send(data)
    return s.recv(70000)
def all_of(s, quiet=0.3):
    got = []
    while select.select([s], [], [], quiet)[0]:
        got.append(s.recv(70000))
        if len(got) > 100000: break
    return got
def step(name):
    print(name, flush=True)
    open('$BATS_TEST_TMPDIR/step.' + name).read()
$(cat)"
}

# In the background, what it prints in the file SAID.  Sets CLIENT_PID.
start_client()
{
	local program
	SAID=$BATS_TEST_TMPDIR/said
	program=$(cat)
	client "$1" <<<"$program" >"$SAID" 2>&1 &
	CLIENT_PID=$!
	ends_with_test "$CLIENT_PID"
}

# steps NAME...: before start_client.
steps()
{
	local name
	for name; do
		mkfifo "$BATS_TEST_TMPDIR/step.$name"
	done
}

# at_step NAME: the client has come to this one, and waits.
at_step()
{
	wait_until 10 grep -qsx "$1" "$SAID" ||
		fail "the client does not get to $1" "$(<"$SAID")"
}

# go_on NAME
go_on()
{
	timeout 10 tee "$BATS_TEST_TMPDIR/step.$1" </dev/null
}

# The client ends well.
client_ends()
{
	local status=0
	wait "$CLIENT_PID" || status=$?
	((status == 0)) || fail "the client: $status" "$(<"$SAID")"
}
