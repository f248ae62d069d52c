# SPDX-License-Identifier: Apache-2.0
# Qubes that last: what stays, what goes, and what one can do with them.
need python3
own_manager

# Nothing is there, and it is said what is.
equal "nothing yet" "$(bento ls --raw-list)" dom0
status 1 bento start none
grep -q "no qube named 'none'" status.err || fail "$(cat status.err)"

bento create --label blue work
bento create web
equal "listed" "$(bento ls --raw-data -O name,state,class,label)" \
	"dom0|Running|AdminVM|black
web|Halted|AppVM|red
work|Halted|AppVM|blue"
status 1 bento create work
status 1 bento create 1st
status 1 bento create --class None x
status 1 bento create --label nocolour x
status 125 bento strat
grep -q "did you mean bento start" status.err || fail "$(cat status.err)"
status 125 bento help strat
grep -q "did you mean bento start" status.err || fail "$(cat status.err)"

# It is said which qube there is not, also where it is not the one asked for.
for words in "prefs work netvm wbe" "globals default_netvm wbe" \
	"create --template wbe x"; do
	status 1 bento $words
	grep -q "no qube named 'wbe'; did you mean 'web'" status.err ||
		fail "$words: $(cat status.err)"
done

# Programs in them: streams, statuses, users.
equal "run" "$(echo in | bento run work -- sh -c 'cat; id -un; hostname')" \
	"in
user
work"
status 7 bento run work -- sh -c 'exit 7'
status 143 bento run work -- sh -c 'kill -TERM $$'
status 127 bento run work -- no-such-program
status 126 bento run work -- /etc/passwd
status 125 bento run none -- true
status 125 bento run --ro /usr work -- true
equal "root" "$(bento run --user root work -- id -u)" 0
equal "variable" "$(bento run --env A=b work -- printenv A)" b
equal "folder" "$(bento run --cwd /tmp work -- pwd)" /tmp
bento check -q --running work
status 1 bento check -q --running web
status 125 bento run --no-start web -- true
equal "one is not the other" \
	"$(bento run web -- hostname) $(bento run work -- hostname)" "web work"

# Several programs share one qube; it goes on without any.
bento run work -- sh -c 'echo here >/tmp/shared'
equal "shared" "$(bento run work -- cat /tmp/shared)" here

# What stays and what goes.
bento run work -- sh -c 'echo mine >~/kept'
bento run --user root work -- sh -c 'echo x >/etc/gone; echo y >/usr/local/kept'
bento shutdown --wait work
equal "halted" "$(bento ls --raw-data -O state work)" Halted
equal "home is kept" "$(bento run work -- cat /home/user/kept)" mine
equal "/usr/local is kept" "$(bento run work -- cat /usr/local/kept)" y
status 2 bento run work -- ls /etc/gone

# Paused, nothing moves; then it goes on.
bento pause work
equal "paused" "$(bento ls --raw-data -O state work)" Paused
bento unpause work
equal "goes on" "$(bento run work -- echo yes)" yes

# Snapshots of a home.
bento shutdown --wait work
taken=$(bento volume snapshot work:private)
bento volume info work:private revisions | grep -q "$taken" ||
	fail "no revision $taken"
bento run work -- sh -c 'rm ~/kept; echo broken >~/other'
bento kill work
bento volume revert work:private "$taken"
equal "reverted" "$(bento run work -- sh -c 'cat ~/kept; ls ~')" "mine
kept"
bento kill work

# Once that is set, with each start: what a session broke is undone.
bento volume config work:private revisions_to_keep 2
revisions() { bento volume info work:private revisions | grep -c .; }
for i in 1 2 3; do
	bento run work -- sh -c "echo $i >~/session"
	bento shutdown --wait work
done
equal "the newest two" "$(revisions)" 2
bento volume revert work:private
equal "the last session is undone" "$(bento run work -- cat session)" 2
bento run work -- rm session
bento shutdown --wait work
bento volume config work:private revisions_to_keep 0

# A copy has the same home and goes its own way.
bento clone work copy
equal "copied" "$(bento run copy -- cat /home/user/kept)" mine
bento run copy -- rm /home/user/kept
equal "apart" "$(bento run work -- cat /home/user/kept)" mine
bento shutdown --wait copy work

# Out and in again as an archive.
bento volume export work:private home.tar
tar tf home.tar | grep -q 'home/user/kept' || fail "not in the archive"
bento volume clear work:private
status 1 bento run work -- cat /home/user/kept
bento shutdown --wait work
bento volume import work:private home.tar
equal "imported" "$(bento run work -- cat /home/user/kept)" mine
bento kill work
bento volume check work:private

# What is used, and how much may be, is what the volume says, for all at once.
bento volume resize work:private 3G
equal "size" "$(bento volume info work:private size)" 3221225472
[ "$(bento volume info work:private usage)" -gt 0 ] || fail "no usage"
bento run work -- sh -c 'head -c 5000000 /dev/zero >~/five; sync'
equal "listed" "$(bento ls --raw-data -O name,priv-curr,priv-max,encrypted work |
	sed 's/|[45]|/|4or5|/')" "work|4or5|3072|none"
bento shutdown --wait work

# Renamed, it is the same qube.
bento prefs work name job
equal "renamed" "$(bento run job -- cat /home/user/kept)" mine
status 1 bento start work

# What runs is not removed.
status 1 bento remove -f job
bento shutdown --wait --all
bento events --json >events &
events=$!
bento remove -f job web copy
equal "empty" "$(bento ls --raw-list)" dom0
kill $events
wait $events || :

# A manager that is killed is started again and finds what runs.
bento create again
bento run again -- sh -c 'echo still >/tmp/here'
bento quit
equal "found again" "$(bento run --no-start again -- cat /tmp/here)" still
# Whatever lies between sockets of the same user's.
cat >many.py <<'END'
import resource, socket, subprocess, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
pairs = [socket.socketpair() for _ in range(100)]
for one, _ in pairs:
    socket.send_fds(one, [b"x"], [0] * 20)
sys.exit(subprocess.call(["sh", "-c", 'ulimit -Sn 256; exec "$@"', "sh"] + sys.argv[1:]))
END
equal "beside many" "$(python3 many.py "$BENTO" run again -- cat /tmp/here)" still
bento kill again
bento remove -f again

# A folder that a manager had begun to remove when it was ended.
equal "a manager" "$(bento ls --raw-list)" dom0
mkdir .local/share/bento/volumes/00000000-0000-8000-8000-000000000000
echo left >.local/share/bento/volumes/00000000-0000-8000-8000-000000000000/left
# Nothing is left.
bento quit --purge
equal "files" "$(find .local run -mindepth 1 ! -name share ! -name state)" ""
