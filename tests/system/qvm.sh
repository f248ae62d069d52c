# SPDX-License-Identifier: Apache-2.0
# The programs of Qubes OS by their own names: a script of its user works here.
own_manager
PATH=$(dirname "$BENTO"):$PATH

qvm-create --class AppVM --label orange --property memory=500 vm1
qvm-create -l green -p private=file vm2
status 2 qvm-create
status 1 qvm-create vm1
equal "qvm-ls --raw-list" "$(qvm-ls --raw-list vm1 vm2)" "vm1
vm2"
equal "qvm-ls --raw-data" \
	"$(qvm-ls --raw-data --fields NAME,CLASS,LABEL vm1)" "vm1|AppVM|orange"
equal "qvm-prefs" "$(qvm-prefs vm1 memory)" 500
qvm-prefs vm1 memory 600
equal "qvm-prefs set" "$(qvm-prefs --get vm1 memory)" 600
qvm-prefs -D vm1 memory
equal "qvm-prefs default" "$(qvm-prefs vm1 memory)" 400
qvm-prefs vm1 | grep -q '^memory  *D  400$' || fail "no default: $(qvm-prefs vm1)"
status 1 qvm-prefs vm1 none_such
equal "qubes-prefs" "$(qubes-prefs stats_interval)" 3
qvm-tags vm1 add good better
equal "qvm-tags" "$(qvm-tags vm1 list | grep -c -e good -e better)" 2
status 0 qvm-tags vm1 list good
status 1 qvm-tags vm1 list best
equal "by tag" "$(qvm-ls --raw-list --tags good)" vm1
qvm-tags vm1 del good
status 1 qvm-tags vm1 list good
qvm-features vm1 colour 'a b'
equal "qvm-features" "$(qvm-features vm1 colour)" 'a b'
equal "by feature" "$(qvm-ls --raw-list --features 'colour=a b')" vm1
qvm-features --unset vm1 colour
status 1 qvm-features vm1 colour
qvm-service vm1 cups on
equal "qvm-service" "$(qvm-service vm1 cups)" on
equal "qvm-service list" "$(qvm-service --list vm1)" "cups  on"
qvm-service -D vm1 cups
status 1 qvm-service vm1 cups
equal "qvm-console-dispvm" \
	"$(echo 'id -un; exit 3' | qvm-console-dispvm --autostart vm1 || echo $?)" \
	"root
3"
qvm-shutdown --wait vm1
qvm-notes --set 'a note' vm1
equal "qvm-notes" "$(qvm-notes --print vm1)" 'a note'

qvm-start vm1
status 1 qvm-start vm1
status 0 qvm-start --skip-if-running vm1
status 0 qvm-check -q vm1 vm2
status 0 qvm-check -q --running vm1
status 3 qvm-check -q --running vm1 vm2
status 1 qvm-check -q --running vm2
status 1 qvm-check -q nothing
equal "qvm-run -p" "$(echo in | qvm-run -p vm1 'cat; echo $((6 * 7))')" "in
42"
equal "qvm-run program" "$(qvm-run -p vm1 printf '<%s>' 'a b' -p)" "<a b><-p>"
equal "qvm-run root" "$(qvm-run -p -u root vm1 'id -u')" 0
status 9 qvm-run -p vm1 'exit 9'
status 127 qvm-run -p --no-shell vm1 nothing-there
status 125 qvm-run -p nothing true
status 125 qvm-run -p -n vm2 true
# Without -p it comes back at once, and the command goes on.
qvm-run -q vm1 'while ! [ -e /tmp/go ]; do sleep 0.01; done; touch /tmp/went'
qvm-run -p vm1 'touch /tmp/go; while ! [ -e /tmp/went ]; do sleep 0.01; done'
# On a terminal nothing but harmless bytes arrive.
terminal qvm-run -p --no-colour-output vm1 'printf "a\033[31mb\303\244\n"' <<'END'
expect a_\[31mb__
status 0
END
terminal qvm-run -p vm1 'echo text' <<'END'
expect \x1b\[0;31mtext
expect \x1b\[0m
status 0
END
# What has a terminal of its own has it as it is.
terminal "$BENTO" run vm1 -- printf 'a\033[1mb' <<'END'
expect a\x1b\[1mb
status 0
END

qvm-pause vm1
status 0 qvm-check -q --paused vm1
qvm-unpause vm1
status 0 qvm-check -q --running vm1
qvm-volume list vm1 | grep -q '^file:.*private *vm1 *private' ||
	fail "$(qvm-volume list vm1)"
equal "qvm-volume info" "$(qvm-volume info vm1:private rw)" True
qvm-volume resize vm2:private 3G
equal "qvm-volume resize" "$(qvm-volume info vm2:private size)" 3221225472
status 1 qvm-volume resize vm2:private 1G
qvm-clone vm2 vm3
equal "qvm-clone" "$(qvm-prefs vm3 label)" green
status 1 qvm-remove -f vm1
equal "qvm-shutdown --dry-run" "$(qvm-shutdown --dry-run --all)" vm1
qvm-shutdown --wait vm1
qvm-start vm2
qvm-kill vm2
status 1 qvm-check -q --running vm1 vm2
echo n | qvm-remove vm1 2>/dev/null && fail "removed without a yes"
echo y | qvm-remove vm1 2>/dev/null || fail "not removed with a yes"
qvm-remove --force --all
equal "all gone" "$(qvm-ls --raw-list)" dom0
