#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# stderr = log: what handlers say on fd 2, line by line, in the log.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# says NAME [KEYS] <SCRIPT: a service whose handler is this shell script.
says()
{
	local program
	program=$({ echo '#!/bin/sh'; cat; } | script "$1")
	echo "service \"$1\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$program\"} stderr = \"log\" ${2:-} }" >>"$CONF"
}

setup()
{
	daemon_setup
	forked=
	[[ $MINETD == */release/* ]] || forked=1
}

# begin: after says.
begin()
{
	conf "$(<"$CONF")"
	start_minetd
}

# lines_of SERVICE: their texts, as they are in the log.
lines_of()
{
	sed -n "s/.*stderr service=$1 .*text=//p" "$LOG" | sed 's/^"\(.*\)"$/\1/'
}

main_descriptors()
{
	ls "/proc/$MINETD_PID/fd" | wc -l
}

front_descriptors()
{
	ls "/proc/$(frontend_pid)/fd" | wc -l
}

# Both processes have as many as in $main_before and $front_before.
same_descriptors()
{
	[[ $(main_descriptors) == "$main_before" &&
	    $(front_descriptors) == "$front_before" ]]
}

@test "each line is logged with service, id and pid, and no client sees it" {
	says both <<-'END'
	echo "to the client"
	echo "first line" >&2
	echo second >&2
	END
	begin
	assert_eq "to the client" "$(talk both)"
	wait_log 'stderr service=both id=1 pid=[0-9]+ text="first line"$'
	wait_log 'stderr service=both id=1 pid=[0-9]+ text=second$'
	wait_log 'exit service=both id=1'
	assert_eq "$(log_field pid "$(log_line 'exit service=both')")" \
		"$(log_field pid "$(log_line 'text=second')")"
	assert_eq 2 "$(count_log '(^| )stderr ')"
}

@test "without it the client has both, and the log has nothing" {
	says both 'log_connections = yes' <<-'END'
	echo said >&2
	END
	sed -i 's/stderr = "log"/stderr = "socket"/' "$CONF"
	begin
	assert_eq said "$(talk both)"
	wait_log 'exit service=both'
	assert_eq 0 "$(count_log '(^| )stderr ')"
}

@test "a handler gets the pipe as fd 2 and no other descriptor" {
	conf "service \"probe\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$(public_bin probe)\", \"fds\"} stderr = \"log\" }"
	start_minetd
	local report
	report=$(talk probe)
	assert_match 'fds=0 1 2(\b|$)' "$report"
	assert_match 'fd\.2=pipe:' "$report"
	assert_match 'fd\.2\.access=1' "$report"
	assert_match 'fd\.2\.nonblock=0' "$report"
	assert_match 'fd\.0=socket:' "$report"
}

@test "log_format = json has the lines as objects" {
	says json <<<'printf "a \"b\" \\\\ \001\n" >&2'
	echo 'log_format = json' >>"$CONF"
	begin
	dial "tcp://$(grep -o '127\.0\.0\.1:[0-9]*' "$LOG" | head -n 1)"
	wait_log '"event":"stderr","service":"json","id":1,"pid":[0-9]+,"text":"a \\"b\\" \\\\ \\u0001"'
}

@test "empty lines are skipped, and carriage returns before newlines" {
	says odd <<<'printf "\n\na\r\n\r\nb\n\n" >&2'
	begin
	talk odd
	wait_log 'exit service=odd'
	wait_log 'text=b$'
	assert_eq $'a\nb' "$(lines_of odd)"
}

@test "a last line without a newline is logged" {
	says partial <<<'printf "one\ntwo" >&2'
	begin
	talk partial
	wait_log 'text=two$'
	assert_eq $'one\ntwo' "$(lines_of partial)"
}

@test "bytes that are no text are escaped: one line stays one line" {
	says binary <<<'printf "a\000b\033[31m\377\nservice=x\n" >&2; head -c 5000 /dev/urandom >&2; printf "\nend\n" >&2'
	begin
	talk binary
	wait_log 'text=end$'
	wait_log 'text="a\\x00b\\x1b\[31m\\xff"'
	run grep -caP '[\x00-\x09\x0b-\x1f\x7f]' "$LOG"
	assert_eq 0 "$output"
	iconv -f UTF-8 -t UTF-8 "$LOG" >/dev/null
	assert_eq 0 "$(count_log '^service=x')"
}

@test "a long line is cut, and the log says by how much" {
	says long <<-'END'
	head -c 896 /dev/zero | tr '\0' x >&2; echo >&2
	head -c 100000 /dev/zero | tr '\0' y >&2; echo >&2
	echo after >&2
	END
	begin
	talk long
	wait_log 'text=after$'
	wait_log 'stderr service=long id=1 pid=[0-9]+ text=x{896}$'
	wait_log 'stderr service=long id=1 pid=[0-9]+ cut=99104 text=y{896}$'
}

@test "a handler that says too much is not held up, and the log stays small" {
	says flood <<-'END'
	seq 100000 >&2
	echo done
	END
	begin
	local from=${EPOCHREALTIME/[.,]/}
	assert_eq "done" "$(talk flood)"
	local took=$((${EPOCHREALTIME/[.,]/} - from))
	((took < 5000000)) || fail "it took $took us"
	wait_log 'exit service=flood id=1 .* status=0'
	wait_log 'stderr service=flood .*left_out='
	local said=0 left_out n
	left_out=$(sed -n 's/.* stderr .*left_out=\([0-9]*\).*/\1/p;
		s/^stderr .*left_out=\([0-9]*\).*/\1/p' "$LOG" |
		awk '{ sum += $1 } END { print sum }')
	said=$(lines_of flood | wc -l)
	((said >= 200 && said < 2000)) || fail "$said lines"
	assert_eq 100000 $((said + left_out))
	assert_eq 1 "$(lines_of flood | head -n 1)"
	# The twin: another handler is heard meanwhile.
	assert_eq "done" "$(talk flood)"
	wait_log 'stderr service=flood id=2 .*text=1$'
}

@test "a handler that has said too much is heard again later" {
	local more fd
	more=$(public_dir)/more
	mkfifo -m 666 "$more"
	says hold <<-END
	seq 1000 >&2
	while read -r line; do echo "heard \$line" >&2; done <"$more"
	END
	begin
	# Both ends: who writes always finds a reader, and nobody an end.
	exec {fd}<>"$more"
	hold_client hold
	wait_log 'stderr service=hold .* text=150$'
	# It has to wait until the rate allows one more.
	heard() {
		echo again >&"$fd"
		grep -q 'stderr service=hold .*text="heard again"' "$LOG"
	}
	wait_until 10 heard
	wait_log 'stderr service=hold .*left_out='
	exec {fd}>&-
}

@test "what a grandchild says when the handler has ended is logged" {
	local go
	go=$(public_dir)/go
	mkfifo -m 666 "$go"
	says parent <<-END
	(read -r line <"$go"; echo "child says \$line" >&2) </dev/null >/dev/null &
	echo parent >&2
	END
	begin
	talk parent
	wait_log 'exit service=parent id=1'
	wait_log 'text=parent$'
	local main_before front_before
	echo late >"$go"
	wait_log 'stderr service=parent id=1 .*text="child says late"$'
	main_before=$(($(main_descriptors)))
	# shellcheck disable=SC2317	# wait_until calls it
	no_pipe() { [[ $(readlink "/proc/$MINETD_PID/fd/"*) != *pipe:* ]]; }
	wait_until 5 no_pipe
}

@test "the frontend dies: what handlers say after that is logged" {
	local go
	go=$(public_dir)/go
	mkfifo -m 666 "$go"
	says talks <<-END
	echo before >&2
	read -r line <"$go"
	echo "after \$line" >&2
	echo ended
	END
	begin
	hold_client talks
	wait_log 'text=before$'
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	echo 'a crash' >"$go"
	wait_log 'stderr service=talks id=1 .*text="after a crash"$'
	wait_log 'exit service=talks id=1 .* status=0 signal=0'
	assert_eq ended "$(<"$CLIENT_OUT")"
}

@test "what is said while no frontend runs is logged by the next one" {
	local go
	go=$(public_dir)/go
	mkfifo -m 666 "$go"
	says talks <<-END
	echo before >&2
	read -r line <"$go"
	echo "after \$line" >&2
	END
	begin
	hold_client talks
	wait_log 'text=before$'
	# Twice in a row: the second one comes back after a pause.
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	kill -KILL "$(frontend_pid)"
	echo 'a pause' >"$go"
	wait_log 'exit service=talks id=1 .* status=0 signal=0'
	wait_log 'stderr service=talks id=1 .*text="after a pause"$' 10
}

@test "over a reload, also one that removes the service" {
	local go
	go=$(public_dir)/go
	mkfifo -m 666 "$go"
	says talks <<-END
	# Opened once, for both: no end of file between two writers.
	exec 3<>"$go"
	echo before >&2
	while read -r line <&3; do echo "after \$line" >&2; done
	END
	begin
	hold_client talks
	wait_log 'text=before$'
	reload
	echo 'a reload' >"$go"
	wait_log 'stderr service=talks id=1 .*text="after a reload"$'
	conf 'service "other" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	reload
	echo 'its removal' >"$go"
	wait_log 'stderr service=talks id=1 .*text="after its removal"$'
	alive "$CLIENT_PID"
}

@test "over an upgrade" {
	local go binary
	go=$(public_dir)/go
	mkfifo -m 666 "$go"
	binary=$(public_dir)/minetd
	install -m 755 "$MINETD" "$binary"
	MINETD=$binary
	says talks <<-END
	# Opened once, for both: no end of file between two writers.
	exec 3<>"$go"
	echo before >&2
	while read -r line <&3; do echo "after \$line" >&2; done
	END
	says leaves <<-END
	(read -r line <"$go.2"; echo "child says \$line" >&2) </dev/null >/dev/null &
	END
	mkfifo -m 666 "$go.2"
	begin
	hold_client talks
	wait_log 'text=before$'
	talk leaves
	wait_log 'exit service=leaves id=2'
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok' 10
	echo 'an upgrade' >"$go"
	wait_log 'stderr service=talks id=1 pid=[0-9]+ text="after an upgrade"$'
	echo late >"$go.2"
	wait_log 'stderr service=leaves id=2 pid=[0-9]+ text="child says late"$'
	kill -USR2 "$MINETD_PID"
	twice() { (($(count_log 'upgrade result=ok') == 2)); }
	wait_until 10 twice
	echo 'another' >"$go"
	wait_log 'text="after another"$'
}

@test "nobody is ever killed by the pipe, whatever becomes of frontends" {
	local go
	go=$(public_dir)/go
	mkfifo -m 666 "$go"
	says writes <<-END
	echo begun
	seq 1000 >&2
	read -r line <"$go"
	seq 1000 >&2
	echo "ended \$?"
	END
	begin
	hold_client writes
	wait_until 5 grep -q begun "$CLIENT_OUT"
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	reload
	echo >"$go"
	wait_until 5 grep -qx 'ended 0' "$CLIENT_OUT"
	wait_log 'exit service=writes id=1 .* status=0 signal=0'
}

@test "the last words of handlers that are told to end are logged" {
	says words <<-'END'
	trap 'echo "last words" >&2; exit 3' TERM
	echo ready >&2
	while :; do read -r line; done
	END
	sed -i 's/read -r line/sleep 0.05/' "$(public_dir)/words"
	begin
	hold_client words
	wait_log 'text=ready$'
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
	assert_eq 1 "$(count_log 'stderr service=words .*text="last words"$')"
	wait_log 'exit service=words .* status=3'
}

@test "a grandchild that keeps the pipe does not keep the daemon from ending" {
	says leaves <<-'END'
	trap '' TERM
	(exec sleep 60) </dev/null >/dev/null &
	echo "child $!" >&2
	END
	begin
	talk leaves
	wait_log 'text="child [0-9]+"$'
	local child
	child=$(lines_of leaves)
	ends_with_test "${child#child }"
	alive "${child#child }"
	stop_minetd TERM 3
	assert_eq 0 "$MINETD_STATUS"
}

@test "a program that cannot be executed leaves nothing behind" {
	need_root	# to look into the frontend
	conf 'service "none" { listen = {"tcp://127.0.0.1:0"} exec = {"/nonexistent"} stderr = "log" }
	service "true" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/true"} stderr = "log" }'
	start_minetd
	talk true
	wait_log 'exit service=true id=1'
	local main_before front_before
	# shellcheck disable=SC2317	# wait_until calls it
	no_pipe() { [[ $(readlink "/proc/$MINETD_PID/fd/"*) != *pipe:* ]]; }
	wait_until 5 no_pipe
	main_before=$(main_descriptors)
	front_before=$(front_descriptors)
	talk none
	wait_log 'spawn_failed service=none step=exec error="No such file'
	wait_until 5 same_descriptors
	assert_eq 0 "$(count_log '(^| )stderr ')"
	talk true
	wait_log 'exit service=true id=3'
}

@test "both processes hold the same descriptors after 500 connections" {
	need_root	# to look into the frontend
	# shellcheck disable=SC2016	# for the handler
	says one <<<'echo "$MINETD_ID" >&2'
	begin
	talk one
	wait_log 'text=1$'
	wait_log 'exit service=one id=1'
	local main_before front_before
	# shellcheck disable=SC2317	# wait_until calls it
	no_pipe() { [[ $(readlink "/proc/$MINETD_PID/fd/"*) != *pipe:* ]]; }
	wait_until 5 no_pipe
	main_before=$(main_descriptors)
	front_before=$(front_descriptors)
	dial -c 500 -t 25 "tcp://127.0.0.1:$(port_of one)"
	wait_log 'exit service=one id=501 ' 10
	wait_until 5 same_descriptors
	assert_eq 501 "$(count_log 'stderr service=one')"
	assert_eq "$(seq 501)" "$(lines_of one | sort -n)"
}

@test "shell scripts can write to /dev/stderr as another user" {
	need_root
	says dev 'user = "nobody"' <<<'echo "by its name" >/dev/stderr'
	begin
	talk dev
	wait_log 'stderr service=dev id=1 .*text="by its name"$'
}

@test "a handler may close its stderr and go on" {
	# shellcheck disable=SC2016	# for the handler
	says closes <<<'exec 2>&-; echo going; read -r line; echo "$line"'
	begin
	assert_eq $'going\non' "$(talk closes on)"
	wait_log 'exit service=closes id=1 .* status=0'
}

@test "without descriptors for a pipe the client is served all the same" {
	need_root
	says both 'log_connections = no' <<<'echo served; echo lost >&2'
	begin
	local many
	many=$(($(main_descriptors) + 2))
	prlimit --pid "$MINETD_PID" --nofile="$many:$many"
	# A connection takes one, the ends of a pipe two.  A handler that is
	# forked needs a pipe for itself, and there is none for that, either.
	if [[ -z $forked ]]; then
		assert_eq served "$(talk both)"
	else
		assert_eq '' "$(talk both)"
		wait_log 'spawn_failed service=both step=clone '
	fi
	wait_log 'stderr service=both id=[0-9]+ error="Too many open files"'
}
