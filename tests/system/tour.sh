# SPDX-License-Identifier: Apache-2.0
# The tour of the README, as it stands there: each command says what it says
# there.  A line of three dots stands for anything.
own_manager
need dpkg-deb
PATH=$(dirname "$BENTO"):$PATH
mkdir tour
cd tour

sed -n '/^## Qubes that last/,/^## /s/^    //p' "$TOP/README.md" >transcript
grep -q '^\$ bento create' transcript || fail "no tour in the README"

check() {
	[ -n "$command" ] || return 0
	bash -c "$command" >got 2>&1 </dev/null || {
		cat got >&2
		fail "status $?: $command"
	}
	grep -qx '\.\.\.' want || equal "$command" "$(cat got)" "$(cat want)"
}

command=
while IFS= read -r line; do
	case $line in
	'$ '*)
		check
		command=${line#'$ '}
		: >want
		;;
	*) printf '%s\n' "$line" >>want ;;
	esac
done <transcript
check

# As it says there, nothing is left.
cd ..
equal "files" "$(find .local run -mindepth 1 ! -name share ! -name state)" ""
trap - EXIT
