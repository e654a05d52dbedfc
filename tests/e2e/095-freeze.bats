#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Between its identity and its program a handler's process is its user's to
# signal, and shares main's memory.  A user who makes the most of that harms
# nobody but itself.
#
# A program that is open for writing cannot be executed: the process waits a
# while in just that state, and is found there.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# The victim's own user, and nobody else's.
victim=$((100000 + $$))

setup()
{
	daemon_setup
	need_root
	need setpriv
	program=$(public_bin probe)
	conf <<-END
	service "victim" { listen = {"tcp://127.0.0.1:0"} user = "$victim"
		group = "$victim" exec = {"$program", "exit", "0"} }
	service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
	END
}

teardown()
{
	[[ -z ${suid_dumpable:-} ]] ||
		echo "$suid_dumpable" >/proc/sys/fs/suid_dumpable
	daemon_teardown
}

# An address in main, where the kernel put its program.
main_address()
{
	awk '/r-xp/ { split($1, range, "-"); print range[1]; exit }' \
		"/proc/$MINETD_PID/maps"
}

as_victim()
{
	setpriv --reuid "$victim" --regid "$victim" --clear-groups "$@"
}

# attack MODE: until stop_attack, which leaves what it says in $verdict.
attack()
{
	local verdict_file=$BATS_TEST_TMPDIR/verdict
	(
		close_fds
		exec setpriv --reuid "$victim" --regid "$victim" \
			--clear-groups "$(public_bin stopper)" \
			-t "0:$(main_address)" "$1" >"$verdict_file"
	) &
	STOPPER=$!
	ends_with_test "$STOPPER"
}

stop_attack()
{
	kill "$STOPPER"
	wait "$STOPPER"
	verdict=$(<"$BATS_TEST_TMPDIR/verdict")
}

# Let stopped handlers go on, those that run their program by now as well.
continue_handlers()
{
	local pid
	for pid in $(handler_pids); do
		kill -CONT "$pid"
	done
}

# knock COUNT: that many clients of the victim, at the same time.
knock()
{
	local i
	for ((i = 0; i < $1; i++)); do
		hold_client victim
		knockers+=("$CLIENT_PID")
	done
}

knockers_gone()
{
	local pid
	for pid in "${knockers[@]}"; do
		gone "$pid" || return
	done
}

# Others are answered, as fast as ever, and main is the one that was started.
others_are_served()
{
	local i
	for ((i = 0; i < ${1:-20}; i++)); do
		assert_eq hello "$(dial -t 1 -s hello \
			"tcp://127.0.0.1:$(port_of echo)")" || return
	done
	alive "$MINETD_PID"
	[[ $(state_of "$MINETD_PID") != T ]]
	assert_eq 0 "$(count_log 'frontend event=(ended|hung|malformed)')"
}

victim_works()
{
	[[ $(talk victim) == exiting ]]
}

@test "a user that stops every new process of its own stops only these" {
	start_minetd
	victim_works
	local writer
	exec {writer}>>"$program"
	attack stop
	knock 30
	others_are_served
	# More than those who may wait at once: others still get theirs.
	knock 30
	others_are_served
	wait_log 'kill reason="stopped before exec"' 8
	stop_attack
	exec {writer}>&-
	continue_handlers
	# What was stopped has been killed, and its clients know.
	wait_until 15 knockers_gone
	assert_match '^signals=[1-9]' "$verdict"
	others_are_served 3
	victim_works
}

@test "what a user has stopped keeps no port busy" {
	start_minetd
	local writer port pid stopped
	port=$(port_of echo)
	exec {writer}>>"$program"
	attack stop
	knock 5
	all_stopped() { (($(pgrep -c -r T -u "$victim" -P "$MINETD_PID") == 5)); }
	wait_until 5 all_stopped
	# Its parent is gone, and it is where it was: before its program.
	mapfile -t stopped < <(pgrep -u "$victim" -P "$MINETD_PID")
	ends_with_test "${stopped[@]}"
	pid=$(pgrep -r T -u "$victim" -P "$MINETD_PID" | head -n 1)
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	stop_attack
	assert_eq T "$(state_of "$pid")" "the state of what was stopped"
	assert_no_match "${program##*/}" "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
	exec {writer}>&-
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:$port\"}
		exec = {\"/bin/cat\"} }"
	start_minetd
	assert_eq hello "$(talk echo hello)"
}

@test "a user that kills every new process of its own kills only these" {
	start_minetd
	local writer
	exec {writer}>>"$program"
	attack kill
	knock 20
	others_are_served
	wait_until 10 knockers_gone
	stop_attack
	exec {writer}>&-
	assert_match '^signals=[1-9]' "$verdict"
	others_are_served 3
	victim_works
	assert_eq '' "$(find / -maxdepth 1 -name 'core*' -newer "$CONF")"
}

@test "a user cannot read or change main by way of its own processes" {
	START_WITH=(prlimit --core=unlimited)
	start_minetd
	local writer before
	before=$(main_state)
	exec {writer}>>"$program"
	attack peek
	knock 20
	others_are_served
	stop_attack
	exec {writer}>&-
	continue_handlers
	wait_until 15 knockers_gone
	assert_match '^signals=[1-9][0-9]* breaches=0$' "$verdict"
	assert_eq "$before" "$(main_state)"
	others_are_served 3
	victim_works
}

main_state()
{
	cat "/proc/$MINETD_PID/limits" "/proc/$MINETD_PID/oom_score_adj"
	grep Cpus_allowed_list "/proc/$MINETD_PID/status"
	ps -o nice= -p "$MINETD_PID"
}

@test "with suid_dumpable = 1 it cannot either" {
	local writer setting=/proc/sys/fs/suid_dumpable
	# It is the whole machine's: teardown puts it back.
	suid_dumpable=$(<"$setting")
	{ echo 1 >"$setting"; } 2>/dev/null || skip_or_fail "needs $setting"
	start_minetd
	exec {writer}>>"$program"
	attack peek
	knock 10
	others_are_served 5
	stop_attack
	exec {writer}>&-
	continue_handlers
	wait_until 15 knockers_gone
	assert_match '^signals=[1-9][0-9]* breaches=0$' "$verdict"
}

@test "the same means work on a process of the user's own" {
	local pid address
	(
		close_fds
		exec setpriv --reuid "$victim" --regid "$victim" \
			--clear-groups sleep 30
	) &
	pid=$!
	ends_with_test "$pid"
	asleep() { [[ $(<"/proc/$pid/comm") == sleep ]]; }
	wait_until 5 asleep
	address=$(awk '/r-xp/ { split($1, r, "-"); print r[1]; exit }' \
		"/proc/$pid/maps")
	assert_match 'breaches=[1-9]' \
		"$(as_victim "$(public_bin stopper)" -t "$pid:$address")"
}
