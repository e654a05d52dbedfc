#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# Handlers as people write them: a program that was never meant for a network,
# and a few lines of each scripting language, found through the handler's PATH.

load ../lib/daemon

bats_require_minimum_version 1.5.0

# need_script COMMAND...: where handlers look for programs.
need_script()
{
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		need "$@"
}

# serve NAME COMMAND: one service, of one program.
serve()
{
	conf <<-END
		service "$1" {
			listen = "tcp://127.0.0.1:0"
			exec = "$2"
			log_connections = verbose
		}
	END
	start_minetd
}

# connect SERVICE: as descriptor $conn.  The shell's own client, for a dialogue.
connect()
{
	exec {conn}<>"/dev/tcp/127.0.0.1/$(port_of "$1")"
}

# ask LINE WANTED: both without the newline.
ask()
{
	local answer=
	echo "$1" >&"$conn"
	IFS= read -r -t 10 -u "$conn" answer || fail "no answer to $1" || return
	assert_eq "$2" "$answer" "the answer to $1"
}

@test "sha256sum, as it is, is a server: it answers when the client has sent all" {
	need sha256sum || return
	serve sum "$(type -P sha256sum)"
	head -c 2000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	assert_eq "$(sha256sum <"$BATS_TEST_TMPDIR/data")" \
		"$(dial -i "tcp://127.0.0.1:$(port_of sum)" \
			<"$BATS_TEST_TMPDIR/data")"
	wait_log 'exit service=sum .* status=0 '
}

@test "cat, as it is, is an echo server" {
	serve echo "$(type -P cat)"
	head -c 2000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	dial -i -o "$BATS_TEST_TMPDIR/echo" "tcp://127.0.0.1:$(port_of echo)" \
		<"$BATS_TEST_TMPDIR/data"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/echo"
}

@test "a shell script holds a dialogue" {
	serve sh "$(script capitals <<-'END'
		#!/bin/sh
		while read -r line; do
			case $line in
			bye) exit 3 ;;
			*) echo "$TCPREMOTEIP said $line" ;;
			esac
		done
	END
	)"
	connect sh
	ask one '127.0.0.1 said one'
	ask two '127.0.0.1 said two'
	echo bye >&"$conn"
	run -1 read -r -t 10 -u "$conn"
	wait_log 'exit service=sh .* status=3 '
}

@test "an awk script adds up what it is sent" {
	need_script awk || return
	serve awk "$(script total <<-'END'
		#!/bin/sh
		exec awk '{ sum += $1 } END { print sum, NR }'
	END
	)"
	assert_eq '5050 100' "$(talk awk "$(printf '%d\n' {1..100})")"
}

@test "a python script has a socket on stdin and knows its peer" {
	need_script python3 || return
	serve python "$(script peer.py <<-'END'
		#!/usr/bin/env python3
		import os, socket, sys
		peer = socket.socket(fileno=os.dup(0)).getpeername()
		for line in iter(sys.stdin.readline, ''):
		    same = peer == (os.environ['TCPREMOTEIP'],
		                    int(os.environ['TCPREMOTEPORT']))
		    print(line.strip()[::-1], same, flush=True)
	END
	)"
	connect python
	ask stressed 'desserts True'
	ask drawer 'reward True'
}

@test "python's http server serves one connection, several requests" {
	need_script python3 || return
	need curl || return
	serve http "$(script web.py <<-'END'
		#!/usr/bin/env python3
		import http.server, os, socket
		class Handler(http.server.BaseHTTPRequestHandler):
		    protocol_version = 'HTTP/1.1'
		    def do_GET(self):
		        body = ('%s %d' % (self.path, os.getpid())).encode()
		        self.send_response(200)
		        self.send_header('Content-Length', str(len(body)))
		        self.end_headers()
		        self.wfile.write(body)
		    def log_message(self, *args):
		        pass
		conn = socket.socket(fileno=0)
		Handler(conn, conn.getpeername(), None)
	END
	)"
	local url
	url=http://127.0.0.1:$(port_of http)
	run -0 curl -q -fsS --noproxy '*' --max-time 10 -w '\n' \
		"$url/one" "$url/two"
	assert_match '^/one ([0-9]+)$' "${lines[0]}"
	assert_eq "/two ${BASH_REMATCH[1]}" "${lines[1]}"
}

@test "a perl script holds a dialogue" {
	need_script perl || return
	serve perl "$(script rot13.pl <<-'END'
		#!/usr/bin/env perl
		$| = 1;
		while (<STDIN>) { tr/A-Za-z/N-ZA-Mn-za-m/; print }
	END
	)"
	connect perl
	ask hello uryyb
	ask uryyb hello
}
