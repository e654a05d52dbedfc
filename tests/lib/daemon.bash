# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash
# shellcheck disable=SC2034	# what the tests read: MINETD_STATUS, ...

# Start, watch and stop a minetd that belongs to one test.
#
# From the caller's environment: MINETD (the binary), TESTBIN (the directory of
# the compiled tests/bin programs), MINETD_STRICT (skips are failures).  A test
# owns $BATS_TEST_TMPDIR, which is made reachable by every user, for handlers
# have users of their own.  Nothing sleeps but wait_until.

: "${MINETD:?must be the absolute path of the minetd to test}"
: "${TESTBIN:?must be the directory of the compiled tests/bin programs}"

export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-30}

lib=${BASH_SOURCE[0]%/*}
# shellcheck source=tests/lib/assert.bash
. "$lib/assert.bash"
# shellcheck source=tests/lib/net.bash
. "$lib/net.bash"
unset lib

setup()
{
	daemon_setup
}

teardown()
{
	daemon_teardown
}

# Files that have their own setup or teardown call these two from there.
daemon_setup()
{
	local dir=$BATS_TEST_TMPDIR
	umask 022
	while [[ $dir == "$BATS_RUN_TMPDIR"* ]]; do
		chmod go+x "$dir"
		dir=${dir%/*}
	done
	CONF=$BATS_TEST_TMPDIR/minetd.conf
	LOG=$BATS_TEST_TMPDIR/log
	START_WITH=()		# a command that execs the daemon: setpriv ...
	MINETD_PID=
	MINETD_STATUS=
	STARTED_PID=
	daemon_pids=()
	daemon_logs=()
	process_pids=()
}

daemon_teardown()
{
	local pid log bad=0
	for pid in "${daemon_pids[@]}"; do
		end_daemon "$pid" || bad=1
	done
	for pid in "${process_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || continue
		wait "$pid" 2>/dev/null || true
	done
	for log in "${daemon_logs[@]}"; do
		if [[ -e $log ]] && grep -qE "$sanitizer_report" "$log"; then
			echo "the daemon's sanitiser complains"
			bad=1
		fi
	done
	[[ -z $BATS_TEST_COMPLETED || $bad == 1 ]] || return 0
	for log in "${daemon_logs[@]}"; do
		[[ -s $log ]] || continue
		echo "--- ${log##*/}"
		tail -n 200 "$log"
	done
	return "$bad"
}

sanitizer_report='ERROR: (Address|Leak)Sanitizer|runtime error:'

# Stop one daemon, gently at first; its children by pid if that fails.
end_daemon()
{
	local pid=$1 child children
	alive "$pid" || return 0
	children=$(children_of "$pid")
	# A test may have stopped it.  Not later: a CONT would discard the
	# SIGSTOP by which a sanitiser looks for leaks at the end.
	kill -CONT "$pid" 2>/dev/null || true
	# Twice: what is left of handlers is of no interest here.
	kill -TERM "$pid" 2>/dev/null || true
	kill -TERM "$pid" 2>/dev/null || true
	wait_until 1 gone "$pid" && return
	# Two signals that arrive together are one.
	kill -TERM "$pid" 2>/dev/null || true
	wait_until 10 gone "$pid" && return
	echo "daemon $pid does not stop"
	for child in $pid $children; do
		kill -KILL "$child" 2>/dev/null || true
	done
	return 1
}

# wait_until SECONDS COMMAND...: until it succeeds; fails at the deadline.
wait_until()
{
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[.,]/} < end)) || return
		sleep 0.02
	done
}

# Whether a process runs: a zombie does not.
alive()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
	stat=${stat##*) }
	[[ $stat != [ZX]* ]]
}

gone()
{
	! alive "$1"
}

# The letter of the state of a process, as in ps(1).
state_of()
{
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return
	stat=${stat##*) }
	echo "${stat%% *}"
}

children_of()
{
	pgrep -P "$1" || true
}

# conf TEXT, or conf <FILE: the configuration of the next start.  Without a
# pid_file of its own it gets none; the line is put last, so that the numbers
# of the text's lines stay.
conf()
{
	local text
	if (($#)); then
		text=$1
	else
		text=$(cat)
	fi
	if [[ ! $text =~ (^|$'\n')[[:space:]]*pid_file ]]; then
		text+=$'\npid_file = ""'
	fi
	rm -f "$CONF"
	printf '%s\n' "$text" >"$CONF"
	chmod 0644 "$CONF"
}

# The directory for what handlers must reach: programs, sockets, files.
public_dir()
{
	mkdir -p "$BATS_TEST_TMPDIR/public"
	chmod 0755 "$BATS_TEST_TMPDIR/public"
	echo "$BATS_TEST_TMPDIR/public"
}

# public_bin NAME: a copy of a tests/bin program that every user can execute,
# even when the checkout cannot be reached by all.
public_bin()
{
	local dir
	dir=$(public_dir)
	[[ -e $dir/$1 ]] || install -m 0755 "$TESTBIN/$1" "$dir/$1"
	echo "$dir/$1"
}

# script NAME <TEXT: an executable script in the public directory; its path.
script()
{
	local dir
	dir=$(public_dir)
	cat >"$dir/$1"
	chmod 0755 "$dir/$1"
	echo "$dir/$1"
}

# Close every descriptor but 0, 1, 2 and those named.
close_fds()
{
	local fd
	for fd in "/proc/$BASHPID/fd/"*; do
		fd=${fd##*/}
		((fd > 2)) || continue
		[[ " $* " == *" $fd "* ]] || eval "exec $fd>&-"
	done
}

# start_process COMMAND...: in the background, ended with the test.  Sets
# STARTED_PID.  Standard streams are the caller's; nothing above is passed on.
start_process()
{
	(
		close_fds
		exec "$@"
	) &
	STARTED_PID=$!
	process_pids+=("$STARTED_PID")
}

# own_mounts: sets OWN_MOUNTS to a command that runs another one with mounts of
# its own.  In a chroot the root directory is no mount, whose propagation could
# be changed; that is as good when nothing propagates.
own_mounts()
{
	need unshare || return
	OWN_MOUNTS=(unshare --mount)
	"${OWN_MOUNTS[@]}" true 2>/dev/null && return
	OWN_MOUNTS=(unshare --mount --propagation unchanged)
	if grep -q ' shared:' /proc/self/mountinfo ||
	    ! "${OWN_MOUNTS[@]}" true 2>/dev/null; then
		skip_or_fail "needs a mount namespace"
	fi
}

# ends_with_test PID...: processes that the test is responsible for.
ends_with_test()
{
	process_pids+=("$@")
}

# start_minetd [ARGUMENT...]: in the foreground of its own background process,
# and wait until it is ready.  Sets MINETD_PID, and LOG to the file of what it
# writes to stderr (log, log.2, ...).  Fails, with the status in
# MINETD_STATUS, when it exits instead.
start_minetd()
{
	local ready answer='' n=$((${#daemon_pids[@]} + 1))
	local fifo=$BATS_TEST_TMPDIR/ready.$n rw
	((n == 1)) || LOG=$BATS_TEST_TMPDIR/log.$n
	MINETD_STATUS=
	mkfifo "$fifo"
	# The read end sees EOF exactly when the daemon has neither written nor
	# kept the other end.
	exec {rw}<>"$fifo"
	exec {ready}<"$fifo"
	(
		exec 8>"$fifo"
		close_fds 8
		exec </dev/null >/dev/null 2>>"$LOG"
		exec "${START_WITH[@]}" "$MINETD" -f -c "$CONF" -r 8 "$@"
	) &
	MINETD_PID=$!
	daemon_pids+=("$MINETD_PID")
	daemon_logs+=("$LOG")
	wait_until 5 opened_by "$MINETD_PID" "$LOG" || true
	exec {rw}>&-
	IFS= read -r -N 1 -t 15 -u "$ready" answer || true
	exec {ready}<&-
	[[ $answer == $'\n' ]] && return
	wait_until 5 gone "$MINETD_PID" ||
		fail "neither ready nor gone" || return
	wait_minetd || true
	return 1
}

# start_daemonised [ARGUMENT...]: without -f, which returns when the daemon is
# ready.  Logs to a file, LOG, and has a pid file, PID_FILE; both in a directory
# that belongs to RUN_OWNER, when that is set.  What it wrote to stderr before
# is in LOG.stderr.  Sets MINETD_PID, or fails with the status in
# MINETD_STATUS.
start_daemonised()
{
	local run=$BATS_TEST_TMPDIR/run starter
	mkdir -p "$run"
	[[ -z ${RUN_OWNER:-} ]] || chown "$RUN_OWNER" "$run"
	LOG=$run/log.$((${#daemon_pids[@]} + 1))
	PID_FILE=$run/pid
	(
		close_fds
		exec </dev/null >/dev/null 2>"$LOG.stderr"
		exec "${START_WITH[@]}" "$MINETD" -c "$CONF" -p "$PID_FILE" \
			-l "file:$LOG" "$@"
	) &
	starter=$!
	daemon_logs+=("$LOG" "$LOG.stderr")
	wait_until 15 gone "$starter" || fail "still in the foreground" || return
	MINETD_STATUS=0
	wait "$starter" || MINETD_STATUS=$?
	[[ $MINETD_STATUS == 0 ]] || return
	MINETD_PID=$(<"$PID_FILE")
	daemon_pids+=("$MINETD_PID")
}

# watch_minetd PID: a daemon that was started in another way.
watch_minetd()
{
	MINETD_PID=$1
	daemon_pids+=("$1")
}

# The daemon's process has its end of the readiness pipe, or is gone already:
# its stderr is opened after it.
opened_by()
{
	[[ -e $2 ]] || gone "$1"
}

# Wait for the daemon's end, for SECONDS at most.  MINETD_STATUS is its status,
# 127 when it was daemonised: nobody can tell.
wait_minetd()
{
	wait_until "${1:-10}" gone "$MINETD_PID" || fail "still running" ||
		return
	MINETD_STATUS=0
	wait "$MINETD_PID" || MINETD_STATUS=$?
}

# stop_minetd [SIGNAL [SECONDS]]
stop_minetd()
{
	kill -"${1:-TERM}" "$MINETD_PID"
	wait_minetd "${2:-10}"
}

# A start that must be refused: the status in MINETD_STATUS, and true.
refuse_minetd()
{
	! start_minetd "$@" || fail "it started"
}

# reload [RESULT]: HUP, and wait for the end of that reload, which is to be this
# one: ok, refused, failed.  The line it is told by is left in RELOADED.
reload()
{
	local before
	before=$(reloads)
	kill -HUP "$MINETD_PID"
	wait_until 10 more_reloads "$before" || fail "it does not end" || return
	RELOADED=$(last_reload)
	assert_match " result=${1:-ok}( |\$)" "$RELOADED" "the reload"
}

reload_line='(^| )reload result='

# How many have ended; nothing when there is no log yet.
reloads()
{
	grep -csE "$reload_line" "$LOG" || true
}

last_reload()
{
	log_line "$reload_line"
}

more_reloads()
{
	local ended
	ended=$(reloads)
	((${ended:-0} > ${1:-0}))
}

# wait_log REGEX [SECONDS]
wait_log()
{
	wait_until "${2:-5}" grep -qsE -- "$1" "$LOG" ||
		fail "not in the log: $1"
}

count_log()
{
	grep -cE -- "$1" "$LOG" || true
}

# log_line REGEX: the last matching line.
log_line()
{
	grep -E -- "$1" "$LOG" | tail -n 1
}

# log_field KEY LINE: the value of a field without blanks.
log_field()
{
	[[ " $2" =~ [[:space:]]$1=([^[:space:]]*) ]] || return
	echo "${BASH_REMATCH[1]}"
}

# port_of SERVICE [N]: the port of its N-th tcp listener (from 1) that is bound.
port_of()
{
	local addr
	addr=$(address_of "$@") || return
	echo "${addr##*:}"
}

# address_of SERVICE [N]: the same, as the log writes it.
address_of()
{
	local line
	line=$(grep -E "(^| )listen service=\"?$1\"? addr=\"?tcp" "$LOG" |
		sed -n "${2:-1}p")
	line=${line#*addr=}
	line=${line%% *}
	line=${line//\"/}
	[[ -n $line ]] || fail "no listener $*" || return
	echo "$line"
}

frontend_pid()
{
	pgrep -P "$MINETD_PID" -f '^minetd: frontend' | head -n 1
}

# The handlers that run now.
handler_pids()
{
	local pid front
	front=$(frontend_pid)
	for pid in $(children_of "$MINETD_PID"); do
		[[ $pid == "$front" ]] || echo "$pid"
	done
}
