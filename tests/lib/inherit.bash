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

# probe_report ADDRESS: dial, and keep what the handler reports in the file
# REPORT.  It is complete or the test fails.
probe_report()
{
	REPORT=$BATS_TEST_TMPDIR/report
	dial "$1" >"$REPORT" || fail "dial $1: status $?" || return
	grep -qx 'end=' "$REPORT" || fail "incomplete report:" "$(<"$REPORT")"
}

# said KEY: the value of a line of the last report.
said()
{
	sed -n "s|^$1=||p" "$REPORT" | head -n 1
}

# expect [WHAT] <WANTED: every "key=value" line of WANTED is in the report.
# (One awk for all: bats looks at each command of bash, which takes its time.)
expect()
{
	awk -v what="${1:-the handler}" '
	{ key = $0; sub(/=.*/, "", key); value = substr($0, length(key) + 2) }
	NR == FNR { if (!(key in got)) got[key] = value; next }
	got[key] != value {
		printf "%s: %s: want \"%s\", got \"%s\"\n", what, key, value,
		    got[key]
		bad = 1
	}
	END { exit bad }' "$REPORT" - >&2
}

# The 0, 1 and 2 of a handler: one blocking socket, and nothing else.
want_descriptors()
{
	local socket
	socket=$(said fd.0)
	[[ $socket == socket:* ]] || socket="a socket"
	printf '%s\n' "fds=0 1 2"
	printf "fd.%d=$socket\nfd.%d.access=2\n" 0 0 1 1 2 2
	printf 'fd.%d.nonblock=0\nfd.%d.async=0\n' 0 0 1 1 2 2
	printf 'fd.%d.append=0\nfd.%d.cloexec=0\n' 0 0 1 1 2 2
	printf 'fd.%d.owner=0\nfd.%d.signal=0\n' 0 0 1 1 2 2
}

# What does not depend on the service or its user; ROBUSTNESS section 1.
want_no_traces()
{
	cat <<-END
	status.SigPnd=0000000000000000
	status.ShdPnd=0000000000000000
	status.SigBlk=0000000000000000
	status.SigIgn=0000000000000000
	status.SigCgt=0000000000000000
	status.CapInh=0000000000000000
	status.CapAmb=0000000000000000
	status.NoNewPrivs=0
	status.Seccomp=0
	status.Seccomp_filters=0
	status.TracerPid=0
	status.Threads=1
	signals.not_default=
	signals.blocked=
	signals.pending=
	itimer.real=0.000000,0.000000
	itimer.virtual=0.000000,0.000000
	itimer.prof=0.000000,0.000000
	posix_timers=none
	root=/
	tty=ENXIO
	tty_nr=0
	session_leader=1
	group_leader=1
	ppid=$MINETD_PID
	keepcaps=0
	securebits=0
	no_new_privs=0
	seccomp=0
	pdeathsig=0
	subreaper=0
	sched.policy=0
	sched.priority=0
	ioprio=0
	locks=0
	dumpable=1
	session_secret=ENOKEY
	END
}

# What a service may change, as it is when nothing is configured.
want_defaults()
{
	cat <<-END
	cwd=/
	umask=022
	oom_score_adj=0
	argv.0=asked
	argv.1=report
	argv.2=an argument
	argv.3=
	END
}

# want_identity UID GID GROUPS, by number; without capabilities unless root.
want_identity()
{
	printf '%s\n' "uid=$1,$1,$1,$1" "gid=$2,$2,$2,$2" "groups=$3"
	(($1 == 0)) || printf 'status.Cap%s=0000000000000000\n' Prm Eff
}

# want_starter COMMAND...: what must be as in a program that is started by
# way of it.
want_starter()
{
	(
		close_fds
		exec "$@" "$(public_bin probe)" </dev/null
	) | grep -E "$same_as_starter"
}

same_as_starter='^(limit\..*|status\.(Cpus|Mems)_allowed_list|status\.CapBnd'
same_as_starter+='|ns\..*|nice|timerslack|thp_disable|personality)='

# The names of the environment are exactly those of DESIGN section 6.
check_environment()
{
	local names want="HOME LOGNAME MINETD_ID MINETD_SERVICE PATH PROTO"
	case $1 in
	tcp*) want+=" REMOTE_ADDR REMOTE_HOST REMOTE_PORT SHELL TCPLOCALIP"
		want+=" TCPLOCALPORT TCPREMOTEIP TCPREMOTEPORT USER" ;;
	unix) want+=" SHELL UNIXREMOTEGID UNIXREMOTEPID UNIXREMOTEUID USER" ;;
	esac
	names=$(sed -n 's/^env \([^=]*\)=.*/\1/p' "$REPORT" | LC_ALL=C sort |
		paste -sd ' ')
	assert_eq "$want" "$names" "environment over $1"
}

# check_probes UID GID GROUPS [STARTER...]: ask every transport and compare all
# there is to compare.  STARTER is the command that gives a program the state
# that handlers share with what started the daemon.
check_probes()
{
	local transport want=$BATS_TEST_TMPDIR/want
	{
		want_no_traces
		want_defaults
		want_identity "$1" "$2" "$3"
		want_starter "${@:4}"
	} >"$want"
	for transport in tcp4 tcp6 unix; do
		probe_report "$(probe_address "$transport")" || return
		{
			cat "$want"
			want_descriptors
			"$TESTBIN/probe" sockopts "$transport"
		} | expect "$transport" || return
		check_environment "$transport" || return
	done
}
