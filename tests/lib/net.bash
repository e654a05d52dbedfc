# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash
# shellcheck disable=SC2034	# what the tests read: CLIENT_PID, CLIENT_OUT

# Clients, all by way of tests/bin/dial.c: one behaviour on every machine.

# dial [OPTION...] ADDRESS: see the head of dial.c.
dial()
{
	"$TESTBIN/dial" "$@"
}

# talk SERVICE [TEXT]: connect to its first tcp listener, send TEXT, half-close,
# print what comes until EOF.
talk()
{
	dial ${2+-s "$2"} "tcp://127.0.0.1:$(port_of "$1")"
}

# hold_client SERVICE|ADDRESS: connect and stay connected, in the background.
# Sets CLIENT_PID; what the service sends goes to the file in CLIENT_OUT.  The
# client leaves when it is killed or when the service closes.
hold_client()
{
	local address=$1
	[[ $address == *://* ]] ||
		address=tcp://127.0.0.1:$(port_of "$address") || return
	clients=$((${clients:-0} + 1))
	CLIENT_OUT=$BATS_TEST_TMPDIR/client.$clients
	: >"$CLIENT_OUT"
	start_process "$TESTBIN/dial" -k -t 60 -o "$CLIENT_OUT" \
		"$address"
	CLIENT_PID=$STARTED_PID
}
