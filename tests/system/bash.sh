# SPDX-License-Identifier: Apache-2.0
# bash: job control, traps, here-documents, process substitution.
need bash
same 'diff <(printf "a\nb\n") <(printf "a\nc\n")' bash
same 'tee >(wc -c >n) <<<"some text" >/dev/null; until [ -s n ]; do :; done; cat n' bash
same 'exec 5< <(echo sub); read -u 5 x; echo $x; cat <<<"here $x"' bash
same 'a=(1 2 3); declare -A m=([k]=v); echo ${a[@]:1} ${m[k]} ${#a[@]}' bash
same 'set -o pipefail; false | true; echo $? "${PIPESTATUS[@]}"' bash
same 'trap "echo caught" INT; kill -INT $$; echo after' bash
same 'trap "echo err \$?" ERR; false; trap - ERR; false; echo done' bash
same 'trap "echo chld" CHLD; (exit 1); wait; echo ok' bash
same 'coproc c { while read x; do echo "<$x>"; done; }
echo hi >&"${c[1]}"; read -u "${c[0]}" y; echo $y' bash
same 'for i in 3 1 2; do (sleep 0.0$i; exit $i) & done
wait -n; wait; echo $?' bash
same 'set -m; (kill -STOP $BASHPID; exit 5) & p=$!
while [ "$(ps -o stat= -p $p | cut -c1)" != T ]; do :; done
jobs %1 | grep -o Stopped; kill -CONT %1; wait %1; echo $?' bash
same 'set -m; sleep 100 & kill %1; wait %1; echo $?' bash
same 'printf -v x "%05d" 42; echo $x; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}' bash
same 'mapfile -t l < <(seq 3); echo ${l[2]}; shopt -s globstar; mkdir -p a/b; touch a/b/c; echo **/c' bash
same 'ulimit -S -n 64; ulimit -n' bash
same 'exec {fd}>out; echo x >&$fd; exec {fd}>&-; cat out; echo $((fd >= 10))' bash
same 'read -t 0.05 x < <(sleep 1); echo $(($? > 128))' bash

terminal "$BENTO" run -- bash --norc -i <<'END'
expect [$#] 
send PS1='@'; echo ready-$((1+1))\r
expect ready-2
send sh -c 'echo be""gun; exec sleep 1000'\r
expect begun
send \x03
expect @
send echo status $?\r
expect status 130
send sh -c 'echo be""gun; exec sleep 1000'\r
expect begun
send \x1a
expect Stopped
expect @
send jobs\r
expect \[1\]\+ +Stopped +sh -c
send bg\r
expect \[1\]\+ sh -c
send kill %1; wait; echo gone-$?\r
expect gone-
send echo re""ady; cat\r
expect ready
send hello\r
expect hello\r\nhello
send \x04
send stty size\r
expect 24 80
size 30 90
send stty size\r
expect 30 90
send echo $(tty)\r
expect /dev/pts/
send exit 3\r
status 3
END
