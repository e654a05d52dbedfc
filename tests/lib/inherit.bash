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

# probe_report ADDRESS: dial, and keep the report in the file
# REPORT.  The reply is complete or the test fails.
probe_report()
{
	REPORT=$BATS_TEST_TMPDIR/report
	dial "$1" >"$REPORT" || fail "dial $1: status $?" || return
	grep -qx 'end=' "$REPORT" || fail "incomplete report:" "$(<"$REPORT")"
}

# said KEY [FILE]: the value of a line of the report.
said()
{
	sed -n "s|^$1=||p" "${2:-$REPORT}" | head -n 1
}

# expect KEY VALUE: what the report must say; complaints are collected.
expect()
{
	local got
	got=$(said "$1")
	[[ $got == "$2" ]] || complaints+=("$1: want '$2', got '$got'")
}

# Keys that must be as they are in a program the test starts the same way.
same_as_starter='limit\..*|nice|status.Cpus_allowed_list|status.Mems_allowed_list|ns\..*|timerslack|ioprio|thp_disable|personality'

# The 0, 1 and 2 of a handler: one blocking socket, and nothing else.
expect_descriptors()
{
	local fd
	expect fds "0 1 2"
	[[ $(said fd.0) == socket:* ]] ||
		complaints+=("fd 0 is no socket: $(said fd.0)")
	for fd in 0 1 2; do
		expect "fd.$fd" "$(said fd.0)"
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
# that handlers may share with what started the daemon.
check_probes()
{
	local transport uid=$1 gid=$2 groups=$3 key value
	local reference=$BATS_TEST_TMPDIR/reference
	shift 3
	(close_fds; exec "$@" "$(public_bin probe)") >"$reference"
	complaints=()
	for transport in tcp4 tcp6 unix; do
		probe_report "$(probe_address "$transport")" || return
		expect_descriptors
		expect_no_traces
		expect_identity "$uid" "$gid" "$groups"
		expect_environment "$transport"
		while IFS='=' read -r key value; do
			expect "$key" "$value"
		done < <(grep -E "^($same_as_starter)=" "$reference")
		while IFS='=' read -r key value; do
			expect "$key" "$value"
		done < <("$TESTBIN/probe" sockopts "$transport")
		((${#complaints[@]} == 0)) ||
			fail "a handler over $transport:" "${complaints[@]}" ||
			return
	done
}
