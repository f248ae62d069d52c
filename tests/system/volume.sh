# SPDX-License-Identifier: Apache-2.0
# A volume under a kernel that is killed while programs write: what fsync(2)
# confirmed is there, no name is there before what was in the file, and the
# checker finds nothing.  Then one on a disk that is full.
# shellcheck shell=bash
build=$(dirname "$(realpath "$BENTO")")
mkdir bin doors vol
cp "$build/tests/system/lasting" bin
ln -s "$build/bento-kernel" "$build/bento-cell" bin
lasting() { # VERB NAME [ARGUMENT...]
	timeout -k 5 60 bin/lasting "$PWD/doors" "$@"
}
trap 'lasting kill v 2>/dev/null || :' EXIT

# Says a number once the file of that name is safe; noise beside it.
writer='n=$1
(i=0; while :; do
	mkdir /v/d$i; echo x >/v/d$i/a; mv /v/d$i/a /v/d$i/b; ln /v/d$i/b /v/d$i/c
	dd if=/dev/zero of=/v/big bs=4k seek=$i count=3 conv=notrunc 2>/dev/null
	rm -r /v/d$((i / 2)) 2>/dev/null; i=$((i + 1))
done) &
(i=0; while :; do
	echo "whole $i" >/v/new && mv /v/new /v/w$i; i=$(((i + 1) % 2000))
done) &
while :; do
	echo "text $n" >/v/f$n && sync /v/f$n && echo $n
	n=$((n + 1))
done'

: >promised
for round in 1 2 3 4 5 6 7 8; do
	keeper=$(lasting start v /v=vol) || fail "round $round: it does not start"
	while read -r n; do echo "/v/f$n:text $n"; done <promised >wanted
	lasting run-root v sh -c 'while IFS=: read -r f want; do
		[ "$(cat $f)" = "$want" ] || echo "$f"; done' <wanted >lost
	[ ! -s lost ] || fail "round $round: lost: $(head -3 lost)"
	lasting run-root v sh -c 'for f in /v/w*; do [ -e "$f" ] || continue
		read -r text <$f; [ "$text" = "whole ${f#/v/w}" ] || echo "$f"; done' >torn
	[ ! -s torn ] || fail "round $round: not whole: $(head -3 torn)"
	next=$(($(tail -n 1 promised | grep . || echo 0) + 1))
	before=$(wc -l <promised)
	lasting run-root v sh -c "$writer" - "$next" >>promised 2>/dev/null &
	until [ "$(wc -l <promised)" -ge $((before + 3 * round)) ]; do
		kill -0 $! || fail "round $round: the writer ended"
	done
	kill -KILL "$(ps -o pid= --ppid "$keeper" | tr -d ' ')"
	wait $! || :
	lasting kill v 2>/dev/null || :
	[ "$(tail -c 1 promised | wc -l)" = 1 ] || sed -i '$d' promised
	lasting check vol >told || fail "round $round: $(cat told)"
done
[ "$(wc -l <promised)" -gt 80 ] || fail "only $(wc -l <promised) promises"

# On a file system in memory, of which RWF_NOWAIT is not known: more than a
# helper reads at once, and then the end.
if [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
	memory=$(mktemp -d /dev/shm/bento-test.XXXXXX)
	trap 'lasting kill v 2>/dev/null || :; lasting kill m 2>/dev/null || :; rm -rf "$memory"' EXIT
	lasting start m "/v=$memory" >/dev/null
	equal "in memory" "$(lasting run-root m sh -c 'seq 200000 >/v/f; cat /v/f | tail -n 1; wc -l </v/f
		echo small >/v/s; cat /v/s; read -r x </v/s; echo "$x"')" "200000
200000
small
small"
	lasting kill m
fi

# Small files get their objects later, and have room kept for them: what was taken
# stays, and there is no more of it than fits.  On a disk of its own.
full_disk() {
	mount -t tmpfs -o size=24m none small
	keeper=$(lasting start f /v=small)
	made=$(lasting run-root f sh -c 'cat /dev/zero >/v/big 2>/dev/null; sync /v
		n=0; while [ $n -lt 1000 ] && printf %03000d $n >/v/s$n; do n=$((n + 1)); done 2>/dev/null
		rm -f /v/s$n; sync /v && echo $n')
	[ "$made" -gt 100 ] && [ "$made" -lt 1000 ] || fail "$made files on a full disk"
	kill -KILL "$(ps -o pid= --ppid "$keeper" | tr -d ' ')"
	lasting kill f 2>/dev/null || :
	lasting start f /v=small >/dev/null
	# shellcheck disable=SC2016
	equal "after a full disk" "$(lasting run-root f sh -c 'n=0; while [ -e /v/s$n ]; do
			[ $(cat /v/s$n) = $(printf %03000d $n) ] || echo $n; n=$((n + 1)); done
		rm /v/big && sync /v && echo more >/v/more && sync /v/more && echo $n')" "$made"
	lasting kill f
	lasting check small >told || fail "the checker: $(cat told)"
}
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir small
	trap 'lasting kill v 2>/dev/null || :; lasting kill f 2>/dev/null || :' EXIT
	export -f full_disk lasting fail equal
	unshare -m bash -ec full_disk || fail "on a full disk"
fi
