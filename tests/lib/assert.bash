# SPDX-License-Identifier: ISC
# Copyright (c) the minetd authors
# shellcheck shell=bash

# Say what was wanted and what came, and refuse to skip in strict mode.

fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

# assert_eq WANT GOT [WHAT]
assert_eq()
{
	[[ $1 == "$2" ]] && return
	fail "${3:-value} differs" "want: $1" "got:  $2"
}

# assert_match REGEX GOT [WHAT]
assert_match()
{
	[[ $2 =~ $1 ]] && return
	fail "${3:-value} does not match" "want: $1" "got:  $2"
}

# assert_no_match REGEX GOT [WHAT]
assert_no_match()
{
	[[ $2 =~ $1 ]] || return 0
	fail "${3:-value} must not match" "regex: $1" "got:   $2"
}

# assert_same WANT_FILE GOT_FILE: equal contents, shown as a diff otherwise.
assert_same()
{
	diff -u "$1" "$2" >&2
}

# A test that cannot run here: skipped, or failed when nothing may be skipped.
skip_or_fail()
{
	[[ -z ${MINETD_STRICT:-} ]] || fail "strict: would skip: $*" || return
	skip "$*"
}

need_root()
{
	((EUID == 0)) || skip_or_fail "needs root"
}

# need COMMAND...
need()
{
	local command
	for command; do
		type -P "$command" >/dev/null ||
			skip_or_fail "needs $command" || return
	done
}
