# SPDX-License-Identifier: Apache-2.0
# The policy by the command line: what it says, and how it is changed.
unset XDG_CONFIG_HOME
XDG_RUNTIME_DIR=$PWD/run
HOME=$PWD/home
export XDG_RUNTIME_DIR HOME
mkdir -m 700 run home
d=$HOME/.config/bento/policy.d
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
cat >qubes.json <<'EOF'
{"domains": {
 "dom0": {"type": "AdminVM", "power_state": "Running"},
 "work": {"type": "AppVM", "icon": "blue", "tags": ["a"], "default_dispvm": "dvm"},
 "mail": {"type": "AppVM", "icon": "red", "power_state": "Running"},
 "vault": {"type": "AppVM", "internal": true},
 "dvm": {"type": "AppVM", "template_for_dispvms": true}}}
EOF
policy() {
	timeout -k 5 60 "$BENTO" policy "$@" --system qubes.json
}
plain() {
	timeout -k 5 60 "$BENTO" policy "$@"
}
verdict() { # SOURCE TARGET SERVICE: verdict, target, offers
	policy eval "$@" 2>/dev/null |
		awk '/^[a-z]/; $1 == "target:" || $1 == "offer:" { print $2 }' |
		tr '\n' ' '
}

# Without a file of ours.
equal "list" "$(plain list | awk '{ print $1, $2 }')" "FILE LAYER
90-default.policy program"
equal "copy" "$(verdict work mail qubes.Filecopy)" "ask @dispvm:dvm dvm mail "
equal "open" "$(verdict work @dispvm qubes.OpenURL+x)" "allow @dispvm:dvm "
equal "shell" "$(verdict work mail qubes.VMShell)" "deny "
equal "date" "$(verdict work @default qubes.GetDate)" "allow dom0 "
status 3 policy eval work mail qubes.Filecopy
status 0 policy eval work @dispvm qubes.OpenURL
status 1 policy eval work mail qubes.VMShell
status 2 plain eval work mail
status 2 plain nonsense
status 0 plain lint
plain show 90-default | grep -q '^qubes.Filecopy .* ask$' || fail "no default policy"

# Files are edited, checked, and count from then on.
editor() {
	VISUAL="$1" timeout -k 5 60 "$BENTO" policy edit "$2" </dev/null
}
cat >write <<'EOF'
#!/bin/sh
cat new >"$1"
EOF
chmod 755 write
echo 'qubes.Filecopy * work mail allow user=root' >new
editor "$PWD/write" 30-user
equal "allowed" "$(verdict work mail qubes.Filecopy)" "allow mail "
equal "others" "$(verdict work dvm qubes.Filecopy)" "ask @dispvm:dvm dvm mail "
echo 'qubes.Filecopy * work mail deny' >new
editor "$PWD/write" 30-user.policy
equal "denied" "$(verdict work mail qubes.Filecopy)" "deny "
equal "offer without" "$(verdict work dvm qubes.Filecopy)" "ask @dispvm:dvm dvm "
echo 'qubes.Filecopy * work' >new
status 1 editor "$PWD/write" 30-user
grep -q '30-user.policy, line 1: word 4' status.err || fail "no place is told"
kept=$(sed -n 's/.*what you wrote is in //p' status.err)
equal "kept" "$(cat "$kept")" "$(cat new)"
rm -r "$(dirname "$kept")"
equal "still denied" "$(verdict work mail qubes.Filecopy)" "deny "
status 0 editor true 30-user

# Two editors: the second to finish does not win.
cat >second <<'EOF'
#!/bin/sh
echo '# the first' >new
VISUAL=$PWD/write $BENTO policy edit 30-user || exit
echo '# the second' >"$1"
EOF
chmod 755 second
export BENTO
status 1 editor "$PWD/second" 30-user
grep -q 'changed since' status.err || fail "no word of the other editor"
rm -r "$(dirname "$(sed -n 's/.*what you wrote is in //p' status.err)")"
equal "first" "$(cat "$d/30-user.policy")" "# the first"

# One error, or one bad name, and everything is denied.
echo 'a * b' >"$d/20-wrong.policy"
equal "error" "$(verdict work @dispvm qubes.OpenURL)" "deny "
status 1 plain lint
grep -q '20-wrong.policy, line 1: word 4 is missing' status.err || fail "lint says nothing"
status 1 plain lint "$d/20-wrong.policy"
status 0 plain lint "$d/30-user.policy"
rm "$d/20-wrong.policy"
equal "mended" "$(verdict work @dispvm qubes.OpenURL)" "allow @dispvm:dvm "
: >"$d/Upper.policy"
equal "name" "$(verdict work @dispvm qubes.OpenURL)" "deny "
rm "$d/Upper.policy"

# The runtime layer counts before the user's.
mkdir -p "$XDG_RUNTIME_DIR/bento/policy.d"
echo 'qubes.OpenURL * * * deny' >"$XDG_RUNTIME_DIR/bento/policy.d/30-user.policy"
equal "runtime" "$(verdict work @dispvm qubes.OpenURL)" "deny "
rm -r "$XDG_RUNTIME_DIR/bento/policy.d"

# Prompts.
equal "program" "$(verdict work mail qubes.Filecopy --prompt-program 'echo allow:mail')" "allow mail "
equal "program denies" "$(verdict work mail qubes.Filecopy --prompt-program 'echo deny')" "deny "
equal "program fails" "$(verdict work mail qubes.Filecopy --prompt-program 'echo allow:mail; exit 1')" "deny "
equal "not on offer" "$(verdict work mail qubes.Filecopy --prompt-program 'echo allow:vault')" "deny "
terminal "$BENTO" policy eval work mail qubes.Filecopy+x --prompt --system qubes.json <<'EOF'
expect from +work
expect label +blue
expect service +qubes.Filecopy
expect argument +.x
expect 1 +@dispvm:dvm
expect 3 +mail +red
send 3\r
expect allow
expect target: mail
status 0
EOF
terminal "$BENTO" policy eval work mail qubes.Filecopy --prompt --system qubes.json <<'EOF'
expect deny: 
send n\r
expect did not agree
status 1
EOF
equal "no terminal" "$(setsid -w timeout 60 "$BENTO" policy eval work mail qubes.Filecopy --prompt --system qubes.json | head -1)" deny

policy graph --include-ask >graph
grep -q '"work" -> "mail" .*qubes.Filecopy.*orange' graph || fail "no edge: $(cat graph)"
grep -q '"work" -> "@dispvm:dvm" .*qubes.OpenURL.*red' graph || fail "no edge: $(cat graph)"
equal "an internal qube is offered to nobody" "$(grep -- '-> "vault"' graph | grep -v bento.Send)" ""
equal "graph of one" "$(policy graph --source work --service qubes.GetDate | grep -c -- '->')" 1
