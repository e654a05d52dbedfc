#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# sshd -i and real ssh and sftp clients.
#
# sshd logs in the user who runs the tests: root by a root's daemon, any other
# user only by a daemon of that user.

load ../lib/daemon

bats_require_minimum_version 1.5.0

setup()
{
	local as=''
	daemon_setup
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	need sshd ssh sftp ssh-keygen || return
	unset "${!SSH_@}"
	dir=$BATS_TEST_TMPDIR/ssh
	mkdir -m 755 "$dir"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/mine"
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/stranger"
	cp "$dir/mine.pub" "$dir/authorized"
	# The strict modes are for keys in a home directory.
	cat >"$dir/sshd_config" <<-END
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized
		StrictModes no
		PasswordAuthentication no
		Subsystem sftp internal-sftp
	END
	# The name under which the host is known stands for any port.
	echo "under-test $(<"$dir/host.pub")" >"$dir/known"
	cat >"$dir/ssh_config" <<-END
		Host under-test
		Hostname 127.0.0.1
		User $(id -un)
		UserKnownHostsFile $dir/known
		GlobalKnownHostsFile /dev/null
		HostKeyAlias under-test
		StrictHostKeyChecking yes
		IdentityAgent none
		IdentitiesOnly yes
		BatchMode yes
		ConnectTimeout 10
		LogLevel ERROR
	END
	if ((EUID == 0)); then
		as='user = "root"'
		suit_sshd || return
	fi
	conf <<-END
		service "ssh" {
			listen = "tcp://127.0.0.1:0"
			exec = {"$(type -P sshd)", "-i", "-f",
			    "$dir/sshd_config", "-E", "$dir/sshd.log"}
			$as
		}
	END
	start_minetd
	port=$(port_of ssh)
}

teardown()
{
	local status=0
	daemon_teardown || status=1
	if [[ -z $BATS_TEST_COMPLETED && -e $dir/sshd.log ]]; then
		echo "--- sshd.log"
		cat "$dir/sshd.log"
	fi
	return "$status"
}

# What a root's sshd asks of a machine, where the machine does not have it: the
# empty directory that only the start of the system's own sshd makes, and an
# account that is not locked.  In a mount namespace that ends with the daemon.
suit_sshd()
{
	local said empty='' shadow=''
	if ! said=$(sshd -t -f "$dir/sshd_config" 2>&1); then
		[[ $said =~ 'separation directory: '(/[^[:space:]]+) ]] ||
			fail "sshd: $said" || return
		empty=${BASH_REMATCH[1]}
	fi
	if [[ $(getent shadow root) == root:!* ]]; then
		shadow=$dir/shadow
		echo 'root:*:::::::' >"$shadow"
	fi
	[[ -n $empty$shadow ]] || return 0
	own_mounts || return
	# shellcheck disable=SC2016	# for the inner shell
	START_WITH=("${OWN_MOUNTS[@]}" sh -ec '
		if [ -n "$1" ]; then
			mount -t tmpfs -o mode=755 none "${1%/*}"
			mkdir -m 755 "$1"
		fi
		if [ -n "$2" ]; then
			mount --bind "$2" /etc/shadow
		fi
		shift 2
		exec "$@"' sh "$empty" "$shadow")
}

# client PROGRAM [ARGUMENT...]: ssh or sftp, with the right key unless KEY
# names another.
client()
{
	timeout 20 "$1" -F "$dir/ssh_config" -o "Port=$port" \
		-i "$dir/${KEY:-mine}" "${@:2}"
}

@test "sshd -i runs a command: its input, outputs and status" {
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	client ssh under-test cat <"$BATS_TEST_TMPDIR/in" \
		>"$BATS_TEST_TMPDIR/out"
	assert_same <(sha256sum <"$BATS_TEST_TMPDIR/in") \
		<(sha256sum <"$BATS_TEST_TMPDIR/out")

	run -7 client ssh under-test 'echo heard >&2; exit 7' \
		2>"$BATS_TEST_TMPDIR/err"
	assert_match heard "$output"

	wait_log 'exit service=ssh id=2 '
}

@test "sshd -i knows both ends of the connection" {
	local line
	# shellcheck disable=SC2016	# for the remote shell
	line=$(client ssh under-test 'echo "$SSH_CONNECTION"')
	assert_match "^127\.0\.0\.1 [0-9]+ 127\.0\.0\.1 $port\$" "$line"
	wait_log "exit service=ssh .*127\.0\.0\.1:$(cut -d' ' -f2 <<<"$line")"
}

@test "a file goes through sshd -i by sftp, up and down again" {
	local far=$BATS_TEST_TMPDIR/far
	mkdir "$far"
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/up"
	cat >"$BATS_TEST_TMPDIR/batch" <<-END
		put $BATS_TEST_TMPDIR/up $far/there
		rename $far/there $far/moved
		get $far/moved $BATS_TEST_TMPDIR/down
	END
	client sftp -b "$BATS_TEST_TMPDIR/batch" under-test
	[[ ! -e $far/there ]]
	assert_same <(sha256sum <"$BATS_TEST_TMPDIR/up") \
		<(sha256sum <"$far/moved")
	assert_same <(sha256sum <"$BATS_TEST_TMPDIR/up") \
		<(sha256sum <"$BATS_TEST_TMPDIR/down")
}

@test "sshd -i refuses a key it does not know, and serves the next" {
	KEY=stranger run -255 client ssh under-test echo in
	assert_match 'Permission denied' "$output"
	KEY=mine run -0 client ssh under-test echo in
	assert_eq in "$output"
}

# session N: in the background, it leaves N in a file.
session()
{
	start_process timeout 20 ssh -n -F "$dir/ssh_config" -o "Port=$port" \
		-i "$dir/mine" under-test "echo $1 >$BATS_TEST_TMPDIR/said.$1"
}

# A session that went well ends with status 255 too: no sign of a crash.
@test "twelve ssh sessions in a row of six at once are all served" {
	local from n pid pids
	for from in 10 16; do
		pids=()
		for ((n = from; n < from + 6; n++)); do
			session "$n"
			pids+=("$STARTED_PID")
		done
		for pid in "${pids[@]}"; do
			wait "$pid"
		done
	done
	assert_eq "$(seq 10 21)" "$(cat "$BATS_TEST_TMPDIR/said."*)"
}
