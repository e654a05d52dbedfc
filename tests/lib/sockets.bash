# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash
# shellcheck disable=SC2034	# what the tests read: START_WITH

# Listening sockets of every kind, as the kernel and the log have them.

# inode_of tcp|udp PORT, or inode_of unix PATH|@NAME: of each such socket that
# is bound there.  It does not change with the socket's owners.
inode_of()
{
	local port
	printf -v port ':%04X' "$2" 2>/dev/null || port=
	case $1 in
	tcp) awk -v port="$port" '$4 == "0A" && $2 ~ port "$" { print $10 }' \
		/proc/net/tcp /proc/net/tcp6 ;;
	udp) awk -v port="$port" '$4 == "07" && $2 ~ port "$" { print $10 }' \
		/proc/net/udp /proc/net/udp6 ;;
	unix) awk -v path="$2" '$8 == path && ($4 == "00010000" ||
		$5 == "0002") { print $7 }' /proc/net/unix ;;
	esac
}

# listen_line SERVICE [N]: the N-th line of the log about a listener of it.
listen_line()
{
	grep -E "(^| )listen service=\"?$1\"? " "$LOG" | sed -n "${2:-1}p"
}

# bound_at SERVICE [N]: the address of its N-th listener; of an inherited one,
# what it really is.
bound_at()
{
	local line
	line=$(listen_line "$@")
	log_field local "$line" || log_field addr "$line"
}

# bound_port SERVICE [N]
bound_port()
{
	local at
	at=$(bound_at "$@")
	echo "${at##*:}"
}

# handed_down [-n NAMES] [OPTION...] SOCKET...: the next daemon inherits these;
# see tests/bin/handdown.c.
handed_down()
{
	START_WITH=("$TESTBIN/handdown" "$@" --)
}

# main_has INODE: main has this socket open.
main_has()
{
	local link
	for link in "/proc/$MINETD_PID/fd/"*; do
		[[ $(readlink "$link") == "socket:[$1]" ]] && return
	done
	return 1
}

# more_upgrades THAN: whether so many have ended.
more_upgrades()
{
	(($(count_log 'upgrade result=') > $1))
}

# upgrade: to the same binary, and wait until it serves.
upgrade()
{
	local before
	before=$(count_log 'upgrade result=')
	kill -USR2 "$MINETD_PID"
	wait_until 10 more_upgrades "$before" || fail "no result" || return
	assert_match 'upgrade result=ok ' "$(log_line 'upgrade result=')"
}
