#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
#
# git daemon --inetd and real git clients.

load ../lib/daemon

bats_require_minimum_version 1.5.0

setup()
{
	daemon_setup
	need git || return
	[[ -x $(git --exec-path)/git-daemon ]] ||
		skip_or_fail "needs git daemon" || return
	# Neither the machine's configuration nor the user's.
	unset "${!GIT_@}"
	export HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME=$BATS_TEST_TMPDIR
	export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
	git config --global user.name tester
	git config --global user.email tester@localhost
	git config --global init.defaultBranch trunk
	dir=$(public_dir)
	mine=$BATS_TEST_TMPDIR/mine
	git init -q "$mine"
	head -c 1000000 /dev/urandom >"$mine/large"
	commit "$mine" first
	git clone -q --bare "$mine" "$dir/project.git"
	# The program refuses the repositories of others.
	if ((EUID == 0)); then
		chown -R nobody "$dir/project.git"
	fi
	conf <<-END
		service "git" {
			listen = "tcp://127.0.0.1:0"
			exec = {"$(type -P git)", "daemon", "--inetd",
			    "--export-all", "--base-path=$dir",
			    "--enable=receive-pack"}
		}
	END
	start_minetd
	url=git://127.0.0.1:$(port_of git)
}

# commit REPOSITORY TEXT: one more, with all that is there.
commit()
{
	echo "$2" >>"$1/story"
	git -C "$1" add -A
	git -C "$1" commit -q -m "$2"
}

head_of()
{
	git -C "$1" rev-parse "${2:-HEAD}"
}

# As its owner, for git tells a stranger nothing.
on_server()
{
	git -c "safe.directory=*" --git-dir="$dir/project.git" "$@"
}

@test "a repository is cloned from git daemon, every object intact" {
	timeout 20 git clone -q "$url/project.git" "$BATS_TEST_TMPDIR/copy"
	assert_eq "$(head_of "$mine")" "$(head_of "$BATS_TEST_TMPDIR/copy")"
	assert_same <(sha256sum <"$mine/large") \
		<(sha256sum <"$BATS_TEST_TMPDIR/copy/large")
	git -C "$BATS_TEST_TMPDIR/copy" fsck --strict
	wait_log 'exit service=git .* status=0 '
}

@test "what is pushed through git daemon is fetched by another" {
	local copy=$BATS_TEST_TMPDIR/copy
	timeout 20 git clone -q "$url/project.git" "$copy"
	commit "$mine" second
	timeout 20 git -C "$mine" push -q "$url/project.git" HEAD:trunk
	assert_eq "$(head_of "$mine")" \
		"$(on_server rev-parse refs/heads/trunk)" "the server's"
	on_server fsck --strict
	[[ $(head_of "$copy" origin/trunk) != "$(head_of "$mine")" ]]
	timeout 20 git -C "$copy" fetch -q
	assert_eq "$(head_of "$mine")" "$(head_of "$copy" origin/trunk)"
}

@test "eight git clients at once get the same repository" {
	local n pid pids=()
	for n in {1..8}; do
		start_process timeout 20 git clone -q "$url/project.git" \
			"$BATS_TEST_TMPDIR/copy.$n"
		pids+=("$STARTED_PID")
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	for n in {1..8}; do
		assert_eq "$(head_of "$mine")" \
			"$(head_of "$BATS_TEST_TMPDIR/copy.$n")"
		cmp "$mine/large" "$BATS_TEST_TMPDIR/copy.$n/large"
	done
}

@test "git daemon refuses what is not there, and serves the next" {
	run timeout 20 git ls-remote "$url/nothing.git"
	((status != 0))
	assert_match 'not exported|not found|no such' "$output"
	run -0 timeout 20 git ls-remote "$url/project.git" refs/heads/trunk
	assert_match "^$(head_of "$mine")" "$output"
}
