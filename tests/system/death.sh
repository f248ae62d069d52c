# SPDX-License-Identifier: Apache-2.0
# Killed at any moment, nothing of a qube stays.
family() { # PID: itself and all below it
	local p
	echo "$1"
	for p in $(ps -o pid= --ppid "$1"); do family "$p"; done
}

# Waits until none of these live; what is left after half a minute fails.
gone() {
	local p end=$((SECONDS + 30))
	for p; do
		while [ -d "/proc/$p" ] && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null; do
			[ $SECONDS -lt $end ] || {
				ps -o pid,ppid,stat,comm -p "$p" >&2
				fail "process $p stays"
			}
		done
	done
}

# What could stay: a mount, shared memory, a file where we are.
left() {
	ls -A . /dev/shm
	cut -d' ' -f1,2 /proc/mounts
}

: >out
before=$(left)
for victim in cli kernel cells; do
	: >out # what the last one said does not count
	"$BENTO" run --memory 100M -- sh -c 'sleep 1000 & python3 -c "import time; print(\"up\", flush=True); time.sleep(1000)"' >out 2>&1 &
	cli=$!
	until grep -q up out; do
		[ -d /proc/$cli ] || { cat out >&2; fail "it did not start"; }
	done
	all=$(family $cli)
	kernel=$(for p in $all; do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" != bento-kernel ] || echo "$p"
	done | head -n 1)
	[ -n "$kernel" ] || fail "no kernel found"
	case $victim in
	cli) kill -KILL $cli ;;
	kernel) kill -KILL "$kernel" ;;
	cells) for p in $all; do
		[ "$p" = $cli ] || [ "$p" = "$kernel" ] || kill -KILL "$p" || :
	done ;;
	esac
	wait $cli && st=0 || st=$?
	case $victim-$st in
	cli-137 | kernel-125 | cells-137 | cells-125) ;;
	*) fail "$victim killed: status $st" ;;
	esac
	gone $all
done
equal "files and mounts" "$(left)" "$before"
# At any moment of the start.
for delay in 0 0.001 0.002 0.004 0.006 0.008 0.01 0.015 0.02 0.03; do
	"$BENTO" run -- sleep 1000 >/dev/null 2>&1 &
	cli=$!
	sleep $delay
	all=$(family $cli)
	kill -KILL $cli
	wait $cli || :
	gone $all
done

# Processes that a hostile guest has made without being heard go with the qube.
hostile=$(dirname "$(realpath "$BENTO")")/tests/guest
for end in kernel program owner both; do
	mkfifo go
	: >out
	"$BENTO" run --ro "$hostile:/t" -- sh -c '/t/hostile; echo up; read -r x' <go >out 2>&1 &
	cli=$!
	exec 8>go
	until grep -q up out; do
		[ -d /proc/$cli ] || { cat out >&2; fail "it did not start"; }
	done
	kernel=$(ps -o pid=,comm= --ppid $cli | awk '$2 == "bento-kernel" { print $1 }')
	[ -n "$kernel" ] || fail "no kernel found"
	case $end in
	kernel) kill -KILL "$kernel" ;;
	owner) kill -KILL $cli ;;
	both) kill -KILL $cli "$kernel" ;;
	esac
	exec 8>&-
	wait $cli || :
	limit=$((SECONDS + 30))
	while [ -n "$(ps -o pid= -s "$kernel")" ]; do
		[ $SECONDS -lt $limit ] ||
			fail "$end: left: $(ps -o pid,ppid,stat,comm -s "$kernel")"
	done
	rm go
done
