# SPDX-License-Identifier: Apache-2.0
# The three streams and the exit status of `bento run`.
for n in 0 1 7 124 255; do status "$n" qube -- sh -c "exit $n"; done
status 143 "$BENTO" run -- sh -c 'kill -TERM $$'
status 137 "$BENTO" run -- sh -c 'kill -KILL $$'
status 139 "$BENTO" run -- sh -c 'kill -SEGV $$'
status 127 qube -- /none/such
status 127 qube -- no-such-command-anywhere
status 126 qube -- /etc/passwd
status 126 qube -- /etc
status 125 qube --no-such-option -- true
status 125 qube
equal "separate" "$(qube -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
equal "separate" "$(qube -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
equal "arguments" "$(qube -- printf '<%s>' 'a b' '' '*' "it's" '$HOME')" \
	"<a b><><*><it's><\$HOME>"
equal "dashes" "$(qube -- echo -- --rw -x)" "-- --rw -x"
head -c 20000000 /dev/urandom >big
equal "bytes through" "$(qube -- cat <big | sha256sum)" "$(sha256sum <big)"
equal "bytes out" "$(qube --ro "$PWD/big:/big" -- cat /big | sha256sum)" "$(sha256sum <big)"
equal "bytes in" "$(qube -- sha256sum <big)" "$(sha256sum <big)"
rm big
equal "file as output" "$(qube -- sh -c 'echo one; echo two' >f; cat f)" "one
two"
equal "file as input" "$(qube -- sh -c 'read a; cat' <f)" two
# Who stops reading stops the program.
equal "broken pipe" "$(qube -- sh -c 'yes; echo $? >&2' 2>err | head -n 1)" y
equal "end of input" "$(: | qube -- wc -c)" 0
equal "no input" "$(qube -- sh -c 'read x; echo $?' </dev/null)" 1
equal "closed early" "$(qube -- sh -c 'exec <&- ; echo fine' <f)" fine
# Output comes as it is written, not at the end.
coproc Q { exec "$BENTO" run -- sh -c 'while read x; do echo "<$x>"; done; echo end'; }
for word in one two three; do
	echo "$word" >&"${Q[1]}"
	read -r -t 60 answer <&"${Q[0]}" || fail "no answer to $word"
	equal "talking" "$answer" "<$word>"
done
eval "exec ${Q[1]}>&-"
read -r -t 60 answer <&"${Q[0]}"
equal "end of talk" "$answer" end
equal "several" "$(for i in 1 2 3 4; do qube -- echo "$i" & done | sort)" "1
2
3
4"
# What the program leaves running ends with it.
equal "children" "$(qube -- sh -c 'sleep 1000 >/dev/null 2>&1 & echo done')" done
equal "signals" "$("$BENTO" run -- sh -c 'trap "echo caught; exit 9" TERM; echo up; while :; do sleep 0.01; done' >out & p=$!
until grep -q up out 2>/dev/null; do :; done
kill -TERM $p; wait $p; echo $?; cat out)" "9
up
caught"
