# SPDX-License-Identifier: Apache-2.0
# `bento run` on a terminal.
terminal "$BENTO" run -- sh -c 'stty size; test -t 0 && test -t 1 && test -t 2 && echo all; tty; ps -o tty= -p $$' <<'END'
expect 24 80
expect all
expect /dev/pts/0
expect pts/0
status 0
END
terminal "$BENTO" run -- sh -c 'trap "stty size" WINCH; echo up; while :; do sleep 0.01; done' <<'END'
expect up
size 11 22
expect 11 22
size 33 44
expect 33 44
send \x03
status 130
END
terminal "$BENTO" run -- sh -c 'trap "echo got-int; exit 4" INT; echo up; while :; do sleep 0.01; done' <<'END'
expect up
send \x03
expect got-int
status 4
END
terminal "$BENTO" run -- cat <<'END'
send first\r
expect first\r\nfirst
send typo\x7f\x7fed\r
expect tyed
send \x04
status 0
END
terminal "$BENTO" run -- sh -c 'stty raw -echo; echo rdy; dd bs=1 count=3 2>/dev/null | od -An -tx1; stty sane' <<'END'
expect rdy
send \x03\x1a\x04
expect 03 1a 04
status 0
END
terminal "$BENTO" run -- sh -c 'stty -echo; printf "pass: "; read x; stty echo; echo "<$x>"' <<'END'
expect pass: 
send secret\r
expect <secret>
status 0
END
# Hanging up ends everything.
terminal "$BENTO" run -- sh -c 'echo up; cat' <<'END'
expect up
close
status 129
END
# Stopping the qube from outside: the shell gets its terminal back.
terminal bash --norc -i <<END
expect [#\\$] 
send PS1=@; unset HISTFILE; $BENTO run -- sh -c 'echo u""p; exec sleep 1000'\\r
expect up
send \\x03
expect @
send echo st-\$?; stty -a | grep -ow icanon\\r
expect st-130
expect icanon
send exit\\r
status 0
END
# Only output is a terminal, or only input.
equal "mixed" "$(qube -- sh -c 'test -t 0; echo $?; test -t 1; echo $?' </dev/null)" "1
1"
terminal sh -c "echo in | $BENTO run -- sh -c 'cat; test -t 0 || echo pipe; test -t 1 || echo carried'" <<'END'
expect in
expect pipe
expect carried
status 0
END
