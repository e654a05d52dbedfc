#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# rsync --daemon, which sees by the socket on its stdin that it was started by
# a super-server, and real rsync clients.

load ../lib/daemon

bats_require_minimum_version 1.5.0

setup()
{
	daemon_setup
	need rsync sha256sum || return
	unset RSYNC_PROXY RSYNC_CONNECT_PROG RSYNC_PASSWORD
	dir=$(public_dir)
	mkdir "$dir/tree" "$dir/incoming"
	plant "$dir/tree"
	if ((EUID == 0)); then
		chown nobody "$dir/incoming"
	fi
	cat >"$dir/rsyncd.conf" <<-END
		log file = /dev/null
		use chroot = no
		munge symlinks = no
		[tree]
		path = $dir/tree
		[incoming]
		path = $dir/incoming
		read only = no
		[elsewhere]
		path = $dir/tree
		hosts allow = 192.0.2.1
	END
	conf <<-END
		service "rsync" {
			listen = "tcp://127.0.0.1:0"
			exec = {"$(type -P rsync)", "--daemon",
			    "--config=$dir/rsyncd.conf"}
		}
	END
	start_minetd
	url=rsync://127.0.0.1:$(port_of rsync)
}

# Fill a directory with what a transfer may get wrong.
plant()
{
	local n
	mkdir -p "$1/a/b/c" "$1/hollow" "$1/many"
	head -c 3000000 /dev/urandom >"$1/a/large"
	: >"$1/a/b/empty"
	printf 'no newline' >"$1/a/b/c/short"
	printf 'x' >"$1/a/na me;\$(*)"
	ln -s b/c/short "$1/a/link"
	for n in {1..100}; do
		echo "$n" >"$1/many/$n"
	done
}

# Every name, and the checksum of every content.
sums()
{
	(
		cd "$1" || exit
		find . | LC_ALL=C sort
		readlink a/link
		find . -type f -exec sha256sum {} + | LC_ALL=C sort
	)
}

sync()
{
	rsync --recursive --links --times --contimeout=10 --timeout=10 "$@"
}

same_tree()
{
	assert_same <(sums "$1") <(sums "$2")
}

@test "a tree comes down from rsync --daemon as it is" {
	sync "$url/tree/" "$BATS_TEST_TMPDIR/down"
	same_tree "$dir/tree" "$BATS_TEST_TMPDIR/down"
	wait_log 'exit service=rsync .* status=0 '
}

@test "a tree goes up to rsync --daemon as it is, and changes follow" {
	local tree=$BATS_TEST_TMPDIR/mine
	mkdir "$tree"
	plant "$tree"
	sync "$tree/" "$url/incoming"
	same_tree "$tree" "$dir/incoming"

	head -c 100 /dev/urandom |
		dd of="$tree/a/large" bs=1 seek=1000000 conv=notrunc status=none
	rm -r "$tree/many"
	sync --delete --checksum --itemize-changes "$tree/" "$url/incoming" \
		>"$BATS_TEST_TMPDIR/changes"
	grep -q ' a/large$' "$BATS_TEST_TMPDIR/changes"
	same_tree "$tree" "$dir/incoming"
	assert_eq '' "$(sync --delete --checksum --itemize-changes "$tree/" \
		"$url/incoming")" "what is left to do"
}

@test "ten rsync clients at once get the same tree" {
	local n pid pids=()
	for n in {1..10}; do
		start_process rsync --recursive --links --times --timeout=20 \
			"$url/tree/" "$BATS_TEST_TMPDIR/down.$n"
		pids+=("$STARTED_PID")
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for n in {1..10}; do
		same_tree "$dir/tree" "$BATS_TEST_TMPDIR/down.$n"
	done
}

@test "rsync --daemon applies its own rules to the real address" {
	sync "$url/tree/many/1" "$BATS_TEST_TMPDIR/one"
	assert_eq 1 "$(<"$BATS_TEST_TMPDIR/one")"
	run -5 sync "$url/elsewhere/many/1" "$BATS_TEST_TMPDIR/two"
	assert_match 'access denied' "$output"
	[[ ! -e $BATS_TEST_TMPDIR/two ]]
}

@test "the status of rsync --daemon is in the log when it refused a write" {
	run sync "$dir/rsyncd.conf" "$url/tree/new"
	((status != 0))
	[[ ! -e $dir/tree/new ]]
	wait_log 'exit service=rsync .* status=1 '
}
