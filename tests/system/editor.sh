# SPDX-License-Identifier: Apache-2.0
# vim and less on a terminal.
need vim less
mkdir share
terminal "$BENTO" run --rw "$PWD/share:/s" --cwd /s -- vim -u NONE -N file <<'END'
expect file
send ihello world\x1b
send yypA again\x1b
send :wq\r
status 0
END
equal "what vim wrote" "$(cat share/file)" "hello world
hello world again"
seq 1000 >share/long
# less forgets a signal that comes between its prompt and its read, until the
# next key (natively too): a key follows each.
terminal "$BENTO" run --ro "$PWD/share:/s" -- less /s/long <<'END'
expect \n?23
send \x20
expect 46
send G
expect 1000
send ?^500\r
expect 500.*\n.*:\x1b\[K
size 10 40
send r
expect 508\r\n:
send g
expect M1\r
send q
status 0
END
# Stopped and brought back.
terminal "$BENTO" run -- bash --norc -i <<'END'
expect [$#] 
send seq 500 | less\r
expect 23
send \x1a
send \x20
expect Stopped
send fg\r
expect less\r\n.*\n:
send q
expect 1049l
send exit\r
status 0
END
