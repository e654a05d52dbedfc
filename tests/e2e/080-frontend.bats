#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

frontend_conf()
{
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }
	service \"hold\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"hold\"} }"
}

status_of()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$2/status" | tr '\t' ' '
}

@test "the frontend is nobody's user, in no group, without capabilities" {
	need_root
	frontend_conf
	start_minetd
	local front key
	front=$(frontend_pid)
	assert_no_match '(^| )0( |$)' "$(status_of Uid "$front")"
	assert_no_match '(^| )0( |$)' "$(status_of Gid "$front")"
	assert_eq '' "$(status_of Groups "$front" | tr -d ' ')"
	for key in CapInh CapPrm CapEff CapBnd CapAmb; do
		assert_eq 0000000000000000 "$(status_of "$key" "$front")" "$key"
	done
	run getent passwd "$(status_of Uid "$front" | cut -d ' ' -f 1)"
	assert_eq 2 "$status"
}

@test "the frontend can gain nothing, and its system calls are filtered" {
	frontend_conf
	start_minetd
	local front
	front=$(frontend_pid)
	assert_eq 1 "$(status_of NoNewPrivs "$front")"
	[[ $MINETD == */san/* ]] ||
		assert_eq 2 "$(status_of Seccomp "$front")"
	# The twin: nothing of it is left on main, whose children inherit.
	assert_eq 0 "$(status_of NoNewPrivs "$MINETD_PID")"
	assert_eq 0 "$(status_of Seccomp "$MINETD_PID")"
}

@test "the frontend's root directory is empty and can never be filled" {
	need_root
	frontend_conf
	start_minetd
	local root
	root=/proc/$(frontend_pid)/root
	assert_match '\(deleted\)$' "$(readlink "$root")"
	assert_eq '' "$(ls -A "$root/" 2>/dev/null)"
	run touch "$root/file"
	assert_eq 1 "$status"
	assert_eq '' "$(find /run /tmp /dev/shm -maxdepth 1 -name 'minetd.??????' -newer "$CONF")"
}

@test "the frontend holds the listeners, the channel, and nothing of main's" {
	need_root	# to look into it
	frontend_conf
	local stray
	exec {stray}<"$CONF"
	start_minetd -p "$BATS_TEST_TMPDIR/pid"
	exec {stray}<&-
	local targets
	targets=$(find "/proc/$(frontend_pid)/fd" -type l -printf '%l\n' | sed 's/[0-9]*//g' | sort | uniq -c | sed 's/^ *//')
	# Two listeners and the channel; the rest is the loop and /dev/null.
	assert_match '3 socket:\[\]' "$targets"
	assert_match '2 anon_inode:\[eventpoll\]' "$targets"
	[[ $MINETD != */san/* ]] || targets=${targets//log/} # its stderr
	assert_no_match 'conf|pid|log|signalfd|memfd' "$targets"
}

@test "the frontend has no environment and no trace of the configuration" {
	frontend_conf
	START_WITH=(env SECRET_OF_STARTER=1)
	start_minetd
	local front
	front=$(frontend_pid)
	[[ -z $(tr -d '\0' <"/proc/$front/environ") ]]
	if grep -qF "$CONF" "/proc/$front/maps"; then
		fail "the configuration is mapped"
	fi
}

@test "a killed frontend is replaced and handlers notice nothing" {
	frontend_conf
	start_minetd
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	local first
	first=$(frontend_pid)
	kill -KILL "$first"
	wait_log 'frontend event=ended pid=.* signal=9'
	wait_log 'frontend event=restarted'
	assert_eq hello "$(talk echo hello)"
	alive "$CLIENT_PID"
	[[ $(frontend_pid) != "$first" ]]
	assert_eq 0 "$(count_log 'exit service=hold')"
}

@test "clients that come while no frontend runs wait and are served" {
	frontend_conf
	start_minetd
	local i out=$BATS_TEST_TMPDIR/out
	kill -STOP "$(frontend_pid)"
	for i in 1 2 3 4 5; do
		start_process "$TESTBIN/dial" -s "client $i" -t 20 -o "$out.$i" \
			"tcp://127.0.0.1:$(port_of echo)"
	done
	kill -KILL "$(frontend_pid)"
	for i in 1 2 3 4 5; do
		wait_until 10 grep -qsx "client $i" "$out.$i"
	done
}

@test "a frontend that does not answer is replaced" {
	frontend_conf
	start_minetd
	kill -STOP "$(frontend_pid)"
	wait_log 'frontend event=hung' 15
	wait_log 'frontend event=restarted'
	assert_eq hello "$(talk echo hello)"
}

@test "nothing is concluded from a time in which main itself was stopped" {
	frontend_conf
	start_minetd
	local front i
	front=$(frontend_pid)
	for i in 1 2 3; do
		kill -STOP "$MINETD_PID"
		stopped() { [[ $(state_of "$MINETD_PID") == T ]]; }
		wait_until 5 stopped
		kill -CONT "$MINETD_PID"
		assert_eq hello "$(talk echo hello)"
	done
	assert_eq "$front" "$(frontend_pid)"
}

@test "a frontend leaves when main is killed, and frees the ports" {
	frontend_conf
	start_minetd
	local front port
	front=$(frontend_pid)
	port=$(port_of echo)
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$front"
	# The handler goes on.
	alive "$CLIENT_PID"
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:$port\"} exec = {\"/bin/cat\"} }"
	start_minetd
	assert_eq hello "$(talk echo hello)"
}

@test "frontend_user is the frontend's user when there is such an account" {
	need_root
	conf 'frontend_user = "daemon"
	service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	assert_match "^$(id -u daemon) " "$(status_of Uid "$(frontend_pid)")"
	assert_eq hello "$(talk echo hello)"
}

@test "an ordinary user's daemon serves, and says what it cannot do" {
	need_root
	need setpriv
	conf "service \"id\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/usr/bin/id\", \"-u\"} }
	service \"local\" { listen = {\"unix://$BATS_TEST_TMPDIR/own/socket\"} exec = {\"/usr/bin/id\", \"-u\"} }"
	install -d -o 63210 "$BATS_TEST_TMPDIR/own"
	START_WITH=(setpriv --reuid 63210 --regid 63210 --clear-groups)
	install -m 755 "$(readlink -f "$MINETD")" "$(public_dir)/minetd"
	MINETD=$(public_dir)/minetd start_minetd
	wait_log 'unprivileged message=.*uid 63210'
	assert_eq 63210 "$(talk id)"
	assert_eq 63210 "$(dial "unix://$BATS_TEST_TMPDIR/own/socket")"
	assert_eq 1 "$(status_of NoNewPrivs "$(frontend_pid)")"
}

@test "a frontend that is stopped does not outlive main" {
	frontend_conf
	start_minetd
	local front
	front=$(frontend_pid)
	kill -STOP "$front"
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$front"
}
