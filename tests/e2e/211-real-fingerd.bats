#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# in.fingerd, and real finger clients, which know one port only.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	need in.fingerd || return
}

# serve ADDRESS [ARGUMENT]
serve()
{
	conf "service \"finger\" { listen = \"tcp://$1\"
		exec = {\"$(type -P in.fingerd)\"${2:+, \"$2\"}} }"
	start_minetd
}

# ask TEXT: as RFC 1288 has it.
ask()
{
	talk finger "$1"$'\r\n'
}

@test "in.fingerd tells of a user, and that there is no other" {
	serve 127.0.0.1:0
	assert_match 'Login: root' "$(ask root)"
	assert_match 'no such user' "$(ask nosuchuser)"
	wait_log 'exit service=finger .* status=0 '
}

@test "in.fingerd knows the address it was asked at" {
	serve 127.0.0.1:0 -w
	assert_match 'Welcome to Linux version .* at ' "$(ask '')"
}

@test "finger asks in.fingerd at its port" {
	need_root
	need finger ip unshare nsenter
	START_WITH=(unshare --net sh -c 'ip link set lo up && exec "$@"' sh)
	serve 127.0.0.1:79
	local said
	said=$(nsenter --net="/proc/$MINETD_PID/ns/net" \
		timeout 10 finger root@127.0.0.1)
	assert_match 'Login: root' "$said"
	wait_log 'exit service=finger .* local=127.0.0.1:79 status=0 '
}
