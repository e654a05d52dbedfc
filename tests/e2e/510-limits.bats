#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# How many clients of one source, and how many in a while.
#
# MINETD_LONG=1: 2,000 at once.

bats_require_minimum_version 1.5.0
BATS_TEST_TIMEOUT=${MINETD_LONG:+300}
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-60}
load ../lib/daemon
load ../lib/sockets
load ../lib/sources
load ../lib/udp

setup()
{
	daemon_setup
	need python3
	a=127.0.0.1
	b=127.0.0.2
	hold="exec = {\"$(public_bin probe)\", \"hold\"}"
	at_once=200
	[[ -z ${MINETD_LONG:-} ]] || at_once=2000
}

# service NAME KEYS: one that holds its clients.
service()
{
	echo "service \"$1\" { listen = \"tcp://127.0.0.1:0\" $hold $2 }"
}

# limits KEYS [TEXT]: "hold" with them, and "other" without.
limits()
{
	conf "${2:-}
	$(service hold "$1")
	$(service other '')"
}

running()
{
	[[ $(handler_pids | wc -l) == "$1" ]]
}

# rejected REASON: how many were, by the lines there are.
rejected()
{
	grep -E "reject .*reason=$1( |\$)" "$LOG" | awk '{ sum++
		if (match($0, /left_out=[0-9]+/))
			sum += substr($0, RSTART + 9, RLENGTH - 9) }
		END { print sum + 0 }'
}

# rush [-a] LIMIT SERVICE: sets RUSH to what became of them.
rush()
{
	local opts=()
	[[ $1 != -a ]] || { opts=(-a); shift; }
	RUSH=$("$TESTBIN/rush" "${opts[@]}" -n "$at_once" \
		-t "$((BATS_TEST_TIMEOUT - 10))" "$1" 127.0.0.1 "$(port_of "$2")")
}

@test "one client more of a source is refused, and one of another is not" {
	limits 'per_source = 2'
	start_minetd
	held "$a" hold
	held "$a" hold
	refused "$a" hold
	served "$b" hold
	served "$a" other
	assert_eq 0 "$(count_log 'reject service=other')"
	running 2
}

@test "clients that are refused hold up nobody in the backlog" {
	limits 'per_source = 1 instances = 2'
	start_minetd
	held "$a" hold
	held "$b" hold
	local i last=$CLIENT_PID
	for ((i = 0; i < 20; i++)); do
		hold_from "$a" hold
	done
	hold_from 127.0.0.3 hold
	[[ ! -s $CLIENT_OUT ]] || fail "served above instances"
	assert_eq 0 "$(count_log reject)"
	kill "$last"
	greeted
	# Those of the first source are gone, and took nobody's place.
	wait_log 'reject service=hold peer=127.0.0.1:[0-9]+ reason=per_source'
	wait_until 5 running 2
}

# freed SERVICE COMMAND: three times, the one place of the source is free again
# after what the command does.
freed()
{
	local i
	for i in 1 2 3; do
		"${@:2}" || return
		served_again "$a" "$1" || return
	done
}

# says SERVICE WORD: its handler says the word, and ends by itself.
says()
{
	local said
	said() { [[ $(from "$a" "$1") == "$2" ]]; }
	wait_until 10 said "$@" || fail "$1 does not say $2"
}

@test "the place of a client is free when its handler has ended well" {
	limits 'per_source = 1'
	start_minetd
	leaves() { held "$a" hold && kill "$CLIENT_PID"; }
	freed hold leaves
	wait_log 'exit service=hold .* status=0 signal=0 '
}

@test "the place of a client is free however its handler has ended" {
	local probe missing
	probe=$(public_bin probe)
	missing=$(public_dir)/missing
	conf <<-END
	defaults { per_source = 1 }
	service "fails" { listen = "tcp://127.0.0.1:0" exec = {"$probe", "exit", "1"} }
	service "dies" { listen = "tcp://127.0.0.1:0" exec = {"$probe", "signal", "9"} }
	service "missing" { listen = "tcp://127.0.0.1:0" exec = {"$missing", "hold"} }
	END
	start_minetd
	local i
	for i in 1 2 3; do
		says fails exiting
		says dies dying
	done
	wait_log 'exit service=fails .* status=1 signal=0 '
	wait_log 'exit service=dies .* signal=9 '
	assert_eq '' "$(from "$a" missing)"
	wait_log 'exit service=missing .* status=127 '
	install -m 755 "$probe" "$missing"
	served_again "$a" missing
}

@test "the place of a client that resets its connection is free" {
	limits 'per_source = 1'
	start_minetd
	resets() { served_again "$a" hold && from "$a" hold -r -k; }
	freed hold resets
	# Also before anything is said.
	vanishes() { served_again "$a" hold && from "$a" hold -R; }
	freed hold vanishes
}

# counted: the one place of the source is taken, and of others it is not; when
# its client leaves, it is free.
counted()
{
	refused "$a" hold || return
	served "$b" hold || return
	kill "$1"
	served_again "$a" hold
}

@test "a reload forgets nobody who is served" {
	limits 'per_source = 1'
	start_minetd
	held "$a" hold
	local first=$CLIENT_PID
	limits 'per_source = 1 nodelay = yes'
	reload
	counted "$first"
	# Also of a service that had no such limit.
	held "$a" other
	first=$CLIENT_PID
	limits '' 'defaults { per_source = 1 }'
	reload
	refused "$a" other
	kill "$first"
	served_again "$a" other
}

@test "a reload can lower the limit, and lift it" {
	limits 'per_source = 3'
	start_minetd
	local first
	held "$a" hold
	first=$CLIENT_PID
	held "$a" hold
	limits 'per_source = 1'
	reload
	refused "$a" hold
	served "$b" hold
	# One of two leaves: there is still one.
	kill "$first"
	wait_until 5 running 1
	assert_eq '' "$(from "$a" hold)"
	limits ''
	reload
	served "$a" hold
}

@test "an upgrade forgets nobody who is served" {
	limits 'per_source = 1'
	start_minetd
	held "$a" hold
	upgrade
	counted "$CLIENT_PID"
}

@test "a frontend that replaces another forgets nobody who is served" {
	limits 'per_source = 1'
	start_minetd
	held "$a" hold
	local first=$CLIENT_PID second
	held "$b" hold
	second=$CLIENT_PID
	kill -KILL "$(frontend_pid)"
	# Somebody leaves while there is none, perhaps.
	kill "$second"
	wait_log 'frontend event=restarted'
	served_again "$b" hold
	counted "$first"
}

@test "a source is a network, as the service has it" {
	conf <<-END
	defaults { per_source = 1 }
	$(service narrow '')
	$(service wide 'source_prefix4 = 30')
	END
	start_minetd
	held "$a" narrow
	refused "$a" narrow
	served 127.0.0.2 narrow
	held "$a" wide
	refused 127.0.0.3 wide
	served 127.0.0.4 wide
}

@test "of IPv6 it is a network of 64 bits, or of others" {
	local net=2001:db8:0
	own_addresses $net:1::1/128 $net:1::2/128 $net:2::1/128
	conf <<-END
	defaults { per_source = 1 }
	service "site" { listen = "tcp://[$net:1::1]:0" $hold }
	service "host" { listen = "tcp://[$net:1::1]:0" $hold source_prefix6 = 128 }
	END
	start_minetd
	local site host
	site=$(address_of site)
	host=$(address_of host)
	held $net:1::1 "$site"
	assert_eq '' "$(from $net:1::2 "$site")"
	wait_log "reject service=site peer=.*$net:1::2.* reason=per_source"
	served $net:2::1 "$site"
	held $net:1::1 "$host"
	assert_eq '' "$(from $net:1::1 "$host")"
	served $net:1::2 "$host"
}

@test "of IPv4 at an IPv6 socket it is the IPv4 address" {
	conf "service \"hold\" { listen = \"tcp://*:0\" $hold per_source = 1 }"
	start_minetd
	held "$a" hold
	refused "$a" hold
	served "$b" hold
}

@test "at a unix socket it is the user" {
	need_root
	need setpriv
	local path
	path=$(public_dir)/socket
	conf "service \"hold\" { listen = \"unix://$path\" $hold per_source = 1 }"
	start_minetd
	hold_client "unix://$path"
	greeted
	assert_eq '' "$(dial -s x "unix://$path" 2>/dev/null)"
	wait_log 'reject service=hold peer=uid:0,pid:[0-9]+ reason=per_source'
	local other=(setpriv --reuid 54321 --clear-groups)
	assert_match '^pid' "$("${other[@]}" "$(public_bin dial)" "unix://$path")"
	kill "$CLIENT_PID"
	again() { [[ $(dial "unix://$path" 2>/dev/null) == pid* ]]; }
	wait_until 5 again
}

@test "whoever a proxy speaks for is the source" {
	conf "service \"hold\" { listen = \"tcp://127.0.0.1:0\" $hold per_source = 1
		proxy_protocol = required proxy_from = \"127.0.0.1\" }"
	start_minetd
	local port
	port=$(port_of hold)
	header() { printf 'PROXY TCP4 %s 192.0.2.9 4000 80\r\n' "$1"; }
	start_process "$TESTBIN/dial" -k -t 60 -o "$BATS_TEST_TMPDIR/first" \
		-s "$(header 192.0.2.1)"$'\n' "tcp://127.0.0.1:$port"
	greeted "$BATS_TEST_TMPDIR/first"
	assert_eq '' "$(from "$a" hold -s "$(header 192.0.2.1)"$'\n')"
	wait_log 'reject service=hold peer=192.0.2.1:4000 .*reason=per_source'
	assert_match '^pid' "$(from "$a" hold -s "$(header 192.0.2.2)"$'\n')"
}

@test "it holds for builtins, redirects, terminals and services by name" {
	conf <<-END
	service "mux" { listen = "tcp://127.0.0.1:0" builtin = "tcpmux" }
	service "target" { listen = "unix://@$BATS_TEST_TMPDIR" $hold }
	defaults { per_source = 1 }
	service "redirect" { listen = "tcp://127.0.0.1:0" redirect = "unix://@$BATS_TEST_TMPDIR" }
	service "pty" { listen = "tcp://127.0.0.1:0" $hold pty = yes }
	service "echo" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "named" { listen = "tcpmux://named" $hold }
	END
	# The services that only help have a limit that is not reached.
	sed -i '/"mux"\|"target"/s/}$/per_source = 100 }/' "$CONF"
	start_minetd
	local service
	for service in redirect pty; do
		held "$a" "$service"
		refused "$a" "$service"
		served "$b" "$service"
		kill "$CLIENT_PID"
		served_again "$a" "$service"
	done
	echoes() { [[ $(from "$1" echo -s hello) == hello ]]; }
	start_process "$TESTBIN/dial" -k -t 60 -s pid -o "$BATS_TEST_TMPDIR/echo" \
		"$(to echo)"
	local first=$STARTED_PID
	greeted "$BATS_TEST_TMPDIR/echo"
	refused "$a" echo
	echoes "$b"
	kill "$first"
	wait_until 5 echoes "$a"
	named() { [[ $(from "$1" mux -s $'named\r\n') == *pid* ]]; }
	start_process "$TESTBIN/dial" -k -t 60 -s $'named\r\n' \
		-o "$BATS_TEST_TMPDIR/named" "$(to mux)"
	first=$STARTED_PID
	greeted "$BATS_TEST_TMPDIR/named"
	run ! named "$a"
	wait_log 'reject service=named peer=[^ ]+ reason=per_source'
	named "$b"
	kill "$first"
	wait_until 5 named "$a"
}

@test "whoever is exempt has no limit as a source, but those of the service" {
	limits 'per_source = 1 per_source_rate = "2/d" instances = 5' \
		"exempt = \"$a\""
	start_minetd
	local i
	for i in 1 2 3 4; do
		held "$a" hold
	done
	held "$b" hold
	# Five are served: the next one waits, whoever it is.
	hold_from "$a" hold
	local last=$CLIENT_PID
	served "$a" other
	[[ ! -s $CLIENT_OUT ]] || fail "served above instances"
	kill "$last"
	kill "$(handler_pids | head -n 1)"
	served_again "$a" hold
	refused "$b" hold
	# A reload can end it.
	limits 'per_source = 1 instances = 5'
	reload
	assert_eq '' "$(from "$a" hold)"
	served 127.0.0.3 hold
}

@test "above its rate a service refuses, when it is to" {
	limits 'rate = "3/d" on_rate = refuse'
	start_minetd
	local i
	for i in 1 2 3; do
		served 127.0.0.$i hold
	done
	refused 127.0.0.4 hold rate
	served 127.0.0.4 other
	wait_log 'exit service=hold'
	assert_eq '' "$(from "$a" hold)"
}

@test "above its rate a service lets clients wait" {
	limits 'rate = "2/d"'
	start_minetd
	held "$a" hold
	held "$b" hold
	hold_from "$a" hold
	served "$a" other
	[[ ! -s $CLIENT_OUT ]] || fail "served above the rate"
	assert_eq 0 "$(count_log reject)"
	running 2
	# Without that rate, they are served.
	limits ''
	reload
	greeted
}

@test "clients who wait for a rate are served as it permits" {
	limits 'rate = "5/s:1"'
	start_minetd
	local i
	for i in 1 2 3 4 5; do
		hold_from "$a" hold
	done
	five() { [[ $(grep -l '^pid' "$BATS_TEST_TMPDIR"/client.* | wc -l) == 5 ]]; }
	wait_until 10 five
	assert_eq 0 "$(count_log reject)"
}

@test "clients that are refused use up no rate" {
	limits "rate = \"2/d:2\" on_rate = refuse no_access = \"$b\"
		per_source = 1"
	start_minetd
	local i
	for i in 1 2 3 4 5; do
		assert_eq '' "$(from "$b" hold)"
	done
	held "$a" hold
	refused "$a" hold
	served 127.0.0.3 hold
	refused 127.0.0.3 hold rate
}

@test "a source that comes too often is refused, and others are not" {
	limits 'per_source_rate = "1/d:3"'
	start_minetd
	local i
	for i in 1 2 3; do
		served "$a" hold
	done
	refused "$a" hold per_source_rate
	served "$b" hold
	served "$a" other
	# Whoever was refused has not lost more by it, nor has anybody else.
	served "$b" hold
}

@test "a source that came too often is served later" {
	limits 'per_source_rate = "5/s:1"'
	start_minetd
	local i
	for i in 1 2 3 4; do
		served_again "$a" hold
	done
}

@test "a rate of sources has their networks" {
	limits 'per_source_rate = "1/d" source_prefix4 = 30'
	start_minetd
	served "$a" hold
	refused 127.0.0.3 hold per_source_rate
	served 127.0.0.4 hold
}

@test "above max_children clients are refused, where they are to be" {
	conf <<-END
	max_children = 2
	$(service hold 'on_full = refuse')
	$(service other 'on_full = refuse')
	service "echo" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	END
	start_minetd
	held "$a" hold
	local first=$CLIENT_PID
	held "$b" other
	refused "$a" hold full
	refused "$a" other full
	# A builtin is no child.
	assert_eq hello "$(talk echo hello)"
	kill "$first"
	served_again "$a" other
}

@test "clients of a builtin wait for a place, or are refused" {
	conf <<-END
	defaults { instances = 1 }
	service "queue" { listen = "tcp://127.0.0.1:0" builtin = "echo" }
	service "refuse" { listen = "tcp://127.0.0.1:0" builtin = "echo" on_full = refuse }
	END
	start_minetd
	local service first=() out=$BATS_TEST_TMPDIR/out
	for service in queue refuse; do
		start_process "$TESTBIN/dial" -k -t 60 -s pid -o "$out.$service" \
			"$(to "$service")"
		first+=("$STARTED_PID")
		greeted "$out.$service"
	done
	start_process "$TESTBIN/dial" -t 60 -s pid -o "$out.second" "$(to queue)"
	refused "$a" refuse full
	[[ ! -s $out.second ]] || fail "served above instances"
	kill "${first[@]}"
	greeted "$out.second"
	echoes() { [[ $(talk refuse hello 2>/dev/null) == hello ]]; }
	wait_until 5 echoes
}

@test "a builtin answers as many datagrams as its rate allows" {
	conf <<-'END'
	service "source" { listen = "udp://127.0.0.1:0" builtin = "echo" per_source_rate = "2/d" }
	service "refuse" { listen = "udp://127.0.0.1:0" builtin = "echo" rate = "2/d" on_rate = refuse }
	service "queue" { listen = "udp://127.0.0.1:0" builtin = "echo" rate = "2/d" }
	service "free" { listen = "udp://127.0.0.1:0" builtin = "echo" }
	service "later" { listen = "udp://127.0.0.1:0" builtin = "echo" rate = "5/s:1" }
	END
	start_minetd
	client "$(bound_port source)" <<-END
	def some(s):
	    for i in range(5): s.send(b"%d" % i)
	    # Another service has its turn before.
	    assert ask(peer(port=$(bound_port free)), b"hello") == b"hello"
	    return len(all_of(s))
	assert some(peer()) == 2
	assert some(peer(source=("127.0.0.2", 0))) == 2
	assert some(peer(source=("127.0.0.1", 0))) == 0
	assert some(peer(port=$(bound_port refuse))) == 2
	assert some(peer(port=$(bound_port refuse), source=("127.0.0.2", 0))) == 0
	assert some(peer(port=$(bound_port queue))) == 2
	s = peer(port=$(bound_port later))
	for i in range(4): s.send(b"%d" % i)
	assert [s.recv(9) for i in range(4)] == [b"0", b"1", b"2", b"3"]
	END
	wait_log 'reject service=source peer=127.0.0.[12]:[0-9]+ reason=per_source_rate'
	wait_log 'reject service=refuse peer=127.0.0.[12]:[0-9]+ reason=rate'
	assert_eq 0 "$(count_log 'reject service=(queue|free|later)')"
}

@test "a peer by datagrams is a conversation of its source" {
	conf "service \"u\" { listen = \"udp://127.0.0.1:0\" exec = \"$(handler_each)\"
		per_source = 2 }"
	start_minetd
	steps full
	start_client "$(bound_port u)" <<-'END'
	first, second = peer(), peer()
	for s in first, second:
	    assert ask(s, b"x").endswith(b" x")
	third, other = peer(), peer(source=("127.0.0.2", 0))
	third.send(b"x")
	assert ask(other, b"x").endswith(b" x")
	assert all_of(third) == []
	# They still have theirs.
	assert ask(first, b"y").endswith(b" y")
	step("full")
	for i in range(100):
	    third.send(b"x")
	    if select.select([third], [], [], 0.1)[0]: break
	assert third.recv(99).endswith(b" x")
	END
	at_step full
	wait_log 'reject service=u peer=127.0.0.1:[0-9]+ reason=per_source'
	kill "$(handler_pids | head -n 1)"
	go_on full
	client_ends
}

@test "peers by datagrams above instances wait, or are refused" {
	conf <<-END
	defaults { instances = 1 }
	service "queue" { listen = "udp://127.0.0.1:0" exec = "$(handler_once)" }
	service "each" { listen = "udp://127.0.0.1:0" exec = "$(handler_each)" on_full = refuse }
	END
	start_minetd
	client "$(bound_port queue)" <<-END
	all = [peer() for i in range(5)]
	for s in all: s.send(b"x")
	for s in all: assert s.recv(99).endswith(b" x")
	assert ask(peer(port=$(bound_port each)), b"x").endswith(b" x")
	s = peer(port=$(bound_port each))
	s.send(b"x")
	assert all_of(s) == []
	END
	assert_eq 0 "$(count_log 'reject service=queue')"
	wait_log 'reject service=each peer=127.0.0.1:[0-9]+ reason=full'
}

@test "every refusal is in the log, though not in a line of its own" {
	limits "per_source = 1 no_access = \"$b\""
	start_minetd
	held "$a" hold
	local count
	for ((count = 0; count < 100; count++)); do
		assert_eq '' "$(from "$a" hold)"
	done
	# The other reason has a line of its own at once.
	refused "$b" hold acl
	(($(count_log 'reject .*reason=per_source') <= 2)) || fail "a line for each"
	# A later line has the number of those that had none.
	all()
	{
		assert_eq '' "$(from "$a" hold)"
		count=$((count + 1))
		(($(rejected per_source) >= 100))
	}
	wait_until 25 all
	(($(rejected per_source) <= count)) || fail "more than there were"
}

@test "limits are exact, however many come at once" {
	limits 'per_source = 7 instances = 0' "
	$(service refuse 'instances = 7 on_full = refuse')
	$(service queue 'instances = 20')
	$(service rate 'rate = "7/d" on_rate = refuse')
	$(service source 'per_source_rate = "7/d"')"
	start_minetd
	local service
	for service in hold refuse rate source; do
		rush -a 7 "$service"
		assert_eq "served=7 empty=$((at_once - 7)) reset=0 most=7" \
			"$RUSH" "$service"
		assert_eq 7 "$(count_log "exit service=$service ")"
	done
	rush 20 queue
	assert_eq "served=$at_once empty=0 reset=0 most=20" "$RUSH" queue
	assert_eq 0 "$(count_log 'frontend event=(malformed|died|restarted)')"
	served_again "$a" hold
}

@test "max_children is exact, however many come at once" {
	limits 'instances = 0' 'max_children = 20'
	start_minetd
	rush 20 hold
	assert_eq "served=$at_once empty=0 reset=0 most=20" "$RUSH"
	assert_eq 0 "$(count_log 'frontend event=(malformed|died|restarted)')"
}
