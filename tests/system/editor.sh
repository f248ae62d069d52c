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
terminal "$BENTO" run --ro "$PWD/share:/s" -- less /s/long <<'END'
expect \n?23
send q
status 0
END
