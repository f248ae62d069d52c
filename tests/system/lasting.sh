# SPDX-License-Identifier: Apache-2.0
# A qube that lasts: many programs for many clients, until it is told to end.
build=$(dirname "$BENTO")
mkdir bin doors
: >stays
: >ends
: >polite
: >calm
: >rude
cp "$build/tests/system/lasting" bin
ln -s "$build/bento-kernel" "$build/bento-cell" bin
lasting() { # VERB NAME [ARGUMENT...]
	timeout -k 5 60 bin/lasting "$PWD/doors" "$@"
}
# What fails must not leave qubes that hold our output.
trap 'for n in work keeper kernel killed app tpl; do lasting kill $n || :; done 2>/dev/null' EXIT
field() { # NAME OF-STATE
	sed "s/.*\\b$1=\\([0-9]*\\).*/\\1/" <<<"$2"
}
tasks() { field tasks "$(lasting state "$1")"; }
below() { # PID: itself and all below it
	local p
	echo "$1"
	for p in $(ps -o pid= --ppid "$1"); do below "$p"; done
}
gone() {
	local p
	for p; do
		until_is "" sh -c "grep -v '^State:.Z' /proc/$p/status 2>/dev/null | grep ^State"
	done
}

keeper=$(lasting start work)
family=$(below "$keeper")

# What a program says and how it ends.
equal output "$(echo in | lasting run work sh -c 'cat; hostname; id -un' 2>&1)" \
	"in
work
user"
status 7 lasting run work sh -c 'exit 7'
status 143 lasting run work sh -c 'kill $$'
status 127 lasting run work no-such-program
status 126 lasting run work /etc/passwd

# What only the keeper can open, without a client who could.
lasting run work sh -c 'grep -q /grep /proc/self/maps && grep -q stack /proc/$$/maps' ||
	fail "no maps"
lasting run work sh -c 'read -r size resident rest </proc/self/statm
	[ "$size" -gt "$resident" ] && [ "$resident" -gt 0 ]' || fail "no statm"

# Files stay between programs, and processes do.
lasting run work sh -c 'echo kept >/tmp/file; sleep 1000 &'
equal kept "$(lasting run work cat /tmp/file)" kept
until_is 1 tasks work

# Many at once, each with a terminal of its own.
for i in 1 2 3 4 5 6; do
	terminal bin/lasting "$PWD/doors" run work sh <<-EOF >"tty.$i" 2>&1 &
		send echo number \$((40 + $i)) on \$(tty)\r
		expect number 4$i on /dev/pts/[0-9]
		size 11 22
		send until [ "\$(stty size)" = "11 22" ]; do :; done; exit $i\r
		status $i
	EOF
	eval "job$i=$!"
done
for i in 1 2 3 4 5 6; do
	eval "wait \$job$i" || { cat "tty.$i" >&2; fail "terminal $i"; }
done
until_is 1 tasks work

# Signals for the client are for its program.
mkfifo signalled
bin/lasting "$PWD/doors" run work sh -c 'trap "echo got; exit 3" USR1
	echo up; while :; do sleep 0.01; done' >signalled &
client=$!
exec 5<signalled
read -r line <&5
equal up "$line" up
kill -USR1 $client
read -r line <&5
equal trap "$line" got
wait $client && st=0 || st=$?
equal status $st 3
exec 5<&-

# A client that is killed hangs its program up; others go on.
bin/lasting "$PWD/doors" run work sh -c 'trap "" HUP; echo up; exec sleep 1000' >stays &
stays=$!
bin/lasting "$PWD/doors" run work sh -c 'echo up; exec sleep 1000' >ends &
ends=$!
until_is up cat stays
until_is up cat ends
equal tasks "$(tasks work)" 3
for client in $stays $ends; do
	kill -KILL $client
	wait $client || :
done
until_is 2 tasks work

# Nonsense ends the connection it came on, nothing else.
lasting garbage work
equal after "$(lasting run work echo still)" still

# Paused, nothing runs and nothing uses the CPU.
bin/lasting "$PWD/doors" run work sh -c 'i=0; while :; do i=$((i + 1)); done' &
busy=$!
until_is 3 tasks work
lasting pause work
status 114 lasting pause work
stopped() {
	local p
	for p in $(below "$keeper"); do
		grep -q '^Name:.bento-keeper\|^Name:.bento-kernel' "/proc/$p/status" ||
			awk '/^State:/ { print $2 }' "/proc/$p/status"
	done | sort -u | grep -v '^[TS]$' || :
}
until_is "" stopped
before=$(field cpu "$(lasting state work)")
status 125 lasting run work true
for i in 1 2 3 4 5; do lasting state work >state; done
equal paused "$(field paused "$(cat state)")" 1
# Six questions cost something; a loop would have cost all there is.
used=$(($(field cpu "$(cat state)") - before))
[ $used -lt 20000000 ] || fail "$used ns of CPU time while paused"
lasting unpause work
status 114 lasting unpause work
later=$(field cpu "$(lasting state work)")
runs() { [ "$(field cpu "$(lasting state work)")" -gt $((later + 50000000)) ] && echo yes; }
until_is yes runs

# An orderly end: who catches SIGTERM tidies up, who ignores it is killed.
bin/lasting "$PWD/doors" run work sh -c 'trap "echo tidy; exit 0" TERM
	echo up; while :; do sleep 0.01; done' >polite &
polite=$!
until_is up head -n 1 polite
bin/lasting "$PWD/doors" run work sh -c 'echo up; exec sleep 1000' >calm &
calm=$!
until_is up cat calm
bin/lasting "$PWD/doors" run work sh -c 'trap "" TERM HUP; echo up; while :; do sleep 1; done' >rude &
rude=$!
until_is up cat rude
lasting shutdown work 500
wait $calm && st=0 || st=$?
equal "status of the calm" $st 143
wait $polite || fail "it was not asked to end"
equal polite "$(tail -n 1 polite)" tidy
wait $rude && st=0 || st=$?
equal "status of the killed" $st 137
wait $busy && st=0 || st=$?
equal "status of the busy" $st 143
gone $family
status 125 lasting state work

# Nothing stays, whoever is killed.
for victim in keeper kernel; do
	keeper=$(lasting start "$victim")
	bin/lasting "$PWD/doors" run "$victim" sh -c 'sleep 1000 & sleep 1000 & wait' &
	client=$!
	until_is 3 tasks "$victim"
	family=$(below "$keeper")
	case $victim in
	keeper) kill -KILL "$keeper" ;;
	kernel) kill -KILL "$(ps -o pid= --ppid "$keeper" | tr -d ' ')" ;;
	esac
	gone $family
	wait $client && st=0 || st=$?
	equal "status after the $victim" $st 125
done
keeper=$(lasting start killed)
family=$(below "$keeper")
lasting kill killed
gone $family

# A private volume at /rw: the home and /usr/local stay, the rest does not.
mkdir private root
lasting start app /rw=private >/dev/null
equal home "$(lasting run app sh -c 'pwd; stat -c "%U %a" .; ls -A /etc/skel | while read -r f; do
	cmp "/etc/skel/$f" "$f" || echo "no $f"; done')" "/home/user
user 700"
lasting run app sh -c 'echo mine >kept; echo all >/tmp/lost'
lasting run-root app sh -c 'echo tool >/usr/local/bin/tool; echo lost >/etc/lost'
lasting shutdown app
lasting start app /rw=private >/dev/null
equal kept "$(lasting run app sh -c 'cat kept /usr/local/bin/tool /rw/home/user/kept
	ls /tmp/lost /etc/lost 2>/dev/null; ls -A /run/qubes-service')" "mine
tool
mine"
# Synced is synced, whatever happens then.  A warden has its name, and is younger.
keeper=$(pgrep -f -x -o "bin/lasting $PWD/doors start app /rw=private")
lasting run app sh -c 'echo synced >synced; sync'
family=$(below "$keeper")
kill -KILL "$keeper"
gone $family
lasting start app /rw=private >/dev/null
equal synced "$(lasting run app cat synced)" synced
status 125 lasting start other /rw=private # one at a time has it
lasting kill app

# A root volume: what is changed in the template's place stays.
lasting start tpl /=root /rw=private >/dev/null
lasting run-root tpl sh -c 'echo changed >/etc/services; echo new >/usr/new
	rm /etc/profile; echo qube >>/etc/hosts; mkdir /opt/own' || fail "root is not writable"
lasting shutdown tpl
lasting start tpl /=root /rw=private >/dev/null
equal root "$(lasting run tpl sh -c 'cat /etc/services /usr/new /home/user/kept; tail -n 1 /etc/hosts
	ls -d /etc/profile /opt/own 2>/dev/null')" "changed
new
mine
qube
/opt/own"
lasting kill tpl
