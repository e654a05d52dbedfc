#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

bats_require_minimum_version 1.5.0
load ../lib/daemon

# failing NAME EXEC KEYS: a service that cannot start, and one that can.
failing()
{
	conf "service \"bad\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$1\"} ${2:-} }
	service \"echo\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"/bin/cat\"} }"
	start_minetd
}

# fails STEP ERROR STATUS: the client sees EOF, the log says why, others serve.
fails()
{
	assert_eq '' "$(dial -t 1 "tcp://127.0.0.1:$(port_of bad)")"
	wait_log "spawn_failed service=bad step=$1 error=\"?$2"
	wait_log "exit service=bad id=1 .* status=$3 signal=0 "
	assert_eq hello "$(talk echo hello)"
}

@test "a missing program is 127" {
	failing /nonexistent/program
	fails exec 'No such file' 127
}

@test "a path through a file is 127" {
	failing /etc/passwd/program
	fails exec 'Not a directory' 127
}

@test "a program that is not executable is 126" {
	local file
	file=$(public_dir)/plain
	echo text >"$file"
	chmod 644 "$file"
	failing "$file"
	fails exec 'Permission denied' 126
}

@test "a directory is 126" {
	failing /usr
	fails exec 'Permission denied' 126
}

@test "a text without #! is 126, with a hint" {
	local file
	file=$(script text <<-'END'
	just words
	END
	)
	failing "$file"
	fails exec 'Exec format error' 126
	assert_match 'hint="no #! line' "$(log_line spawn_failed)"
}

@test "a script whose interpreter is missing is 127, with a hint" {
	local file
	file=$(script bad <<-'END'
	#!/nonexistent/interpreter
	END
	)
	failing "$file"
	fails exec 'No such file' 127
	assert_match 'hint="the interpreter' "$(log_line spawn_failed)"
}

@test "a loop of links is 126" {
	ln -s loop "$(public_dir)/loop"
	failing "$(public_dir)/loop"
	fails exec 'Too many levels' 126
}

@test "a directory that is not there is 125, and no program runs" {
	failing /bin/true 'directory = "/nonexistent"'
	fails directory 'No such file' 125
}

@test "a directory that the user may not enter is 125" {
	need_root
	mkdir -m 700 "$(public_dir)/private"
	failing /bin/true "directory = \"$(public_dir)/private\""
	fails directory 'Permission denied' 125
}

@test "a chroot that is not there is 125" {
	need_root
	failing /bin/true 'chroot = "/nonexistent"'
	fails chroot 'No such file' 125
}

@test "a stderr file that cannot be opened is 125" {
	failing /bin/true 'stderr = "file:/nonexistent/file"'
	fails stderr 'No such file' 125
}

@test "a stderr that is a fifo without a reader does not hang" {
	mkfifo -m 666 "$(public_dir)/fifo"
	failing /bin/true "stderr = \"file:$(public_dir)/fifo\""
	fails stderr '.' 125
}

@test "a program that is being written is tried again" {
	need strace
	local busy
	busy=$(public_bin probe)
	conf "service \"busy\" { listen = {\"tcp://127.0.0.1:0\"} exec = {\"$busy\", \"exit\", \"7\"} }"
	# The kernel says so three times.  No sanitiser can be traced as well.
	START_WITH=(env ASAN_OPTIONS=detect_leaks=0 strace -D -f -qq -P "$busy"
		-e trace=execve -e 'inject=execve:error=ETXTBSY:when=1..3'
		-o "$BATS_TEST_TMPDIR/trace")
	start_minetd
	talk busy
	wait_log 'exit service=busy id=1 .* status=7 '
	assert_eq 3 "$(grep -c INJECTED "$BATS_TEST_TMPDIR/trace")"
	assert_eq 0 "$(count_log spawn_failed)"
}

@test "a program that stays busy is 126" {
	local busy
	busy=$(public_dir)/busy
	cp "$(public_bin probe)" "$busy"
	chmod 755 "$busy"
	exec {writer}>>"$busy"
	failing "$busy"
	fails exec 'Text file busy' 126
	exec {writer}>&-
}

@test "failures that follow each other are a few lines" {
	failing /nonexistent/program 'log_connections = no'
	dial -c 6 -t 20 "tcp://127.0.0.1:$(port_of bad)"
	wait_log 'spawn_failed service=bad'
	assert_eq 1 "$(count_log 'spawn_failed service=bad')"
	assert_eq 1 "$(count_log throttle)"
	assert_eq hello "$(talk echo hello)"
}
