#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# A configuration that is wrong, or cannot be put into effect, changes nothing.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	probe=$(public_bin probe)
	old="service \"it\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"old\"} }
service \"hold\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$probe\", \"hold\"} }"
	new="service \"it\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"new\"} }"
}

# A daemon with the old configuration, with a client that stays.
serve_old()
{
	conf "$old"
	start_minetd
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	front=$(frontend_pid)
}

# Nothing has changed.
still_old()
{
	assert_eq old "$(talk it)" "after: $1" || return
	assert_eq "$front" "$(frontend_pid)" "the frontend after: $1" || return
	alive "$CLIENT_PID" || fail "a client was lost after: $1"
}

# The twin of it all.
then_new()
{
	local made=$1
	rm -rf "$CONF"
	conf "$new"
	reload || return
	assert_eq new "$(talk it)" "after: $made"
}

# complained LINES REGEX: the complaints since the first LINES lines of the log.
complained()
{
	local said
	said=$(tail -n +$(($1 + 1)) "$LOG" | grep -E '(^| )config message=')
	assert_match "$2" "$said" "the complaint"
}

# refuses REGEX [RESULT]: the configuration there is now.
refuses()
{
	local lines
	lines=$(wc -l <"$LOG")
	reload refused || return
	assert_match ' errors=[1-9]' "$RELOADED" "the count" || return
	complained "$lines" "$1" || return
	still_old "$1"
}

# The second line is the wrong one; a row is what is complained of, and the
# text of that line.
wrong_lines='
unknown key	colour = "red"
did you mean	max_childern = 3
must be yes or no	strict = maybe
decimal number	max_children = -1
decimal number	max_children = many
must be one of	log_level = loud
must be stderr	log = "nowhere"
absolute path	pid_file = "relative"
must be a time	drain_timeout = 5parsecs
neither root	frontend_user = "root"
never closed	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"}
too many	}
string is never closed	service "x { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
comment is never closed	/* no end
needs a name	service { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
there is no user	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} user = "no-such-user" }
there is no group	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} group = "no-such-group" }
exec: .*needs one of exec, builtin	service "x" { listen = {"tcp://127.0.0.1:0"} }
absolute path	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"bin/cat"} }
listen: .*at least one	service "x" { exec = {"/bin/cat"} }
is not one of	service "x" { listen = {"http://127.0.0.1:0"} exec = {"/bin/cat"} }
port 70000	service "x" { listen = {"tcp://127.0.0.1:70000"} exec = {"/bin/cat"} }
valid address	service "x" { listen = {"tcp://300.0.0.1:7"} exec = {"/bin/cat"} }
overlaps	service "x" { listen = {"tcp://*:9", "tcp://127.0.0.1:9"} exec = {"/bin/cat"} }
set again	max_children = 1 max_children = 2
name of another	service "it" { listen = {"unix:///tmp/x"} exec = {"/bin/cat"} }
octal	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} umask = "999" }
SOFT	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} limits { nofile = "few" } }
NAME=value	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} env = {"novalue"} }
sets this variable	service "x" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} env = {"MINETD_ID=7"} }
needs at least one value	service "x" { listen = {} exec = {"/bin/cat"} }
can have one of	service "x" { listen = {"tcp://127.0.0.1:0"} builtin = "echo" redirect = {"unix:///x"} }
is for services with redirect	service "x" { listen = {"tcp://127.0.0.1:0"} builtin = "echo" proxy_out = "v1" }
cannot be done	service "x" { listen = {"udp://127.0.0.1:0"} builtin = "text" text = "x" }
No such file	service "x" { listen = {"tcp://127.0.0.1:0"} builtin = "text" text = "file:/no/such" }
No such file	include("missing.conf")
regular file	include("/dev/null")
'

@test "every error of the text refuses the reload, and is said with its line" {
	serve_old
	local complaint text rows=0
	while IFS=$'\t' read -r complaint text; do
		[[ -n $text ]] || continue
		rows=$((rows + 1))
		printf '%s\n' "$new" "$text" >"$CONF"
		refuses "$CONF:2: .*($complaint)"
	done <<<"$wrong_lines"
	((rows == 37)) || fail "$rows rows"
	then_new "wrong lines"
}

@test "each of several errors is said" {
	serve_old
	conf "$new
colour = 1
max_children = -1
service \"x\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} user = \"no-such-user\" }"
	local lines
	lines=$(wc -l <"$LOG")
	refuses "$CONF:2: colour: "
	complained "$lines" "$CONF:3: max_children: "
	complained "$lines" "$CONF:4: user: "
	assert_match ' errors=3 ' "$RELOADED"
	then_new "several errors"
}

@test "an error in an included file is said with that file's line" {
	serve_old
	conf "$new
include(\"more.conf\")"
	printf '\n\ncolour = 1\n' >"$BATS_TEST_TMPDIR/more.conf"
	refuses "$BATS_TEST_TMPDIR/more.conf:3: colour: "
	printf 'include("more.conf")\n' >"$BATS_TEST_TMPDIR/more.conf"
	refuses "more.conf:1: include: .*"
	printf '\n\nmax_children = 9\n' >"$BATS_TEST_TMPDIR/more.conf"
	reload
	assert_eq new "$(talk it)"
}

# A row is what is complained of, and what makes $CONF such a file.
# shellcheck disable=SC2016
odd_files='
No such file	rm $CONF
not a regular file	rm $CONF; mkdir $CONF
not a regular file	rm $CONF; mkfifo $CONF
not a regular file	rm $CONF; ln -s /dev/zero $CONF
Too many levels	rm $CONF; ln -s $CONF $CONF
larger than 16 MiB	truncate -s 17M $CONF
NUL	truncate -s 64k $CONF
'

# shellcheck disable=SC2016
odd_files_of_root='
writable by others	chmod 0646 $CONF
writable by others	chmod 0664 $CONF
owned by uid 63210	chown 63210 $CONF
'

# refuses_files ROWS
refuses_files()
{
	serve_old
	local complaint command
	while IFS=$'\t' read -r complaint command; do
		[[ -n $command ]] || continue
		rm -rf "$CONF"
		conf "$new"
		eval "$command"
		refuses "$CONF:.*($complaint)"
	done <<<"$1"
	then_new "odd files"
}

@test "what is no plain file refuses the reload" {
	refuses_files "$odd_files"
}

@test "a file that others could have written refuses the reload" {
	need_root
	refuses_files "$odd_files_of_root"
}

@test "a warning refuses nothing, and is said" {
	serve_old
	conf '# nothing'
	reload
	wait_log "config message=\"$CONF.*none is configured.* level=warning"
}

# The process that reads the configuration, which takes its time over this one.
long_conf()
{
	{
		seq 30000 | sed 's|.*|service "s&" { listen = {"tcp://127.0.0.1:&"} exec = {"/bin/cat"} disabled = yes }|'
		echo "$1"
		echo 'pid_file = ""'
	} >"$CONF"
}

# stop_reader: send HUP, and stop the process that reads.  Sets READER.
stop_reader()
{
	kill -HUP "$MINETD_PID"
	reads()
	{
		READER=$(pgrep -P "$MINETD_PID" -f '^minetd: main')
	}
	wait_until 5 reads
	kill -STOP "$READER"
	reader_stopped() { [[ $(state_of "$READER") == T ]]; }
	wait_until 5 reader_stopped
}

@test "while a configuration is being read, everybody is served" {
	serve_old
	long_conf "$new"
	stop_reader
	local i
	for i in 1 2 3; do
		still_old "reading"
	done
	assert_eq 0 "$(reloads)"
	kill -CONT "$READER"
	wait_until 15 more_reloads
	assert_eq new "$(talk it)"
}

@test "the death of who reads the configuration refuses it" {
	serve_old
	long_conf "$new"
	stop_reader
	kill -KILL "$READER"
	wait_until 5 more_reloads
	assert_match ' result=refused errors=1 ' "$(last_reload)"
	wait_log "config message=\"$CONF: file: the process that reads it has died"
	still_old "the reader's death"
	then_new "the reader's death"
}

@test "a reload that is asked for during another is done after it" {
	serve_old
	long_conf "$old"
	stop_reader
	conf "$new"
	kill -HUP "$MINETD_PID"
	kill -CONT "$READER"
	wait_until 15 more_reloads 1
	assert_eq 2 "$(reloads)"
	assert_eq new "$(talk it)"
}

@test "many requests during a reload are one, and what is there then is read" {
	serve_old
	local i
	long_conf "$old"
	stop_reader
	conf "$new"
	for ((i = 0; i < 30; i++)); do
		kill -HUP "$MINETD_PID"
	done
	kill -CONT "$READER"
	wait_until 15 more_reloads 1
	assert_eq new "$(talk it)"
	reload
	assert_eq 3 "$(reloads)" "reloads"
	alive "$CLIENT_PID"
}

@test "the last of many configurations wins" {
	serve_old
	local i
	for ((i = 1; i <= 15; i++)); do
		conf "service \"it\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"v$i\"} }"
		kill -HUP "$MINETD_PID"
	done
	is_last() { [[ $(talk it) == v15 ]]; }
	wait_until 10 is_last
	alive "$CLIENT_PID"
}

@test "no reload begins once the daemon stops" {
	conf "service \"deaf\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$probe\", \"deaf\"} kill_grace = 1h }"
	start_minetd
	hold_client deaf
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	kill -TERM "$MINETD_PID"
	wait_log 'stop signal=TERM'
	conf "$new"
	kill -HUP "$MINETD_PID"
	# It has read that signal before the next.
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	assert_eq 0 "$(count_log 'reload|config')"
	assert_eq 1 "$(count_log 'listen service=')"
}

@test "a reload that is under way when the daemon stops is given up" {
	serve_old
	long_conf "$new"
	stop_reader
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	gone "$READER"
	assert_eq 0 "$(reloads)"
}

# confining HOW: what becomes of the chroot of a new frontend.
confining()
{
	need strace
	need_root
	start_process strace -f -qq -o "$BATS_TEST_TMPDIR/strace" \
		-p "$MINETD_PID" -e trace=chroot -e "inject=chroot:$1"
	TRACER=$STARTED_PID
	traced() { ! grep -qs '^TracerPid:[[:space:]]*0$' "/proc/$MINETD_PID/status"; }
	wait_until 10 traced
}

end_tracer()
{
	kill "$TRACER"
	wait_until 10 gone "$TRACER"
}

# stage_stopped: HUP, and the new frontend is stopped before it can serve.  Sets
# NEXT.
stage_stopped()
{
	confining delay_enter=1500ms
	kill -HUP "$MINETD_PID"
	wait_until 5 staged
	NEXT=$(pgrep -P "$MINETD_PID" -n -f '^minetd: frontend')
	kill -STOP "$NEXT"
	end_tracer
}

# More than one frontend runs.
staged()
{
	[[ $(pgrep -P "$MINETD_PID" -f '^minetd: frontend' | wc -l) == 2 ]]
}

@test "a new frontend that cannot confine itself fails the reload" {
	serve_old
	conf "$new"
	confining error=EPERM
	reload failed
	wait_log 'failed message="the new frontend has died'
	still_old "a failed frontend"
	end_tracer
	reload
	assert_eq new "$(talk it)"
	alive "$CLIENT_PID"
}

@test "a new frontend that hangs fails the reload" {
	serve_old
	conf "$new"
	stage_stopped
	still_old "a frontend that hangs"
	wait_log "frontend event=hung pid=$NEXT" 15
	wait_until 5 more_reloads
	assert_match ' result=failed ' "$(last_reload)"
	still_old "a frontend that hung"
	reload
	assert_eq new "$(talk it)"
}

@test "a degraded listener that a failed reload had opened is tried again" {
	local path dir
	dir=$(public_dir)/missing
	path=$dir/socket
	old+=" service \"local\" { listen = {\"unix://$path\"} exec = {\"/bin/echo\", \"local\"} }"
	serve_old
	wait_log 'degraded service=local'
	# Longer than until the next attempt.
	confining error=EPERM:delay_enter=2500ms
	mkdir "$dir"
	kill -HUP "$MINETD_PID"
	wait_until 10 more_reloads
	assert_match ' result=failed ' "$(last_reload)"
	end_tracer
	wait_log 'listen service=local' 8
	assert_eq local "$(dial "unix://$path")"
	still_old "a failed frontend"
}

@test "an old frontend that dies while the new one begins loses nobody" {
	serve_old
	conf "$new"
	confining delay_enter=700ms
	kill -HUP "$MINETD_PID"
	wait_until 5 staged
	kill -KILL "$front"
	wait_until 10 more_reloads
	assert_match ' result=ok ' "$(last_reload)"
	assert_eq new "$(talk it)"
	alive "$CLIENT_PID"
	one() { ! staged; }
	wait_until 5 one
	assert_eq new "$(talk it)"
	end_tracer
}

@test "an old frontend that does not stop is killed, and nobody is lost" {
	serve_old
	conf "$new"
	kill -STOP "$front"
	start_process "$TESTBIN/dial" -t 20 -o "$BATS_TEST_TMPDIR/out" \
		"tcp://127.0.0.1:$(port_of it)"
	kill -HUP "$MINETD_PID"
	wait_log "frontend event=hung pid=$front" 15
	wait_until 5 more_reloads
	assert_match ' result=ok ' "$(last_reload)"
	wait_until 5 grep -qx new "$BATS_TEST_TMPDIR/out"
	alive "$CLIENT_PID"
}

@test "a reload whose frontend begins when the daemon stops is given up" {
	serve_old
	local path
	path=$(public_dir)/socket
	conf "$new service \"local\" { listen = {\"unix://$path\"} exec = {\"/bin/cat\"} }"
	stage_stopped
	[[ -S $path ]]
	stop_minetd TERM
	assert_eq 0 "$MINETD_STATUS"
	[[ ! -e $path ]]
	assert_eq 0 "$(reloads)"
}

@test "10,000 services are reloaded under load, and nobody is turned away" {
	need_root
	local from storm status=0 i
	many()
	{
		{
			seq 10000 19999 | sed "s|.*|service \"s&\" { listen = {\"tcp://127.0.0.1:&\"} exec = {\"/bin/cat\"} env = {\"A=$1\"} }|"
			echo 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
			echo 'pid_file = ""'
		} >"$CONF"
	}
	many 1
	start_minetd
	"$TESTBIN/storm" -r 200 -f "$BATS_TEST_TMPDIR/so_far" \
		"tcp://127.0.0.1:$(port_of echo)" tcp://127.0.0.1:12345 \
		>"$BATS_TEST_TMPDIR/storm" 2>&1 &
	storm=$!
	ends_with_test "$storm"
	wait_until 5 test -s "$BATS_TEST_TMPDIR/so_far"
	for i in 2 3; do
		many "$i"
		reload
		assert_match ' services=10001 kept=10001 opened=0 removed=0 degraded=0 ' "$RELOADED"
	done
	kill "$storm"
	wait "$storm" || status=$?
	assert_eq 0 "$status" "$(<"$BATS_TEST_TMPDIR/storm")"
	assert_match ' failures=0 ' "$(<"$BATS_TEST_TMPDIR/storm")"
}
