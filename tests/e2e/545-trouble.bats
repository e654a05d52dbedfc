#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# No process to be had, and handlers that fail as soon as they are started.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/sources

setup()
{
	daemon_setup
	hold="exec = {\"$(public_bin probe)\", \"hold\"}"
}

# service NAME KEYS [LISTEN]
service()
{
	echo "service \"$1\" { listen = {\"${3:-tcp://127.0.0.1:0}\"} $2 }"
}

# no_process COUNT|START+: the next so many attempts to make one fail, or all
# from that one on, until no_more.
no_process()
{
	local when=$1
	[[ $when == *+ ]] || when=1..$when
	start_process strace -qq -o "$BATS_TEST_TMPDIR/strace" \
		-p "$MINETD_PID" -e trace=clone,clone3,fork,vfork \
		-e "inject=clone,clone3,fork,vfork:error=EAGAIN:when=$when"
	STRACE_PID=$STARTED_PID
	wait_until 10 grep -q "^TracerPid:[[:space:]]$STRACE_PID\$" \
		"/proc/$MINETD_PID/status" || fail "not traced"
}

no_more()
{
	kill "$STRACE_PID"
	untraced() { grep -q $'^TracerPid:\t0$' "/proc/$MINETD_PID/status"; }
	wait_until 10 untraced
}

need_strace()
{
	need_root
	need strace
}

# crashing: a program that ends by a signal, as long as there is the file FLAG.
crashing()
{
	FLAG=$(public_dir)/crash
	script crashing <<-END >/dev/null
		#!/bin/sh
		[ ! -e $FLAG ] || kill -$1 \$\$
		cat
	END
	PROGRAM=$(public_dir)/crashing
	touch "$FLAG"
}

@test "a connection is kept until there is a process for it" {
	need_strace
	conf "$(service hold "$hold")"
	start_minetd
	no_process 3
	held 127.0.0.1 hold
	wait_log 'throttle service=hold reason=no_process msec=50'
	wait_log 'resume service=hold'
	assert_eq 0 "$(count_log spawn_failed)"
	assert_eq 1 "$(count_log throttle)"
	assert_eq 1 "$(count_log resume)"
	no_more
	served 127.0.0.1 hold
}

@test "what a kept client has sent is served as it is" {
	need_strace
	conf "$(service cat 'exec = "/bin/cat"')"
	start_minetd
	no_process 2
	assert_eq hello "$(talk cat hello)"
	assert_eq 2 "$(grep -c EAGAIN "$BATS_TEST_TMPDIR/strace")"
}

@test "others wait in the queue, and are served after that" {
	need_strace
	conf "$(service hold "$hold")"
	start_minetd
	no_process 4
	hold_client hold
	wait_log 'throttle service=hold'
	local first=$CLIENT_OUT
	hold_client hold
	local second=$CLIENT_OUT
	hold_client hold
	greeted "$first"
	greeted "$second"
	greeted
	assert_eq 0 "$(count_log reject)"
}

@test "builtins are served all the while" {
	need_strace
	conf "$(service hold "$hold")
	$(service echo 'builtin = echo')"
	start_minetd
	no_process 1+
	hold_client hold
	wait_log 'throttle service=hold'
	assert_eq hello "$(talk echo hello)"
	no_more
	greeted
}

@test "who cannot be served within five seconds sees the end" {
	need_strace
	conf "$(service hold "$hold")"
	start_minetd
	no_process 1+
	assert_eq '' "$(from 127.0.0.1 hold -t 20)"
	wait_log 'spawn_failed service=hold step=clone error="?Resource temp'
	assert_eq 0 "$(count_log resume)"
	no_more
	served_again 127.0.0.1 hold
	wait_log 'resume service=hold'
	# The place is free again.
	wait_until 5 running 0
}

running()
{
	[[ $(handler_pids | wc -l) == "$1" ]]
}

@test "a kept connection takes its place of instances" {
	need_strace
	conf "$(service hold "$hold instances = 1")"
	start_minetd
	no_process 2
	hold_client hold
	wait_log 'throttle service=hold'
	local first=$CLIENT_OUT pid=$CLIENT_PID
	hold_client hold
	greeted "$first"
	running 1
	assert_eq '' "$(<"$CLIENT_OUT")"
	kill "$pid"
	greeted
}

@test "a client that leaves while it is kept is nobody's trouble" {
	need_strace
	conf "$(service cat 'exec = "/bin/cat"')"
	start_minetd
	no_process 3
	dial -R "tcp://127.0.0.1:$(port_of cat)"
	wait_log 'exit service=cat '
	wait_log 'resume service=cat'
}

# kept_long: attempts have become rare; a process can be had again.
kept_long()
{
	failed() { (($(grep -c EAGAIN "$BATS_TEST_TMPDIR/strace") >= 6)); }
	wait_until 10 failed
	no_more
}

@test "what is kept is served over a reload, as the service is then" {
	need_strace
	conf "$(service hold "$hold")"
	start_minetd
	no_process 1+
	hold_client hold
	kept_long
	conf "$(service hold "$hold log_connections = verbose")"
	reload
	greeted
	wait_log 'resume service=hold'
	wait_until 5 running 1
}

@test "what is kept for a service that is removed is served all the same" {
	need_strace
	conf "$(service hold "$hold")
	$(service echo 'builtin = echo')"
	start_minetd
	no_process 1+
	hold_client hold
	kept_long
	conf "$(service echo 'builtin = echo')"
	reload
	greeted
	assert_eq hello "$(talk echo hello)"
}

@test "an upgrade waits for what is kept" {
	need_strace
	conf "$(service hold "$hold")"
	start_minetd
	no_process 1+
	hold_client hold
	kept_long
	upgrade
	greeted
	wait_until 5 running 1
}

@test "the end of the daemon ends what is kept" {
	need_strace
	conf "$(service hold "$hold")"
	start_minetd
	no_process 1+
	hold_client hold
	wait_log 'throttle service=hold'
	no_more
	stop_minetd
	wait_until 5 gone "$CLIENT_PID"
}

@test "handlers that wait, and those of datagrams and terminals, come later" {
	need_strace
	conf "$(service wait "exec = {\"$(public_bin waiter)\"} wait = yes")
	$(service pty "$hold pty = yes")"
	start_minetd
	no_process 2
	hold_client wait
	wait_until 10 grep -q . "$CLIENT_OUT" || fail "not served"
	wait_log 'throttle service=wait reason=no_process'
	no_more
	no_process 1
	assert_eq '' "$(from 127.0.0.1 pty)"
	wait_log 'throttle service=pty reason=no_process'
	served_again 127.0.0.1 pty
	wait_log 'resume service=pty'
}

@test "too many processes of the user are waited for by the handler" {
	need_strace
	conf "$(service cat 'exec = "/bin/cat"')"
	start_minetd
	start_process strace -f -qq -o /dev/null -p "$MINETD_PID" \
		-e trace=execve -e 'inject=execve:error=EAGAIN:when=1..3'
	traced() { ! grep -q $'^TracerPid:\t0$' "/proc/$MINETD_PID/status"; }
	wait_until 10 traced
	assert_eq hello "$(talk cat hello)"
	assert_eq 0 "$(count_log spawn_failed)"
}

@test "a service whose program is missing rests, and comes back by itself" {
	conf "$(service bad "exec = \"$(public_dir)/missing\"")
	$(service echo 'exec = "/bin/cat"')"
	start_minetd
	for _ in 1 2 3 4 5; do
		from 127.0.0.1 bad
	done
	wait_log 'throttle service=bad reason=spawn_failed msec=1000'
	# This one is in the queue until the service is tried again.
	hold_client bad
	assert_eq hello "$(talk echo hello)"
	install -m 755 /bin/cat "$(public_dir)/missing"
	reads() { assert_eq hello "$(talk bad hello)"; }
	wait_until 20 reads
	wait_log 'resume service=bad' 20
	assert_eq 1 "$(count_log 'throttle service=bad')"
}

@test "while it rests, nobody is let in" {
	conf "$(service bad "exec = \"/nonexistent\"")"
	start_minetd
	for _ in 1 2 3 4 5; do
		from 127.0.0.1 bad
	done
	wait_log 'throttle service=bad'
	# Those that it is tried with; the pauses grow.
	from 127.0.0.1 bad
	from 127.0.0.1 bad
	wait_log 'exit service=bad id=7 '
	run -3 dial -k -t 1 "tcp://127.0.0.1:$(port_of bad)"
	assert_eq 7 "$(count_log 'exit service=bad')"
	assert_eq 1 "$(count_log 'throttle service=bad')"
}

@test "a program that crashes at once rests for a second, and no longer" {
	crashing SEGV
	conf "$(service crash "exec = \"$PROGRAM\"")"
	start_minetd
	local i
	for ((i = 0; i < 8; i++)); do
		from 127.0.0.1 crash -t 20
	done
	wait_log 'throttle service=crash reason=crashed msec=1000'
	rm "$FLAG"
	assert_eq hello "$(dial -t 20 -s hello \
		"tcp://127.0.0.1:$(port_of crash)")"
	wait_log 'resume service=crash'
}

@test "a program that only fails does not rest" {
	conf "$(service false 'exec = "/bin/false"')
	$(service term "exec = {\"$(public_bin probe)\", \"signal\", \"15\"}")"
	start_minetd
	for _ in 1 2 3 4 5 6 7; do
		from 127.0.0.1 false
		from 127.0.0.1 term
	done
	wait_log 'exit service=false id=13 '
	wait_log 'exit service=term id=14 '
	assert_eq 0 "$(count_log throttle)"
}

@test "crashes among successes do not rest" {
	crashing ABRT
	conf "$(service some "exec = \"$PROGRAM\"")"
	start_minetd
	for _ in 1 2 3; do
		touch "$FLAG"
		from 127.0.0.1 some
		from 127.0.0.1 some
		rm "$FLAG"
		from 127.0.0.1 some
	done
	wait_log 'exit service=some id=9 '
	assert_eq 0 "$(count_log throttle)"
}

@test "a reload begins anew" {
	conf "$(service bad "exec = \"/nonexistent\"")"
	start_minetd
	for _ in 1 2 3 4 5; do
		from 127.0.0.1 bad
	done
	wait_log 'throttle service=bad'
	conf "$(service bad 'exec = "/bin/cat"')"
	reload
	wait_log 'resume service=bad'
	assert_eq hello "$(talk bad hello)"
}
