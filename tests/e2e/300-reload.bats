#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What a reload does to services, their handlers and their limits.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	probe=$(public_bin probe)
	other=$(holder other)
	empty=$(answerer empty nothing)
}

# holder NAME [KEYS [PORT]]: a service that holds its clients.
holder()
{
	echo "service \"$1\" { listen = {\"tcp://127.0.0.1:${3:-0}\"}
		exec = {\"$probe\", \"hold\"} ${2:-} }"
}

# answerer NAME ANSWER [PORT]: a service that says one word.
answerer()
{
	echo "service \"$1\" { listen = {\"tcp://127.0.0.1:${3:-0}\"}
		exec = {\"/bin/echo\", \"$2\"} }"
}

# held SERVICE|ADDRESS: a client that is served and stays.
held()
{
	hold_client "$1"
	wait_until 5 grep -q '^pid' "$CLIENT_OUT" || fail "not served"
}

# The clients in the backlog of a port are this many.
queued()
{
	[[ $(ss -ltnH "sport = :$1" | awk '{ sum += $2 } END { print sum }') == "$2" ]]
}

# wait_in_line PORT COUNT: clients, which leave when they are served; what each
# was told is in line.1, line.2, ...
wait_in_line()
{
	local i
	for ((i = 1; i <= $2; i++)); do
		start_process "$TESTBIN/dial" -t 25 \
			-o "$BATS_TEST_TMPDIR/line.$i" "tcp://127.0.0.1:$1"
	done
	wait_until 5 queued "$1" "$2" || fail "not in the backlog"
}

# told COUNT TEXT: so many in the line got just that.
told()
{
	[[ $(grep -lxs "$2" "$BATS_TEST_TMPDIR"/line.* | wc -l) == "$1" ]]
}

running()
{
	[[ $(handler_pids | wc -l) == "$1" ]]
}

refused()
{
	local status=0
	dial -t 2 "$1" || status=$?
	((status == 1))
}

# The daemon has looked whether somebody waits at removed sockets: it has closed
# that of a service that was removed with the others, and stands after them.
looked()
{
	wait_log 'close service=empty'
}

# still_waits CLIENT_OUT: others have been served since, and this one not.
still_waits()
{
	held other
	[[ ! -s $1 ]] || fail "it was let in"
}

@test "a changed command and environment are those of new connections" {
	conf "service \"it\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$probe\", \"hold\"} }"
	start_minetd
	held it
	local handler
	handler=$(handler_pids)
	conf "service \"it\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"/bin/sh\", \"-c\", \"echo \$COLOUR \$0\", \"new\"} env = {\"COLOUR=blue\"} }"
	reload
	assert_eq "blue new" "$(talk it)"
	alive "$handler"
	alive "$CLIENT_PID"
	kill "$CLIENT_PID"
	wait_log "exit service=it id=1 pid=$handler .* status=0 signal=0 "
}

@test "a changed user is that of new connections" {
	need_root
	conf 'service "id" { listen = {"tcp://127.0.0.1:0"} exec = {"/usr/bin/id", "-un"} }'
	start_minetd
	assert_eq nobody "$(talk id)"
	conf 'service "id" { listen = {"tcp://127.0.0.1:0"} exec = {"/usr/bin/id", "-un"}
		user = "daemon" }'
	reload
	assert_eq daemon "$(talk id)"
}

@test "defaults and included files are read again" {
	conf 'defaults { env = {"A=1"} }
	include("more.conf")'
	cat >"$BATS_TEST_TMPDIR/more.conf" <<-'END'
	service "it" { listen = {"tcp://127.0.0.1:0"}
		exec = {"/bin/sh", "-c", "echo $A one"} }
	END
	start_minetd
	assert_eq "1 one" "$(talk it)"
	sed -i 's/one/two/' "$BATS_TEST_TMPDIR/more.conf"
	sed -i 's/A=1/A=2/' "$CONF"
	reload
	assert_eq "2 two" "$(talk it)"
}

@test "handlers from before a reload are counted in instances" {
	conf "$(holder it 'instances = 2') $other"
	start_minetd
	held it
	local first=$CLIENT_PID
	conf "$(holder it 'instances = 2 env = {"A=1"}') $other"
	reload
	held it
	hold_client it
	local third=$CLIENT_OUT
	wait_until 5 queued "$(port_of it)" 1
	still_waits "$third"
	kill "$first"
	wait_until 5 grep -q '^pid' "$third"
}

@test "a new service is served, and the others go on" {
	conf "$(answerer old old)"
	start_minetd
	conf "$(answerer old old) $(answerer new new)"
	reload
	assert_match ' services=2 kept=1 opened=1 removed=0 degraded=0 ' "$RELOADED"
	assert_eq new "$(talk new)"
	assert_eq old "$(talk old)"
}

@test "a removed service refuses clients, and its socket's path is gone" {
	local path
	path=$(public_dir)/socket
	conf "$(answerer gone gone) $(answerer stays stays)
	service \"local\" { listen = {\"unix://$path\"} exec = {\"/bin/cat\"} }"
	start_minetd
	assert_eq gone "$(talk gone)"
	assert_eq hello "$(dial -s hello "unix://$path")"
	conf "$(answerer stays stays)"
	reload
	assert_match ' services=1 kept=1 opened=0 removed=2 ' "$RELOADED"
	wait_log "close service=gone addr=tcp://127.0.0.1:$(port_of gone)\$"
	wait_log "close service=local addr=unix://$path\$"
	refused "tcp://127.0.0.1:$(port_of gone)"
	[[ ! -e $path ]]
	assert_eq stays "$(talk stays)"
}

@test "a service that is disabled is as if removed, until it is enabled" {
	conf "$(answerer it there)"
	start_minetd
	local port
	port=$(port_of it)
	conf "$(holder it 'disabled = yes' "$port")"
	reload
	wait_log 'close service=it'
	refused "tcp://127.0.0.1:$port"
	conf "$(answerer it again "$port")"
	reload
	assert_eq again "$(talk it)"
}

@test "a service gets another name and keeps its socket" {
	conf "$(answerer old old)"
	start_minetd
	local port
	port=$(port_of old)
	conf "$(answerer new new "$port")"
	reload
	assert_match ' kept=1 opened=0 removed=0 ' "$RELOADED"
	assert_eq new "$(dial "tcp://127.0.0.1:$port")"
	wait_log 'exit service=new '
}

@test "two services exchange their addresses and keep both sockets" {
	conf "$(answerer one first) $(answerer two second)"
	start_minetd
	local one two
	one=$(port_of one)
	two=$(port_of two)
	conf "$(answerer one first "$two") $(answerer two second "$one")"
	reload
	assert_match ' kept=2 opened=0 removed=0 ' "$RELOADED"
	assert_eq first "$(dial "tcp://127.0.0.1:$two")"
	assert_eq second "$(dial "tcp://127.0.0.1:$one")"
}

@test "all who wait for a removed service are served, and then it closes" {
	conf "$(holder full 'instances = 1') $empty $other"
	start_minetd
	held full
	local first=$CLIENT_PID port
	port=$(port_of full)
	wait_in_line "$port" 5
	conf "$other"
	reload
	assert_match ' removed=2 ' "$RELOADED"
	looked
	assert_eq 0 "$(count_log 'close service=full')" "closed already"
	# Nobody else gets in line.
	refused "tcp://127.0.0.1:$port"
	told 0 bye
	kill "$first"
	wait_until 10 told 5 bye
	wait_log "close service=full addr=tcp://127.0.0.1:$port\$"
	assert_eq 6 "$(count_log 'exit service=full ')" "handlers"
	refused "tcp://127.0.0.1:$port"
}

@test "all who wait at a removed socket of a service are served as it is now" {
	conf "service \"it\" { listen = {\"tcp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"}
		exec = {\"$probe\", \"hold\"} instances = 1 } $empty $other"
	start_minetd
	held "tcp://127.0.0.1:$(port_of it 1)"
	local first=$CLIENT_PID port
	port=$(port_of it 2)
	wait_in_line "$port" 5
	conf "service \"it\" { listen = {\"tcp://127.0.0.1:$(port_of it 1)\"}
		exec = {\"/bin/echo\", \"as it is now\"} instances = 1 } $other"
	reload
	assert_match ' kept=2 opened=0 removed=2 ' "$RELOADED"
	looked
	assert_eq 0 "$(count_log 'close service=it')" "closed already"
	told 0 'as it is now'
	kill "$first"
	wait_until 10 told 5 'as it is now'
	wait_log "close service=it addr=tcp://127.0.0.1:$port\$"
	refused "tcp://127.0.0.1:$port"
	assert_eq 'as it is now' "$(talk it)"
}

@test "all who wait at a removed unix socket are served" {
	local path i
	path=$(public_dir)/socket
	conf "service \"local\" { listen = {\"unix://$path\"} exec = {\"$probe\", \"hold\"}
		instances = 1 } $empty $other"
	start_minetd
	held "unix://$path"
	local first=$CLIENT_PID
	for i in 1 2 3; do
		start_process "$TESTBIN/dial" -t 25 \
			-o "$BATS_TEST_TMPDIR/line.$i" "unix://$path"
	done
	waiting() { [[ $(ss -lxH "src $path" | awk '{ print $3 }') == 3 ]]; }
	wait_until 5 waiting
	conf "$other"
	reload
	[[ ! -e $path ]]
	looked
	told 0 bye
	kill "$first"
	wait_until 10 told 3 bye
	wait_log 'close service=local'
}

@test "who waits for a removed service longer than drain_timeout is left" {
	conf "drain_timeout = 300ms $(holder full 'instances = 1') $other"
	start_minetd
	held full
	local first=$CLIENT_PID
	wait_in_line "$(port_of full)" 1
	conf "drain_timeout = 300ms $other"
	reload
	wait_log 'close service=full'
	alive "$first"
	told 0 bye
	kill "$first"
	wait_log 'exit service=full'
	assert_eq 1 "$(count_log 'exit service=full')" "handlers"
}

@test "a service that comes back while its old socket is closing has a new one" {
	conf "$(holder full 'instances = 1') $empty $other"
	start_minetd
	held full
	local first=$CLIENT_PID port
	port=$(port_of full)
	wait_in_line "$port" 2
	conf "$other"
	reload
	refused "tcp://127.0.0.1:$port"
	conf "$(holder full 'instances = 1' "$port") $other"
	reload
	assert_match ' kept=1 opened=1 ' "$RELOADED"
	hold_client "tcp://127.0.0.1:$port"
	local latest=$CLIENT_OUT latest_pid=$CLIENT_PID
	wait_until 5 queued "$port" 3
	# One limit for both.
	looked
	still_waits "$BATS_TEST_TMPDIR/line.1"
	[[ ! -s $latest ]] || fail "it was let in"
	kill "$first"
	served_two()
	{
		told 2 bye && return
		# It may be let in before the others, and stays.
		[[ ! -s $latest ]] || kill "$latest_pid" 2>/dev/null
		return 1
	}
	wait_until 10 served_two
	wait_log "close service=full addr=tcp://127.0.0.1:$port\$"
	kill "$latest_pid" 2>/dev/null || true
	assert_match '^pid' "$(dial "tcp://127.0.0.1:$port")"
}

@test "who waits for a removed service waits through more reloads" {
	conf "$(holder full 'instances = 1 env = {"A=1"}') $empty $other"
	start_minetd
	held full
	local first=$CLIENT_PID port i
	port=$(port_of full)
	wait_in_line "$port" 3
	for i in 1 2 3; do
		conf "$(answerer "new$i" new) $other"
		reload
	done
	# Also when the frontend is lost.
	kill -KILL "$(frontend_pid)"
	wait_log 'frontend event=restarted'
	looked
	held other
	told 0 bye
	kill "$first"
	wait_until 10 told 3 bye
	wait_log "close service=full addr=tcp://127.0.0.1:$port\$"
	assert_eq 4 "$(count_log 'exit service=full ')" "handlers"
}

@test "who waits for a service that gets another name is served by it" {
	conf "$(holder full 'instances = 1') $other"
	start_minetd
	held full
	local port
	port=$(port_of full)
	wait_in_line "$port" 3
	conf "$(answerer new 'by the new one' "$port") $other"
	reload
	assert_match ' kept=2 opened=0 removed=0 ' "$RELOADED"
	# The handler of the old one is not counted against it.
	wait_until 5 told 3 'by the new one'
	alive "$CLIENT_PID"
	kill "$CLIENT_PID"
	wait_log 'exit service=full id=1 '
}

@test "another service has the port of one that is still closing" {
	conf "$(holder full 'instances = 1') $empty $other"
	start_minetd
	held full
	local port first=$CLIENT_PID
	port=$(port_of full)
	wait_in_line "$port" 2
	conf "$other"
	reload
	conf "$(answerer new 'by the new one' "$port") $other"
	reload
	assert_eq 'by the new one' "$(dial "tcp://127.0.0.1:$port")"
	looked
	told 0 bye
	kill "$first"
	wait_until 5 told 2 bye
	wait_log "close service=full addr=tcp://127.0.0.1:$port\$"
	assert_eq 'by the new one' "$(dial "tcp://127.0.0.1:$port")"
}

@test "a removed service with on_full = refuse closes at once" {
	conf "$(holder full 'instances = 1 on_full = refuse') $other"
	start_minetd
	held full
	conf "$other"
	reload
	wait_log 'close service=full'
	refused "tcp://127.0.0.1:$(port_of full)"
	alive "$CLIENT_PID"
}

@test "a handler is logged at its end, also without a service" {
	conf "$(holder gone) $other"
	start_minetd
	held gone
	local handler
	handler=$(handler_pids)
	conf "$other"
	reload
	wait_log 'close service=gone'
	alive "$handler"
	reload
	kill "$CLIENT_PID"
	wait_log "exit service=gone id=1 pid=$handler peer=127.0.0.1:[0-9]+ .* status=0 "
}

@test "a service that comes back counts the handlers that it still has" {
	conf "$(holder it 'instances = 1') $other"
	start_minetd
	held it
	local first=$CLIENT_PID port
	port=$(port_of it)
	conf "$other"
	reload
	wait_log 'close service=it'
	conf "$(holder it 'instances = 1' "$port") $other"
	reload
	hold_client "tcp://127.0.0.1:$port"
	local second=$CLIENT_OUT
	wait_until 5 queued "$port" 1
	still_waits "$second"
	kill "$first"
	wait_until 5 grep -q '^pid' "$second"
}

@test "a service that comes back without handlers starts from nothing" {
	conf "$(holder it 'instances = 1') $other"
	start_minetd
	local port i
	port=$(port_of it)
	held it
	kill "$CLIENT_PID"
	wait_log 'exit service=it id=1 '
	for i in 1 2; do
		conf "$other"
		reload
		conf "$(holder it 'instances = 1' "$port") $other"
		reload
		held "tcp://127.0.0.1:$port"
		kill "$CLIENT_PID"
	done
	# Neither more than one.
	held "tcp://127.0.0.1:$port"
	hold_client "tcp://127.0.0.1:$port"
	wait_until 5 queued "$port" 1
	still_waits "$CLIENT_OUT"
}

@test "lowered instances end nobody, and let nobody in before there is room" {
	conf "$(holder it 'instances = 3') $other"
	start_minetd
	local clients_held=() i waiting
	for i in 1 2 3; do
		held it
		clients_held+=("$CLIENT_PID")
	done
	conf "$(holder it 'instances = 1') $other"
	reload
	running 3
	hold_client it
	waiting=$CLIENT_OUT
	wait_until 5 queued "$(port_of it)" 1
	for i in 0 1; do
		still_waits "$waiting"
		kill "${clients_held[i]}"
		ended() { (($(count_log 'exit service=it ') == i + 1)); }
		wait_until 5 ended
	done
	still_waits "$waiting"
	kill "${clients_held[2]}"
	wait_until 5 grep -q '^pid' "$waiting"
}

@test "raised instances let in who waits" {
	conf "$(holder it 'instances = 1') $other"
	start_minetd
	held it
	hold_client it
	wait_until 5 queued "$(port_of it)" 1
	still_waits "$CLIENT_OUT"
	local waiting=$BATS_TEST_TMPDIR/client.2
	conf "$(holder it 'instances = 2') $other"
	reload
	wait_until 5 grep -q '^pid' "$waiting"
	hold_client it
	wait_until 5 queued "$(port_of it)" 1
	still_waits "$CLIENT_OUT"
}

@test "max_children is lowered and raised in the same way" {
	conf "max_children = 2 $(holder it) $other"
	start_minetd
	held it
	local first=$CLIENT_PID waiting
	held it
	local second=$CLIENT_PID
	conf "max_children = 1 $(holder it) $other"
	reload
	running 2
	hold_client it
	waiting=$CLIENT_OUT
	wait_until 5 queued "$(port_of it)" 1
	kill "$first"
	wait_log 'exit service=it id=1 '
	[[ ! -s $waiting ]] || fail "it was let in"
	conf "max_children = 2 $(holder it) $other"
	reload
	wait_until 5 grep -q '^pid' "$waiting"
	alive "$second"
	conf "$(holder it) $other"
	reload
	held it
	held other
}

@test "on_full is changed for those who wait, and changed back" {
	conf "$(holder it 'instances = 1') $other"
	start_minetd
	held it
	local first=$CLIENT_PID
	wait_in_line "$(port_of it)" 2
	conf "$(holder it 'instances = 1 on_full = refuse') $other"
	reload
	wait_log 'reject service=it .* reason=full'
	wait_until 5 queued "$(port_of it)" 0
	assert_eq '' "$(talk it)"
	conf "$(holder it 'instances = 1') $other"
	reload
	wait_in_line "$(port_of it)" 2
	still_waits "$BATS_TEST_TMPDIR/line.1"
	alive "$first"
	kill "$first"
	wait_until 5 told 2 bye
}

@test "log_connections and kill_grace are those of the new configuration" {
	conf "service \"deaf\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$probe\", \"deaf\"} kill_grace = 1h log_connections = no }
	$(answerer quick answer)"
	start_minetd
	held deaf
	conf "service \"deaf\" { listen = {\"tcp://127.0.0.1:0\"}
		exec = {\"$probe\", \"deaf\"} kill_grace = 200ms log_connections = verbose }
	$(answerer quick answer)"
	reload
	kill "$CLIENT_PID"
	wait_log 'exit service=deaf id=1 '
	held deaf
	wait_log 'start service=deaf id=2 '
	# Who runs on is stopped as the new one says.
	stop_minetd
	assert_eq 0 "$MINETD_STATUS"
	wait_log 'exit service=deaf id=2 .* signal=9 '
}

@test "an empty configuration is one without services" {
	conf "$(answerer it there)"
	start_minetd
	conf ''
	reload
	assert_match ' services=0 kept=0 opened=0 removed=1 ' "$RELOADED"
	wait_log 'close service=it'
	refused "tcp://127.0.0.1:$(port_of it)"
	conf "$(answerer it again)"
	reload
	assert_eq again "$(dial "tcp://127.0.0.1:$(port_of it 2)")"
}

@test "nothing is left over after many reloads" {
	conf "$(answerer it there) $(holder stays)"
	start_minetd
	held stays
	local i before
	open_files() { find "/proc/$MINETD_PID/fd" -type l | wc -l; }
	alone() { [[ $(children_of "$MINETD_PID" | wc -l) == 2 ]]; }
	reload
	wait_until 5 alone
	before=$(open_files)
	for ((i = 0; i < 20; i++)); do
		conf "$(answerer "it$i" "$i") $(holder stays)"
		reload
	done
	wait_until 5 alone
	closed() { (($(count_log 'close service=') == 20)); }
	wait_until 5 closed
	reload
	wait_until 5 alone
	no_more() { (($(open_files) <= before)); }
	wait_until 5 no_more || fail "$(open_files) open files, not $before"
	alive "$CLIENT_PID"
}
