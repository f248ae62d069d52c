# SPDX-License-Identifier: Apache-2.0
# Files and texts between qubes: by calls, as the policy and the user say.
need python3
own_manager
unset XDG_CONFIG_HOME
HOME=$PWD/home
export HOME
d=$HOME/.config/bento
mkdir -p "$d/policy.d"
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi

# What the user answers when he is asked; what he was asked is in `asked`.
answers() {
	cat >prompt.new <<EOF
#!/bin/sh
cat >>"$PWD/asked"
echo "$1"
EOF
	chmod 755 prompt.new
	mv prompt.new "$d/policy-prompt"
	: >asked
}
work() {
	bento run work -- sh -c "$1"
}
arrived() { # NAME: what is there, in `bank`, from `work`
	bento run bank -- sh -c "cd QubesIncoming/work 2>/dev/null && $1"
}

bento create work
bento create bank
bento create vault

# A prompt is answered, and the file is there.
answers allow:bank
work 'echo text >report; qvm-copy report'
equal "arrived" "$(arrived 'cat report')" text
grep -q '"work"' asked || fail "the prompt does not name the source"
grep -q '"bank"' asked || fail "the prompt does not offer the target"
grep -q 'qubes.Filecopy' asked || fail "the prompt does not name the service"

# The same once more: nothing is overwritten, and it is said why.
work 'echo other >report'
status 1 work 'qvm-copy report'
grep -q "report is there already" status.err || fail "$(cat status.err)"
equal "as it was" "$(arrived 'cat report')" text

# What is not there is told before anybody is asked.
: >asked
status 125 work 'qvm-copy report /no/such/file'
grep -q "/no/such/file: No such file" status.err || fail "$(cat status.err)"
equal "asked" "$(cat asked)" ""

# Denied by the user, and by a rule; nothing has come, nothing is told.
answers deny
status 126 work 'echo x >denied; qvm-copy denied'
echo 'qubes.Filecopy * work vault deny' >"$d/policy.d/30-copy.policy"
status 126 work 'qvm-copy-to-vm vault denied'
status 126 work 'qvm-copy-to-vm no-such-qube denied'
equal "nothing has come" "$(arrived 'ls')" report

# A rule without a question, from here on.
echo 'qubes.Filecopy * work bank allow' >>"$d/policy.d/30-copy.policy"
: >asked
work 'mkdir -p tree/sub; echo 1 >tree/a; echo 2 >tree/sub/b
	ln -s ../a tree/sub/link; chmod 640 tree/a
	touch -d "2001-02-03 04:05:06 UTC" tree/a tree/sub
	truncate -s 1G tree/sparse; printf end >>tree/sparse
	: >tree/empty; qvm-copy-to-vm bank tree'
[ ! -s asked ] || fail "somebody was asked"
equal "a tree" "$(arrived 'cat tree/a tree/sub/b tree/sub/link
	readlink tree/sub/link; stat -c %a tree/a; stat -c %Y tree/a tree/sub
	stat -c %s tree/sparse tree/empty; tail -c 3 tree/sparse; echo
	[ "$(stat -c %b tree/sparse)" -lt 1000 ] && echo sparse')" "1
2
1
../a
640
981173106
981173106
1073741827
0
end
sparse"

# Many; moved, not copied; what is refused stays where it is.
work 'mkdir many; cd many; seq 5000 | split -l 1 -a 4; cd
	qvm-move-to-vm bank many'
equal "5000 files" "$(arrived 'ls many | wc -l; cat many/* | sort -n | tail -1')" \
	"5000
5000"
equal "moved" "$(work 'ls -d many 2>&1 | grep -c "No such"')" 1
status 1 work 'qvm-move-to-vm bank report'
equal "not moved" "$(work 'cat report')" other
status 1 work 'mkdir out; ln -s /etc/passwd out/link; qvm-copy-to-vm bank out'
grep -q "could lead outside" status.err || fail "$(cat status.err)"
work 'qvm-copy-to-vm bank --ignore-symlinks out 2>&1 || :' | grep -q 'No such' ||
	fail "options behind the target are files"
work 'printf x >"$(printf "a\033b")"; ls | grep -q a'
status 1 work 'qvm-copy-to-vm bank "$(printf "a\033b")"'
grep -q "could deceive" status.err || fail "$(cat status.err)"
work 'qvm-copy-to-vm --allow-all-names bank "$(printf "a\033b")"'
equal "any name" "$(arrived 'cat "$(printf "a\033b")"')" x

# Interrupted: what was whole is there, and nothing by the other name.
work 'cat >cut.py' <<'EOF'
import struct, sys
def header(name, mode, size):
    return struct.pack("<IIQIIII", len(name) + 1, mode, size, 0, 0, 0, 0) + \
        name + b"\0"
sys.stdout.buffer.write(header(b"cut", 0o40755, 0) +
                        header(b"cut/1", 0o100644, 1) + b"x" +
                        header(b"cut/2", 0o100644, 1 << 30) + b"x" * 10000000)
EOF
status 1 work 'python3 cut.py >wire; qrexec-client-vm bank qubes.Filecopy <wire'
equal "interrupted" "$(arrived 'ls -A cut')" 1

# Hostile: neither side disturbs another qube's copies.
work 'cat >hostile.py' <<'EOF'
import struct, subprocess, sys
def header(name, mode=0o100644, size=0, length=None):
    return struct.pack("<IIQIIII", len(name) + 1 if length is None else length,
                       mode, size, 0, 0, 0, 0) + name + b"\0"
kinds = [header(b"../x"), header(b"x", size=1 << 63), header(b"", length=1 << 31),
         header(b"x" * 20000), b"\xff" * 100, header(b"d", 0o40755) +
         header(b"d/l", 0o120777, 9) + b"../../../x", b""]
for wire in kinds:
    with open("wire", "wb") as f:
        f.write(wire)
    got = subprocess.run(["qrexec-client-vm", "bank", "qubes.Filecopy"],
                         stdin=open("wire", "rb"), capture_output=True)
    print(got.returncode != 0, struct.unpack("<I", got.stdout[:4])[0] != 0)
EOF
equal "hostile senders" "$(work 'python3 hostile.py' | sort | uniq -c |
	tr -s ' ')" " 7 True True"
work 'qvm-copy-to-vm bank hostile.py'
equal "and still" "$(arrived 'ls | grep -c hostile')" 1

# From the session and back.
echo mine >mine
bento copy --to bank mine
equal "from the session" "$(bento run bank -- cat QubesIncoming/dom0/mine)" mine
status 1 bento copy --to bank mine
grep -q "mine is there already" status.err || fail "$(cat status.err)"
answers allow:vault
bento copy mine
equal "asked for the target" "$(bento run vault -- cat QubesIncoming/dom0/mine)" mine
answers deny
status 1 bento copy mine
bento run bank -- sh -c 'mkdir -p out/sub; echo 3 >out/sub/x; ln -s sub/x out/l'
bento pull bank:out
equal "into the session" "$(cat "$HOME/QubesIncoming/bank/out/l")" 3
mkdir here
bento pull bank:out/sub/x here
equal "into a folder" "$(cat here/x)" 3
status 1 bento pull bank:out/sub/x here
grep -q "there already" status.err || fail "$(cat status.err)"
status 1 bento pull bank:none here
grep -q "none" status.err || fail "$(cat status.err)"
bento run bank -- ln -s /etc/passwd out/bad
status 1 bento pull bank:out here
equal "nothing that leads outside" "$(find here -name bad)" ""
status 2 bento pull bank
status 1 bento pull nobody:x
grep -q "no qube named 'nobody'" status.err || fail "$(cat status.err)"

# Also what the user copies himself: the policy can forbid it, and send it elsewhere.
cat >"$d/policy.d/20-session.policy" <<'EOF'
bento.Send     * dom0 vault deny
bento.Send     * dom0 bank  ask
qubes.Filecopy * dom0 vault deny
qubes.Filecopy * dom0 work  allow target=bank
EOF
bento run vault -- sh -c 'echo 5 >kept'
: >asked
status 1 bento pull vault:kept here
grep -q "bento.Send+kept from dom0 to vault was refused" status.err ||
	fail "$(cat status.err)"
[ ! -e here/kept ] || fail "it came nevertheless"
status 1 bento copy --to vault mine2
grep -q "was refused" status.err || fail "$(cat status.err)"
equal "nobody was asked" "$(cat asked)" ""
bento run bank -- sh -c 'echo 6 >asked-for'
answers deny
status 1 bento pull bank:asked-for here
grep -q '"bento.Send"' asked || fail "it was not asked for: $(cat asked)"
answers allow:bank
bento pull bank:asked-for here
equal "allowed by the user" "$(cat here/asked-for)" 6
: >asked
echo redirected >mine2
bento copy --to work mine2
equal "redirected" "$(bento run bank -- cat QubesIncoming/dom0/mine2)" redirected
equal "a named target needs no question" "$(cat asked)" ""
rm "$d/policy.d/20-session.policy"

# How far it is, where there is somebody to see it; the qube says how much there is.
bento run bank -- sh -c 'mkdir -p big/more; head -c 1000 /dev/zero >big/a; head -c 234 /dev/zero >big/more/b'
equal "as much as there is" "$(bento call bank bento.Measure+big </dev/null)" 1234
equal "nothing" "$(bento call bank bento.Measure+none </dev/null)" 0

# The clipboard: once, and only if the user says so.
work 'printf secret | bento-clip copy'
bento clipboard copy work
equal "shown" "$(bento clipboard show)" "6 bytes of work"
answers deny
status 1 bento clipboard paste bank
equal "refused" "$(bento run bank -- bento-clip paste)" ""
answers allow:bank
bento clipboard paste bank
equal "pasted" "$(bento run bank -- bento-clip paste)" secret
status 1 bento clipboard paste bank
grep -q "clipboard is empty" status.err || fail "$(cat status.err)"
work 'head -c 64000 /dev/zero | tr "\0" x | bento-clip copy'
bento clipboard copy work
bento clipboard clear
status 1 bento clipboard show
work 'printf "\033" | bento-clip copy'
status 1 bento clipboard copy work
grep -q "is no text" status.err || fail "$(cat status.err)"
status 1 bento clipboard copy vault
status 2 bento clipboard cut work
