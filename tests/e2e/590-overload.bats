#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Clients by the thousand who are not to be served, or not that fast: they cost
# no memory and no log, and others notice nothing.
#
# MINETD_LONG=1: at full length.

bats_require_minimum_version 1.5.0
BATS_TEST_TIMEOUT=${MINETD_LONG:+600}
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}
load ../lib/daemon
load ../lib/sources

setup()
{
	daemon_setup
	need_root	# to look into the frontend
	hold="exec = {\"$(public_bin probe)\", \"hold\"}"
	progress=$BATS_TEST_TMPDIR/progress
	many=5000
	[[ -z ${MINETD_LONG:-} ]] || many=100000
	# A sanitiser keeps what was freed.
	sanitized=
	[[ $MINETD != */san/* ]] || sanitized=1
}

# overload_conf TEXT: these services, and "echo", which others use.
overload_conf()
{
	conf <<-END
	$1
	service "echo" { listen = {"tcp://127.0.0.1:0", "unix://$(public_dir)/echo"}
		exec = "/bin/cat" log_connections = no }
	END
}

# flood SERVICE [OPTION...]: sets FLOOD to what became of them.
flood()
{
	FLOOD=$("$TESTBIN/flood" -t "$((BATS_TEST_TIMEOUT - 10))" "${@:2}" \
		127.0.0.1 "$(port_of "$1")")
}

# flooded COUNT SERVED: all have ended, and so many were served.
flooded()
{
	assert_eq "ended=$1 served=$2 refused=0" \
		"$(sed -E 's/(empty|reset|msec)=[0-9]+ ?//g; s/ $//' <<<"$FLOOD")" \
		"$FLOOD"
}

# others ADDRESS: clients of another service, until others_end.
others()
{
	start_process "$TESTBIN/storm" -r 100 -f "$progress" "$1" \
		>"$BATS_TEST_TMPDIR/storm" 2>"$BATS_TEST_TMPDIR/storm.failures"
	OTHERS=$STARTED_PID
	more_others
}

# Wait until some more of them were answered.
more_others()
{
	local from=0 now failed
	read -r from failed 2>/dev/null <"$progress" || from=0
	come() { read -r now failed <"$progress" && ((now >= from + 20)); }
	wait_until 20 come 2>/dev/null || fail "others are not answered"
}

# Each was answered.  The numbers go to whoever runs the test by hand.
others_end()
{
	local summary
	more_others
	kill -TERM "$OTHERS"
	wait_until 30 gone "$OTHERS"
	summary=$(<"$BATS_TEST_TMPDIR/storm")
	echo "# $BATS_TEST_DESCRIPTION: $summary" >&3
	assert_eq 0 "$(log_field failures "$summary")" \
		"$(head -n 5 "$BATS_TEST_TMPDIR/storm.failures") failures"
}

# pss_of PID...: KiB, together.
pss_of()
{
	local pid
	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Pss:/ { sum += $2 } END { print sum }'
}

pss()
{
	pss_of "$MINETD_PID" "$(frontend_pid)"
}

# grown_by BEFORE MOST: both processes together, in KiB.
grown_by()
{
	local grown=$(($(pss) - $1))
	echo "# $BATS_TEST_DESCRIPTION: $grown KiB more, $(stat -c %s "$LOG")" \
		"bytes of log" >&3
	[[ -n $sanitized ]] || ((grown <= $2)) || fail "$grown KiB more"
}

log_is_small()
{
	(($(stat -c %s "$LOG") < 1048576)) || fail "the log has" \
		"$(stat -c %s "$LOG") bytes" || return
	assert_eq 0 "$(count_log 'frontend event=(malformed|hung|died|restarted)')"
}

# denied KEYS: the service "closed", with them, serves nobody.
denied()
{
	overload_conf "service \"closed\" { listen = \"tcp://127.0.0.1:0\" $hold $1 }"
	start_minetd
	local before
	others "tcp://127.0.0.1:$(port_of echo)"
	[[ -z ${2:-} ]] || "$2"
	# What is needed once is there.
	flood closed -n 500 -s 8
	flooded 500 0
	more_others
	before=$(pss)
	flood closed -n "$many" -s 8
	flooded "$many" 0
	others_end
	grown_by "$before" 512
	log_is_small
}

# few_lines REASON: for that one.
few_lines()
{
	local lines
	lines=$(count_log "reject service=closed .*reason=$1( |\$)")
	# One in 10 seconds at most.
	((lines >= 1 && lines <= 1 + SECONDS / 10 + 1)) || fail "$lines lines"
}

@test "clients that the rules deny cost nothing" {
	denied 'no_access = "127.0.0.0/8"'
	few_lines acl
}

@test "clients out of hours cost nothing" {
	denied 'access_times = {}'
	few_lines times
}

take_place()
{
	held 127.0.0.1 closed
}

@test "clients of a service that is full and refuses cost nothing" {
	denied 'instances = 1 on_full = refuse' take_place
	few_lines full
	kill "$CLIENT_PID"
	served_again 127.0.0.1 closed
}

@test "clients of a source that has its share cost nothing" {
	denied 'per_source = 1 source_prefix4 = 8' take_place
	few_lines per_source
	kill "$CLIENT_PID"
	served_again 127.0.0.1 closed
}

@test "clients above a rate that refuses cost nothing" {
	denied 'rate = "1/d" on_rate = refuse' take_place
	few_lines rate
}

@test "those who are banned cost nothing" {
	overload_conf "service \"closed\" { listen = \"tcp://127.0.0.1:0\" $hold }
	service \"trap\" { listen = \"tcp://127.0.0.1:0\" builtin = trap
		ban = 1h source_prefix4 = 8 }"
	start_minetd
	local before
	served 127.0.0.1 closed
	# It is another user's, whom no ban of an address concerns.
	others "unix://$(public_dir)/echo"
	from 127.0.0.1 trap -s x
	flood closed -n 500 -s 8
	more_others
	before=$(pss)
	flood closed -n "$many" -s 8
	flooded "$many" 0
	others_end
	grown_by "$before" 512
	log_is_small
	few_lines ban
}

@test "clients that vanish at once cost nothing" {
	denied 'only_from = "192.0.2.1"'
	local before
	before=$(pss)
	flood closed -R -n "$many" -s 8
	flooded "$many" 0
	assert_eq hello "$(talk echo hello)"
	grown_by "$before" 512
	log_is_small
}

# flooded_service KEYS: 50 clients come to it all the time, each after the other.
flooded_service()
{
	overload_conf "service \"flooded\" { listen = \"tcp://127.0.0.1:0\"
		log_connections = no $1 }"
	start_minetd
	local requests=200
	[[ -z ${MINETD_LONG:-} ]] || requests=3000
	start_process "$TESTBIN/flood" -e -c 50 -t "$BATS_TEST_TIMEOUT" \
		127.0.0.1 "$(port_of flooded)" >"$BATS_TEST_TMPDIR/flood"
	local flood=$STARTED_PID summary said
	said=$("$TESTBIN/storm" -r 100 -n "$requests" \
		"tcp://127.0.0.1:$(port_of echo)")
	alive "$flood"
	kill -TERM "$flood"
	wait_until 10 gone "$flood"
	summary=$(<"$BATS_TEST_TMPDIR/flood")
	echo "# $BATS_TEST_DESCRIPTION: $said; $summary" >&3
	assert_eq 0 "$(log_field failures "$said")"
	assert_eq "$requests" "$(log_field requests "$said")"
	assert_eq 0 "$(log_field refused "$summary")" "$summary"
	(($(log_field ended "$summary") > 50)) || fail "$summary"
	log_is_small
}

@test "a service with 50 clients all the time does not keep another one" {
	flooded_service 'exec = "/bin/cat"'
}

@test "nor one whose handlers cannot start" {
	flooded_service 'exec = "/nonexistent/program"'
}

@test "nor a builtin, nor one of those who are refused" {
	flooded_service 'builtin = "daytime"'
	flooded_service 'exec = "/bin/cat" per_source = 2'
}

@test "sources by the thousand are told apart, in little memory" {
	overload_conf 'service "once" { listen = "tcp://127.0.0.1:0"
		builtin = "daytime" per_source_rate = "1/d" log_connections = no }'
	start_minetd
	local before
	others "unix://$(public_dir)/echo"
	flood once -n 500
	before=$(pss)
	flood once -n $((2 * many)) -s "$many"
	# Each once; the first one has been there before.
	flooded $((2 * many)) $((many - 1))
	others_end
	grown_by "$before" $((1024 + many / 10))
	log_is_small
	[[ -n ${MINETD_LONG:-} ]] || return 0
	# More than are remembered need no more memory.
	flood once -n 140000 -s 140000
	before=$(pss)
	flood once -n 300000 -s 300000
	flooded 300000 300000
	grown_by "$before" 512
	log_is_small
}

@test "bans by the thousand stay within their memory" {
	overload_conf 'service "trap" { listen = "tcp://127.0.0.1:0"
		builtin = trap ban = 1h log_connections = no }'
	start_minetd
	local before
	others "unix://$(public_dir)/echo"
	before=$(pss)
	flood trap -e -n "$many" -s "$many"
	flooded "$many" 0
	# Each is in both processes, and there are 65536 at most.
	grown_by "$before" $((1024 + (many < 65536 ? many : 65536) / 2))
	log_is_small
	others_end
	# A new frontend is told of them: of the last one, and of no other.
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	local last=$((0x7f000000 + many))
	last=127.$((last >> 16 & 255)).$((last >> 8 & 255)).$((last & 255))
	assert_eq '' "$(from "$last" echo -s hello)"
	assert_eq hello "$(from 127.200.0.1 echo -s hello)"
}
