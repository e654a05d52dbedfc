#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# A handler inherits what is documented and nothing else, whatever its daemon
# was started from: every row of the list, over every transport, each time.

load ../lib/daemon
load ../lib/inherit

setup()
{
	daemon_setup
	need_ipv6
}

# The handler of a daemon that root started.
as_root()
{
	need_root
	uid=$(id -u nobody)
	gid=$(id -g nobody)
	groups=$(id -G nobody | tr ' ' '\n' | sort -n | paste -sd ' ')
}

# The same of one that an ordinary user started: it has the user's identity.
# OPTION... are for the setpriv that makes the user of root.
as_user()
{
	as_root
	groups=$(printf '%s\n' "$gid" 54321 | sort -n | paste -sd ' ')
	USER_COMMAND=(setpriv --reuid "$uid" --regid "$gid"
		--groups "$gid,54321" "${@:---inh-caps=-all}" --)
	export RUN_OWNER=$uid:$gid
	MINETD=$(user_binary)
}

# The binary where every user can reach it.
user_binary()
{
	install -m 0755 "$MINETD" "$(public_dir)/minetd"
	chown "$uid" "$(public_dir)"
	echo "$(public_dir)/minetd"
}

@test "from root, in the foreground" {
	as_root
	probe_conf
	start_minetd
	check_probes "$uid" "$gid" "$groups"
}

@test "from root, daemonised" {
	as_root
	probe_conf
	start_daemonised
	check_probes "$uid" "$gid" "$groups"
}

@test "from a user, in the foreground" {
	as_user
	probe_conf
	START_WITH=("${USER_COMMAND[@]}")
	start_minetd
	check_probes "$uid" "$gid" "$groups" "${START_WITH[@]}"
}

@test "from a user, daemonised" {
	as_user
	probe_conf
	START_WITH=("${USER_COMMAND[@]}")
	start_daemonised
	check_probes "$uid" "$gid" "$groups" "${START_WITH[@]}"
}

@test "from root, as root: with all capabilities and nothing else" {
	as_root
	probe_conf 'user = "root" groups = {}'
	start_minetd
	check_probes 0 0 ''
	assert_eq "$(sed -n 's/^CapEff:\t//p' /proc/self/status)" \
		"$(said status.CapEff)" "root's capabilities"
}

# What follows is tried by root and by a user, in the foreground and not.

# each_start [COMMAND...]: the daemon is started by way of it.
each_start()
{
	probe_conf
	START_WITH=("${USER_COMMAND[@]}" "$@")
	start_minetd
	check_probes "$uid" "$gid" "$groups" "${USER_COMMAND[@]}"
	stop_minetd
	start_daemonised
	check_probes "$uid" "$gid" "$groups" "${USER_COMMAND[@]}"
}

@test "descriptors 0 to 2 closed, from root" {
	as_root
	# Without stderr the log needs another place.
	probe_conf
	START_WITH=("$(public_bin hostile)" -c --)
	start_daemonised
	check_probes "$uid" "$gid" "$groups"
	stop_minetd
	start_minetd -l "file:$BATS_TEST_TMPDIR/run/log.2"
	LOG=$BATS_TEST_TMPDIR/run/log.2
	check_probes "$uid" "$gid" "$groups"
}

@test "descriptors 0 to 2 closed, from a user" {
	as_user
	probe_conf
	START_WITH=("${USER_COMMAND[@]}" "$(public_bin hostile)" -c --)
	start_daemonised
	check_probes "$uid" "$gid" "$groups" "${USER_COMMAND[@]}"
	stop_minetd
	start_minetd -l "file:$BATS_TEST_TMPDIR/run/log.2"
	LOG=$BATS_TEST_TMPDIR/run/log.2
	check_probes "$uid" "$gid" "$groups" "${USER_COMMAND[@]}"
}

# Descriptors without close-on-exec, low, high and above a gap.
strays=(-n 3 -n 4 -n 7 -n 9 -n 63 -n 64 -n 200 -n 1000)

no_strays()
{
	local pid fd
	for pid in "$MINETD_PID" "$(frontend_pid)"; do
		for fd in 63 64 200 1000; do
			[[ ! -L /proc/$pid/fd/$fd ]] ||
				fail "process $pid has descriptor $fd" || return
		done
	done
}

@test "stray descriptors, from root" {
	as_root
	each_start "$(public_bin hostile)" "${strays[@]}" --
	no_strays
	stop_minetd
	START_WITH=("$(public_bin hostile)" "${strays[@]}" --)
	start_minetd
	no_strays
}

@test "stray descriptors, from a user" {
	as_user
	each_start "$(public_bin hostile)" "${strays[@]}" --
}

@test "every signal ignored, from root" {
	as_root
	each_start "$(public_bin hostile)" -i all --
}

@test "every signal ignored, from a user" {
	as_user
	each_start "$(public_bin hostile)" -i all --
}

@test "every signal blocked, from root" {
	as_root
	each_start "$(public_bin hostile)" -b --
}

@test "every signal blocked, from a user" {
	as_user
	each_start "$(public_bin hostile)" -b --
}

@test "an interval timer running, from root" {
	as_root
	each_start "$(public_bin hostile)" -t 50 --
	stop_minetd
	START_WITH=("$(public_bin hostile)" -t 50 --)
	start_minetd
	# It would have been due by now; nobody has heard of it.
	wait_until 2 later_than "$((${EPOCHREALTIME/[.,]/} + 100000))"
	alive "$MINETD_PID"
	assert_no_match '[1-9a-f]' \
		"$(sed -n 's/^ShdPnd:[[:space:]]*//p' "/proc/$MINETD_PID/status")"
}

later_than()
{
	((${EPOCHREALTIME/[.,]/} > $1))
}

@test "an interval timer running, from a user" {
	as_user
	each_start "$(public_bin hostile)" -t 50 --
}

# Every name here is meant for the daemon or for whoever started it.
hostile_environment=(env
	LD_LIBRARY_PATH=/nonexistent LD_BIND_NOW=1 LD_ORIGIN_PATH=/tmp
	GCONV_PATH=/nonexistent MALLOC_PERTURB_=85 GLIBC_TUNABLES=
	"IFS=/" PATH=/nonexistent:/root/bin CDPATH=/ BASH_ENV=/nonexistent
	ENV=/nonexistent PYTHONPATH=/nonexistent PERL5LIB=/nonexistent
	"BASH_FUNC_ls%%=() { :; }" PS4=x SHELLOPTS=xtrace
	LISTEN_FDS=2 LISTEN_PID=1 LISTEN_FDNAMES=a:b
	NOTIFY_SOCKET=/nonexistent/notify WATCHDOG_USEC=1000000 WATCHDOG_PID=1
	JOURNAL_STREAM=8:12345 INVOCATION_ID=0123 MAINPID=1 MANAGERPID=1
	http_proxy=http://x HTTPS_PROXY=http://x no_proxy=x ALL_PROXY=x
	LANG=de_DE.UTF-8 LC_ALL=C LANGUAGE=de TZ=Asia/Tokyo TERM=xterm
	SUDO_USER=x SUDO_UID=0 MAIL=/x HOSTNAME=x XDG_RUNTIME_DIR=/x
	SSH_AUTH_SOCK=/x HOME=/root USER=root LOGNAME=root SHELL=/bin/evil
	PROTO=EVIL TCPREMOTEIP=6.6.6.6 TCPREMOTEHOST=evil TCPREMOTEINFO=evil
	REMOTE_ADDR=6.6.6.6 REMOTE_HOST=evil REMOTE_USER=evil UNIXREMOTEUID=0
	UNIXREMOTEEUID=0 MINETD_SERVICE=evil MINETD_ID=0 SOCKET=x
	"EMPTY=" "NOT A NAME=x")

@test "a hostile environment, from root" {
	as_root
	each_start "${hostile_environment[@]}"
	assert_eq /nonexistent "$(sed -n 's/^env HOME=//p' "$REPORT")" HOME
	assert_no_match evil "$(<"$REPORT")" report
}

@test "a hostile environment, from a user" {
	as_user
	each_start "${hostile_environment[@]}"
	assert_no_match evil "$(<"$REPORT")" report
}

@test "pass_env of what no environment at all has" {
	conf "service \"e\" { listen = \"tcp://127.0.0.1:0\"
		exec = {\"/usr/bin/env\"} pass_env = {\"LANG\"} }"
	START_WITH=(env -i)
	start_minetd
	assert_match 'MINETD_SERVICE=e' "$(talk e)"
	assert_no_match 'LANG=' "$(talk e)"
}

@test "no environment at all" {
	as_root
	each_start env -i
}

@test "an odd umask, from root" {
	as_root
	each_start "$(public_bin hostile)" -u 777 --
	stop_minetd
	each_start "$(public_bin hostile)" -u 0 --
}

@test "an odd umask, from a user" {
	as_user
	each_start "$(public_bin hostile)" -u 777 --
	stop_minetd
	each_start "$(public_bin hostile)" -u 0 --
}

@test "a raised oom_score_adj, from root" {
	as_root
	need choom
	each_start choom -n 500 --
}

@test "a raised oom_score_adj, from a user" {
	as_user
	need choom
	each_start choom -n 500 --
}

@test "a protected daemon leaves its handlers unprotected" {
	as_root
	need choom
	# Only root with every capability can protect it; then it must not
	# matter, and otherwise there is nothing to test.
	if choom -n -500 -- true 2>/dev/null; then
		each_start choom -n -500 --
	fi
}

@test "ambient and inheritable capabilities" {
	as_root
	each_start setpriv --inh-caps +chown,+net_raw \
		--ambient-caps +chown,+net_raw --
}

@test "ambient capabilities of a user's daemon" {
	as_user --inh-caps +net_bind_service --ambient-caps +net_bind_service
	each_start
}

@test "securebits" {
	as_root
	# SECBIT_NO_SETUID_FIXUP: capabilities would outlive the identity.
	each_start "$(public_bin hostile)" -s 4 --
}

@test "a real-time scheduling class" {
	as_root
	chrt -f 1 true 2>/dev/null || skip_or_fail "needs SCHED_FIFO"
	each_start "$(public_bin hostile)" -r --
}

@test "a real-time input/output class" {
	as_root
	each_start "$(public_bin hostile)" -I --
}

@test "a batch scheduling class and the lowest input/output class" {
	as_root
	each_start chrt -b 0 ionice -c 3
}

@test "a nice value below 0 is the daemon's own" {
	as_root
	each_start nice -n -5
	assert_eq -5 "$(ps -o nice= -p "$MINETD_PID" | tr -d ' ')" "main's"
}

@test "a nice value above 0 is the handler's too, from root" {
	as_root
	probe_conf
	START_WITH=(nice -n 5)
	start_minetd
	check_probes "$uid" "$gid" "$groups" "${START_WITH[@]}"
	assert_eq 5 "$(said nice)" nice
}

@test "a nice value above 0 is the handler's too, from a user" {
	as_user
	probe_conf
	START_WITH=("${USER_COMMAND[@]}" nice -n 5)
	start_minetd
	check_probes "$uid" "$gid" "$groups" "${START_WITH[@]}"
	assert_eq 5 "$(said nice)" nice
}

@test "the starter's limits are the handler's" {
	as_root
	probe_conf
	START_WITH=(prlimit --nofile=256:300 --core=0:0 --fsize=1000000
		--stack=4000000)
	start_minetd
	check_probes "$uid" "$gid" "$groups" "${START_WITH[@]}"
	assert_eq 256:300 "$(said limit.nofile)" nofile
}

@test "a daemon that needs many descriptors keeps that to itself" {
	as_root
	local i listens='' probe
	probe=$(public_bin probe)
	for ((i = 0; i < 100; i++)); do
		listens+="\"tcp://127.0.0.1:0\","
	done
	conf "service \"many\" { listen = {${listens%,}} exec = {\"$probe\"} }"
	START_WITH=(prlimit --nofile=64:4096)
	start_minetd
	assert_eq 100 "$(count_log '^listen service=many')" listeners
	probe_report "$(address_of many 100)"
	assert_eq 64:4096 "$(said limit.nofile)" nofile
	assert_eq "0 1 2" "$(said fds)" descriptors
}

@test "the starter's processors and timer slack are the handler's" {
	as_root
	probe_conf
	START_WITH=(taskset 1 "$(public_bin hostile)" -S 70000 --)
	start_minetd
	check_probes "$uid" "$gid" "$groups" "${START_WITH[@]}"
	assert_eq 70000 "$(said timerslack)" "timer slack"
}

@test "a session keyring with a secret" {
	as_root
	"$(public_bin hostile)" -k secret -- true 2>/dev/null ||
		skip_or_fail "needs keyrings"
	each_start "$(public_bin hostile)" -k secret --
	# The twin: it is there, for those who have the keyring.
	"$(public_bin hostile)" -k secret -- "$(public_bin probe)" |
		grep -qx 'session_secret=0'
}

@test "a controlling terminal" {
	as_root
	each_start "$(public_bin hostile)" -T --
}

@test "a working directory that is in the way" {
	as_root
	mkdir "$BATS_TEST_TMPDIR/gone"
	cd "$BATS_TEST_TMPDIR/gone"
	each_start
	assert_eq / "$(readlink "/proc/$MINETD_PID/cwd")" "main's directory"
}

@test "everything at once, from root" {
	as_root
	need choom
	each_start choom -n 300 -- \
		setpriv --inh-caps +chown --ambient-caps +chown -- \
		"$(public_bin hostile)" -b -i all -I -r -t 70 -T -u 0 \
		"${strays[@]}" -- "${hostile_environment[@]}"
}

@test "everything at once, from a user" {
	as_user
	need choom
	each_start choom -n 300 -- \
		"$(public_bin hostile)" -b -i all -t 70 -T -u 0 \
		"${strays[@]}" -- "${hostile_environment[@]}"
}
