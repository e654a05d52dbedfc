#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Sources that are kept away for a while: whom, from what, for how long.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets
load ../lib/sources
load ../lib/udp

setup()
{
	daemon_setup
	a=127.0.0.1
	b=127.0.0.2
	hold="exec = {\"$(public_bin probe)\", \"hold\"}"
}

# service NAME KEYS: one that holds its clients.
service()
{
	echo "service \"$1\" { listen = \"tcp://127.0.0.1:${port:-0}\" $hold $2 }"
}

# trap KEYS [TEXT]: "trap" with them, and "hold" without.
trap_conf()
{
	conf "${2:-}
	log_level = debug
	service \"trap\" { listen = \"tcp://127.0.0.1:0\" builtin = trap $1 }
	$(service hold '')"
}

# limited KEYS [TEXT]: "limited" with them, and "hold" without.
limited_conf()
{
	conf "${2:-}
	$(service limited "$1")
	$(service hold '')"
}

# trapped HOST: it falls into the trap, and leaves.
trapped()
{
	assert_eq '' "$(from "$1" trap -s hello)" "what a trap says"
}

is_refused()
{
	[[ -z $(from "$@") ]]
}

# banned HOST SERVICE: from now on, and told by the reason.
banned()
{
	wait_until 5 is_refused "$@" || fail "$1 is served by $2" || return
	refused "$@" ban
}

@test "a source that has come to a trap is banned from all services" {
	trap_conf 'ban = 1h'
	start_minetd
	served "$a" hold
	trapped "$a"
	wait_log 'ban addr=127.0.0.1/32 secs=3600(\.0+)? service=trap reason=trap( |$)'
	banned "$a" hold
	assert_eq '' "$(from "$a" trap -s x)"
	wait_log 'reject service=trap peer=127.0.0.1:[0-9]+ reason=ban'
	served "$b" hold
	assert_eq 1 "$(count_log '^ban ')"
}

@test "a trap without a ban only keeps who is in it" {
	trap_conf ''
	start_minetd
	start_process "$TESTBIN/dial" -k -t 60 "$(to trap)"
	trapped "$a"
	trapped "$a"
	wait_log 'exit service=trap '
	served "$a" hold
	assert_eq 0 "$(count_log '^(ban|reject) ')"
	alive "$STARTED_PID"
}

@test "who is banned keeps the conversations that there are" {
	trap_conf 'ban = 1h'
	start_minetd
	held "$a" hold
	start_process "$TESTBIN/dial" -k -t 60 "$(to trap)"
	wait_log '^ban '
	banned "$a" hold
	alive "$CLIENT_PID"
	alive "$STARTED_PID"
	assert_eq 0 "$(count_log '^exit service=trap')"
}

@test "a ban ends" {
	trap_conf 'ban = 1s'
	start_minetd
	trapped "$a"
	wait_log '^ban addr=127.0.0.1/32 secs=1.000 '
	served_again "$a" hold
	wait_log '^unban addr=127.0.0.1/32 reason=expired( |$)'
	# And is another one the next time.
	trapped "$a"
	another() { [[ $(count_log '^unban ') == 2 ]]; }
	wait_until 10 another
	served_again "$a" hold
}

@test "a ban that has ended is none of the others" {
	trap_conf 'ban = 1h' 'service "short" { listen = "tcp://127.0.0.1:0" builtin = trap ban = 1s }'
	start_minetd
	trapped "$a"
	assert_eq '' "$(from "$b" short -s x)"
	served_again "$b" hold
	wait_log '^unban addr=127.0.0.2/32 '
	banned "$a" hold
}

@test "a source with too many conversations is banned, where it is to be" {
	limited_conf 'per_source = 1 ban = 1h'
	start_minetd
	held "$a" limited
	served "$a" hold
	refused "$a" limited
	wait_log '^ban addr=127.0.0.1/32 secs=3600.000 service=limited reason=per_source( |$)'
	banned "$a" hold
	served "$b" limited
	# What it had before goes on.
	alive "$CLIENT_PID"
}

@test "a source with too many conversations in a while is banned, too" {
	limited_conf 'per_source_rate = "2/d" ban = 1h'
	start_minetd
	served "$a" limited
	served "$a" limited
	served "$a" hold
	refused "$a" limited per_source_rate
	wait_log '^ban addr=127.0.0.1/32 secs=3600.000 service=limited reason=per_source_rate( |$)'
	banned "$a" hold
	served "$b" limited
}

@test "a limit alone bans nobody" {
	limited_conf 'per_source = 1'
	start_minetd
	held "$a" limited
	refused "$a" limited
	served "$a" hold
	assert_eq 0 "$(count_log '^ban ')"
}

@test "nobody is banned for what is no limit of a source" {
	limited_conf "no_access = \"$b\" rate = \"2/d\" on_rate = refuse ban = 1h" "
	$(service full 'instances = 1 on_full = refuse ban = 1h')
	$(service never 'access_times = {} ban = 1h')"
	start_minetd
	refused "$b" limited acl
	served "$a" limited
	served 127.0.0.3 limited
	refused 127.0.0.3 limited rate
	refused "$a" never times
	held "$a" full
	refused "$a" full full
	local host
	for host in 127.0.0.{1,2,3}; do
		served "$host" hold
	done
	assert_eq 0 "$(count_log '^ban ')"
}

@test "a ban is of the network that is a source of the service" {
	trap_conf 'ban = 1h source_prefix4 = 24'
	start_minetd
	trapped 127.0.0.77
	wait_log '^ban addr=127.0.0.0/24 '
	banned "$a" hold
	served 127.0.1.1 hold
}

@test "bans of networks of several sizes go together" {
	trap_conf 'ban = 1h source_prefix4 = 30' 'service "wide" {
		listen = "tcp://127.0.0.1:0" builtin = trap ban = 1s source_prefix4 = 24 }'
	start_minetd
	trapped 127.0.0.1
	banned 127.0.0.3 hold
	assert_eq '' "$(from 127.0.0.200 wide -s x)"
	wait_until 5 is_refused 127.0.0.100 hold
	# The wide one ends, the other one does not.
	served_again 127.0.0.100 hold
	wait_log '^unban addr=127.0.0.0/24 '
	is_refused 127.0.0.2 hold
}

@test "a ban of IPv6 is of 64 bits" {
	local net=2001:db8:0 hold_at trap_at
	own_addresses $net:1::1/128 $net:1::2/128 $net:2::1/128
	conf <<-END
	service "trap" { listen = "tcp://[$net:1::1]:0" builtin = trap ban = 1h }
	service "hold" { listen = "tcp://[$net:1::1]:0" $hold }
	END
	start_minetd
	hold_at=$(address_of hold)
	trap_at=$(address_of trap)
	assert_eq '' "$(from "$net:1::2" "$trap_at" -s x)"
	wait_log "^ban addr=\"?$net:1::/64\"? "
	wait_until 5 is_refused "$net:1::1" "$hold_at"
	wait_log 'reject service=hold .* reason=ban'
	served "$net:2::1" "$hold_at"
}

@test "a ban at a unix socket is of the user" {
	need_root
	need setpriv
	local dir other
	dir=$(public_dir)
	other=(setpriv --reuid 54321 --clear-groups "$(public_bin dial)")
	conf <<-END
	service "trap" { listen = "unix://$dir/trap" builtin = trap ban = 1h }
	service "hold" { listen = "unix://$dir/hold" $hold }
	END
	start_minetd
	assert_eq '' "$("${other[@]}" -s x "unix://$dir/trap")"
	wait_log '^ban addr=uid:54321 '
	user_is_out() { [[ -z $("${other[@]}" "unix://$dir/hold" 2>/dev/null) ]]; }
	wait_until 5 user_is_out
	assert_match '^pid' "$(dial "unix://$dir/hold")"
}

@test "whoever a proxy speaks for is banned, and the proxy is not" {
	trap_conf 'ban = 1h proxy_protocol = required proxy_from = "127.0.0.1"' \
		'defaults { proxy_protocol = optional proxy_from = "127.0.0.1" }'
	start_minetd
	header() { printf 'PROXY TCP4 %s 192.0.2.9 4000 80\r\n.' "$1"; }
	assert_eq '' "$(from "$a" trap -s "$(header 192.0.2.1)")"
	wait_log '^ban addr=192.0.2.1/32 '
	kept_out() { [[ -z $(from "$a" hold -s "$(header 192.0.2.1)") ]]; }
	wait_until 5 kept_out
	assert_match '^pid' "$(from "$a" hold -s "$(header 192.0.2.2)")"
	assert_match '^pid' "$(from "$a" hold -s hello)"
}

@test "who is exempt is never banned" {
	trap_conf 'ban = 1h' "exempt = \"$a\"
	$(service limited 'per_source = 1 per_source_rate = "1/d" ban = 1h')"
	start_minetd
	trapped "$a"
	held "$a" limited
	served "$a" limited
	served "$a" hold
	trapped "$b"
	banned "$b" hold
	served "$a" hold
	assert_eq 0 "$(count_log '^ban addr=127.0.0.1/32')"
}

@test "who becomes exempt is not banned any more" {
	trap_conf 'ban = 1h'
	start_minetd
	trapped "$a"
	banned "$a" hold
	trap_conf 'ban = 1h' "exempt = \"$a\""
	reload
	served "$a" hold
}

# outlives COMMAND...: a ban is still there after that, and one is not that never
# was; a short one has ended by itself.
outlives()
{
	trap_conf 'ban = 1h' 'service "short" { listen = "tcp://127.0.0.1:0"
		builtin = trap ban = 1s source_prefix4 = 31 }'
	start_minetd
	trapped "$a"
	assert_eq '' "$(from "$b" short -s x)"
	banned "$a" hold
	"$@" || return
	is_refused "$a" hold
	served 127.0.0.9 hold
	served_again "$b" hold
	is_refused "$a" hold
	# Others are banned as before.
	trapped 127.0.0.9
	wait_until 5 is_refused 127.0.0.9 hold
}

another_frontend()
{
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
}

another_configuration()
{
	# Nor does it need the service that it was for.
	conf "log_level = debug $(service hold '')
		service \"trap\" { listen = \"tcp://127.0.0.1:0\" builtin = trap ban = 1m }"
	reload
}

@test "bans survive a reload" {
	outlives another_configuration
}

@test "bans survive an upgrade" {
	outlives upgrade
	assert_match 'service=trap reason=trap( |$)' "$(log_line '^ban ')"
	wait_log '^unban addr=127.0.0.2/31 reason=expired'
}

@test "bans survive several upgrades" {
	twice() { upgrade && upgrade && upgrade; }
	outlives twice
}

@test "bans survive the frontend" {
	outlives another_frontend
}

@test "a ban is for datagrams, too, but none is for the sake of one" {
	need python3
	trap_conf 'ban = 1h' 'service "udp" { listen = {"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}
		builtin = echo per_source_rate = "5/d" ban = 1h }'
	start_minetd
	client "$(bound_port udp)" <<-END
	for host in "127.0.0.1", "127.0.0.2":
	    s = peer(source=(host, 0))
	    for i in range(20): s.send(b"x")
	    assert len(all_of(s)) == 5
	s = peer(source=("127.0.0.3", 0))
	assert ask(s, b"x") == b"x"
	END
	wait_log 'reject service=udp .*reason=per_source_rate'
	served "$a" hold
	assert_eq 0 "$(count_log '^ban ')"
	trapped 127.0.0.3
	banned 127.0.0.3 hold
	client "$(bound_port udp)" <<-END
	s = peer(source=("127.0.0.3", 0))
	s.send(b"x")
	assert ask(peer(source=("127.0.0.4", 0)), b"y") == b"y"
	assert all_of(s) == []
	END
	wait_log 'reject service=udp peer=127.0.0.3:[0-9]+ reason=ban'
}

@test "who is banned gets no service by name" {
	trap_conf 'ban = 1h' "
	service \"mux\" { listen = \"tcp://127.0.0.1:0\" builtin = tcpmux }
	service \"named\" { listen = \"tcpmux://named\" $hold }"
	start_minetd
	named() { [[ $(from "$1" mux -s $'named\r\n') == *pid* ]]; }
	named "$a"
	trapped "$a"
	banned "$a" hold
	run ! named "$a"
	named "$b"
}

@test "many are banned, without a line for each" {
	trap_conf 'ban = 1h'
	start_minetd
	local i
	for i in {1..60}; do
		trapped "127.0.1.$i"
	done
	for i in {1..60}; do
		wait_until 5 is_refused "127.0.1.$i" hold
	done
	served 127.0.1.61 hold
	(($(count_log '^ban ') <= 2)) || fail "a line for each"
	assert_eq 0 "$(count_log 'frontend event=(malformed|died|restarted)')"
	another_frontend
	for i in 1 30 60; do
		is_refused "127.0.1.$i" hold
	done
	served 127.0.1.61 hold
}
