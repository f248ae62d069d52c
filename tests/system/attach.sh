# SPDX-License-Identifier: Apache-2.0
# Programs that were started in a qube from outside: listed, left, attached to.
own_manager
bento create work
list() { bento ps --raw-data work | cut -d'|' -f2-4,6; }

# Started aside, it is there for whoever asks, on a terminal of its own.
status 2 bento ps --no-such work
status 1 bento ps work
bento start work
equal "nothing yet" "$(bento ps --raw-data work)" ""
script='echo up; while read -r x; do if [ "$x" = end ]; then exit 7; fi; echo "<$x>"; stty size; done'
number=$(bento run -d work -- sh -c "$script")
equal "listed" "$(list)" "user|alone|yes|sh -c $script"
equal "for machines" "$(bento ps --json work | tr -d ' \n' | cut -d, -f-3)" \
	"[{\"number\":$number,\"account\":\"user\",\"state\":\"alone\""
for i in one two; do
	# What was shown before is shown again; a key leaves it.
	terminal "$BENTO" attach work "$number" <<-END
		expect up
		send $i\\r
		expect <$i>
		expect 24 80
		send \\x1d
		expect goes on
		status 0
	END
done
# So does what ends us without a word.
terminal "$BENTO" attach work "$number" <<'END'
expect <two>
size 11 22
send three\r
expect 11 22
close
status 0
END
until_is alone sh -c "'$BENTO' ps --raw-data work | cut -d'|' -f3"

# The latest one has it; the one before is told.
"$BENTO" attach work "$number" </dev/null >first 2>&1 &
first=$!
until_is attended sh -c "'$BENTO' ps --raw-data work | cut -d'|' -f3"
terminal "$BENTO" attach work "$number" <<'END'
expect <three>
send end\r
status 7
END
got=0
wait $first || got=$?
equal "the former one" $got 125
grep -q "on another terminal now" first || fail "not told: $(cat first)"
equal "gone" "$(bento ps --raw-data work)" ""
status 125 bento attach work "$number"
grep -q "no program has the number $number" status.err || fail "$(cat status.err)"
status 2 bento attach work x

# Nobody holds up what nobody shows.
number=$(bento run --detach work -- sh -c 'seq 100000; echo >/tmp/done; cat')
until_is yes bento run work -- sh -c 'until [ -e /tmp/done ]; do sleep 0.01; done; echo yes'
terminal "$BENTO" attach work "$number" <<'END'
expect 100000
send \x04
status 0
END

# Without a terminal: its end is waited for; signals reach it.
bento exec -q work 'trap "exit 5" USR1; echo >/tmp/ready; while :; do sleep 0.01; done'
equal "without one" "$(list)" \
	"user|alone|no|/bin/sh -c trap \"exit 5\" USR1; echo >/tmp/ready; while :; do sleep 0.01; done"
number=$(bento ps --raw-data work | cut -d'|' -f1)
bento run work -- sh -c 'until [ -e /tmp/ready ]; do sleep 0.01; done'
"$BENTO" attach work "$number" &
us=$!
until_is attended sh -c "'$BENTO' ps --raw-data work | cut -d'|' -f3"
status 125 bento attach work "$number"
grep -q "somebody has it" status.err || fail "$(cat status.err)"
kill -USR1 $us
got=0
wait $us || got=$?
equal "its status" $got 5

# What was not to stay goes with its client, as with a terminal that is closed.
mkfifo gone
"$BENTO" run work -- sh -c 'echo >/tmp/up; sleep 1000' >gone 2>&1 </dev/null &
us=$!
cat gone &
until_is attended sh -c "'$BENTO' ps --raw-data work | cut -d'|' -f3"
kill -KILL $us
until_is "" bento ps --raw-data work

# A disposable one has nobody to come back to.
status 125 bento run -d -- true
grep -q "wants a QUBE" status.err || fail "$(cat status.err)"
# It is told at once what cannot be started.
status 127 bento run -d work -- no-such-program
status 126 bento run -d work -- /etc/passwd

# The end of the qube does not wait for them.
bento run -d work -- cat >/dev/null
bento shutdown --wait work
