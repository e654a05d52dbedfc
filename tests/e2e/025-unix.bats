#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# Sockets in the file system: who may use them, and whose they are to remove.

bats_require_minimum_version 1.5.0
load ../lib/daemon

setup()
{
	daemon_setup
	dir=$(public_dir)
	path=$dir/socket
}

# serve [KEYS]: a service on $path, which answers "served", and another.
serve()
{
	conf <<-END
	service "local" { listen = {"unix://$path"} exec = {"/bin/echo", "served"}
		${1:-} }
	service "echo" { listen = {"tcp://127.0.0.1:0"} exec = {"/bin/cat"} }
	END
}

served()
{
	[[ $(dial "unix://$path") == served ]]
}

degraded()
{
	wait_log 'degraded service=local'
	# The rest is served.
	assert_eq hello "$(talk echo hello)"
}

inode_of()
{
	stat -c %i "$1"
}

@test "a socket is made for all, and removed at the end" {
	serve
	start_minetd
	assert_eq "666 socket" "$(stat -c '%a %F' "$path")"
	served
	stop_minetd
	[[ ! -e $path ]]
	assert_eq '' "$(ls -A "$dir")" "what is left"
}

@test "socket_mode, socket_user and socket_group are the socket's" {
	need_root
	serve 'socket_mode = "0620" socket_user = "daemon" socket_group = "bin"'
	start_minetd
	assert_eq "620 daemon bin" "$(stat -c '%a %U %G' "$path")"
	served
}

@test "socket_mode keeps others out, and lets those in that it means" {
	need_root
	need setpriv
	local client
	client=$(public_bin dial)
	serve 'socket_mode = "0660" socket_group = "bin"'
	start_minetd
	assert_eq served "$(setpriv --reuid nobody --regid bin --clear-groups \
		"$client" "unix://$path")"
	run setpriv --reuid nobody --regid nogroup --clear-groups \
		"$client" "unix://$path"
	assert_eq 1 "$status" "the status of dial"
}

@test "a socket of all is everybody's" {
	need_root
	need setpriv
	local client
	client=$(public_bin dial)
	serve
	start_minetd
	assert_eq served "$(setpriv --reuid nobody --regid nogroup \
		--clear-groups "$client" "unix://$path")"
}

@test "a socket that a killed daemon left behind is replaced" {
	serve
	start_minetd
	kill -KILL "$MINETD_PID"
	wait_until 5 gone "$MINETD_PID"
	[[ -S $path ]]
	start_minetd
	served
}

@test "a socket that another daemon serves is left alone" {
	serve
	start_minetd
	local first=$MINETD_PID inode
	inode=$(inode_of "$path")
	start_minetd
	degraded
	assert_eq "$inode" "$(inode_of "$path")" "the inode"
	served
	stop_minetd
	[[ -S $path ]]
	served
	alive "$first"
}

@test "a socket is served once the daemon that had it is gone" {
	serve
	start_minetd
	local first=$MINETD_PID
	start_minetd
	degraded
	kill "$first"
	wait_log 'listen service=local' 12
	served
}

@test "a file in the place of the socket is left alone" {
	echo precious >"$path"
	serve
	start_minetd
	degraded
	assert_eq precious "$(<"$path")"
	stop_minetd
	assert_eq precious "$(<"$path")"
}

@test "a link in the place of the socket is not followed" {
	ln -s "$dir/elsewhere" "$path"
	serve
	start_minetd
	degraded
	[[ -L $path && ! -e $dir/elsewhere ]]
}

@test "what has taken the socket's place is not removed at the end" {
	serve
	start_minetd
	rm "$path"
	echo mine >"$path"
	stop_minetd
	assert_eq mine "$(<"$path")"
}

@test "a directory that others may write is not trusted, but with a sticky bit" {
	need_root
	chmod 777 "$dir"
	serve
	start_minetd
	degraded
	stop_minetd
	chmod 1777 "$dir"
	start_minetd
	served
}

@test "a directory that is missing degrades, until it is there" {
	rmdir "$dir"
	serve
	start_minetd
	degraded
	mkdir "$dir"
	wait_log 'listen service=local' 12
	served
}

# A path of that many bytes.
path_of_length()
{
	path=$dir/$(printf '%0*d' $(($1 - 1 - ${#dir})) 0)
	assert_eq "$1" "${#path}" "the length"
}

@test "a path of 107 bytes works" {
	path_of_length 107
	serve
	start_minetd
	served
}

@test "a path of 108 bytes is an error of the configuration" {
	path_of_length 108
	serve
	refuse_minetd
	assert_eq 78 "$MINETD_STATUS" "the status"
}

@test "clients that wait are served when the frontend is replaced" {
	serve
	start_minetd
	local i front
	front=$(frontend_pid)
	kill -STOP "$front"
	for i in 1 2 3; do
		start_process "$TESTBIN/dial" -o "$BATS_TEST_TMPDIR/out.$i" \
			"unix://$path"
	done
	kill -KILL "$front"
	for i in 1 2 3; do
		wait_until 10 grep -qsx served "$BATS_TEST_TMPDIR/out.$i"
	done
}
