# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash
# shellcheck disable=SC2034	# what the tests read: CLIENT_PID, CLIENT_OUT

# Clients from several sources, for services that run `probe hold`.  They run by
# way of the command in CLIENT_WITH.

# to SERVICE|ADDRESS: where that is, as dial has it.
to()
{
	local port
	[[ $1 != *://* ]] || { echo "$1"; return; }
	port=$(port_of "$1") || return
	echo "tcp://127.0.0.1:$port"
}

# from HOST SERVICE|ADDRESS [OPTION...]: what one client from there is told.  A
# reset is as good as an end.
from()
{
	local address
	address=$(to "$2") || return
	"${CLIENT_WITH[@]}" "$TESTBIN/dial" -b "$1" "${@:3}" "$address" \
		2>/dev/null || [[ $? == 2 ]]
}

# hold_from HOST SERVICE|ADDRESS: as hold_client, from there.
hold_from()
{
	local address
	address=$(to "$2") || return
	clients=$((${clients:-0} + 1))
	CLIENT_OUT=$BATS_TEST_TMPDIR/client.$clients
	: >"$CLIENT_OUT"
	start_process "${CLIENT_WITH[@]}" "$TESTBIN/dial" -k -t 60 -b "$1" \
		-o "$CLIENT_OUT" "$address"
	CLIENT_PID=$STARTED_PID
}

# greeted [FILE]: the last held client, or that one, is served.
greeted()
{
	wait_until 10 grep -q '^pid' "${1:-$CLIENT_OUT}" || fail "not served"
}

# held HOST SERVICE|ADDRESS: a client that is served, and stays.
held()
{
	hold_from "$1" "$2" && greeted "$CLIENT_OUT"
}

is_served()
{
	[[ $(from "$@") == pid* ]]
}

# served HOST SERVICE|ADDRESS: now.
served()
{
	is_served "$@" || fail "$1 is not served by $2"
}

# served_again HOST SERVICE|ADDRESS: before long.
served_again()
{
	wait_until 10 is_served "$@" || fail "$1 is never served by $2"
}

# refused HOST SERVICE|ADDRESS [REASON]: at once, and with the first line of
# this reason, which is not told again soon.
refused()
{
	local what="reject service=${2%%://*} peer=[^ ]+ reason=${3:-per_source}( |\$)"
	assert_eq '' "$(from "$1" "$2")" "what $1 is told by $2" || return
	[[ $2 == *://* ]] || wait_log "$what"
}

# own_addresses ADDRESS/BITS...: the daemons and clients that are started from
# now on have a network of their own, with these on its loopback interface.
own_addresses()
{
	local address
	need_root && need ip unshare nsenter || return
	unshare --net true 2>/dev/null || skip_or_fail "needs a network namespace"
	start_process unshare --net tail -f /dev/null
	network=/proc/$STARTED_PID/ns/net
	wait_until 5 has_own_network
	START_WITH=(nsenter "--net=$network")
	"${START_WITH[@]}" ip link set lo up
	for address; do
		"${START_WITH[@]}" ip address add "$address" dev lo
	done
	CLIENT_WITH=("${START_WITH[@]}")
}

has_own_network()
{
	[[ $(readlink "$network") != "$(readlink /proc/self/ns/net)" ]]
}
