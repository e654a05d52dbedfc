#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What is said to everybody, to who is served, and to who is not.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# banner_files: three of them in the public directory, and BANNERS to use them.
banner_files()
{
	local dir
	dir=$(public_dir)
	echo "everybody" >"$dir/all"
	echo "welcome" >"$dir/yes"
	echo "sorry" >"$dir/no"
	BANNERS="banner = \"$dir/all\" banner_success = \"$dir/yes\" banner_fail = \"$dir/no\""
}

welcome=$'everybody\nwelcome\n'

@test "who is served by a handler hears both banners before its first word" {
	banner_files
	conf "service \"cat\" { listen = {\"tcp://127.0.0.1:0\", \"unix://$(public_dir)/cat\"} exec = {\"/bin/cat\"} $BANNERS }"
	start_minetd
	assert_eq "${welcome}hello" "$(talk cat hello)"
	assert_eq "${welcome}hello" "$(dial -s hello "unix://$(public_dir)/cat")"
}

@test "without banners nothing is said" {
	conf 'service "cat" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	assert_eq "hello" "$(talk cat hello)"
}

@test "who is refused hears why, and who is served afterwards does not" {
	banner_files
	conf "service \"one\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"}
		instances = 1 on_full = refuse $BANNERS }"
	start_minetd
	hold_client one
	wait_until 5 grep -q welcome "$CLIENT_OUT"
	run -0 talk one
	assert_eq $'everybody\nsorry' "$output"
	kill "$CLIENT_PID"
	served() { [[ $(talk one) == "${welcome%$'\n'}" ]]; }
	wait_until 5 served
}

@test "who is refused while sending can read the banner to its end" {
	banner_files
	conf "service \"one\" { listen = {\"tcp://127.0.0.1:0\", \"unix://$(public_dir)/one\"}
		exec = {\"/bin/cat\"} instances = 1 on_full = refuse $BANNERS }"
	start_minetd
	hold_client one
	wait_until 5 grep -q welcome "$CLIENT_OUT"
	# The frontend is stopped until the words of the client are there: they
	# are unread when it is refused.
	timeout 20 python3 - "$(port_of one)" "$(public_dir)/one" "$(frontend_pid)" <<-'END'
	import os, signal, socket, sys
	tcp, path, front = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
	for i in range(10):
	    os.kill(front, signal.SIGSTOP)
	    clients = [socket.create_connection(('127.0.0.1', tcp), 10),
	        socket.socket(socket.AF_UNIX)]
	    clients[1].connect(path)
	    for client in clients:
	        client.sendall(b'a request of some length' * 100)
	    os.kill(front, signal.SIGCONT)
	    for client in clients:
	        got = b''
	        while piece := client.recv(100):
	            got += piece
	        assert got == b'everybody\nsorry\n', got
	END
}

@test "a client that does not read its banner holds nobody up" {
	banner_files
	head -c 60000 /dev/zero | tr '\0' x >"$(public_dir)/all"
	conf "service \"cat\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} receive_buffer = 4096 send_buffer = 4096 $BANNERS }
	service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
	start_minetd
	local i
	for i in 1 2 3 4 5; do
		hold_client cat
		kill -STOP "$CLIENT_PID"
	done
	assert_eq hello "$(talk echo hello)"
}

@test "a client of tcpmux hears the banners of its service after the +Go" {
	banner_files
	conf "service \"mux\" { listen = {\"tcp://127.0.0.1:0\"} builtin = \"tcpmux\" }
	service \"cat\" { listen = {\"tcpmux://cat\"} exec = {\"/bin/cat\"} instances = 1 $BANNERS }"
	start_minetd
	assert_eq $'+Go\r\n'"${welcome}hello" "$(talk mux $'cat\r\nhello')"
	wait_log 'exit service=cat'
	local held
	exec {held}<>"/dev/tcp/127.0.0.1/$(port_of mux)"
	printf 'cat\r\n' >&"$held"
	IFS= read -r -t 5 -u "$held" line
	assert_eq $'-Service is full\r\neverybody\nsorry' "$(talk mux $'cat\r\nhello')"
	exec {held}>&-
}

@test "a built-in says its banners before its answer" {
	banner_files
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} builtin = \"echo\" $BANNERS }"
	start_minetd
	assert_eq "${welcome}hello" "$(talk echo hello)"
}

@test "a redirect says its banners before what its target says" {
	banner_files
	conf "service \"cat\" { listen = {\"unix://$(public_dir)/cat\"} exec = {\"/bin/cat\"} }
	service \"to\" { listen = {\"tcp://127.0.0.1:0\"} redirect = {\"unix://$(public_dir)/cat\"} $BANNERS }"
	start_minetd
	assert_eq "${welcome}hello" "$(talk to hello)"
}

@test "a banner is that of the last load" {
	banner_files
	conf "service \"cat\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} $BANNERS }"
	start_minetd
	echo "another" >"$(public_dir)/yes"
	assert_eq "${welcome}hello" "$(talk cat hello)"
	reload
	assert_eq $'everybody\nanother\nhello' "$(talk cat hello)"
}
