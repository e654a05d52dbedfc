#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# For whom a service is: only_from and no_access.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/inherit
load ../lib/sockets
load ../lib/udp

setup()
{
	daemon_setup
	dir=$(public_dir)
	path=$dir/socket
	rules=$dir/rules
	cat=/bin/cat
	verbose='log_connections = verbose'
}

# rules_conf KEYS: "echo" with them, and "always" without.
rules_conf()
{
	conf <<-END
	defaults { $verbose }
	service "echo" { listen = "tcp://127.0.0.1:${port:-0}" exec = "$cat"
		$1 }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "$cat" }
	END
}

# from ADDRESS [SERVICE [HOST]]: what a client there hears of "hello".
from()
{
	dial -b "$1" -s hello \
		"tcp://${3:-127.0.0.1}:$(port_of "${2:-echo}")" 2>/dev/null
}

served()
{
	assert_eq hello "$(from "$@")" "served $*"
}

# Closed without a word, and told of; others are served.
denied()
{
	assert_eq '' "$(from "$@")" "denied $*"
	wait_log "reject service=${2:-echo} peer=.* reason=acl"
	served 127.0.0.1 always
}

# local_from USER GROUP GROUPS: what a client on the unix socket hears; GROUPS
# are "-" for none.
local_from()
{
	local groups=(--groups "$3")
	[[ $3 != - ]] || groups=(--clear-groups)
	setpriv --reuid "$1" --regid "$2" "${groups[@]}" \
		"$dir/dial" -s hello "unix://$path" 2>/dev/null
}

local_served()
{
	assert_eq hello "$(local_from "$@")" "served $*"
}

local_denied()
{
	assert_eq '' "$(local_from "$@")" "denied $*"
	wait_log 'reject service=local peer=uid:[0-9]+,pid:[0-9]+ reason=acl'
}

# local_conf KEYS: a service on a unix socket that everybody can reach.
local_conf()
{
	need_root
	need setpriv
	public_bin dial >/dev/null
	conf "service \"local\" { listen = \"unix://$path\" exec = \"$cat\"
		$verbose $1 }"
	start_minetd
}

# handlers SERVICE COUNT: so many have been started, of those that say so.
handlers()
{
	wait_until 5 started "$@" || true
	assert_eq "$2" "$(count_log "start service=$1 ")" "handlers of $1"
}

started()
{
	(($(count_log "start service=$1 ") >= $2))
}

# refused_conf TEXT LINE: what -t says of it begins so.
refused_conf()
{
	conf "$1"
	run -78 "$MINETD" -t -c "$CONF"
	[[ $'\n'"$output" == *$'\n'"$2"* ]] || fail "not said: $2" "$output"
}

@test "without rules a service is for everybody" {
	rules_conf ''
	start_minetd
	served 127.0.0.1
	served 127.0.0.2
	assert_eq 0 "$(count_log '(^| )reject ')"
}

@test "only_from lets those in that it names, and nobody else" {
	rules_conf 'only_from = {"127.0.0.1", "127.0.1.0/24", "127.0.2.0/255.255.255.252"}'
	start_minetd
	served 127.0.0.1
	served 127.0.1.0
	served 127.0.1.255
	served 127.0.2.3
	denied 127.0.0.2
	denied 127.0.2.4
	denied 127.0.3.0
	handlers echo 4
}

@test "no_access keeps those away that it names, and nobody else" {
	rules_conf 'no_access = {"127.0.0.2", "127.0.1.0/24"}'
	start_minetd
	served 127.0.0.1
	served 127.0.0.3
	served 127.0.2.1
	denied 127.0.0.2
	denied 127.0.1.7
	handlers echo 3
}

@test "the most specific rule decides" {
	rules_conf 'only_from = {"127.0.0.0/8", "127.0.1.128/25", "127.0.1.9"}
		no_access = {"127.0.1.0/24", "127.0.1.129", "127.0.1.8/31"}'
	start_minetd
	served 127.0.2.1
	denied 127.0.1.1
	served 127.0.1.128
	denied 127.0.1.129
	denied 127.0.1.8
	served 127.0.1.9
}

@test "of two rules that are equally specific the one that denies decides" {
	rules_conf 'only_from = {"127.0.0.0/30", "127.0.0.9"}
		no_access = {"127.0.0.0/255.255.255.252", "127.0.0.9"}'
	start_minetd
	denied 127.0.0.1
	denied 127.0.0.9
	# By one bit, in either direction.
	rules_conf 'only_from = {"127.0.0.0/30", "127.0.0.8/30"}
		no_access = {"127.0.0.0/29", "127.0.0.8/31"}'
	start_minetd
	served 127.0.0.1
	denied 127.0.0.9
	served 127.0.0.10
}

@test "only_from = {} is for nobody, no_access = {} keeps nobody away" {
	conf <<-END
	service "echo" { listen = {"tcp://127.0.0.1:0", "unix://$path"}
		exec = "$cat" only_from = {} $verbose }
	service "open" { listen = "tcp://127.0.0.1:0" exec = "$cat"
		no_access = {} }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "$cat" }
	END
	start_minetd
	denied 127.0.0.1
	assert_eq '' "$(dial -s hello "unix://$path" 2>/dev/null)"
	served 127.0.0.1 open
	handlers echo 0
}

@test "rules of the defaults are those of each service without its own" {
	conf <<-END
	defaults { only_from = {"127.0.0.2"} no_access = {"127.0.0.4"} }
	service "echo" { listen = "tcp://127.0.0.1:0" exec = "$cat" }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "$cat"
		only_from = {"127.0.0.1"} }
	service "more" { listen = "tcp://127.0.0.1:0" exec = "$cat"
		only_from += {"127.0.0.3", "127.0.0.4"} }
	service "less" { listen = "tcp://127.0.0.1:0" exec = "$cat"
		only_from = {} }
	END
	start_minetd
	served 127.0.0.2
	denied 127.0.0.1
	denied 127.0.0.2 always
	served 127.0.0.2 more
	served 127.0.0.3 more
	denied 127.0.0.1 more
	denied 127.0.0.4 more
	denied 127.0.0.2 less
}

@test "a file has a rule on each line, and comments" {
	printf '%s\n' '# of ours' '' '127.0.0.1 # the first' \
		$' \t127.0.1.0/24\t ' $'127.0.2.0/255.255.255.0\r' 'uid:0' \
		'::ffff:127.0.3.1' '#127.0.0.9' >"$rules"
	printf '127.0.4.1' >>"$rules"
	echo 127.0.1.1 >"$rules.not"
	rules_conf "only_from = {\"127.0.5.1\", \"file:$rules\"} no_access = \"file:$rules.not\""
	start_minetd
	local address
	for address in 127.0.0.1 127.0.1.2 127.0.2.1 127.0.3.1 127.0.4.1 \
	    127.0.5.1; do
		served "$address"
	done
	denied 127.0.0.9
	denied 127.0.1.1
	denied 127.0.6.1
}

@test "an empty file is nobody" {
	: >"$rules"
	rules_conf "only_from = \"file:$rules\""
	start_minetd
	denied 127.0.0.1
}

@test "a file of many rules is searched like a short one" {
	awk 'BEGIN { for (i = 0; i < 100000; i++)
		printf "10.%d.%d.%d/32\n", i / 65536, i / 256 % 256, i % 256
		print "127.0.1.0/24" }' >"$rules"
	rules_conf "no_access = \"file:$rules\""
	start_minetd
	served 127.0.0.1
	denied 127.0.1.1
}

# own_hosts <TEXT: the daemon has a hosts file with this text, and no name server.
own_hosts()
{
	need_root
	own_mounts
	cat >"$dir/hosts"
	echo 'nameserver 127.0.0.9' >"$dir/resolv"
	# shellcheck disable=SC2016,SC2034	# expanded, and used, elsewhere
	START_WITH=("${OWN_MOUNTS[@]}" sh -c 'mount --bind "$0/hosts" /etc/hosts &&
		mount --bind "$0/resolv" /etc/resolv.conf && exec "$@"' "$dir")
}

@test "a host name is all of its addresses" {
	own_hosts <<-'END'
	127.0.0.2 friend.test
	127.0.0.3 friend.test
	127.0.0.4 foe.test
	END
	rules_conf 'only_from = {"friend.test", "127.0.0.4/30"} no_access = {"foe.test"}'
	start_minetd
	served 127.0.0.2
	served 127.0.0.3
	served 127.0.0.5
	denied 127.0.0.4
	denied 127.0.0.1
}

@test "a host name is looked up again with a reload, and not before" {
	local port
	own_hosts <<<'127.0.0.2 friend.test'
	rules_conf 'only_from = {"friend.test"}'
	start_minetd
	echo '127.0.0.3 friend.test' >"$dir/hosts"
	served 127.0.0.2
	denied 127.0.0.3
	port=$(port_of echo)
	rules_conf 'only_from = {"friend.test"}'
	reload
	served 127.0.0.3
	denied 127.0.0.2
}

@test "a client of IPv4 on a socket of both families is one of IPv4" {
	need_ipv6
	conf <<-END
	service "four" { listen = "tcp://*:0" exec = "$cat"
		only_from = {"127.0.0.1", "127.0.1.0/24"} }
	service "mapped" { listen = "tcp://*:0" exec = "$cat"
		only_from = {"::ffff:127.0.0.1", "::ffff:127.0.1.0/120"} }
	service "six" { listen = "tcp://*:0" exec = "$cat"
		only_from = {"::/0"} }
	service "not-six" { listen = "tcp://*:0" exec = "$cat"
		no_access = {"::/0"} }
	service "always" { listen = "tcp://*:0" exec = "$cat" }
	END
	start_minetd
	local service
	for service in four mapped; do
		served 127.0.0.1 "$service"
		served 127.0.1.5 "$service"
		denied 127.0.0.2 "$service"
		denied ::1 "$service" '[::1]'
	done
	served ::1 six '[::1]'
	denied 127.0.0.1 six
	served 127.0.0.1 not-six
	denied ::1 not-six '[::1]'
}

@test "a client of IPv6 is one of its networks" {
	need_ipv6
	conf <<-END
	service "echo" { listen = "tcp6://[::1]:0" exec = "$cat"
		only_from = {"::/64"} no_access = {"::2/127"} }
	service "other" { listen = "tcp6://[::1]:0" exec = "$cat"
		only_from = {"::/64"} no_access = {"::1"} }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "$cat" }
	END
	start_minetd
	served ::1 echo '[::1]'
	denied ::1 other '[::1]'
}

@test "a client on a unix socket is let in for its user" {
	local_conf 'only_from = {"uid:daemon", "uid:63210", "127.0.0.0/8"}'
	local_served daemon 63211 -
	local_served 63210 63211 -
	local_denied 63211 63210 -
	local_denied 0 0 -
	handlers local 2
}

@test "a client on a unix socket is let in for each of its groups" {
	local_conf 'only_from = {"gid:bin", "gid:63210"}'
	local_served 63211 bin -
	local_served 63211 63212 63210
	local_served 63211 63212 "63213,$(getent group bin | cut -d: -f3)"
	local_denied 63210 63212 63213
	local_denied 0 0 -
}

@test "all groups of a client count, however many" {
	local groups
	groups=$(seq -s , 63001 63200)
	local_conf 'only_from = {"gid:63200"} no_access = {"gid:63300"}'
	local_served 63211 63212 "$groups"
	local_denied 63211 63212 "$groups,63300"
	local_denied 63211 63212 "${groups%,63200}"
}

@test "a client on a unix socket is kept away for its user or group" {
	local_conf 'no_access = {"uid:63210", "gid:63211", "0.0.0.0/0", "::/0"}'
	local_served 0 0 -
	local_served 63211 63210 63210
	local_denied 63210 0 -
	local_denied 0 63211 -
	local_denied 0 0 63211
}

@test "a user is more specific than a group" {
	local_conf 'only_from = {"uid:63210", "gid:63220"}
		no_access = {"uid:63211", "gid:63221"}'
	local_served 63210 63221 -
	local_denied 63211 63220 -
	local_served 63212 63220 -
	# Equally specific.
	local_denied 63212 63220 63221
}

@test "rules about addresses let nobody in on a unix socket" {
	local_conf 'only_from = {"0.0.0.0/0", "::/0"}'
	local_denied 0 0 -
}

@test "rules hold for what a service of each kind does" {
	conf <<-END
	defaults { only_from = {"127.0.0.2"} $verbose }
	service "always" { listen = "tcp://127.0.0.1:0" exec = "$cat"
		only_from = {"127.0.0.1"} }
	service "back" { listen = "unix://$path" builtin = "echo"
		only_from = {"uid:$EUID", "gid:$(id -g)"} }
	service "builtin" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "redirect" { listen = "tcp://127.0.0.1:0" redirect = "unix://$path" }
	service "pty" { listen = "tcp://127.0.0.1:0" pty = yes
		exec = {"/bin/echo", "-n", "hello"} }
	END
	start_minetd
	local service
	for service in builtin redirect pty; do
		denied 127.0.0.1 "$service"
		served 127.0.0.2 "$service"
	done
	handlers pty 1
	assert_eq 0 "$(count_log 'reject service=back ')"
}

# mux FROM NAME: what a client there hears who says this name.
mux()
{
	dial -b "$1" -s "$2"$'\r\nhello' "tcp://127.0.0.1:$(port_of mux)" \
		2>/dev/null | tr -d '\r\n'
}

@test "rules hold for those who ask for a service by name" {
	conf <<-END
	defaults { $verbose }
	service "mux" { listen = "tcp://127.0.0.1:0" builtin = "tcpmux"
		no_access = {"127.0.0.3"} }
	service "some" { listen = "tcpmux://some" exec = "$cat"
		only_from = {"127.0.0.2", "127.0.0.3"} }
	service "echo" { listen = "tcpmux://echo" exec = "$cat" }
	END
	start_minetd
	assert_match '^\+.*hello$' "$(mux 127.0.0.2 some)"
	assert_no_match hello "$(mux 127.0.0.1 some)"
	wait_log 'reject service=some peer=127.0.0.1:[0-9]+ reason=acl'
	assert_match '^\+.*hello$' "$(mux 127.0.0.1 echo)"
	# Those of tcpmux itself come first.
	assert_eq '' "$(mux 127.0.0.3 some)"
	wait_log 'reject service=mux peer=127.0.0.3:[0-9]+ reason=acl'
	handlers some 1
	handlers echo 1
}

@test "a datagram of whom a service is not for is not answered" {
	conf <<-END
	defaults { $verbose }
	service "builtin" { listen = "udp://*:0" builtin = "echo"
		only_from = {"127.0.0.1", "127.0.0.2"} no_access = {"127.0.0.2"} }
	service "handler" { listen = "udp://*:0" exec = "$(handler_once)"
		only_from = {"127.0.0.1", "127.0.0.2"} no_access = {"127.0.0.2"} }
	END
	start_minetd
	local builtin handler
	builtin=$(bound_port builtin)
	handler=$(bound_port handler)
	client "$builtin" <<-END
	for port in $builtin, $handler:
	    denied = [peer(port=port, source=("127.0.0.%d" % n, 0)) for n in (2, 3)]
	    for s in denied * 20: s.send(b"no")
	    for i in range(3):
	        assert ask(peer(port=port), b"yes %d" % i).endswith(b"yes %d" % i)
	    for s in denied: assert all_of(s) == []
	END
	wait_log 'reject service=builtin peer=127.0.0.[23]:[0-9]+ reason=acl'
	wait_log 'reject service=handler peer=127.0.0.[23]:[0-9]+ reason=acl'
	handlers handler 3
	assert_eq 0 "$(count_log 'start service=handler .*peer=127.0.0.[23]:')"
}

# waits_conf: "w", whose handler gets the udp listener itself.
waits_conf()
{
	conf "service \"w\" { listen = \"udp://127.0.0.1:0\" wait = yes
		$verbose exec = \"$(public_bin waiter)\" only_from = {\"127.0.0.1\"} $* }"
}

# No datagram is in the queue of the listener of w.
queue_empty()
{
	local port
	printf -v port ':%04X' "$(bound_port w)"
	awk -v port="$port" '$2 ~ port "$" { bound = 1; n += $5 !~ /:0+$/ }
		END { exit !bound || n }' /proc/net/udp
}

@test "a handler that gets the listener is started for nobody who is denied" {
	waits_conf
	start_minetd
	client "$(bound_port w)" <<-'END'
	s = peer(source=("127.0.0.2", 0))
	for i in range(200): s.send(b"no")
	END
	wait_log 'reject service=w peer=127.0.0.2:[0-9]+ reason=acl'
	wait_until 5 queue_empty
	handlers w 0
	# Nor for those in front of who is not.
	client "$(bound_port w)" <<-'END'
	s = peer(source=("127.0.0.2", 0))
	for i in range(100): s.send(b"no")
	for i in range(3):
	    s.send(b"no")
	    assert ask(peer(), b"yes%d" % i).endswith(b" yes%d" % i)
	assert all_of(s) == []
	END
	handlers w 3
	assert_eq 0 "$(count_log '(^| )throttle service=w ')"
}

# reported SERVICE: how many refusals its lines are about.
reported()
{
	grep -E "(^| )reject service=$1 " "$LOG" | awk '{ n++
		if (match($0, /left_out=[0-9]+/))
			n += substr($0, RSTART + 9, RLENGTH - 9)
		} END { print n + 0 }'
}

# again: one more of each, until there is a second line about each.
again()
{
	tcp=$((tcp + 1))
	udp=$((udp + 1))
	from 127.0.0.2 >/dev/null || true
	client "$(bound_port w)" <<<'peer(source=("127.0.0.2", 0)).send(b"x")'
	(($(count_log 'reject service=echo ') > 1 &&
		$(count_log 'reject service=w ') > 1))
}

@test "refusals are told of once, and then counted" {
	local tcp=100 udp=150
	waits_conf "}
		service \"echo\" { listen = \"tcp://127.0.0.1:0\" exec = \"$cat\"
		only_from = {\"127.0.0.1\"}"
	start_minetd
	dial -b 127.0.0.2 -c "$tcp" \
		"tcp://127.0.0.1:$(port_of echo)" 2>/dev/null || true
	client "$(bound_port w)" <<-END
	s = peer(source=("127.0.0.2", 0))
	for i in range($udp): s.send(b"no")
	END
	wait_log 'reject service=echo peer=127.0.0.2:[0-9]+ reason=acl'
	wait_log 'reject service=w peer=127.0.0.2:[0-9]+ reason=acl'
	wait_until 20 again || fail "no second line"
	(($(count_log '(^| )reject ') <= 6)) || fail "a line per refusal"
	# What came after the last line is not told of yet.
	local n
	n=$(reported echo)
	((n > 100 && n <= tcp)) || fail "$n of $tcp clients"
	n=$(reported w)
	((n > 150 && n <= udp)) || fail "$n of $udp datagrams"
	served 127.0.0.1
}

@test "a reload changes the rules, and those of files" {
	local port first
	echo 127.0.0.2 >"$rules"
	rules_conf "only_from = {\"file:$rules\"}"
	start_minetd
	served 127.0.0.2
	denied 127.0.0.1
	port=$(port_of echo)
	first=$(inode_of tcp "$port")
	echo 127.0.0.1 >"$rules"
	denied 127.0.0.1
	rules_conf "only_from = {\"file:$rules\"}"
	reload
	served 127.0.0.1
	denied 127.0.0.2
	rules_conf 'no_access = "127.0.0.1"'
	reload
	served 127.0.0.2
	denied 127.0.0.1
	rules_conf ''
	reload
	served 127.0.0.1
	assert_eq "$first" "$(inode_of tcp "$port")"
}

@test "a reload with a wrong rule changes nothing" {
	echo 127.0.0.2 >"$rules"
	rules_conf "only_from = {\"file:$rules\"}"
	start_minetd
	printf '127.0.0.1\n127.1\n' >"$rules"
	reload refused
	wait_log "config .*$rules:2: only_from: .*127.1.*is no address"
	served 127.0.0.2
	denied 127.0.0.1
}

@test "who has come in stays when the rules change" {
	local port
	conf "service \"hold\" { listen = \"tcp://127.0.0.1:0\"
		exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
	port=$(port_of hold)
	conf "service \"hold\" { listen = \"tcp://127.0.0.1:$port\"
		exec = {\"$(public_bin probe)\", \"hold\"} only_from = {} }"
	reload
	dial "tcp://127.0.0.1:$port" 2>/dev/null || true
	wait_log 'reject service=hold peer=.* reason=acl'
	alive "$CLIENT_PID"
	assert_eq 0 "$(count_log 'exit service=hold')"
}

@test "another frontend has the same rules" {
	rules_conf 'only_from = {"127.0.0.2"}'
	start_minetd
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	served 127.0.0.2
	denied 127.0.0.1
}

@test "rules for who gets a listener of connections are refused" {
	local says='cannot be kept by service "w": with wait = yes'
	local w="service \"w\" { exec = \"$cat\" wait = yes"
	refused_conf "$w listen = \"tcp://127.0.0.1:0\"
		only_from = {\"127.0.0.1\"} }" "$CONF:2: only_from: $says"
	refused_conf "$w listen = \"tcp://127.0.0.1:0\"
		no_access = {\"127.0.0.1\"} }" "$CONF:2: no_access: $says"
	refused_conf "$w listen = \"tcp://127.0.0.1:0\"
		only_from = {} }" "$CONF:2: only_from: $says"
	refused_conf "$w listen = \"unix://$path\"
		no_access = {\"uid:1\"} }" "$CONF:2: no_access: $says"
	refused_conf "$w listen = \"unix-dgram://$path\"
		only_from = {\"uid:1\"} }" "$CONF:2: only_from: $says"
	refused_conf "$w listen = {\"udp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"}
		only_from = {\"127.0.0.1\"} }" "$CONF:2: only_from: $says"
	refused_conf "defaults {
		no_access = {\"127.0.0.1\"} }
		$w listen = \"tcp://127.0.0.1:0\" }" "$CONF:2: no_access: $says"
	conf "$w listen = \"udp://127.0.0.1:0\" only_from = {\"127.0.0.1\"} }
		service \"x\" { listen = \"tcp://127.0.0.1:0\" exec = \"$cat\"
		wait = yes no_access = {} }"
	run -0 "$MINETD" -t -c "$CONF"
}

@test "what is wrong with a rule is told with its file and line" {
	local head="service \"a\" { listen = \"tcp://127.0.0.1:0\" exec = \"$cat\""
	refused_conf "$head only_from = {
		\"127.0.0.1\",
		\"10.0.0.1/8\" } }" \
		"$CONF:3: only_from: \"10.0.0.1/8\": has bits set behind"
	refused_conf "$head
		no_access += \"10.1\" }" "$CONF:2: no_access: \"10.1\": is no address"
	refused_conf "$head only_from = {\"uid:0\",
		\"uid:no-such-user\", \"gid:no-such-group\"} }" \
		"$CONF:2: only_from: \"no-such-user\": there is no such user"
	assert_match ':2: only_from: "no-such-group": there is no such group' \
		"$output"
	refused_conf "$head only_from = {\"::1\",
		\"$(printf 'x%.0s' {1..64})\"} }" "$CONF:2: only_from: \"x"
	refused_conf "defaults {
		no_access = {\"::/129\"} }
		$head }" "$CONF:2: no_access: \"::/129\": an IPv6 network"
}

@test "what is wrong in a file of rules is told with its line" {
	local head="service \"a\" { listen = \"tcp://127.0.0.1:0\" exec = \"$cat\""
	printf '%s\n' 127.0.0.1 '# 1.2' 1.2 localhost "file:$rules" uid:nosuch \
		'10.0.0.0/8 10.1.0.0/16' >"$rules"
	refused_conf "$head
		only_from = {\"file:$rules\"} }" \
		"$rules:3: only_from: \"1.2\": is no address"
	local said=$output
	assert_match "$rules:4: only_from: \"localhost\": a host name cannot" \
		"$said"
	assert_match "$rules:5: only_from: .*: a file of rules cannot" "$said"
	assert_match "$rules:6: only_from: \"nosuch\": there is no such user" \
		"$said"
	assert_match "$rules:7: only_from: \"10.0.0.0/8 10.1.0.0/16\": " "$said"
	assert_no_match "$rules:[12]:" "$said"
	refused_conf "$head
		only_from = {\"127.0.0.1\",
		\"file:$rules.none\"} }" \
		"$CONF:3: only_from: \"$rules.none\": No such file"
	refused_conf "$head
		no_access = \"file:$dir\" }" \
		"$CONF:2: no_access: \"$dir\": is not a regular file"
}

@test "of a file with many wrong lines some are told, and the number of others" {
	seq 30 >"$rules"
	refused_conf "service \"a\" { listen = \"tcp://127.0.0.1:0\" exec = \"$cat\"
		no_access = \"file:$rules\" }" "$rules:20: no_access: \"20\": "
	assert_match "$rules: no_access: 10 more lines are wrong" "$output"
	assert_no_match "$rules:21:" "$output"
}

@test "a file of rules that others could write is refused" {
	need_root
	echo 127.0.0.1 >"$rules"
	chmod 666 "$rules"
	refused_conf "service \"a\" { listen = \"tcp://127.0.0.1:0\" exec = \"$cat\"
		only_from = \"file:$rules\" }" \
		"$CONF:2: only_from: \"$rules\": is writable by others"
	chmod 644 "$rules"
	run -0 "$MINETD" -t -c "$CONF"
}
