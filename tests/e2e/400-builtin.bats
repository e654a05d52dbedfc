#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Services without a program, on streams.
# MINETD_LONG=1: ten thousand clients at once.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	# A sanitiser's shadow is neither fast nor small.
	sanitized=
	[[ $MINETD != */san/* ]] || sanitized=1
}

# builtin_conf NAME [KEYS]: one such service, called by its name.
builtin_conf()
{
	conf "service \"$1\" { listen = \"tcp://127.0.0.1:0\" builtin = \"$1\" ${2:-} }"
}

to()
{
	echo "tcp://127.0.0.1:$(port_of "$1")"
}

# The end of the last conversation with a service, when there is one.
wait_end()
{
	wait_log "exit service=$1 .* end=$2 "
}

# rss FILE: resident KiB of the frontend.
frontend_rss()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$(frontend_pid)/status"
}

frontend_fds()
{
	local fds
	fds=("/proc/$(frontend_pid)/fd/"*)
	echo "${#fds[@]}"
}

fds_are()
{
	[[ $(frontend_fds) == "$1" ]]
}

# unread SERVICE: bytes that clients have sent to it, and nobody has read.
unread()
{
	ss -Htn "sport = :$(port_of "$1")" | awk '{ sum += $2 } END { print sum + 0 }'
}

unread_is()
{
	(($(unread "$1") >= $2))
}

# open_client SERVICE: a connection of this shell, in CLIENT.
open_client()
{
	exec {CLIENT}<>"/dev/tcp/127.0.0.1/$(port_of "$1")"
}

# says TEXT: send a line by it, and wait for it.
says()
{
	local answer
	printf '%s\n' "$1" >&"$CLIENT"
	IFS= read -r -t 5 -u "$CLIENT" answer || fail "no answer to $1" || return
	assert_eq "$1" "$answer"
}

# closed: the service has closed it.
closed()
{
	local rest status=0
	IFS= read -r -N 1 -t 5 -u "$CLIENT" rest 2>/dev/null || status=$?
	((status == 1)) || fail "status $status, after \"$rest\""
}

# start_crowd OPTION...: clients of echo, which leave when CROWD_IN is closed.
start_crowd()
{
	local fifo=$BATS_TEST_TMPDIR/crowd.fifo
	CROWD_OUT=$BATS_TEST_TMPDIR/crowd.out
	mkfifo "$fifo"
	exec {CROWD_IN}<>"$fifo"
	# In the background, bash takes the standard input away.
	# shellcheck disable=SC2016	# of the inner shell
	start_process bash -c 'exec "$@" <"$0"' "$fifo" \
		"$TESTBIN/crowd" "$@" 127.0.0.1 "$(port_of echo)" >"$CROWD_OUT"
	CROWD_PID=$STARTED_PID
	wait_until "${CROWD_SECONDS:-20}" crowd_stands
	grep -q '^here' "$CROWD_OUT" || fail "the crowd is gone"
}

crowd_stands()
{
	grep -qs '^here' "$CROWD_OUT" || gone "$CROWD_PID"
}

# All that it has said came back.
crowd_leaves()
{
	exec {CROWD_IN}>&-
	wait_until "${CROWD_SECONDS:-20}" gone "$CROWD_PID"
	wait "$CROWD_PID"
}

# chargen_lines COUNT
chargen_lines()
{
	LC_ALL=C awk -v count="$1" 'BEGIN {
		for (i = 0; i < count; i++) {
			for (j = 0; j < 72; j++)
				printf "%c", 32 + (i + j) % 95
			printf "\r\n"
		}
	}'
}

@test "echo sends back what comes, over every family" {
	local dir
	dir=$(public_dir)
	conf "service \"echo\" { builtin = \"echo\" listen = {
		\"tcp://127.0.0.1:0\", \"tcp6://[::1]:0\", \"unix://$dir/echo\"} }"
	start_minetd
	assert_eq four "$(dial -s four "tcp://127.0.0.1:$(port_of echo 1)")"
	assert_eq six "$(dial -s six "tcp://[::1]:$(port_of echo 2)")"
	assert_eq unix "$(dial -s unix "unix://$dir/echo")"
	wait_log 'exit service=echo .* peer=uid:.* end=closed .* bytes_in=4 bytes_out=4'
	assert_eq '' "$(handler_pids)"
}

@test "echo sends back everything, unchanged, after the client's last byte" {
	builtin_conf echo
	start_minetd
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	dial -i -t 20 "$(to echo)" <"$BATS_TEST_TMPDIR/data" >"$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
	wait_log 'exit service=echo .* end=closed .* bytes_in=3000000 bytes_out=3000000'
}

@test "echo answers each line before the next one" {
	builtin_conf echo
	start_minetd
	open_client echo
	says one
	says two
	exec {CLIENT}>&-
	wait_log 'exit service=echo .* end=closed .* bytes_in=8 bytes_out=8'
}

@test "discard takes everything and says nothing" {
	builtin_conf discard
	start_minetd
	assert_eq '' "$(dial -n 3000000 "$(to discard)")"
	wait_log 'exit service=discard .* end=closed .* bytes_in=3000000 bytes_out=0'
}

@test "chargen sends the rotating lines of the RFC without end" {
	builtin_conf chargen
	start_minetd
	local bytes=$((300 * 74))
	chargen_lines 300 >"$BATS_TEST_TMPDIR/want"
	{ dial -k "$(to chargen)" 2>/dev/null || true; } | head -c "$bytes" >"$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
	wait_end chargen reset
}

@test "chargen goes on where a slow client has let it wait" {
	builtin_conf chargen
	start_minetd
	local count=200000
	{ dial -t 20 "$(to chargen)" 2>/dev/null || true; } | {
		wait_until 10 unsent_stands
		head -c $((count * 74))
	} >"$BATS_TEST_TMPDIR/got"
	chargen_lines "$count" | cmp - "$BATS_TEST_TMPDIR/got"
}

# The frontend waits for the client of chargen: its queue stays as it is.
unsent_stands()
{
	local now
	now=$(ss -Htn "sport = :$(port_of chargen)" | awk '{ print $3 }')
	[[ $now != 0 && $now == "${unsent_before:-}" ]] && return
	unsent_before=$now
	return 1
}

@test "chargen throws away what comes, and a client's end is not its own" {
	builtin_conf chargen
	start_minetd
	{ dial -n 2000000 "$(to chargen)" 2>/dev/null || true; } |
		head -c 5000000 | wc -c >"$BATS_TEST_TMPDIR/count"
	assert_eq 5000000 "$(tr -d ' ' <"$BATS_TEST_TMPDIR/count")"
	wait_log 'exit service=chargen .* end=reset .* bytes_in=[1-9]'
}

@test "daytime says the local time, whichever that is" {
	builtin_conf daytime
	local zone before after got format='+%a %b %e %H:%M:%S %Y'
	for zone in UTC0 '<+0545>-5:45' 'ABC+9:30'; do
		START_WITH=(env TZ="$zone")
		start_minetd
		before=$(TZ=$zone LC_ALL=C date "$format")
		got=$(talk daytime)
		after=$(TZ=$zone LC_ALL=C date "$format")
		[[ $got == "$before"$'\r' || $got == "$after"$'\r' ]] ||
			fail "$zone: \"$got\" is not \"$before\""
		stop_minetd
	done
}

@test "daytime reads the zone's file before the frontend is confined" {
	[[ -e /usr/share/zoneinfo/Asia/Tokyo ]] ||
		skip_or_fail "needs /usr/share/zoneinfo"
	builtin_conf daytime
	START_WITH=(env TZ=:Asia/Tokyo)
	start_minetd
	local before after
	before=$(TZ=Asia/Tokyo date +%H:%M)
	run -0 talk daytime
	after=$(TZ=Asia/Tokyo date +%H:%M)
	[[ $output =~ \ ($before|$after): ]] || fail "$output is not $before"
	assert_eq 0 "$(count_log 'frontend event=ended')"
}

@test "time says the seconds since 1900 in four bytes" {
	builtin_conf time
	start_minetd
	local before got after
	before=$((EPOCHSECONDS + 2208988800))
	got=$(talk time | od -An -tu1)
	after=$((EPOCHSECONDS + 2208988800))
	read -r a b c d more <<<"$got"
	assert_eq '' "$more"
	got=$((a << 24 | b << 16 | c << 8 | d))
	((before % 4294967296 <= got && got <= after % 4294967296)) ||
		fail "$got is not between $before and $after"
}

@test "text is sent, and the client closed though it stays" {
	builtin_conf text 'text = "Closed until Monday.\r\n"'
	start_minetd
	assert_eq $'Closed until Monday.\r' "$(dial -k "$(to text)")"
	wait_log 'exit service=text .* end=closed .* bytes_in=0 bytes_out=22'
}

@test "a long text arrives as a whole, over every family" {
	local file dir
	dir=$(public_dir)
	file=$dir/text
	seq 100000 | head -c 65000 >"$file"
	conf "service \"text\" { builtin = \"text\" text = \"file:$file\" listen = {
		\"tcp://127.0.0.1:0\", \"tcp6://[::1]:0\", \"unix://$dir/socket\"}
		send_buffer = 4096 }"
	start_minetd
	dial "tcp://127.0.0.1:$(port_of text 1)" | cmp - "$file"
	dial -k "tcp://[::1]:$(port_of text 2)" | cmp - "$file"
	dial -n 10000 "unix://$dir/socket" | cmp - "$file"
}

@test "a client that has said something unread hears the text all the same" {
	local file dir
	dir=$(public_dir)
	file=$dir/text
	seq 100000 | head -c 65000 >"$file"
	conf "service \"text\" { builtin = \"text\" text = \"file:$file\" listen = {
		\"tcp://127.0.0.1:0\", \"unix://$dir/socket\"} }"
	start_minetd
	local to
	for to in "$(to text)" "unix://$dir/socket"; do
		kill -STOP "$(frontend_pid)"
		start_process "$TESTBIN/dial" -n 20000 -o "$file.got" "$to"
		if [[ $to == tcp* ]]; then
			wait_until 5 unread_is text 20000
		else
			wait_until 5 unix_unread "$dir/socket"
		fi
		kill -CONT "$(frontend_pid)"
		wait "$STARTED_PID"
		cmp "$file" "$file.got"
	done
}

# Somebody has connected to the socket and gone on; what he sent is there soon.
unix_unread()
{
	grep -q "00000003 03 .* $1\$" /proc/net/unix ||
		[[ $(ss -Hxl "src = $1" | awk '{ print $3 }') == 1 ]]
}

@test "trap says nothing until the client leaves" {
	builtin_conf trap
	start_minetd
	open_client trap
	printf 'is anybody there?\n' >&"$CLIENT"
	wait_until 5 unread_is trap 18
	exec {CLIENT}>&-
	wait_log 'exit service=trap .* end=closed .* bytes_in=18 bytes_out=0'
}

@test "trap lets go when idle has passed" {
	builtin_conf trap 'idle = 300ms'
	start_minetd
	assert_eq '' "$(dial -k -s 'is anybody there?' "$(to trap)")"
	wait_log 'exit service=trap .* end=idle secs=0\.[34].* bytes_in=17 bytes_out=0'
}

@test "a silent client of each is closed when idle has passed" {
	conf <<-'END'
	defaults { idle = 300ms }
	service "echo" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "discard" { listen = "tcp://127.0.0.1:0" builtin = "discard" }
	END
	start_minetd
	assert_eq hello "$(dial -k -s hello "$(to echo)")"
	assert_eq '' "$(dial -k -s hello "$(to discard)")"
	wait_log 'exit service=echo .* end=idle secs=0\.[3-9]'
	wait_log 'exit service=discard .* end=idle secs=0\.[3-9]'
}

@test "a client that is not silent is closed when max_runtime has passed" {
	builtin_conf chargen 'idle = 300ms max_runtime = 1s'
	start_minetd
	dial -t 5 "$(to chargen)" >/dev/null
	wait_log 'exit service=chargen .* end=overdue secs=1\.'
}

@test "max_runtime ends silent clients of all that wait" {
	local name
	for name in echo discard trap; do
		builtin_conf "$name" 'idle = 0 max_runtime = 300ms'
		start_minetd
		dial -k "$(to "$name")"
		wait_log "exit service=$name .* end=overdue secs=0\.[3-9]"
		stop_minetd
	done
}

@test "a client that resets its connection ends its conversation only" {
	builtin_conf echo
	start_minetd
	open_client echo
	says before
	dial -k -s hello -r "$(to echo)"
	wait_end echo reset
	dial -R "$(to echo)"
	says after
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(count_log 'frontend event=ended')"
}

@test "clients that never read cost the frontend next to nothing" {
	need ss
	conf 'service "echo" { listen = "tcp://127.0.0.1:0" builtin = "echo" instances = 0 }'
	start_minetd
	assert_eq hello "$(talk echo hello)"
	local before grown bytes
	before=$(frontend_rss)
	start_crowd -f -n 50
	read -r _ _ bytes <"$CROWD_OUT"
	((bytes > 50 * 200000)) || fail "only $bytes bytes were sent"
	grown=$(($(frontend_rss) - before))
	((sanitized || grown < 50 * 24)) || fail "grown by $grown KiB"
	# Others are served meanwhile.
	assert_eq hello "$(talk echo hello)"
	crowd_leaves
}

@test "clients of chargen that never read hold nothing, and end by idle" {
	conf 'service "chargen" { listen = "tcp://127.0.0.1:0" builtin = "chargen"
		idle = 500ms instances = 0 }'
	start_minetd
	{ dial "$(to chargen)" 2>/dev/null || true; } | head -c 100000 >/dev/null
	wait_end chargen reset
	local before grown
	before=$(frontend_rss)
	start_process "$TESTBIN/dial" -p 100 -t 20 "$(to chargen)"
	ended() { (($(count_log 'end=idle') == 100)); }
	wait_until 10 ended
	grown=$(($(frontend_rss) - before))
	((sanitized || grown < 400)) || fail "grown by $grown KiB"
}

@test "instances are conversations, and who is too many waits for one to end" {
	builtin_conf echo 'instances = 1 log_connections = verbose'
	start_minetd
	open_client echo
	says first
	start_process "$TESTBIN/dial" -s second -o "$BATS_TEST_TMPDIR/second" "$(to echo)"
	wait_until 5 unread_is echo 6
	assert_eq 1 "$(count_log '(^| )start service=echo')"
	says first
	exec {CLIENT}>&-
	wait "$STARTED_PID"
	assert_eq second "$(<"$BATS_TEST_TMPDIR/second")"
}

@test "on_full = refuse closes who is too many, and nobody when one has ended" {
	builtin_conf echo 'instances = 1 on_full = "refuse"'
	start_minetd
	open_client echo
	says first
	assert_eq '' "$(dial -k "$(to echo)")"
	wait_log 'reject service=echo .* reason=full'
	says first
	exec {CLIENT}>&-
	wait_end echo closed
	assert_eq second "$(talk echo second)"
}

@test "an answer that is said at once takes no place of those that stay" {
	builtin_conf daytime 'instances = 1 on_full = "refuse"'
	start_minetd
	dial -k -c 300 "$(to daytime)" | grep -c : >"$BATS_TEST_TMPDIR/count"
	assert_eq 300 "$(<"$BATS_TEST_TMPDIR/count")"
	assert_eq 0 "$(count_log reject)"
}

@test "log_connections chooses between no line, one and two" {
	conf <<-'END'
	service "quiet" { listen = "tcp://127.0.0.1:0" builtin = "echo" log_connections = no }
	service "plain" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "loud" { listen = "tcp://127.0.0.1:0" builtin = "daytime" log_connections = verbose }
	END
	start_minetd
	talk quiet hello
	talk plain hello
	talk loud
	wait_log 'exit service=loud'
	assert_eq 0 "$(count_log '(start|exit) service=quiet')"
	assert_eq 0 "$(count_log '(^| )start service=plain')"
	assert_eq 1 "$(count_log 'exit service=plain')"
	local id
	id=$(log_field id "$(log_line '(^| )start service=loud')")
	wait_log "exit service=loud id=$id peer=127.0.0.1:[0-9]+ local=127.0.0.1:$(port_of loud) end=closed secs=[0-9.]+ bytes_in=0 bytes_out=26$"
}

@test "more conversations than fit into a message batch all get their line" {
	builtin_conf echo 'instances = 0'
	start_minetd
	start_crowd -n 1000
	assert_eq '' "$(handler_pids)"
	crowd_leaves
	told() { (($(count_log 'exit service=echo .* bytes_in=16 bytes_out=16') == 1000)); }
	wait_until 10 told
}

@test "many clients at once are served by two processes of bounded size" {
	local count=1000 before grown
	[[ -z ${MINETD_LONG:-} ]] || count=10000
	export CROWD_SECONDS=50 BATS_TEST_TIMEOUT=120
	(($(ulimit -Hn) > count + 200)) || skip_or_fail "needs $count descriptors"
	ulimit -Sn "$(ulimit -Hn)"
	builtin_conf echo 'instances = 0 log_connections = no'
	start_minetd
	assert_eq hello "$(talk echo hello)"
	before=$(frontend_rss)
	start_crowd -t 60 -n "$count"
	assert_eq "here $count $((count * 16))" "$(<"$CROWD_OUT")"
	assert_eq '' "$(handler_pids)"
	(($(frontend_fds) > count)) || fail "only $(frontend_fds) descriptors"
	grown=$(($(frontend_rss) - before))
	((sanitized || grown < count * 3 / 4 + 256)) || fail "grown by $grown KiB"
	assert_eq hello "$(talk echo hello)"
	crowd_leaves
}

@test "nothing is left of conversations that have ended" {
	conf <<-'END'
	service "echo" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "daytime" { listen = "tcp://127.0.0.1:0" builtin = "daytime" }
	END
	start_minetd
	local fds
	fds=$(frontend_fds)
	dial -s hello -c 300 "$(to echo)" >/dev/null
	dial -k -c 300 "$(to daytime)" >/dev/null
	wait_until 5 fds_are "$fds"
}

@test "a reload leaves conversations alone, and new ones go by the new rules" {
	builtin_conf echo
	start_minetd
	local first
	first=$(frontend_pid)
	open_client echo
	says before
	conf <<-END
	service "echo" { listen = "tcp://127.0.0.1:$(port_of echo)" builtin = "daytime" }
	END
	reload
	says after
	assert_match '^... ... .. ..:..:.. ....' "$(dial "$(to echo)")"
	alive "$first"
	exec {CLIENT}>&-
	wait_until 5 gone "$first"
	wait_log 'exit service=echo .* end=closed .* bytes_in=13 bytes_out=13'
}

@test "an upgrade leaves conversations alone" {
	builtin_conf echo
	local binary
	binary=$(public_dir)/minetd
	install -m 755 "$MINETD" "$binary"
	MINETD=$binary
	start_minetd
	local first
	first=$(frontend_pid)
	open_client echo
	says before
	kill -USR2 "$MINETD_PID"
	wait_log 'upgrade result=ok' 10
	says after
	assert_eq hello "$(talk echo hello)"
	exec {CLIENT}>&-
	wait_until 5 gone "$first"
	wait_log 'exit service=.* end=closed .* bytes_in=13 bytes_out=13'
}

@test "a stop ends conversations, and does not wait for them" {
	builtin_conf echo 'idle = 0'
	start_minetd
	open_client echo
	says hello
	stop_minetd TERM 5
	assert_eq 0 "$MINETD_STATUS"
	closed
}

@test "a killed frontend ends its conversations, and the next one serves" {
	builtin_conf echo 'instances = 1 on_full = "refuse"'
	start_minetd
	open_client echo
	says hello
	kill -KILL "$(frontend_pid)"
	closed
	wait_log 'frontend event=restarted'
	assert_eq hello "$(talk echo hello)"
}
