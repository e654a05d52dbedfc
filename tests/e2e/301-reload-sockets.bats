#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What a reload does to listening sockets: which are kept, and how they change.

# Each test is a process of its own.
# shellcheck disable=SC2030,SC2031

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/inherit

setup()
{
	daemon_setup
	dir=$(public_dir)
	path=$dir/socket
}

# tcp_inode PORT: the inode of the socket that listens there.
tcp_inode()
{
	awk -v port="$(printf ':%04X' "$1")" '
	$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' \
		/proc/net/tcp /proc/net/tcp6
}

# unix_inode PATH: the same; not that of the file.
unix_inode()
{
	awk -v path="$1" '$4 == "00010000" && $8 == path { print $7 }' \
		/proc/net/unix
}

# The sockets of probe_conf's services.
inodes()
{
	tcp_inode "$(port_of four)"
	tcp_inode "$(port_of six)"
	unix_inode "$path"
}

# local_conf [KEYS]: a service on $path.
local_conf()
{
	conf "service \"local\" { listen = {\"unix://$path\"}
		exec = {\"/bin/echo\", \"served\"} ${1:-} }
	service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
}

served()
{
	[[ $(dial "unix://$path") == served ]]
}

@test "a socket that is still wanted is kept, of each transport" {
	need_ipv6
	probe_conf
	start_minetd
	local before transport
	before=$(inodes)
	assert_eq 3 "$(wc -l <<<"$before")" "sockets"
	probe_conf 'env = {"A=1"}'
	reload
	assert_match ' kept=3 opened=0 removed=0 degraded=0 ' "$RELOADED"
	assert_eq "$before" "$(inodes)" "the inodes"
	assert_eq 3 "$(count_log '(^| )listen service=')"
	for transport in tcp4 tcp6 unix; do
		probe_report "$(probe_address "$transport")"
		assert_eq 1 "$(sed -n 's/^env A=//p' "$REPORT")"
	done
}

@test "a socket whose port was written down is the one that had it" {
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	local port before
	port=$(port_of echo)
	before=$(tcp_inode "$port")
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:$port\"} exec = {\"/bin/cat\"} }"
	reload
	assert_match ' kept=1 opened=0 removed=0 ' "$RELOADED"
	assert_eq "$before" "$(tcp_inode "$port")" "the inode"
	assert_eq hello "$(talk echo hello)"
}

# swap HOST: the address of the service under load, on the same port; nothing is
# lost, and the old socket is closed.
swap()
{
	local closed
	closed=$(count_log 'close service=echo')
	conf "service \"echo\" { listen = {\"tcp://$1:$PORT\"} exec = {\"/bin/cat\"} }"
	reload
	assert_match ' kept=0 opened=1 removed=1 degraded=0 ' "$RELOADED"
	closes() { (($(count_log 'close service=echo') > closed)); }
	wait_until 5 closes
	assert_eq 1 "$(tcp_inode "$PORT" | wc -l)" "sockets of the port"
}

@test "from every address to one and back, on one port, nobody is turned away" {
	conf 'service "echo" { listen = {"tcp://*:0"} exec = {"/bin/cat"} }'
	start_minetd
	PORT=$(port_of echo)
	local storm status=0 i
	"$TESTBIN/storm" -r 300 -f "$BATS_TEST_TMPDIR/so_far" \
		"tcp://127.0.0.1:$PORT" >"$BATS_TEST_TMPDIR/storm" 2>&1 &
	storm=$!
	ends_with_test "$storm"
	wait_until 5 test -s "$BATS_TEST_TMPDIR/so_far"
	for i in 1 2; do
		swap 127.0.0.1
		swap '*'
	done
	kill "$storm"
	wait "$storm" || status=$?
	assert_eq 0 "$status" "$(<"$BATS_TEST_TMPDIR/storm")"
	assert_match ' failures=0 ' "$(<"$BATS_TEST_TMPDIR/storm")"
	assert_no_match 'requests=(.|..) ' "$(<"$BATS_TEST_TMPDIR/storm")"
}

@test "from one socket to one of each family and back, nobody is turned away" {
	need_ipv6
	local storm status=0 i
	families_conf()
	{
		conf "service \"echo\" { listen = {$1} exec = {\"/bin/cat\"} }"
	}
	families_conf '"tcp://*:0"'
	start_minetd
	PORT=$(port_of echo)
	"$TESTBIN/storm" -r 200 -f "$BATS_TEST_TMPDIR/so_far" \
		"tcp://127.0.0.1:$PORT" "tcp://[::1]:$PORT" \
		>"$BATS_TEST_TMPDIR/storm" 2>&1 &
	storm=$!
	ends_with_test "$storm"
	wait_until 5 test -s "$BATS_TEST_TMPDIR/so_far"
	for i in 1 2; do
		families_conf "\"tcp4://*:$PORT\", \"tcp6://*:$PORT\""
		reload
		assert_match ' degraded=0 ' "$RELOADED"
		families_conf "\"tcp://*:$PORT\""
		reload
		assert_match ' degraded=0 ' "$RELOADED"
	done
	kill "$storm"
	wait "$storm" || status=$?
	assert_eq 0 "$status" "$(<"$BATS_TEST_TMPDIR/storm")"
	assert_match ' failures=0 ' "$(<"$BATS_TEST_TMPDIR/storm")"
}

@test "after such a change the port is not shared any more" {
	local probe
	probe=$(public_bin probe)
	conf "service \"echo\" { listen = {\"tcp://*:0\"} exec = {\"$probe\"} }"
	start_minetd
	PORT=$(port_of echo)
	conf "service \"echo\" { listen = {\"tcp://127.0.0.1:$PORT\"} exec = {\"$probe\"} }"
	reload
	wait_log 'close service=echo'
	probe_report "tcp://127.0.0.1:$PORT"
	"$TESTBIN/probe" sockopts tcp4 | expect
}

@test "options of an open socket are set, and taken back" {
	need_root
	need_ipv6
	probe_conf
	start_minetd
	local before transport keys
	before=$(inodes)
	keys='nodelay = yes keepalive = yes keepalive_time = 100
		keepalive_interval = 20 keepalive_probes = 4 dscp = 46
		mark = 77 freebind = yes transparent = yes defer_accept = 3'
	# Twice, for what was changed must not be what is thought of as new.
	for _ in 1 2; do
		probe_conf "$keys"
		reload
		for transport in tcp4 tcp6; do
			probe_report "$(probe_address "$transport")"
			expect "$transport" <<-END
			so.TCP_NODELAY=1
			so.KEEPALIVE=1
			so.TCP_KEEPIDLE=100
			so.TCP_KEEPINTVL=20
			so.TCP_KEEPCNT=4
			so.MARK=77
			END
		done
		expect tcp6 <<<"so.IPV6_TCLASS=$((46 << 2))"
		probe_report "$(probe_address tcp4)"
		expect tcp4 <<-END
		so.IP_TOS=$((46 << 2))
		so.IP_TRANSPARENT=1
		so.IP_FREEBIND=1
		END
		probe_report "$(probe_address unix)"
		"$TESTBIN/probe" sockopts unix | expect unix
		probe_conf
		reload
		for transport in tcp4 tcp6 unix; do
			probe_report "$(probe_address "$transport")"
			"$TESTBIN/probe" sockopts "$transport" |
				expect "$transport, taken back"
		done
	done
	assert_eq 0 "$(count_log '(^| )option service=')"
	assert_eq "$before" "$(inodes)" "the inodes"
}

@test "backlog and buffers of an open socket are changed, and changed back" {
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	# State, queue, backlog, receive and send buffer.
	numbers()
	{
		ss -ltnmH "sport = :$(port_of echo)" | tr '\n' ' ' |
			sed -E 's/^LISTEN +[0-9]+ +([0-9]+) .*,(rb[0-9]+),.*,(tb[0-9]+),.*/\1 \2 \3/'
	}
	local before inode
	before=$(numbers)
	inode=$(tcp_inode "$(port_of echo)")
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"}
		backlog = 17 send_buffer = 50000 receive_buffer = 60000 }'
	reload
	assert_eq "17 rb120000 tb100000" "$(numbers)"
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	reload
	assert_eq "$before" "$(numbers)"
	assert_eq "$inode" "$(tcp_inode "$(port_of echo)")" "the inode"
}

@test "buffers that are not configured any more are sized by the kernel again" {
	need_root
	need python3
	# The interpreter itself, for what finds it may not be a handler's.
	local python
	python=$(python3 -c 'import sys; print(sys.executable)')
	locks_conf()
	{
		# SO_BUF_LOCK: 1 for the one of sending, 2 for the other.
		conf "service \"locks\" { listen = {\"tcp://127.0.0.1:0\"} user = root
			exec = {\"$python\", \"-c\",
			\"import socket; print(socket.socket(fileno=0).getsockopt(1, 72))\"} $1 }"
	}
	locks_conf ''
	start_minetd
	assert_eq 0 "$(talk locks)"
	locks_conf 'send_buffer = 50000 receive_buffer = 60000'
	reload
	assert_eq 3 "$(talk locks)"
	locks_conf 'receive_buffer = 60000'
	reload
	assert_eq 2 "$(talk locks)"
	locks_conf ''
	reload
	assert_eq 0 "$(talk locks)"
}

@test "defer_accept of an open socket waits for the client's first words" {
	conf "service \"hold\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$(public_bin probe)\", \"hold\"} }"
	start_minetd
	conf "service \"hold\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$(public_bin probe)\", \"hold\"} defer_accept = 20 }"
	reload
	hold_client hold
	local silent=$CLIENT_OUT
	assert_match '^pid' "$(talk hold words)"
	[[ ! -s $silent ]] || fail "it was served without a word"
	conf "service \"hold\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$(public_bin probe)\", \"hold\"} }"
	reload
	hold_client hold
	wait_until 5 grep -q '^pid' "$CLIENT_OUT"
}

@test "an option that cannot be changed is said, and the rest is" {
	need_root
	need setpriv
	# Who may not set a mark.
	START_WITH=(setpriv --bounding-set "-net_admin,-net_raw")
	conf "service \"four\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\"} }"
	start_minetd
	conf "service \"four\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$(public_bin probe)\"}
		mark = 7 nodelay = yes }"
	reload
	wait_log 'option service=four addr=tcp://127.0.0.1:[0-9]+ step=mark error="?Operation not permitted'
	probe_report "$(address_of four)"
	expect <<-END
	so.TCP_NODELAY=1
	so.MARK=0
	END
}

@test "owner and mode of an open unix socket are changed, and changed back" {
	need_root
	local_conf
	start_minetd
	local file socket
	file=$(stat -c %i "$path")
	socket=$(unix_inode "$path")
	local_conf 'socket_mode = "0620" socket_user = "daemon" socket_group = "bin"'
	reload
	assert_eq "620 daemon bin" "$(stat -c '%a %U %G' "$path")"
	served
	local_conf
	reload
	assert_eq "666 root root" "$(stat -c '%a %U %G' "$path")"
	assert_eq "$file" "$(stat -c %i "$path")" "the file"
	assert_eq "$socket" "$(unix_inode "$path")" "the socket"
}

@test "a unix socket whose path somebody has deleted is made again" {
	local_conf
	start_minetd
	local inode
	inode=$(unix_inode "$path")
	# The twin: as long as the path is there, nothing is made.
	reload
	assert_eq "$inode" "$(unix_inode "$path")" "the socket"
	rm "$path"
	reload
	assert_match ' opened=1 removed=1 degraded=0 ' "$RELOADED"
	served
	stop_minetd
	[[ ! -e $path ]]
}

@test "what has taken a unix socket's place is left alone by a reload" {
	local_conf
	start_minetd
	rm "$path"
	echo mine >"$path"
	reload
	assert_match ' degraded=1 ' "$RELOADED"
	wait_log 'degraded service=local'
	assert_eq mine "$(<"$path")"
	assert_eq hello "$(talk echo hello)"
	rm "$path"
	wait_log 'listen service=local.*' 12
	wait_until 12 served
}

@test "a unix socket that is removed leaves alone what has taken its place" {
	local_conf
	start_minetd
	rm "$path"
	echo mine >"$path"
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	reload
	wait_log 'close service=local'
	assert_eq mine "$(<"$path")"
}

@test "a unix socket gets another path" {
	local_conf
	start_minetd
	local old=$path
	path=$dir/other
	local_conf
	reload
	assert_match ' kept=1 opened=1 removed=1 ' "$RELOADED"
	served
	[[ ! -e $old ]]
}

# Hold a port until the test ends, or until it is told otherwise.
take_port()
{
	need python3
	start_process python3 -c '
import signal, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
signal.pause()' >"$BATS_TEST_TMPDIR/taken"
	HOLDER=$STARTED_PID
	wait_until 10 test -s "$BATS_TEST_TMPDIR/taken"
	TAKEN=$(<"$BATS_TEST_TMPDIR/taken")
}

# late_conf [TOP]: two services, one of which wants the port that is taken.
late_conf()
{
	conf "${1:-} service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }
	service \"late\" { listen = {\"tcp://127.0.0.1:$TAKEN\"} exec = {\"/bin/cat\"} }"
}

@test "a port in use degrades its listener alone, and is served when it is free" {
	take_port
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }'
	start_minetd
	late_conf
	reload
	assert_match ' services=2 kept=1 opened=0 removed=0 degraded=1 ' "$RELOADED"
	wait_log "degraded service=late addr=tcp://127.0.0.1:$TAKEN step=bind error=\"?Address already in use"
	assert_eq hello "$(talk echo hello)"
	# A reload does not lose it, nor give it up.
	reload
	assert_match ' degraded=1 ' "$RELOADED"
	kill "$HOLDER"
	wait_log 'listen service=late' 12
	assert_eq hello "$(talk late hello)"
	reload
	assert_match ' kept=2 opened=0 removed=0 degraded=0 ' "$RELOADED"
}

@test "a reload tries a degraded listener at once" {
	take_port
	late_conf
	start_minetd
	wait_log 'degraded service=late'
	kill "$HOLDER"
	wait_until 5 gone "$HOLDER"
	reload
	assert_match ' degraded=0 ' "$RELOADED"
	assert_eq hello "$(talk late hello)"
}

@test "with strict = yes a port in use refuses the reload as a whole" {
	take_port
	conf 'service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/echo", "old"} }'
	start_minetd
	local front
	front=$(frontend_pid)
	conf "strict = yes service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"new\"} }
	service \"extra\" { listen = {\"unix://$path\"} exec = {\"/bin/cat\"} }
	service \"late\" { listen = {\"tcp://127.0.0.1:$TAKEN\"} exec = {\"/bin/cat\"} }"
	reload failed
	wait_log 'failed message="1 of 3 listeners could not be opened, and strict = yes'
	assert_eq old "$(talk echo)"
	assert_eq "$front" "$(frontend_pid)" "the frontend"
	# Nothing is left of it.
	[[ ! -e $path ]]
	kill "$HOLDER"
	wait_until 5 gone "$HOLDER"
	reload
	assert_eq new "$(talk echo)"
	assert_eq hello "$(talk late hello)"
}

@test "a change of address that is refused leaves the port as it was" {
	take_port
	local probe
	probe=$(public_bin probe)
	conf "service \"four\" { listen = {\"tcp://*:0\"} exec = {\"$probe\"} }"
	start_minetd
	PORT=$(port_of four)
	local inode
	inode=$(tcp_inode "$PORT")
	conf "strict = yes
	service \"four\" { listen = {\"tcp://127.0.0.1:$PORT\"} exec = {\"$probe\"} }
	service \"late\" { listen = {\"tcp://127.0.0.1:$TAKEN\"} exec = {\"/bin/cat\"} }"
	reload failed
	assert_eq "$inode" "$(tcp_inode "$PORT")" "the sockets"
	probe_report "tcp://127.0.0.1:$PORT"
	expect <<<'so.REUSEPORT=0'
}

@test "what a refused reload wanted of a degraded listener is not done" {
	need_root
	take_port
	path=$dir/missing/socket
	local_conf 'socket_mode = "0600"'
	start_minetd
	wait_log 'degraded service=local'
	conf "strict = yes
	service \"local\" { listen = {\"unix://$path\"} exec = {\"/bin/echo\", \"served\"} }
	service \"late\" { listen = {\"tcp://127.0.0.1:$TAKEN\"} exec = {\"/bin/cat\"} }"
	reload failed
	mkdir "$dir/missing"
	wait_log 'listen service=local' 12
	assert_eq 600 "$(stat -c %a "$path")" "the mode"
	# The twin: a reload that is not refused has its way.
	local_conf
	reload
	assert_eq 666 "$(stat -c %a "$path")" "the mode"
	served
}

@test "what a refused reload has opened of a degraded listener is closed" {
	take_port
	path=$dir/missing/socket
	local_conf
	start_minetd
	wait_log 'degraded service=local'
	mkdir "$dir/missing"
	conf "strict = yes
	service \"local\" { listen = {\"unix://$path\"} exec = {\"/bin/echo\", \"served\"} }
	service \"late\" { listen = {\"tcp://127.0.0.1:$TAKEN\"} exec = {\"/bin/cat\"} }"
	reload failed
	# And opened when it is time for it.
	wait_log 'listen service=local' 12
	served
}

@test "more listeners than descriptors raise their limit, not that of handlers" {
	need prlimit
	local i
	conf 'service "limit" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"} }'
	START_WITH=(prlimit --nofile=300:4000)
	start_minetd
	assert_eq $'300\n4000' "$(talk limit)"
	{
		echo 'service "limit" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"} }'
		for ((i = 0; i < 1000; i++)); do
			echo "service \"s$i\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/echo\", \"s$i\"} }"
		done
	} | conf
	reload
	assert_match ' services=1001 kept=1 opened=1000 removed=0 degraded=0 ' "$RELOADED"
	assert_eq $'300\n4000' "$(talk limit)"
	assert_eq s999 "$(talk s999)"
}

@test "listeners that are kept need no more descriptors" {
	need prlimit
	local i
	for ((i = 0; i < 1000; i++)); do
		echo "service \"s$i\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
	done | conf
	START_WITH=(prlimit --nofile=300:1900)
	start_minetd
	reload
	assert_match ' kept=1000 ' "$RELOADED"
	assert_eq 0 "$(count_log '(^| )limit message=')"
	assert_eq hello "$(talk s999 hello)"
}

@test "a start with strict = yes and a port in use exits with 69" {
	take_port
	late_conf 'strict = yes'
	refuse_minetd
	assert_eq 69 "$MINETD_STATUS" "the status"
	assert_match 'degraded service=late' "$(<"$LOG")"
	kill "$HOLDER"
	wait_until 5 gone "$HOLDER"
	start_minetd
	assert_eq hello "$(talk late hello)"
}
