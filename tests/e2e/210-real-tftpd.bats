#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# in.tftpd of tftp-hpa, which takes the socket and stays for a while, and real
# tftp clients.

bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/sockets

setup()
{
	daemon_setup
	need_root || return
	need tftp in.tftpd sha256sum || return
	dir=$(public_dir)
	mkdir "$dir/boot"
	chown nobody "$dir/boot"
	# It waits for so many seconds for the next request.
	stay=20
}

serve()
{
	conf <<-END
		service "tftp" {
			listen = "udp://127.0.0.1:0"
			exec = {"$(type -P in.tftpd)", "--user", "nobody",
			    "--timeout", "$stay", "--create", "--secure",
			    "$dir/boot"}
			user = "root"
			wait = yes
			log_connections = "verbose"
		}
	END
	start_minetd
	port=$(bound_port tftp)
}

# tftp_do COMMAND FILE [NAME]: in the directory of the test.
tftp_do()
{
	(
		cd "$BATS_TEST_TMPDIR" || exit
		timeout 20 tftp 127.0.0.1 "$port" -m binary -c "$@"
	)
}

same()
{
	assert_eq "$(sha256sum <"$1")" "$(sha256sum <"$2")" "the content"
}

@test "tftp gets a file of many blocks from in.tftpd, whole" {
	serve
	head -c 700001 /dev/urandom >"$dir/boot/image"
	chmod 644 "$dir/boot/image"
	tftp_do get image down
	same "$dir/boot/image" "$BATS_TEST_TMPDIR/down"
}

@test "tftp puts a file to in.tftpd, whole" {
	serve
	head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/up"
	tftp_do put up stored
	same "$BATS_TEST_TMPDIR/up" "$dir/boot/stored"
}

@test "a tftp client is told of a file that is not there" {
	serve
	assert_match 'File not found' "$(tftp_do get nothing down 2>&1)"
}

@test "one in.tftpd serves several clients at once" {
	local n pids=()
	serve
	for n in 1 2 3 4 5; do
		head -c 300000 /dev/urandom >"$dir/boot/image.$n"
		chmod 644 "$dir/boot/image.$n"
	done
	for n in 1 2 3 4 5; do
		tftp_do get "image.$n" "down.$n" &
		pids+=($!)
	done
	wait "${pids[@]}"
	for n in 1 2 3 4 5; do
		same "$dir/boot/image.$n" "$BATS_TEST_TMPDIR/down.$n"
	done
	assert_eq 1 "$(count_log 'start service=tftp ')" "handlers"
}

@test "when in.tftpd has gone, the next request starts another" {
	stay=1
	serve
	echo one >"$dir/boot/one"
	tftp_do get one down
	wait_log 'exit service=tftp .*status=0' 10
	rm "$BATS_TEST_TMPDIR/down"
	tftp_do get one down
	assert_eq one "$(<"$BATS_TEST_TMPDIR/down")"
	assert_eq 2 "$(count_log 'start service=tftp ')" "handlers"
	assert_eq 0 "$(count_log 'throttle ')"
}

@test "a reload does not come between in.tftpd and its clients" {
	local pid
	serve
	head -c 3000000 /dev/urandom >"$dir/boot/image"
	chmod 644 "$dir/boot/image"
	tftp_do get image down &
	pid=$!
	wait_log 'start service=tftp '
	reload
	wait "$pid"
	same "$dir/boot/image" "$BATS_TEST_TMPDIR/down"
	tftp_do get image again
	same "$dir/boot/image" "$BATS_TEST_TMPDIR/again"
	assert_eq 1 "$(count_log 'start service=tftp ')" "handlers"
}
