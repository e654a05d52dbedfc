#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Every way of being wrong, at the check and at the start: an error with file
# and line, exit 78, and nothing bound.  The messages themselves are goldens in
# tests/conf.

bats_require_minimum_version 1.5.0
load ../lib/daemon

# refused REGEX [FILE]: by -t and by a start.
refused()
{
	CONF=${2:-$CONF}
	run -78 "$MINETD" -t -c "$CONF"
	assert_match "$1" "$output"
	refuse_minetd
	assert_eq 78 "$MINETD_STATUS"
	assert_match "$1" "$(<"$LOG")"
	assert_eq 0 "$(count_log '^listen ')"
}

good='service "good" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'

# wrong REGEX LINE: the good service and, on line 2, a wrong one.
wrong()
{
	conf "$good"$'\n'"$2"
	refused "$1"
}

@test "the good service alone is accepted" {
	conf "$good"
	start_minetd
	assert_eq hello "$(talk good hello)"
}

@test "a file that is not there is refused" {
	refused 'missing: .*No such file' "$BATS_TEST_TMPDIR/missing"
}

@test "a directory is refused" {
	refused 'not a regular file' "$BATS_TEST_TMPDIR"
}

@test "a fifo is refused, without waiting for a writer" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	refused 'not a regular file' "$BATS_TEST_TMPDIR/fifo"
}

@test "a file that others may write is refused when root" {
	need_root
	conf "$good"
	chmod 666 "$CONF"
	refused 'writable by others'
}

@test "a file of somebody else is refused when root" {
	need_root
	conf "$good"
	chown 63210 "$CONF"
	refused 'owner|owned'
}

@test "a file that may not be read is refused" {
	need_root
	need setpriv
	conf "$good"
	chmod 600 "$CONF"
	install -m 755 "$(readlink -f "$MINETD")" "$(public_dir)/minetd"
	run -78 setpriv --reuid 63210 --regid 63210 --clear-groups \
		"$(public_dir)/minetd" -t -c "$CONF"
	assert_match 'Permission denied' "$output"
}

@test "an unknown key is refused with a suggestion" {
	wrong "$CONF:2: .*listn.*did you mean \"listen\"" 'service "a" { listn = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
}

@test "a key of a later version is refused, not ignored" {
	wrong "$CONF:2: .*proxy_protocol" 'service "a" { proxy_protocol = "required" listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
}

@test "a wrong type is refused" {
	wrong "$CONF:2: .*instances" 'service "a" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} instances = many }'
}

@test "a bad address is refused" {
	wrong "$CONF:2: .*300\.0\.0\.1" 'service "a" { listen = {"tcp://300.0.0.1:1"} exec = {"/bin/cat"} }'
}

@test "port 65536 is refused" {
	wrong "$CONF:2: .*65536" 'service "a" { listen = {"tcp://127.0.0.1:65536"} exec = {"/bin/cat"} }'
}

@test "an unknown user is refused" {
	need_root
	wrong "$CONF:2: .*nosuchuser" 'service "a" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} user = "nosuchuser" }'
}

@test "two services on one address are refused" {
	wrong "$CONF:3: .*overlaps" 'service "a" { listen = {"tcp://*:4999"} exec = {"/bin/cat"} }
service "b" { listen = {"tcp://127.0.0.1:4999"} exec = {"/bin/cat"} }'
}

@test "an empty exec is refused" {
	wrong "$CONF:2: .*exec" 'service "a" { listen = {"tcp://127.0.0.1:0"} exec = {} }'
}

@test "an exec that is not absolute is refused" {
	wrong "$CONF:2: .*absolute" 'service "a" { listen = {"tcp://127.0.0.1:0"} exec = {"cat"} }'
}

@test "all errors are reported, in order" {
	conf 'service "a" { listen = {"tcp://127.0.0.1:0"} exec = {"cat"} }
	service "b" { listen = {"tcp://127.0.0.1:99999"} exec = {"/bin/cat"} }
	bogus = 1'
	run -78 "$MINETD" -t -c "$CONF"
	assert_match ":1: .*:2: .*:3: " "${output//$'\n'/ }"
}
