#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Changes while clients come all the time: none of them notices.
#
# MINETD_LONG=1: at full length.

bats_require_minimum_version 1.5.0
BATS_TEST_TIMEOUT=${MINETD_LONG:+600}
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}
load ../lib/daemon

setup()
{
	daemon_setup
	binary=$(public_dir)/minetd
	install -m 755 "$MINETD" "$binary"
	MINETD=$binary
	path=$(public_dir)/socket
	progress=$BATS_TEST_TMPDIR/progress
}

# load_conf [TEXT]
load_conf()
{
	conf <<-END
	service "echo" { listen = {"tcp://127.0.0.1:${port:-0}", "tcp://[::1]:${port6:-0}", "unix://$path"}
		exec = {"/bin/cat"} instances = 0 }
	service "hold" { listen = {"tcp://127.0.0.1:${port_hold:-0}"} instances = 50
		exec = {"$(public_bin probe)", "hold"} log_connections = verbose }
	${1:-}
	END
}

# The ports that the kernel chose, for configurations that name them.
ports_keep()
{
	port=$(port_of echo)
	port6=$(port_of echo 2)
	port_hold=$(port_of hold)
}

# storm RATE: clients that come until storm_end.
storm()
{
	start_process "$TESTBIN/storm" -r "$1" -f "$progress" \
		"tcp://127.0.0.1:$port" "tcp://[::1]:$port6" "unix://$path" \
		>"$BATS_TEST_TMPDIR/storm" 2>"$BATS_TEST_TMPDIR/storm.failures"
	STORM=$STARTED_PID
	requests_after 20
}

# requests_after N: wait until so many more were answered.
requests_after()
{
	local from=0 now failed
	read -r from failed 2>/dev/null <"$progress" || from=0
	come() { read -r now failed <"$progress" && ((now >= from + $1)); }
	wait_until 20 come "$1"
}

# storm_end: nobody was refused, reset, lost or served twice.  The numbers go
# to whoever runs the test by hand.
storm_end()
{
	local summary requests
	kill -TERM "$STORM"
	wait_until 30 gone "$STORM"
	summary=$(<"$BATS_TEST_TMPDIR/storm")
	requests=$(log_field requests "$summary")
	echo "# $BATS_TEST_DESCRIPTION: $summary" >&3
	assert_eq 0 "$(log_field failures "$summary")" \
		"$(head -n 5 "$BATS_TEST_TMPDIR/storm.failures") failures" || return
	logged() { [[ $(count_log 'exit service=echo .* status=0 signal=0 ') == "$requests" ]]; }
	wait_until 10 logged || fail "requests: $requests" \
		"exits: $(count_log 'exit service=echo ')"
}

results()
{
	count_log '(reload|upgrade) result='
}

# change SIGNAL RESULT
change()
{
	local before
	before=$(results)
	kill -"$1" "$MINETD_PID"
	another() { (($(results) > before)); }
	wait_until 20 another || fail "no result" || return
	assert_match "result=$2 " "$(log_line '(reload|upgrade) result=')"
}

inodes()
{
	ss -Hlntxe | grep -E ":($port|$port6|$port_hold) |$path " |
		grep -oE 'ino:[0-9]+|[0-9]+ +\* 0' | sort
}

descriptors()
{
	find "/proc/$MINETD_PID/fd" -type l -printf '%l\n' | sed 's/[0-9]*//g' |
		sort | uniq -c
}

# How many connections the frontend holds that it has not handed over yet.
in_hand()
{
	find "/proc/$1/fd" -type l -printf '%l\n' | grep -c socket:
}

# Kill the frontend at a moment at which it has no client in its hands.
frontend_kill()
{
	local front calm
	front=$(frontend_pid)
	calm=$1
	while kill -STOP "$front" && stopped() { [[ $(state_of "$front") == T ]]; } &&
	    wait_until 5 stopped && (($(in_hand "$front") != calm)); do
		kill -CONT "$front"
	done
	kill -KILL "$front"
}

hold_fifty()
{
	local i
	for ((i = 0; i < 50; i++)); do
		hold_client hold
		held+=("$CLIENT_PID")
	done
	started() { [[ $(count_log '^start service=hold') == 50 ]]; }
	wait_until 20 started
}

@test "reloads, upgrades and dying frontends lose nobody" {
	need_root	# to look into the frontend
	local reloads=60 i before fds held=() calm
	[[ -z ${MINETD_LONG:-} ]] || reloads=200
	load_conf
	start_minetd
	ports_keep
	hold_fifty
	before=$(inodes)
	fds=$(descriptors)
	calm=$(in_hand "$(frontend_pid)")
	storm 400
	for ((i = 1; i <= reloads; i++)); do
		change HUP ok
		((i % 10)) || change USR2 ok
		((i % 12)) || frontend_kill "$calm"
	done
	storm_end
	assert_eq "$before" "$(inodes)" "the inodes of the listeners"
	assert_eq 50 "$(handler_pids | wc -l)" "handlers alive"
	assert_eq 0 "$(count_log 'exit service=hold')"
	same() { [[ $(descriptors) == "$fds" ]]; }
	wait_until 5 same || fail "want: $fds" "got: $(descriptors)"
	# The limit is as exact as before: one in for one out.
	hold_client hold
	local last=$CLIENT_OUT
	kill "${held[0]}"
	wait_log 'exit service=hold'
	wait_until 5 grep -q '^pid' "$last"
	assert_eq 51 "$(count_log '^start service=hold')"
	kill "${held[@]:1}"
	ended() { [[ $(count_log '^exit service=hold .* status=0 ') == 50 ]]; }
	wait_until 10 ended
}

@test "what is added, changed, moved and removed under load disturbs nobody" {
	local i rounds=10
	[[ -z ${MINETD_LONG:-} ]] || rounds=100
	load_conf
	start_minetd
	ports_keep
	storm 300
	for ((i = 0; i < rounds; i++)); do
		load_conf "service \"more\" { listen = {\"tcp://127.0.0.1:0\", \"unix://$path.more\"} exec = {\"/bin/echo\", \"$i\"} }"
		change HUP ok
		assert_eq "$i" "$(dial "unix://$path.more")"
		# The same sockets under another name, with other options.
		conf <<-END
		defaults { keepalive = yes backlog = 512 nodelay = yes }
		service "other" { listen = {"tcp://[::1]:$port6"} exec = {"/bin/cat"}  }
		service "echo" { listen = {"unix://$path", "tcp://127.0.0.1:$port"} exec = {"/usr/bin/cat", "-"}
			socket_mode = "0660" instances = 100 }
		END
		change HUP ok
		[[ ! -e $path.more ]]
		load_conf
		change HUP ok
	done
	local summary
	kill -TERM "$STORM"
	wait_until 30 gone "$STORM"
	summary=$(<"$BATS_TEST_TMPDIR/storm")
	echo "# $BATS_TEST_DESCRIPTION: $summary" >&3
	assert_eq 0 "$(log_field failures "$summary")" \
		"$(head -n 5 "$BATS_TEST_TMPDIR/storm.failures") failures"
}

@test "an address that becomes all addresses, and one again, loses nobody" {
	local i rounds=4
	[[ -z ${MINETD_LONG:-} ]] || rounds=30
	load_conf
	start_minetd
	ports_keep
	storm 300
	for ((i = 0; i < rounds; i++)); do
		conf "service \"echo\" { listen = {\"tcp4://*:$port\", \"tcp6://*:$port6\", \"unix://$path\"} exec = {\"/bin/cat\"} instances = 0 }"
		change HUP ok
		requests_after 100
		load_conf
		change HUP ok
		requests_after 100
	done
	storm_end
	closed() { [[ $(count_log '^close service=echo') == $((4 * rounds)) ]]; }
	wait_until 10 closed
}

@test "configurations with every kind of mistake change nothing" {
	local file front dir
	dir=$(dirname "$BATS_TEST_FILENAME")/../conf
	load_conf
	start_minetd
	ports_keep
	front=$(frontend_pid)
	storm 300
	cp -R "$dir/inc" "$BATS_TEST_TMPDIR"
	# In a namespace of users the owner would not be root.
	chmod -R go-w "$BATS_TEST_TMPDIR/inc"
	local count=0
	for file in "$dir"/*.err; do
		install -m 644 "${file%.err}.conf" "$CONF"
		change HUP refused
		count=$((count + 1))
	done
	((count >= 30))
	storm_end
	assert_eq "$front" "$(frontend_pid)" "the frontend"
	(($(count_log "^config message=.*$CONF:[0-9]+: ") > 100))
	load_conf
	change HUP ok
}
