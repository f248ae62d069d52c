# SPDX-License-Identifier: Apache-2.0
# Our programs in qubes: calls to other qubes, and what answers them there.
# shellcheck shell=bash
own_manager
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
XDG_CONFIG_HOME=$PWD/config
export XDG_CONFIG_HOME
mkdir -p "$XDG_CONFIG_HOME/bento/policy.d"
cat >"$XDG_CONFIG_HOME/bento/policy.d/30-test.policy" <<'EOF'
test.Deny     * @anyvm @anyvm  deny
qubes.VMRootShell * src dst    allow user=root
*             * src    dst     allow
*             * src    @dispvm allow
EOF
bento create src
bento create dst
bento create dvm
bento prefs dvm template_for_dispvms True
bento globals default_dispvm dvm
bento run --user root dst -- sh -c 'mkdir -p /usr/local/etc/qubes-rpc
	cd /usr/local/etc/qubes-rpc
	cat >test.Upper <<"EOF"
#!/bin/sh
tr a-z A-Z
echo "$1 $QREXEC_REMOTE_DOMAIN" >&2
exit 7
EOF
	cat >test.Echo <<"EOF"
#!/bin/sh
exec cat
EOF
	chmod 755 test.*'
src() {
	bento run src -- "$@"
}

# Streams, statuses and refusals.
equal "output" "$(echo abc | src qrexec-client-vm dst test.Upper+x 2>errors ||
	echo "status $?")" "ABC
status 7"
equal "errors" "$(cat errors)" "x src"
status 126 src qrexec-client-vm dst test.Deny
status 126 src qrexec-client-vm dst-that-is-not test.Echo
status 127 src qrexec-client-vm dst test.None
status 125 src qrexec-client-vm dst

# A program on this side, which talks to the service.
equal "program" "$(src qrexec-client-vm dst test.Echo sh -c \
	'echo question; exec >&-; sed s/^/got:/ >&$SAVED_FD_1')" got:question
status 7 src qrexec-client-vm dst test.Upper true

# Ten megabytes each way at once.
equal "ten megabytes" "$(src sh -c 'head -c 10485760 /dev/urandom >/tmp/big
	qrexec-client-vm dst test.Echo </tmp/big | cmp - /tmp/big && echo same')" same

# Commands, by words and by a line; the other user.
equal "words" "$(src qvm-run-vm dst printf '%s\n' 'a b' '$HOME' '-x')" 'a b
$HOME
-x'
equal "line" "$(src qvm-run-vm dst 'echo a | tr a b; hostname')" "b
dst"
status 9 src qvm-run-vm dst 'exit 9'
status 127 src qvm-run-vm dst no-such-program
equal "shell" "$(printf 'id -u; cat\nrest\n' |
	src qrexec-client-vm dst qubes.VMShell)" "$(bento run dst -- id -u)
rest"
equal "root" "$(echo 'id -u' | src qrexec-client-vm dst qubes.VMRootShell)" 0
src qrexec-client-vm dst qubes.GetDate </dev/null |
	grep -q '^20[0-9-]*T[0-9:]*+00:00$' || fail "no date"
src qrexec-client-vm dst qubes.WaitForSession </dev/null

# A disposable for a command, gone behind it.
# Without its streams nobody waits for a command; its disposable goes behind it.
bento exec --dispvm 'echo out; while [ ! -e /tmp/end ]; do sleep 0.05; done'
disp=$(bento ls --raw-list --class DispVM)
bento run "$disp" -- touch /tmp/end
timeout 60 sh -c "while '$BENTO' check --quiet $disp; do :; done" ||
	fail "the disposable did not go"
status 2 bento exec --dispvm
status 3 bento exec --pass-io --dispvm 'exit 3'
equal "none is left" "$(bento ls --raw-list --class DispVM)" ""
src qvm-run-vm --dispvm hostname | grep -q '^disp[0-9]*$' || fail "no disposable"

# A document goes to a disposable, is changed there, and comes back.
bento run --user root dvm -- sh -c 'cat >/usr/local/bin/xdg-open <<"EOF"
#!/bin/sh
hostname >>"$1"
EOF
	chmod 755 /usr/local/bin/xdg-open'
bento shutdown --wait dvm
equal "document" "$(src sh -c 'cd; echo old >"a document.txt"
	qvm-open-in-dvm "a document.txt" && cat "a document.txt"; ls' |
	sed 's/disp[0-9]*/disp/')" "old
disp
a document.txt"
equal "view" "$(src sh -c 'cd; echo old >b; qvm-open-in-dvm --view-only b 2>/dev/null; cat b')" old
for _ in $(seq 1000); do
	[ "$(bento ls --raw-list | grep -c "^disp")" != 0 ] || break
done
equal "no disposable is left" "$(bento ls --raw-list | grep '^disp' || :)" ""
