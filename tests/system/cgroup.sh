# SPDX-License-Identifier: Apache-2.0
# A qube's host processes are in a cgroup of its own, which holds them to its limits
# and is gone with it.
for mount in /sys/fs/cgroup /sys/fs/cgroup/unified; do
	[ -e "$mount/cgroup.procs" ] && [ -e "$mount/cgroup.controllers" ] && break
done
[ -e "$mount/cgroup.controllers" ] || skip "this host has no cgroup v2"
[ "$(id -u)" = 0 ] || skip "only root can delegate a cgroup for this test"
top=$mount/test-$$
mkdir "$top" 2>/dev/null || skip "no cgroup can be made here"
mkdir "$top/me"
echo $$ >"$top/me/cgroup.procs" || skip "no process can be moved here"
own_manager
leave() {
	end_manager
	echo $$ >"$mount/cgroup.procs" || :
	rmdir "$top/me" "$top" || :
}
trap leave EXIT
limits=
if echo '+memory +pids' >"$top/cgroup.subtree_control"; then
	limits=yes
fi 2>/dev/null
groups() { find "$top" -name 'bento-*'; }

"$BENTO" doctor | grep -q 'cgroup v2, delegated *\(no\|yes\):' || fail "the doctor sees none"

# One that lasts: from its start to its end.
bento create work
bento start work
one=$(groups)
[ "$(wc -l <<<"$one")" = 1 ] && [ -n "$one" ] || fail "groups: $one"
before=$(wc -l <"$one/cgroup.procs")
bento run -d work -- sleep 1000 >/dev/null
# Its process waited here already; another takes that one's place.
until_is yes sh -c "[ \$(wc -l <'$one/cgroup.procs') -le $before ] || echo yes"
bento shutdown --wait work
until_is "" groups

# A disposable one, also when it is killed.
mkfifo hold
bento run -- sh -c 'echo up; cat' <hold >up &
exec 5>hold
until_is up cat up
[ -n "$(groups)" ] || fail "a disposable has none"
exec 5>&-
wait
equal "gone" "$(groups)" ""

# What nobody could remove, the next manager does.
bento start work
one=$(groups)
kill -KILL "${one##*-}"
until_is 0 sh -c "wc -l <'$one/cgroup.procs'"
[ -e "$one" ] || fail "who removed it?"
bento quit
bento ls >/dev/null
until_is "" groups

# An ordinary user, to whom it is delegated.
mkdir -m 777 theirs
chown 65534 "$top" "$top/cgroup.procs" "$top/me" "$top/me/cgroup.procs"
chmod 755 .
theirs() {
	HOME=$PWD/theirs XDG_RUNTIME_DIR=$PWD/theirs setpriv --reuid=65534 \
		--regid=65534 --clear-groups -- "$BENTO" "$@"
}
if theirs run -- true 2>/dev/null; then
	theirs run -- sh -c 'echo up; cat' <hold >up &
	exec 5>hold
	until_is up cat up
	equal "whose" "$(stat -c %u "$(groups)")" 65534
	exec 5>&-
	wait
	equal "gone, too" "$(groups)" ""
fi

[ -n "$limits" ] || {
	echo "not tried: limits, since the controllers memory and pids are not in cgroup v2 here"
	exit 0
}
bento run --memory 256M --pids 50 -- sh -c 'echo up; cat' <hold >up &
exec 5>hold
until_is up cat up
equal "tasks" "$(cat "$(groups)/pids.max")" 114
equal "memory" "$(cat "$(groups)/memory.max")" $(((256 + 32 + 64) << 20))
[ ! -e "$(groups)/memory.swap.max" ] ||
	equal "swap" "$(cat "$(groups)/memory.swap.max")" $(((256 + 32 + 64) << 20))
exec 5>&-
wait

# The host refuses, where a limit is lower than the kernel knows.  No place for a
# process: the guest hears so, and what there is goes on.
need python3
bento start work
one=$(groups)
# The kernel, the zygote, and a cell that waits for a program.
until_is 3 cat "$one/pids.current"
echo 7 >"$one/pids.max"
status 2 bento run work -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done'
grep -q '^max [1-9]' "$one/pids.events" || fail "the host refused no process"
equal "without a place" "$(bento run work -- echo fine)" fine
echo max >"$one/pids.max"
bento run work -- pkill sleep
until_is 3 cat "$one/pids.current"
# No memory: a guest process goes, though the kernel has more.
cat >hoard.py <<'END'
import os, sys
for i in range(400):
    os.write(os.pipe()[1], bytes(65536))
print("up", flush=True)
sys.stdin.read()
END
bento run work -- python3 -c "$(cat hoard.py)" <hold >up &
exec 5>hold
until_is up cat up
echo $(($(cat "$one/memory.current") + (10 << 20))) >"$one/memory.max"
status 137 bento run work -- sh -c 'head -c 200M /dev/zero | tail -c 200M'
grep -q '^oom_kill [1-9]' "$one/memory.events" || fail "the host ended nobody"
equal "without memory" "$(bento run work -- echo fine)" fine
equal "the same kernel" "$(groups)" "$one"
exec 5>&-
wait
bento shutdown --wait work
# Faster than the kernel looks: the host ends it, and the next qube does not feel it.
bento start work
bento run --memory 128M -- sh -c 'for i in 1 2 3 4 5 6 7 8; do
	head -c 90M /dev/zero | tail -c 90M >/dev/null & done; wait' || :
equal "another one" "$(bento run work -- echo fine)" fine
