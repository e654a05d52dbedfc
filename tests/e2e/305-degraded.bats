#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Addresses and interfaces that are not there, or not any more: in networks that
# belong to the test.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	need_root
	need ip unshare nsenter
	unshare --net true 2>/dev/null ||
		skip_or_fail "needs a network namespace"
	new_network
	here=$NETWORK
	on_network "$here" ip link set lo up
	START_WITH=(nsenter "--net=/proc/$here/ns/net")
	dir=$(public_dir)
	echo_service='service "echo" { listen = {"tcp://127.0.0.1:7001"} exec = {"/bin/cat"} }'
	late=10.91.7.1
	late_service="service \"late\" { listen = {\"tcp://$late:7002\"} exec = {\"/bin/cat\"} }"
}

# new_network: sets NETWORK to a process that has one of its own.
new_network()
{
	start_process unshare --net tail -f /dev/null
	NETWORK=$STARTED_PID
	wait_until 5 has_own_network
}

has_own_network()
{
	[[ $(readlink "/proc/$NETWORK/ns/net") != "$(readlink /proc/self/ns/net)" ]]
}

# on_network PROCESS COMMAND...
on_network()
{
	nsenter "--net=/proc/$1/ns/net" "${@:2}"
}

# answers ADDRESS [NETWORK]: the service there echoes.
answers()
{
	[[ $(on_network "${2:-$here}" "$TESTBIN/dial" -s hello -t 2 "$1") == hello ]]
}

# The marker is opened by the first attempt that is made because it is time for
# one: the next of those is at least two seconds away.
marker_service()
{
	echo "service \"marker\" { listen = {\"unix://$dir/marker/socket\"} exec = {\"/bin/cat\"} }"
}

wait_marker()
{
	mkdir "$dir/marker"
	wait_log 'listen service=marker' 12
}

@test "an address that is not there is served at the moment that it is" {
	conf "$echo_service $late_service $(marker_service)"
	start_minetd
	wait_log "degraded service=late addr=tcp://$late:7002 step=bind error=\"?Cannot assign requested address"
	answers tcp://127.0.0.1:7001
	wait_marker
	assert_eq 0 "$(count_log 'listen service=late')"
	on_network "$here" ip address add "$late/24" dev lo
	# By the clock it would be twice as long.
	wait_log 'listen service=late' 1
	answers "tcp://$late:7002"
}

@test "the same for an address of IPv6" {
	on_network "$here" grep -q . /proc/net/if_inet6 ||
		skip_or_fail "needs IPv6"
	conf "$echo_service $(marker_service)
	service \"late\" { listen = {\"tcp://[fd91::7]:7002\"} exec = {\"/bin/cat\"} }"
	start_minetd
	wait_log 'degraded service=late'
	wait_marker
	on_network "$here" ip -6 address add fd91::7/64 dev lo nodad
	wait_log 'listen service=late' 1
	answers 'tcp://[fd91::7]:7002'
}

@test "an address that goes is kept, and served when it comes back" {
	on_network "$here" ip address add "$late/24" dev lo
	conf "$echo_service $late_service"
	start_minetd
	answers "tcp://$late:7002"
	on_network "$here" ip address del "$late/24" dev lo
	run ! answers "tcp://$late:7002"
	answers tcp://127.0.0.1:7001
	reload
	assert_match ' kept=2 opened=0 removed=0 degraded=0 ' "$RELOADED"
	on_network "$here" ip address add "$late/24" dev lo
	answers "tcp://$late:7002"
	assert_eq 0 "$(count_log degraded\ service)"
}

@test "what is not wanted any more is not opened either" {
	conf "$echo_service $late_service"
	start_minetd
	wait_log 'degraded service=late'
	conf "$echo_service $(marker_service)"
	reload
	on_network "$here" ip address add "$late/24" dev lo
	wait_marker
	assert_eq 0 "$(count_log 'listen service=late')"
	# The twin.
	conf "$echo_service $late_service"
	reload
	answers "tcp://$late:7002"
}

@test "a reload tells again of what is still degraded, and waits for it too" {
	conf "$echo_service"
	start_minetd
	conf "$echo_service $late_service $(marker_service)"
	reload
	assert_match ' services=3 kept=1 opened=0 removed=0 degraded=2 ' "$RELOADED"
	wait_marker
	reload
	assert_match ' degraded=1 ' "$RELOADED"
	assert_eq 2 "$(count_log 'degraded service=late')"
	on_network "$here" ip address add "$late/24" dev lo
	wait_log 'listen service=late'
	answers "tcp://$late:7002"
}

@test "the same reason again is not logged again, another one is" {
	on_network "$here" ip address add "$late/24" dev lo
	start_process nsenter "--net=/proc/$here/ns/net" python3 -c '
import signal, socket, sys
s = socket.socket()
s.bind((sys.argv[1], 7002))
s.listen()
print("there", flush=True)
signal.pause()' "$late" >"$BATS_TEST_TMPDIR/taken"
	local holder=$STARTED_PID
	wait_until 10 test -s "$BATS_TEST_TMPDIR/taken"
	conf "$echo_service $late_service $(marker_service)"
	start_minetd
	wait_log 'degraded service=late .*Address already in use'
	# The attempt that opens the marker has come by the other one before.
	wait_marker
	assert_eq 1 "$(count_log 'degraded service=late')" "lines"
	on_network "$here" ip address del "$late/24" dev lo
	wait_log 'degraded service=late .*Cannot assign requested address'
	on_network "$here" ip address add "$late/24" dev lo
	taken_again() { (($(count_log 'degraded service=late .*Address already in use') == 2)); }
	wait_until 5 taken_again
	assert_eq 3 "$(count_log 'degraded service=late')" "lines"
	kill "$holder"
	wait_until 5 gone "$holder"
	# Any news of the network is a reason to try.
	on_network "$here" ip address add 10.91.9.9/24 dev lo
	wait_log 'listen service=late'
	answers "tcp://$late:7002"
}

@test "with freebind an address need not be there" {
	conf "$echo_service service \"late\" { listen = {\"tcp://$late:7002\"}
		exec = {\"/bin/cat\"} freebind = yes }"
	start_minetd
	assert_eq 0 "$(count_log 'degraded service')"
	on_network "$here" ip address add "$late/24" dev lo
	answers "tcp://$late:7002"
	# The twin is the first test; and taken away it is an address as others.
	stop_minetd
	on_network "$here" ip address del "$late/24" dev lo
	conf "$echo_service $late_service"
	start_minetd
	wait_log 'degraded service=late'
}

@test "strict = yes and an address that is not there: the start exits with 69" {
	conf "strict = yes $echo_service $late_service"
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS" "the status"
	assert_match 'failed message="1 of 2 listeners could not be opened, and strict = yes' "$(<"$LOG")"
	on_network "$here" ip address add "$late/24" dev lo
	start_minetd
	answers "tcp://$late:7002"
}

@test "a start that can open nothing exits with 69" {
	conf "$late_service"
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS" "the status"
	on_network "$here" ip address add "$late/24" dev lo
	start_minetd
	answers "tcp://$late:7002"
}

# plug: a cable from here, where its end is named port0, to another network.
plug()
{
	on_network "$here" ip link add port0 type veth peer name far0
	on_network "$here" ip link set far0 netns "$there"
	on_network "$here" ip address add 10.91.8.1/24 dev port0
	on_network "$here" ip link set port0 up
	on_network "$there" ip address add 10.91.8.2/24 dev far0
	on_network "$there" ip link set far0 up
}

unplug()
{
	on_network "$here" ip link del port0
}

port_service='service "port" { listen = {"tcp://*:7003"} exec = {"/bin/cat"}
	interface = "port0" }'

can_plug()
{
	new_network
	there=$NETWORK
	on_network "$here" ip link add try0 type veth peer name try1 \
		2>/dev/null || skip_or_fail "needs veth"
	on_network "$here" ip link del try0
}

@test "an interface that is not there is served as soon as it is" {
	can_plug
	conf "$echo_service $port_service $(marker_service)"
	start_minetd
	wait_log 'degraded service=port addr=tcp://\*:7003 step=interface error="?No such device'
	answers tcp://127.0.0.1:7001
	wait_marker
	plug
	wait_log 'listen service=port' 1
	wait_until 5 answers tcp://10.91.8.1:7003 "$there"
	# And nowhere else.
	run ! answers tcp://127.0.0.1:7003
}

@test "an interface that is deleted and made anew is served again" {
	can_plug
	plug
	conf "$echo_service $port_service"
	start_minetd
	wait_until 5 answers tcp://10.91.8.1:7003 "$there"
	local i
	for i in 1 2; do
		unplug
		answers tcp://127.0.0.1:7001
		plug
		wait_until 5 answers tcp://10.91.8.1:7003 "$there"
	done
	run ! answers tcp://127.0.0.1:7003
	assert_eq 1 "$(count_log 'listen service=port')"
}

@test "an interface that is made anew during a reload is served again" {
	can_plug
	plug
	conf "$echo_service $port_service"
	start_minetd
	wait_until 5 answers tcp://10.91.8.1:7003 "$there"
	unplug
	reload
	plug
	reload
	wait_until 5 answers tcp://10.91.8.1:7003 "$there"
}

# disable_ipv6 1|0: as with net.ipv6.conf.all.disable_ipv6.
disable_ipv6()
{
	[[ -e /proc/sys/net/ipv6/conf/all/disable_ipv6 ]] ||
		skip_or_fail "needs IPv6, to disable it"
	# The file is of the network of whoever opens it.
	on_network "$here" sh -c \
		"echo $1 >/proc/sys/net/ipv6/conf/all/disable_ipv6" ||
		skip_or_fail "needs a /proc/sys that can be written"
	on_network "$here" sh -c \
		"echo $1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6"
}

@test "where IPv6 is disabled, * serves IPv4, and what is of IPv6 is degraded" {
	disable_ipv6 1
	conf 'service "all" { listen = {"tcp://*:7004"} exec = {"/bin/cat"} }
	service "six" { listen = {"tcp6://[::1]:7005"} exec = {"/bin/cat"} }'
	start_minetd
	wait_log 'degraded service=six'
	answers tcp://127.0.0.1:7004
	assert_eq 0 "$(count_log 'degraded service=all')"
	# Once it is enabled, its addresses come, and are served.
	disable_ipv6 0
	on_network "$here" ip -6 address replace ::1/128 dev lo
	wait_log 'listen service=six'
	answers 'tcp://[::1]:7005'
	answers 'tcp://[::1]:7004'
	answers tcp://127.0.0.1:7004
}
