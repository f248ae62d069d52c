# SPDX-License-Identifier: Apache-2.0
# The README's tour of calls between qubes, as it stands there, with the answers
# it says.
# shellcheck shell=bash
need gpg git
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
own_manager
PATH=$(dirname "$BENTO"):$PATH
mkfifo typed
: >shown
bento prompt <typed >shown 2>&1 &
prompt=$!
exec 7>typed
(
	for answer in 1 n; do
		count=$((${count:-0} + 1))
		until [ "$(grep -c Number shown)" -ge $count ]; do
			kill -0 $prompt 2>/dev/null || exit
		done
		echo $answer >&7
	done
) &
until grep -q 'appear here' shown; do
	kill -0 $prompt || fail "no prompt: $(cat shown)"
done
exec 7>&-
follow_readme 'Qubes that work together'
equal "questions" "$(grep -c Number shown)" 2
wait $prompt || :
equal "files" "$(find .local run -mindepth 1 ! -name share ! -name state)" ""
trap - EXIT
