#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Figures that are promised, with room for a slow machine.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	# A sanitiser's shadow is neither fast nor small.
	sanitized=
	[[ $MINETD != */san/* ]] || sanitized=1
}

# services COUNT [KEYS]
services()
{
	local listen='listen = {"tcp://127.0.0.1:&"}'
	seq 10000 $((9999 + $1)) | sed "s|.*|service \"s&\" { $listen \
		exec = {\"/bin/cat\", \"-u\"} ${2:-} }|"
}

# pss_of PID...: KiB, together.
pss_of()
{
	local pid
	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Pss:/ { sum += $2 } END { print sum }'
}

msec()
{
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

@test "10,000 services are checked within a second" {
	services 10000 >"$CONF"
	local from took
	from=$(msec)
	run -0 "$MINETD" -t -c "$CONF"
	took=$(($(msec) - from))
	((took < (sanitized ? 20000 : 2000))) || fail "$took ms"
}

@test "10,000 services leave main small" {
	need_root
	{
		services 10000 'disabled = yes'
		echo 'pid_file = ""'
		echo 'service "echo" { listen = {"tcp://127.0.0.1:0"}
			exec = {"/bin/cat"} }'
	} >"$CONF"
	start_minetd
	assert_eq hello "$(talk echo hello)"
	local pss
	pss=$(pss_of "$MINETD_PID")
	((sanitized || pss < 8192)) || fail "main: $pss KiB"
}

@test "both processes together are below 2 MiB" {
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"}
		exec = {"/bin/cat"} }'
	start_minetd
	dial -c 200 -s hello "tcp://127.0.0.1:$(port_of echo)" >/dev/null
	local pss
	pss=$(pss_of "$MINETD_PID" "$(frontend_pid)")
	((sanitized || pss < 2048)) || fail "$pss KiB"
}

@test "a daemon without clients is idle" {
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"}
		exec = {"/bin/cat"} }'
	start_minetd
	ticks() {
		awk '{ sub(/.*\) /, ""); print $12 + $13 }' \
			"/proc/$MINETD_PID/stat" "/proc/$(frontend_pid)/stat" |
			awk "{ sum += \$1 } END { print sum }"
	}
	assert_eq hello "$(talk echo hello)"
	later() { ((${EPOCHREALTIME/[.,]/} > $1)); }
	local before used
	before=$(ticks)
	wait_until 4 later $((${EPOCHREALTIME/[.,]/} + 2000000))
	used=$(($(ticks) - before))
	# Ticks are of 10 ms: below 5 % of one processor.
	((used <= 10)) || fail "$used ticks in 2 s"
}
