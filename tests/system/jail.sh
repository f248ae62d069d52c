# SPDX-License-Identifier: Apache-2.0
# The manager is locked in; it, its spawner and kernels may each die or hang.
own_manager
lock=$XDG_RUNTIME_DIR/bento/manager.lock
doors=$XDG_RUNTIME_DIR/bento/qubes

# Our processes of this name: those that hold the manager's lock...
holder() { # NAME
	local p
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = "$1" ] || continue
		find "$p/fd" -lname "$lock" 2>/dev/null | grep -q . && echo "${p#/proc/}"
	done
	return 0
}

# ... or write to this log.
writer() { # NAME QUBE
	local p log=$HOME/.local/state/bento/log/$2.log
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = "$1" ] || continue
		find "$p/fd" -lname "$log" 2>/dev/null | grep -q . && echo "${p#/proc/}"
	done
	return 0
}

gone() { # PID...
	local p end=$((SECONDS + 30))
	for p; do
		while [ -d "/proc/$p" ] && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null; do
			[ $SECONDS -lt $end ] || fail "process $p stays"
		done
	done
}

state() { bento ls --raw-data --fields STATE "$1"; }
field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

status 0 bento create --class AppVM --label red work
equal "it runs" "$(bento run work -- echo yes)" yes
manager=$(holder bento-manager)
spawner=$(holder bento-spawner)
[ -n "$manager" ] && [ -n "$spawner" ] || fail "no manager, or no spawner"
equal "the manager's filter" "$(field "$manager" Seccomp)" 2
equal "the manager gains nothing" "$(field "$manager" NoNewPrivs)" 1
equal "the spawner's filter" "$(field "$spawner" Seccomp)" "$(field self Seccomp)"
keeper=$(writer bento-keeper work)
kernel=$(ps -o pid= --ppid "$keeper" | tr -d ' ')

# The manager dies: so does its spawner, and the qube goes on.
kill -9 "$manager"
gone "$manager" "$spawner"
equal "still there" "$(bento run work -- echo yes)" yes
equal "its keeper" "$(writer bento-keeper work)" "$keeper"

# The spawner dies: so does the manager, and the qube goes on.
manager=$(holder bento-manager)
spawner=$(holder bento-spawner)
kill -9 "$spawner"
gone "$manager" "$spawner"
equal "still running" "$(state work)" Running
equal "still answering" "$(bento run work -- echo yes)" yes

# A kernel that hangs, and a manager that did not start it.
kill -STOP "$kernel"
status 0 bento kill work
gone "$keeper" "$kernel"
equal "halted" "$(state work)" Halted
[ ! -e "$doors/work.sock" ] || fail "its door stays"

# What ends while there is no manager leaves no door for long.
status 0 bento start work
keeper=$(writer bento-keeper work)
manager=$(holder bento-manager)
kill -9 "$manager"
gone "$manager"
kill -9 "$keeper"
gone "$keeper"
equal "halted, too" "$(state work)" Halted
[ ! -e "$doors/work.sock" ] || fail "its door stays"

# Nobody waits for a child that has ended.
equal "no zombies" "$(ps -o stat= --ppid "$(holder bento-spawner)" | grep -c Z || :)" 0
status 0 bento remove -f work
