# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash

# What every handler must look like, whatever its daemon was started from and
# whichever way its client came: ROBUSTNESS section 1.


# probe_conf [KEY = VALUE ...]: one service of each transport, running probe;
# the text goes into every service.  unix_dir is where the unix socket is.
probe_conf()
{
	local probe unix_dir
	probe=$(public_bin probe)
	unix_dir=$(public_dir)
	conf <<-END
	defaults { $* }
	service "four" { listen = {"tcp4://127.0.0.1:0"}
		exec = {"$probe", "report", "an argument"} argv0 = "asked" }
	service "six" { listen = {"tcp6://[::1]:0"}
		exec = {"$probe", "report", "an argument"} argv0 = "asked" }
	service "local" { listen = {"unix://$unix_dir/socket"}
		exec = {"$probe", "report", "an argument"} argv0 = "asked" }
	END
}

need_ipv6()
{
	grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 \
		2>/dev/null || skip_or_fail "needs IPv6 on the loopback"
}

# probe_address TRANSPORT: tcp4, tcp6, unix
probe_address()
{
	case $1 in
	tcp4) address_of four | sed 's/^tcp4:/tcp:/' ;;
	tcp6) address_of six | sed 's/^tcp6:/tcp:/' ;;
	unix) echo "unix://$(public_dir)/socket" ;;
	esac
}

# report_read FILE NAME: "key=value" lines into the associative array NAME; the
# first of a key counts.
report_read()
{
	local -n report_into=$2
	local report_key report_value
	report_into=()
	while IFS='=' read -r report_key report_value; do
		[[ -n ${report_into[$report_key]+set} ]] ||
			report_into[$report_key]=$report_value
	done <"$1"
}

# probe_report ADDRESS: dial, and keep what the handler reports in the file
# REPORT.  It is complete or the test fails.
probe_report()
{
	REPORT=$BATS_TEST_TMPDIR/report
	dial "$1" >"$REPORT" || fail "dial $1: status $?" || return
	declare -gA said_lines
	report_read "$REPORT" said_lines
	[[ -n ${said_lines[end]+set} ]] ||
		fail "incomplete report:" "$(<"$REPORT")"
}

# said KEY: the value of a line of the last report.
said()
{
	echo "${said_lines[$1]-}"
}

# expect KEY VALUE: what the report must say; complaints are collected.
expect()
{
	[[ ${said_lines[$1]-} == "$2" ]] ||
		complaints+=("$1: want '$2', got '${said_lines[$1]-}'")
}

# no_complaints WHAT
no_complaints()
{
	((${#complaints[@]} == 0)) || fail "$1:" "${complaints[@]}"
}

# Keys that must be as they are in a program the test starts the same way.
same_as_starter='^(limit\..*|nice|status\.(Cpus|Mems)_allowed_list|status\.CapBnd|ns\..*|timerslack|ioprio|thp_disable|personality)$'

# The 0, 1 and 2 of a handler: one blocking socket, and nothing else.
expect_descriptors()
{
	local fd socket=${said_lines[fd.0]-}
	expect fds "0 1 2"
	[[ $socket == socket:* ]] ||
		complaints+=("fd 0 is no socket: $socket")
	for fd in 0 1 2; do
		expect "fd.$fd" "$socket"
		expect "fd.$fd.access" 2
		expect "fd.$fd.nonblock" 0
		expect "fd.$fd.async" 0
		expect "fd.$fd.append" 0
		expect "fd.$fd.cloexec" 0
		expect "fd.$fd.owner" 0
		expect "fd.$fd.signal" 0
	done
}

expect_no_traces()
{
	local key
	for key in SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapAmb; do
		expect "status.$key" 0000000000000000
	done
	expect signals.not_default ''
	expect signals.blocked ''
	expect signals.pending ''
	for key in real virtual prof; do
		expect "itimer.$key" 0.000000,0.000000
	done
	expect posix_timers none
	expect cwd /
	expect root /
	expect umask 022
	expect tty ENXIO
	expect tty_nr 0
	expect session_leader 1
	expect group_leader 1
	expect ppid "$MINETD_PID"
	for key in keepcaps securebits no_new_privs seccomp pdeathsig \
		subreaper oom_score_adj sched.policy sched.priority locks \
		status.TracerPid status.NoNewPrivs status.Seccomp \
		status.Seccomp_filters; do
		expect "$key" 0
	done
	expect dumpable 1
	expect session_secret ENOKEY
	expect argv.0 asked
	expect argv.1 report
	expect argv.2 "an argument"
	expect argv.3 ''
}

# expect_identity UID GID GROUPS, by number; without capabilities unless root.
expect_identity()
{
	local key
	expect uid "$1,$1,$1,$1"
	expect gid "$2,$2,$2,$2"
	expect groups "$3"
	(($1 != 0)) || return 0
	for key in CapPrm CapEff; do
		expect "status.$key" 0000000000000000
	done
}

# The names of the environment are exactly those of DESIGN section 6.
expect_environment()
{
	local names want="HOME LOGNAME MINETD_ID MINETD_SERVICE PATH PROTO"
	case $1 in
	tcp*) want+=" REMOTE_ADDR REMOTE_HOST REMOTE_PORT SHELL TCPLOCALIP"
		want+=" TCPLOCALPORT TCPREMOTEIP TCPREMOTEPORT USER" ;;
	unix) want+=" SHELL UNIXREMOTEGID UNIXREMOTEPID UNIXREMOTEUID USER" ;;
	esac
	names=$(sed -n 's/^env \([^=]*\)=.*/\1/p' "$REPORT" | LC_ALL=C sort |
		paste -sd ' ')
	[[ $names == "$want" ]] ||
		complaints+=("environment: want '$want', got '$names'")
}

# check_probes UID GID GROUPS [STARTER...]: ask every transport and compare all
# there is to compare.  STARTER is the command that gives a program the state
# that handlers share with what started the daemon.
check_probes()
{
	local transport uid=$1 gid=$2 groups=$3 key
	local reference=$BATS_TEST_TMPDIR/reference
	local -A starter defaults
	shift 3
	(close_fds; exec "$@" "$(public_bin probe)") >"$reference" </dev/null
	report_read "$reference" starter
	for transport in tcp4 tcp6 unix; do
		"$TESTBIN/probe" sockopts "$transport" >"$reference"
		report_read "$reference" defaults
		probe_report "$(probe_address "$transport")" || return
		complaints=()
		expect_descriptors
		expect_no_traces
		expect_identity "$uid" "$gid" "$groups"
		expect_environment "$transport"
		for key in "${!starter[@]}"; do
			[[ ! $key =~ $same_as_starter ]] ||
				expect "$key" "${starter[$key]}"
		done
		for key in "${!defaults[@]}"; do
			expect "$key" "${defaults[$key]}"
		done
		no_complaints "a handler over $transport" || return
	done
}
