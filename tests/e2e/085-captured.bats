#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What main believes of a frontend: nothing that ours would not say.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets

captured_conf()
{
	need_root
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} reuse_port = yes }
	service \"hold\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\", \"hold\"} }
	service \"u\" { listen = {\"udp://127.0.0.1:0\"} exec = {\"/bin/cat\"} log_connections = verbose }"
	start_minetd
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
}

descriptors()
{
	find "/proc/$MINETD_PID/fd" -type l | wc -l
}

# betrayed MODE [SERVICE]: the frontend is replaced, and nothing else has happened.
betrayed()
{
	local front before
	captured_conf
	front=$(frontend_pid)
	before=$(descriptors)
	"$TESTBIN/captive" "$front" "$1" "$(bound_port "${2:-echo}")"
	wait_log "frontend event=malformed pid=$front"
	wait_log 'frontend event=restarted'
	assert_eq hello "$(talk echo hello)"
	wait_log 'exit service=echo .* status=0 '
	assert_eq 1 "$(count_log 'exit ')"
	alive "$CLIENT_PID"
	same() { [[ $(descriptors) == "$before" ]]; }
	wait_until 5 same
}

@test "a frontend that says what it may say is kept" {
	captured_conf
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(count_log 'event=(malformed|restarted)')"
}

@test "a refusal that there may have been" {
	captured_conf
	"$TESTBIN/captive" "$(frontend_pid)" refused
	wait_log 'reject service=echo .* reason=full'
	assert_eq 0 "$(count_log 'event=(malformed|restarted)')"
}

@test "a peer that there may have been" {
	captured_conf
	"$TESTBIN/captive" "$(frontend_pid)" peer "$(bound_port u)"
	wait_log 'start service=u .* peer=127.0.0.1:40000 local=127.0.0.1:'
	assert_eq hello "$(talk echo hello)"
	assert_eq 0 "$(count_log 'event=(malformed|restarted)')"
}

@test "a message of the wrong size" { betrayed byte; }
@test "a message of another version" { betrayed version; }
@test "a message of an unknown type" { betrayed type; }
@test "a message out of its turn" { betrayed ready; }
@test "a connection without a descriptor" { betrayed bare; }
@test "a socket that is no connection of a client" { betrayed pair; }
@test "a descriptor that is no socket" { betrayed file; }
@test "a listening socket for a connection" { betrayed listening; }
@test "a connection of another address" { betrayed foreign; }
@test "a listener that there is not" { betrayed index; }
@test "a peer that main could not answer for" { betrayed untagged u; }
@test "a peer of another port" { betrayed elsewhere u; }
@test "a peer of another family" { betrayed families u; }
@test "a peer with a descriptor" { betrayed carried u; }
@test "a descriptor where none belongs" { betrayed attached; }
@test "a refusal without a reason" { betrayed reason; }
@test "a refusal by a service that the client cannot have meant" { betrayed others; }
@test "the end of accepting that nobody has asked for" { betrayed stopped; }
@test "an end of a listener that is not removed" { betrayed empty; }
@test "a target that there is not" { betrayed connect; }
@test "names of a service that has no targets" { betrayed resolve; }
@test "an end with a target that there is not" { betrayed target; }
