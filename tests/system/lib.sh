# SPDX-License-Identifier: Apache-2.0
# What the system tests share.  tests/system/run reads this, then one test.
# The test finds BENTO, an empty current folder of its own, and these.
# shellcheck shell=bash

set -u
LC_ALL=C.UTF-8
export LC_ALL

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# Skips the test when a program it is about is not installed.
need() {
	local program
	for program; do
		command -v "$program" >/dev/null ||
			skip "$program is not installed"
	done
}

# `bento run` with a limit of time, so that what hangs fails.
qube() {
	timeout -k 5 "${LIMIT:-90}" "$BENTO" run --env LC_ALL=C.UTF-8 "$@"
}

# A script for sh in a fresh qube, in a new folder there.  It gets our input.
inside() {
	qube "${@:2}" -- sh -c "cd \"\$(mktemp -d)\" || exit; $1"
}

# Two texts are the same.
equal() { # WHAT GOT WANT
	[ "$2" = "$3" ] && return
	echo "--- $1: wanted" >&2
	printf '%s\n' "$3" >&2
	echo "--- $1: got" >&2
	printf '%s\n' "$2" >&2
	exit 1
}

# A script says the same in a qube as on the host, and ends the same way.
same() { # SCRIPT [SHELL]
	local here there shell=${2:-sh}
	here=$(mkdir -p host && cd host && env -i PATH="$PATH" HOME="$PWD" \
		LC_ALL="$LC_ALL" "$shell" -c "$1" </dev/null 2>&1
		echo "status $?")
	chmod -R u+rwX host
	rm -rf host
	there=$(qube -- sh -c 'cd "$(mktemp -d)" || exit
		export HOME="$PWD"; exec '"$shell"' -c "$1"' sh "$1" \
		</dev/null 2>&1
		echo "status $?")
	equal "$1" "$there" "$here"
}

# A command ends with this status; its output is not looked at.
status() { # STATUS COMMAND...
	local want=$1 got=0
	shift
	"$@" >/dev/null 2>status.err || got=$?
	[ "$got" = "$want" ] && return
	cat status.err >&2
	fail "status $got, not $want: $*"
}

# Drives a command on a terminal, by the script on our input.
terminal() {
	"$TOP/tests/system/terminal" "$@"
}

# Folders and a manager of the test's own, which are gone behind it.
own_manager() {
	unset XDG_DATA_HOME XDG_STATE_HOME
	XDG_RUNTIME_DIR=$PWD/run
	export XDG_RUNTIME_DIR
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	trap end_manager EXIT
	# A test that is killed ends nothing; then this does, in a session of its own.
	setsid sh -c 'tail --pid="$1" -f /dev/null
		cd / && [ -d "$XDG_RUNTIME_DIR/bento" ] || exit
		timeout -k 5 60 "$2" kill --all
		timeout -k 5 60 "$2" quit
		rm -rf "$TMPDIR"' sh $$ "$BENTO" </dev/null >/dev/null 2>&1 &
	END_OF_KILLED=$!
	disown # a test that waits for all does not wait for that
}

end_manager() {
	"$BENTO" kill --all || :
	"$BENTO" quit || :
	kill $END_OF_KILLED || :
}

# `bento prompt`, as $prompt: what is typed comes from descriptor 7, what is shown is in
# the file `shown`.
open_prompt() {
	rm -f typed
	mkfifo typed
	: >shown
	"$BENTO" prompt <typed >shown 2>&1 &
	prompt=$!
	exec 7>typed
}

# Waits until that has been shown so often.
until_shown() { # TEXT TIMES
	until [ "$(grep -c "$1" shown)" -ge "$2" ]; do
		kill -0 $prompt || fail "the prompt ended: $(cat shown)"
	done
}

# `bento` with a limit of time, so that what hangs fails.
bento() {
	timeout -k 5 "${LIMIT:-90}" "$BENTO" "$@"
}

# A folder with programs of the host's and what they need, for a template.
small_root() { # FOLDER PROGRAM...
	local root=$1 program at
	shift
	mkdir -p "$root/etc" "$root/usr/bin" "$root/root" "$root/var/mail" \
		"$root/lib64"
	ln -s usr/bin "$root/bin"
	for program; do
		at=$(command -v "$program") && echo "$at" &&
			ldd "$(realpath "$at")" | grep -o '/[^ )]*' || :
	done | sort -u | while read -r file; do
		mkdir -p "$root$(dirname "$file")"
		cp -L "$file" "$root$file"
	done
	[ -e "$root/lib64/ld-linux-x86-64.so.2" ] ||
		cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64"
	printf 'root:x:0:0:root:/root:/bin/sh\nmail:x:8:8::/:/bin/sh\n' \
		>"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
}

# Waits for a command to say something; 30 seconds are for never.
until_is() { # WANT COMMAND...
	local want=$1 end=$((SECONDS + 30))
	shift
	until [ "$("$@")" = "$want" ]; do
		[ $SECONDS -lt $end ] || fail "never $want: $* says $("$@")"
	done
}

# Does what a section of the README says: each command says what it says there.
# A line of three dots stands for anything; only lines from the first `$` on count.
follow_readme() { # SECTION
	local command= line
	sed -n "/^## $1/,/^## /s/^    //p" "$TOP/README.md" >transcript
	grep -q '^\$ ' transcript || fail "no tour in the README"
	echo '$ ' >>transcript
	while IFS= read -r line; do
		case $line in
		'$ '*)
			[ -z "$command" ] || say_as_there "$command"
			command=${line#'$ '}
			: >want
			;;
		*) [ -z "$command" ] || printf '%s\n' "$line" >>want ;;
		esac
	done <transcript
}

say_as_there() { # COMMAND
	bash -c "$1" >got 2>&1 </dev/null || {
		cat got >&2
		fail "status $?: $1"
	}
	grep -qx '\.\.\.' want || equal "$1" "$(cat got)" "$(cat want)"
}
