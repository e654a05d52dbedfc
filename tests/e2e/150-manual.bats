#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors

# The manual is the specification: what it lists is all there is, and what it
# shows works when it is typed in.

bats_require_minimum_version 1.5.0

load ../lib/daemon.bash
load ../lib/sockets
load ../lib/udp

ROOT=$BATS_TEST_DIRNAME/../..
MAN=$ROOT/man

# The text of literal blocks in mdoc, as it is shown.
unescape()
{
	sed -e 's/\\e/\\/g' -e 's/\\-/-/g' -e 's/\\&//g'
}

# example NAME LANGUAGE: the literal block behind the comment of that name.
example()
{
	cat "$MAN"/minetd* | sed -n "/^\\.\\\\\" example: $1 $2\$/,/^\\.Ed\$/p" |
		sed '/^\./d' | unescape
}

# examples LANGUAGE: the names of all examples in it.
examples()
{
	sed -n "s/^\\.\\\\\" example: \\([^ ]*\\) $1\$/\\1/p" "$MAN"/minetd*
}

# items PAGE [SECTION]: what stands in the list items of a page.
items()
{
	sed -n "/^\\.Sh ${2-}/,\${${2:+/^\\.Sh $2/!{/^\\.Sh /q;\};}s/^\\.It Ic //p;}" \
		"$MAN/$1" | sort -u
}

# verbs_of FUNCTION N: up to N words among the arguments of each of its calls
# in the sources.
verbs_of()
{
	local call
	cat "$ROOT"/src/{base,main,frontend}/*.c | tr '\n' ' ' |
		grep -oE "\\b$1\\([^;]*;" |
		while IFS= read -r call; do
			grep -oE '"[a-z_]+"' <<<"$call" | head -n "$2" || true
		done | tr -d '"'
}

# serve_example NAME: start minetd with the service of that example, whose
# program was made before.  Only places and the user are others here.
serve_example()
{
	local dir
	dir=$(public_dir)
	chmod 1777 "$dir"
	example "$1" conf | sed -e 's|tcp://\*:[0-9]*|tcp://127.0.0.1:0|' \
		-e "s|/usr/local/libexec|$dir|" -e "s|/run/|$dir/|" \
		-e "s|/var/log/[a-z]*/|$dir/|" -e '/^\tuser = /d' | conf
	start_minetd
}

@test "each option stands in minetd(8), and no other" {
	run -0 --separate-stderr "$MINETD" -h
	wanted=$(sed -n 's/^  -\(.\) .*/\1/p' <<<"$output" | sort)
	assert_eq "$wanted" \
		"$(sed -n 's/^\.It Fl \(.\).*/\1/p' "$MAN/minetd.8" | sort)"
}

@test "the options of minetd(8) stand in the order of the help" {
	run -0 --separate-stderr "$MINETD" -h
	assert_eq "$(sed -n 's/^  -\(.\) .*/\1/p' <<<"$output")" \
		"$(sed -n 's/^\.It Fl \(.\).*/\1/p' "$MAN/minetd.8")"
}

@test "the signals of minetd(8) stand in the order of the switch" {
	wanted=$(sed -n '/^signal_obey(/,/^}/s/.*case \(SIG[A-Z0-9]*\):/\1/p' \
		"$ROOT/src/main/run.c")
	assert_match SIGTERM "$wanted"
	assert_eq "$wanted" \
		"$(sed -n 's/^\.It Dv \(SIG.*\)/\1/p' "$MAN/minetd.8")"
}

@test "each verb of the log stands in DIAGNOSTICS, and no other" {
	wanted=$({
		verbs_of log_begin 2	# one of two, in some
		verbs_of logtext_begin 1
		verbs_of log_message 1
	} | sort -u)
	assert_match listen "$wanted"
	assert_eq "$wanted" "$(items minetd.8 DIAGNOSTICS)"
}

@test "each step of a failed start stands in DIAGNOSTICS" {
	steps=$(sed -n 's/.*\[CHILD_[A-Z_]*\] = "\(.*\)",/\1/p' \
		"$ROOT/src/main/child.c" | grep -vx 'done')
	assert_match exec "$steps"
	for step in $steps; do
		grep -q "^\\.It Ql $step\$" "$MAN/minetd.8" || fail "$step"
	done
}

@test "each key stands in minetd.conf(5), and no other" {
	wanted=$(sed -nE -e 's/.*\{ "([a-z_0-9]+)", KEY_IN.*/\1/p' \
		-e 's/.*LIMIT(_SIZE)?\("([a-z]+)".*/\2/p' \
		"$ROOT/src/conf/key.c" | sort -u)
	assert_match exec "$wanted"
	assert_eq "$wanted" "$(items minetd.conf.5)"
}

@test "each variable of a handler stands in minetd-handler(7)" {
	env_bin=$(type -P env)
	conf <<-CONF
	service "net" {
		listen = "tcp://127.0.0.1:0"
		exec = "$env_bin"
	}
	service "local" {
		listen = "unix://$BATS_TEST_TMPDIR/socket"
		exec = "$env_bin"
	}
	service "udp" {
		listen = "udp://127.0.0.1:0"
		exec = "$env_bin"
	}
	service "proxied" {
		listen = "tcp://127.0.0.1:0"
		exec = "$env_bin"
		proxy_protocol = "required"
		proxy_from = "127.0.0.1"
	}
	CONF
	start_minetd
	variables=$({
		talk net
		talk proxied $'PROXY TCP4 192.0.2.1 192.0.2.2 5 6\r\n'
		client "$(bound_port udp)" <<<'print(ask(peer(), b"").decode(), end="")'
		dial "unix://$BATS_TEST_TMPDIR/socket"
		# Few machines can connect to themselves this way.
		printf '%s=\n' VSOCKREMOTECID VSOCKREMOTEPORT
	} | sed 's/=.*//' | sort -u)
	documented=$(sed -n '/^\.Ss Environment/,/^\.Ss Process/s/^\.It Ev //p' \
		"$MAN/minetd-handler.7" | sed 's/ , /\n/g' | sort -u)
	assert_match UNIXREMOTEUID "$variables"
	assert_eq "$documented" "$variables"
}

@test "the example of each key is accepted" {
	need_root
	awk -v dir="$BATS_TEST_TMPDIR" '
		/^\.Sh / { top = /TOP LEVEL/ }
		/^\.It Ic / { key = $3 }
		/^\.Ed/ && copy {
			close(file)
			copy = 0
			next
		}
		copy { print >file }
		/^\.Bd -literal -offset indent -compact/ {
			file = dir "/" (top ? "top." : "service.") key
			copy = 1
		}' "$MAN/minetd.conf.5"
	files=("$BATS_TEST_TMPDIR"/{top,service}.*)
	((${#files[@]} > 60)) || fail "${#files[@]} examples only"
	for file in banner welcome too-many; do
		echo "$file" >"$BATS_TEST_TMPDIR/$file"
	done
	for file in "${files[@]}"; do
		text=$(unescape <"$file")
		text=${text//\/etc\/minetd\//$BATS_TEST_TMPDIR/}
		if [[ ${file##*/} == service.* ]]; then
			grep -qE '^(exec|builtin|redirect) ' <<<"$text" ||
				text+=$'\nexec = "/bin/true"'
			[[ $text == listen* ]] ||
				text+=$'\nlisten = {"tcp://127.0.0.1:0", "unix:///run/x"}'
			text="service \"x\" {"$'\n'"$text"$'\n'"}"
		fi
		printf '%s\n' "$text" >"$CONF"
		run "$MINETD" -t -c "$CONF"
		assert_eq 0 "$status" "${file##*/}: $output"
	done
}

@test "each example of a configuration is accepted" {
	need_root
	names=$(examples conf)
	assert_match first "$names"
	for name in $names; do
		example "$name" conf | sed 's/user = "reverse"/user = "nobody"/' \
			>"$CONF"
		run "$MINETD" -t -c "$CONF"
		assert_eq 0 "$status" "$name: $output"
	done
}

@test "the configuration that is installed serves nothing" {
	run -0 --separate-stderr "$MINETD" -T -c "$ROOT/etc/minetd.conf"
	assert_no_match 'service "' "$output"
}

@test "all that the installed configuration offers can be turned on" {
	need_root
	sed 's/^#\([^ ]\)/\1/' "$ROOT/etc/minetd.conf" >"$CONF"
	run -0 --separate-stderr "$MINETD" -T -c "$CONF"
	assert_match 'service "git"' "$output"
	assert_eq "$(grep -c '^#service' "$ROOT/etc/minetd.conf")" \
		"$(grep -c '^service' <<<"$output")"
}

@test "the defaults that the installed configuration shows are the defaults" {
	need_root
	sed -n '/^#log = /,/^#strict/s/^#//p' "$ROOT/etc/minetd.conf" >"$CONF"
	run -0 --separate-stderr "$MINETD" -T -c "$CONF"
	shown=$output
	run -0 --separate-stderr "$MINETD" -T -c "$ROOT/etc/minetd.conf"
	# Without `log` the destination depends on -f.
	assert_eq "${shown/'log = "syslog"'/'log = ""'}" "$output"
}

@test "the handler in sh works as shown" {
	example greet sh | script greet
	serve_example greet
	run -0 talk greet $'Ann\r\n'
	assert_match "^You are 127.0.0.1, connection 1\\."$'\r\n' "$output"
	assert_match "And your name\\? Good day, Ann\\."$'\r'"?\$" "$output"
}

@test "the handler in awk works as shown" {
	example total awk | script total
	serve_example total
	run -0 talk total $'1\n2\n3.5\n'
	assert_eq "3 lines, total 6.5" "$output"
}

@test "the handler in Python works as shown" {
	[[ -x /usr/bin/python3 ]] || skip_or_fail "needs /usr/bin/python3"
	example reverse python | script reverse
	serve_example reverse
	run -0 talk reverse $'abc\nquit\n'
	assert_eq $'Hello 127.0.0.1\ncba' "$output"
}

@test "the handler in C works as shown, also for unix clients" {
	need cc
	example whoami c >"$BATS_TEST_TMPDIR/whoami.c"
	cc -O2 -Wall -Wextra -Werror -o "$(public_dir)/whoami" \
		"$BATS_TEST_TMPDIR/whoami.c"
	serve_example whoami
	run -0 talk whoami $'\n\n'
	assert_match "^127.0.0.1 port [0-9]+"$'\n'"127.0.0.1 port [0-9]+\$" \
		"$output"
	run -0 dial -s $'\n' "unix://$(public_dir)/whoami.sock"
	assert_match "^user $EUID, process [0-9]+\$" "$output"
}

@test "opening /dev/stderr fails on a connection and works on a file" {
	handler=$(script complain <<-'SH'
	#!/bin/sh
	(: >/dev/stderr) && echo opened
	SH
	)
	mkdir -m 1777 "$BATS_TEST_TMPDIR/errors"
	conf <<-CONF
	service "socket" {
		listen = "tcp://127.0.0.1:0"
		exec = "$handler"
	}
	service "file" {
		listen = "tcp://127.0.0.1:0"
		exec = "$handler"
		stderr = "file:$BATS_TEST_TMPDIR/errors/file"
	}
	CONF
	start_minetd
	run -0 talk socket
	assert_match "No such device or address" "$output"
	run -0 talk file
	assert_eq opened "$output"
}
