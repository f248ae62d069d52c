# SPDX-License-Identifier: Apache-2.0
# A commit in one qube, signed with a key that is in another (docs/split-gpg.md).
need gpg git
own_manager
unset XDG_CONFIG_HOME
HOME=$PWD/home
export HOME
d=$HOME/.config/bento/policy.d
mkdir -p "$d"
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
bento create vault
bento create work
bento run vault -- gpg --batch --quiet --passphrase '' --quick-gen-key \
	'Jane <jane@example.org>' ed25519 sign never 2>/dev/null
cat >"$d/30-gpg.policy" <<'EOF'
qubes.Gpg * work @default allow target=vault
qubes.Gpg * @anyvm @anyvm deny
EOF
bento run work -- sh -c '
	git config --global gpg.program qubes-gpg-client
	git config --global user.name Jane
	git config --global user.email jane@example.org
	git config --global user.signingkey jane@example.org
	git init -q repo; cd repo; echo 1 >file; git add file
	git commit -q -S -m signed' </dev/null
equal "the signature is good" "$(bento run work -- git -C repo log -1 \
	--format='%G? %GS')" "G Jane <jane@example.org>"
equal "the key has stayed" "$(bento run work -- gpg --list-secret-keys 2>/dev/null)" ""
equal "it can be listed" "$(bento run work -- qubes-gpg-client --list-secret-keys \
	--with-colons | grep -c '^sec')" 1

# What is not in the table is refused here, and there, where it counts.
status 2 bento run work -- qubes-gpg-client --export-secret-keys jane
status 2 bento run work -- qubes-gpg-client --sign /etc/passwd
raw() { # WORDS, encoded as for qubes.VMExec
	printf '%s\n' "$1" | bento run work -- qrexec-client-vm @default qubes.Gpg
}
status 1 raw ----export----secret----keys
grep -q "not an option" status.err || fail "$(cat status.err)"
status 1 raw ----sign+-2Fetc-2Fpasswd
grep -q "not what gpg may be given" status.err || fail "$(cat status.err)"
status 1 raw ----homedir-3D-2Ftmp+----sign

# Without the policy's word there is nothing.
echo 'qubes.Gpg * @anyvm @anyvm deny' >"$d/30-gpg.policy"
status 126 bento run work -- qubes-gpg-client --list-keys
