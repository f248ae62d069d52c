# SPDX-License-Identifier: Apache-2.0
# Both ends of a file copy as they are in qubes, against a sender and a receiver
# that were written anew: on what a disposable qube has, and on a volume.
need python3
own_manager
mkdir tools
cp "$TOP/tests/unit/filecopy/oracle.py" tools/
chmod -R a+rX . tools
oracle() {
	tail -n 1 | tr -d '\n'
}
equal "in memory" "$(qube --ro "$PWD/tools" -- \
	python3 "$PWD/tools/oracle.py" /usr/lib/qubes/bento-guest 2>&1 | oracle)" OK
bento create work
equal "on a volume" "$(bento run work -- sh -c 'cat >~/oracle.py; mkdir ~/t
	TMPDIR=$HOME/t exec python3 ~/oracle.py /usr/lib/qubes/bento-guest' \
	<tools/oracle.py 2>&1 | oracle)" OK
equal "and nothing stays of it" "$(bento run work -- ls t)" ""
# The clipboard of a qube.
equal "clipboard" "$(bento run work -- sh -c '
	bento-clip paste; printf "a\nb" | bento-clip copy; bento-clip paste
	bento-clip paste | wc -c; head -c 64001 /dev/zero | bento-clip copy ||
		echo refused; bento-clip paste' 2>/dev/null)" "a
b3
refused
a
b"
# What is in its place, and no file, is not waited for.
status 1 bento run work -- sh -c 'cd /dev/shm && rm .bento-clipboard-1000 &&
	mkfifo .bento-clipboard-1000 || exit 9; exec bento-clip paste'
