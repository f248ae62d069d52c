# SPDX-License-Identifier: Apache-2.0
# bento prompt: the user answers on a terminal what qubes ask for.
# shellcheck shell=bash
own_manager
bento create --label red web
bento create --label blue work
bento run web -- sh -c 'for i in 1 2 3 4 5; do echo $i >f$i; done'

copy() { # NUMBER: the status of a copy from web
	bento run web -- sh -c "qvm-copy f$1 2>/dev/null; echo \$?"
}

status 0 [ "$(copy 1)" = 126 ] # nobody to ask
open_prompt
until_shown 'appear here' 1
status 1 bento prompt --once
grep -q 'another terminal' status.err || fail "a second one: $(cat status.err)"
copy 1 >got 7>&- &
until_shown Number 1
grep -q '^from *web$' shown && grep -q '^service *qubes.Filecopy$' shown &&
	grep -q '^ *1 *work *blue$' shown || fail "it shows: $(cat shown)"
echo 1 >&7
wait $!
equal "allowed" "$(cat got)" 0
equal "copied" "$(bento run work -- cat QubesIncoming/web/f1)" 1

copy 2 >got 7>&- &
until_shown Number 2
echo n >&7
wait $!
equal "denied" "$(cat got)" 126
grep -q 'Denied' shown || fail "it shows: $(cat shown)"

# Two at once come one after the other.
copy 3 >got 7>&- &
third=$!
copy 4 >got4 7>&- &
until_shown Number 3
equal "one at a time" "$(grep -c Number shown)" 3
echo 1 >&7
until_shown Number 4
echo 1 >&7
wait $third $!
equal "both" "$(cat got got4)" "0
0"

# Who asked is gone: nobody needs the answer.
bento run web -- qvm-copy f5 >/dev/null 2>&1 7>&- &
until_shown Number 5
bento kill web
until grep -q '^Nobody waits' shown; do :; done
wait $! || :

# A terminal that ends denies.
for how in close kill; do
	copy 5 >got 7>&- &
	asked=$!
	until_shown Number $(($(grep -c Number shown) + 1))
	if [ $how = close ]; then exec 7>&-; else kill -KILL $prompt; fi
	wait $asked
	equal "$how" "$(cat got)" 126
	wait $prompt || :
	[ $how = kill ] || { open_prompt && until_shown 'appear here' 1; }
done
equal "nothing came" "$(bento run work -- ls QubesIncoming/web)" "f1
f3
f4"
