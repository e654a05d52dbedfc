#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# What a service configures for its handlers is what they get, over every
# transport, and the daemon itself keeps its own.

load ../lib/daemon
load ../lib/inherit

setup()
{
	daemon_setup
	need_ipv6
	need_root
}

# with KEYS [ENVIRONMENT...]: a daemon whose services have these keys.
with()
{
	probe_conf "$1"
	START_WITH=("${@:2}")
	start_minetd
}

# report [TRANSPORT]
report()
{
	probe_report "$(probe_address "${1:-tcp4}")"
}

# each <WANTED: of the handlers over every transport.
each()
{
	local wanted transport
	wanted=$(cat)
	for transport in tcp4 tcp6 unix; do
		report "$transport" || return
		expect "$transport" <<<"$wanted" || return
	done
}

environment()
{
	sed -n 's/^env //p' "$REPORT" | LC_ALL=C sort
}

main_says()
{
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$MINETD_PID/status"
}

@test "user is who the handler is, and user's groups are its groups" {
	with 'user = "daemon"'
	each <<-END
	uid=$(id -u daemon),$(id -u daemon),$(id -u daemon),$(id -u daemon)
	gid=$(id -g daemon),$(id -g daemon),$(id -g daemon),$(id -g daemon)
	groups=$(id -G daemon | tr ' ' '\n' | sort -n | paste -sd ' ')
	status.CapEff=0000000000000000
	END
	assert_match $'\nUSER=daemon' "$(environment)"
	assert_match $'\nLOGNAME=daemon' "$(environment)"
	assert_match "(^|"$'\n'")HOME=$(getent passwd daemon | cut -d : -f 6)"$'\n' \
		"$(environment)"
	assert_match $'\n'"SHELL=$(getent passwd daemon | cut -d : -f 7)" \
		"$(environment)"
}

@test "a user that has no account is named by its number" {
	with 'user = "54321" group = "54322"'
	each <<-END
	uid=54321,54321,54321,54321
	gid=54322,54322,54322,54322
	END
	assert_match $'\nUSER=54321' "$(environment)"
	assert_match 'HOME=/'$'\n' "$(environment)"
	assert_match $'\nSHELL=/bin/sh' "$(environment)"
}

@test "group replaces the user's own" {
	with 'user = "daemon" group = "bin"'
	each <<<"gid=$(id -g bin),$(id -g bin),$(id -g bin),$(id -g bin)"
}

@test "groups = {} means none, and a list means these" {
	with 'user = "daemon" groups = {}'
	each <<<'groups='
	stop_minetd
	with 'user = "daemon" groups = {"bin", "sys", "4242"}'
	each <<<"groups=$(printf '%s\n' "$(id -g bin)" "$(getent group sys |
		cut -d : -f 3)" 4242 | sort -n | paste -sd ' ')"
}

@test "root's groups are not a handler's" {
	with '' setpriv --groups 0,4,20,27
	each <<<"groups=$(id -G nobody)"
}

@test "a handler cannot become root again" {
	local probe
	probe=$(public_bin probe)
	conf <<-END
	service "four" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "regain"} }
	service "six" { listen = {"tcp://[::1]:0"} exec = {"$probe", "regain"} }
	service "local" { listen = {"unix://$(public_dir)/socket"}
		exec = {"$probe", "regain"} }
	service "oom" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "regain"}
		oom_score_adj = 10 }
	service "root" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "regain"}
		user = "root" }
	END
	start_minetd
	local address id
	id=$(id -u nobody)
	for address in "$(probe_address tcp4)" "$(probe_address tcp6)" \
		"$(probe_address unix)" "$(address_of oom)"; do
		probe_report "$address"
		expect "$address" <<-END
		regain.setuid=EPERM
		regain.seteuid=EPERM
		regain.setreuid=EPERM
		regain.setresuid=EPERM
		regain.setgid=EPERM
		regain.setegid=EPERM
		regain.setresgid=EPERM
		regain.setgroups=EPERM
		regain.chroot=EPERM
		regain.ambient=EPERM
		uid=$id,$id,$id,$id
		END
	done
	probe_report "$(address_of root)"
	expect root <<-END
	regain.setuid=0
	regain.setgroups=0
	END
}

@test "directory is where the handler begins" {
	mkdir "$(public_dir)/data"
	with "directory = \"$(public_dir)/data\""
	each <<<"cwd=$(public_dir)/data"
	assert_eq / "$(readlink "/proc/$MINETD_PID/cwd")" "main's own"
}

# A directory with the probe and what it needs, and nothing else.
small_root()
{
	local root file
	root=$(public_dir)/root
	mkdir -p "$root/data"
	for file in $(ldd "$TESTBIN/probe" | grep -o '/[^ ]*'); do
		mkdir -p "$root${file%/*}"
		cp -L "$file" "$root$file"
	done
	install -m 755 "$TESTBIN/probe" "$root/probe"
	echo "$root"
}

@test "chroot is the handler's whole world" {
	local root
	root=$(small_root)
	conf <<-END
	service "four" { listen = {"tcp://127.0.0.1:0"} exec = {"/probe"}
		chroot = "$root" }
	service "data" { listen = {"tcp://127.0.0.1:0"} exec = {"/probe"}
		chroot = "$root" directory = "/data" }
	service "fork" { listen = {"tcp://127.0.0.1:0"} exec = {"/probe"}
		chroot = "$root" oom_score_adj = 10 }
	END
	start_minetd
	local service
	for service in four fork; do
		probe_report "$(address_of "$service")"
		expect "$service" <<-END
		cwd=/
		fds=0 1 2
		tty=ENOENT
		exe=ENOENT
		uid=$(id -u nobody),$(id -u nobody),$(id -u nobody),$(id -u nobody)
		END
	done
	probe_report "$(address_of data)"
	expect data <<<"cwd=/data"
	assert_eq / "$(readlink "/proc/$MINETD_PID/root")" "main's own"
}

@test "umask is the handler's, and 022 is not touched by the daemon's" {
	with 'umask = "027"'
	each <<<'umask=027'
	stop_minetd
	with 'umask = "0"'
	each <<<'umask=000'
	assert_eq 0022 "$(main_says Umask)" "main's own"
}

@test "nice is the handler's, up and down" {
	with 'nice = 7'
	each <<<'nice=7'
	assert_eq 0 "$(ps -o nice= -p "$MINETD_PID" | tr -d ' ')" "main's own"
	stop_minetd
	with 'nice = -3'
	each <<<'nice=-3'
	stop_minetd
	with 'nice = 0' nice -n 5
	each <<<'nice=0'
}

@test "oom_score_adj is the handler's, and never main's" {
	local before
	with 'oom_score_adj = 321'
	before=$(<"/proc/$MINETD_PID/oom_score_adj")
	each <<<'oom_score_adj=321'
	assert_eq "$before" "$(<"/proc/$MINETD_PID/oom_score_adj")" "main's own"
	assert_eq "$before" "$(<"/proc/$(frontend_pid)/oom_score_adj")" \
		"the frontend's"
	stop_minetd
	with 'oom_score_adj = 100' choom -n 50 --
	each <<<'oom_score_adj=100'
}

@test "limits are the handler's, by all their names" {
	with 'limits { as = "unlimited" core = "0" cpu = "20:30" data = "512m"
		fsize = "64k:1m" locks = "unlimited" memlock = "64k"
		msgqueue = "100k" nice = "0" nofile = "64:128" nproc = "1000"
		rss = "unlimited" rtprio = "0" rttime = "unlimited"
		sigpending = "100" stack = "4m:8m" }'
	each <<-END
	limit.as=-1:-1
	limit.core=0:0
	limit.cpu=20:30
	limit.data=536870912:536870912
	limit.fsize=65536:1048576
	limit.locks=-1:-1
	limit.memlock=65536:65536
	limit.msgqueue=102400:102400
	limit.nice=0:0
	limit.nofile=64:128
	limit.nproc=1000:1000
	limit.rss=-1:-1
	limit.rtprio=0:0
	limit.sigpending=100:100
	limit.stack=4194304:8388608
	END
}

@test "env adds, and goes before pass_env, which goes before the rest" {
	with 'env = {"A=1", "PATH=/mine", "EMPTY=", "TAKEN=env", "WEIRD=a b=\"c\""}
		pass_env = {"TAKEN", "PASSED", "HOME", "MISSING"}' \
		env TAKEN=starter PASSED=x HOME=/starter SECRET=s
	report
	local got
	got=$(environment)
	assert_match '(^|'$'\n'')A=1'$'\n' "$got"
	assert_match $'\nPATH=/mine\n' "$got"
	assert_match $'\nEMPTY=\n' "$got"
	assert_match $'\nTAKEN=env\n' "$got"
	assert_match $'\nPASSED=x\n' "$got"
	assert_match $'\nHOME=/starter\n' "$got"
	assert_match 'WEIRD=a b="c"' "$got"
	assert_no_match 'MISSING|SECRET' "$got"
	assert_eq '' "$(cut -d = -f 1 <<<"$got" | uniq -d)" "names twice"
	assert_eq 20 "$(wc -l <<<"$got")" "how many"
}

@test "the variables say who is connected, over every transport" {
	with ''
	report tcp4
	local four six got
	four=$(port_of four)
	six=$(port_of six)
	got=$(environment)
	assert_match $'\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' "$got"
	assert_match $'\nMINETD_SERVICE=four\n' "$got"
	assert_match $'\nMINETD_ID=1\n' "$got"
	assert_match $'\nPROTO=TCP\n' "$got"
	assert_match $'\nTCPLOCALIP=127\\.0\\.0\\.1\n'"TCPLOCALPORT=$four"$'\n' "$got"
	assert_match $'\nREMOTE_ADDR=127\\.0\\.0\\.1\nREMOTE_HOST=127\\.0\\.0\\.1\nREMOTE_PORT=([0-9]+)\n' "$got"
	assert_match $'\nTCPREMOTEIP=127\\.0\\.0\\.1\nTCPREMOTEPORT='"${BASH_REMATCH[1]}"$'\n' "$got"
	report tcp6
	got=$(environment)
	assert_match $'\nMINETD_ID=2\n' "$got"
	assert_match $'\nPROTO=TCP\n' "$got"
	assert_match $'\nTCPLOCALIP=::1\n'"TCPLOCALPORT=$six"$'\n' "$got"
	assert_match $'\nREMOTE_ADDR=::1\nREMOTE_HOST=::1\n' "$got"
	report unix
	got=$(environment)
	assert_match $'\nPROTO=UNIX\n' "$got"
	assert_match $'\nUNIXREMOTEGID=0\nUNIXREMOTEPID=[0-9]+\nUNIXREMOTEUID=0\n' "$got"
	as_other=(setpriv --reuid 1234 --regid 2345 --clear-groups)
	"${as_other[@]}" "$(public_bin dial)" "$(probe_address unix)" >"$REPORT"
	got=$(environment)
	assert_match $'\nUNIXREMOTEGID=2345\nUNIXREMOTEPID=[0-9]+\nUNIXREMOTEUID=1234\n' "$got"
}

@test "stderr is the socket, nothing, or a file of the handler's user" {
	local script dir
	dir=$(public_dir)/own
	install -d -o nobody "$dir"
	script=$(script both <<-'END'
	#!/bin/sh
	echo out
	echo err >&2
	END
	)
	conf <<-END
	service "socket" { listen = {"tcp://127.0.0.1:0"} exec = {"$script"} }
	service "null" { listen = {"tcp://127.0.0.1:0"} exec = {"$script"}
		stderr = "null" }
	service "file" { listen = {"tcp://127.0.0.1:0"} exec = {"$script"}
		stderr = "file:$dir/err" }
	service "both" { listen = {"tcp://127.0.0.1:0"} exec = {"$(public_bin probe)"}
		stderr = "file:$dir/err2" }
	service "none" { listen = {"tcp://127.0.0.1:0"} exec = {"$(public_bin probe)"}
		stderr = "null" }
	END
	start_minetd
	assert_eq $'out\nerr' "$(talk socket)"
	assert_eq out "$(talk null)"
	assert_eq out "$(talk file)"
	assert_eq out "$(talk file)"
	assert_eq $'err\nerr' "$(<"$dir/err")" "the file"
	assert_eq "nobody 640" "$(stat -c '%U %a' "$dir/err")"
	probe_report "$(address_of both)"
	expect both <<-END
	fds=0 1 2
	fd.2=$dir/err2
	fd.2.access=1
	fd.2.append=1
	fd.2.nonblock=0
	fd.2.cloexec=0
	END
	probe_report "$(address_of none)"
	expect none <<-END
	fds=0 1 2
	fd.2=/dev/null
	fd.2.cloexec=0
	END
}

@test "socket options are set as configured, and only those" {
	with 'nodelay = yes keepalive = yes keepalive_time = 100
		keepalive_interval = 20 keepalive_probes = 4 dscp = 46
		backlog = 17'
	local transport
	for transport in tcp4 tcp6; do
		report "$transport"
		{
			"$TESTBIN/probe" sockopts "$transport" | grep -vE \
				'NODELAY|KEEP|IP_TOS|TCLASS|PRIORITY'
			cat <<-END
			so.TCP_NODELAY=1
			so.KEEPALIVE=1
			so.TCP_KEEPIDLE=100
			so.TCP_KEEPINTVL=20
			so.TCP_KEEPCNT=4
			END
		} | expect "$transport"
	done
	expect tcp6 <<<"so.IPV6_TCLASS=$((46 << 2))"
	report tcp4
	expect tcp4 <<<"so.IP_TOS=$((46 << 2))"
	# Unix sockets have none of these, and lose nothing.
	report unix
	"$TESTBIN/probe" sockopts unix | expect unix
	assert_match " 17 " "$(ss -ltnH "sport = :$(port_of four)")"
}

@test "mark, transparent and freebind are set where root may" {
	with 'mark = 77 transparent = yes freebind = yes'
	report tcp4
	expect tcp4 <<-END
	so.MARK=77
	so.IP_TRANSPARENT=1
	so.IP_FREEBIND=1
	END
	stop_minetd
	# An address that nobody has.
	conf 'service "four" { listen = {"tcp://192.0.2.77:0"} freebind = yes
		exec = {"/bin/cat"} }'
	start_minetd
	assert_match '192\.0\.2\.77' "$(address_of four)"
}

@test "interface binds to one interface" {
	with 'interface = "lo"'
	report tcp4
	expect tcp4 <<<'so.BINDTODEVICE=lo'
	report tcp6
	expect tcp6 <<<'so.BINDTODEVICE=lo'
}

@test "a handler's changes of its socket are its own" {
	local probe
	probe=$(public_bin probe)
	conf <<-END
	service "nonblock" { listen = {"tcp://127.0.0.1:0"}
		exec = {"$probe", "nonblock"} }
	service "four" { listen = {"tcp://127.0.0.1:0"} exec = {"$probe", "owner"} }
	END
	start_minetd
	local i
	for i in 1 2 3; do
		assert_eq 0 "$(talk nonblock)"
	done
	# A handler that starts later, and looks when the others are done.
	talk four go >"$BATS_TEST_TMPDIR/report"
	REPORT=$BATS_TEST_TMPDIR/report
	want_descriptors | expect four
	# Nor has the daemon heard a signal of it.
	alive "$MINETD_PID"
	assert_eq 0 "$(count_log 'event=(ended|malformed)')"
}
