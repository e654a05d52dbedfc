#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# busybox httpd -i and real curl clients.

load ../lib/daemon

bats_require_minimum_version 1.5.0

setup()
{
	local busybox
	daemon_setup
	need curl || return
	# Alpine keeps httpd in a binary of its own.
	for busybox in busybox busybox-extras ''; do
		type -P "$busybox" >/dev/null || continue
		"$busybox" httpd --help >/dev/null 2>&1 && break
	done
	[[ -n $busybox ]] || skip_or_fail "needs busybox httpd" || return
	dir=$(public_dir)
	mkdir -p "$dir/www/cgi-bin"
	echo "front page" >"$dir/www/index.html"
	conf <<-END
		service "http" {
			listen = {"tcp://127.0.0.1:0", "unix://$dir/http"}
			exec = {"$(type -P "$busybox")", "httpd", "-i",
			    "-c", "/dev/null", "-h", "$dir/www"}
		}
	END
	start_minetd
	url=http://127.0.0.1:$(port_of http)
}

get()
{
	curl -q -sS --noproxy '*' --max-time 10 "$@"
}

# Whether so many handlers have ended.
all_ended()
{
	(($(count_log 'exit service=http ') == $1))
}

@test "curl gets a file from busybox httpd, whole" {
	head -c 3000000 /dev/urandom >"$dir/www/large"
	get -o "$BATS_TEST_TMPDIR/large" "$url/large"
	cmp "$dir/www/large" "$BATS_TEST_TMPDIR/large"
	wait_log 'exit service=http '
}

@test "busybox httpd has the page that is there and not the other" {
	assert_eq "front page" "$(get -f "$url/")"
	assert_eq 404 "$(get -o /dev/null -w '%{http_code}' "$url/nothing")"
}

@test "twenty curl clients at once get twenty right bodies" {
	local n pid pids=()
	for n in {1..20}; do
		head -c "$((n * 20000))" /dev/urandom >"$dir/www/file.$n"
	done
	for n in {1..20}; do
		start_process curl -q -fsS --noproxy '*' --max-time 20 \
			-o "$BATS_TEST_TMPDIR/file.$n" "$url/file.$n"
		pids+=("$STARTED_PID")
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for n in {1..20}; do
		cmp "$dir/www/file.$n" "$BATS_TEST_TMPDIR/file.$n"
	done
	wait_until 5 all_ended 20
}

@test "thirty requests one after the other are all answered" {
	local n
	for n in {1..30}; do
		assert_eq "front page" "$(get -f "$url/")" "answer $n"
	done
	wait_until 5 all_ended 30
}

@test "a program behind busybox httpd reads a body and knows the client" {
	local answer
	cat >"$dir/www/cgi-bin/who" <<-'END'
		#!/bin/sh
		printf 'Content-Type: text/plain\r\n\r\n'
		echo "$REMOTE_ADDR says $(head -c "$CONTENT_LENGTH")"
	END
	chmod 755 "$dir/www/cgi-bin/who"
	answer=$(get -f --data-binary 'good morning' "$url/cgi-bin/who")
	assert_match '^127\.0\.0\.1(:[0-9]+)? says good morning$' "$answer"
}

@test "busybox httpd answers on a unix socket as well" {
	assert_eq "front page" \
		"$(get -f --unix-socket "$dir/http" http://localhost/)"
}
