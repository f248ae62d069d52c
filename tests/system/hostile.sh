# SPDX-License-Identifier: Apache-2.0
# Hostile qubes, in every way we know: meanwhile another's calls and copies go
# on, and are right.  docs/threat-model.md lists the attacks.
need python3
own_manager
HOME=$PWD/home
export HOME
unset XDG_CONFIG_HOME
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
config=$HOME/.config/bento
mkdir -p "$config/policy.d" "$config/rpc"
cat >"$config/policy.d/10-test.policy" <<'END'
test.Ask       * good dst      ask
test.Slow      * bad  dst      allow
test.Much      * bad  dst      allow
test.Sock      * bad  dst      allow
test.Errors    * bad  dst      allow
test.Once      * bad  dst      allow
test.None      * bad  dst      allow
test.Fail      * bad  dom0     allow
qubes.Filecopy * bad  dst      allow
test.Hang      * bad  dom0     allow
test.Here      * good dom0     allow
qubes.VMShell  * *    @dispvm  allow
*              * good dst      allow
*              * good evil     allow
END
printf '#!/bin/sh\nexec cat >/dev/null\n' >"$config/rpc/test.Hang"
printf '#!/bin/sh\nexec cat\n' >"$config/rpc/test.Here"
printf '#!/bin/sh\nexec head -c 300000000 /dev/zero >&2\n' >"$config/rpc/test.Fail"
chmod 755 "$config"/rpc/*
for qube in good dst evil dvm; do bento create "$qube" --label red; done
bento create --standalone bad --label red
bento prefs dvm template_for_dispvms True
bento globals default_dispvm dvm

bento run --user root dst -- sh -s <<'END' || fail "services cannot be made"
set -e
mkdir -p /run/qubes-rpc
cd /run/qubes-rpc
printf '#!/bin/sh\nexec cat\n' >test.Echo
printf '#!/bin/sh\nexec cat >/dev/null\n' >test.Slow
printf '#!/bin/sh\nexec head -c 300000000 /dev/zero\n' >test.Much
printf '#!/bin/sh\nexec head -c 300000000 /dev/zero >&2\n' >test.Errors
cp test.Echo test.Ask
chmod 755 test.*
END
mkfifo ready
# It may take as long as the test.
LIMIT=900 bento run --user root dst -- python3 -u -c \
	"$(cat "$TOP/tests/system/services.py")" >ready &
read -r line <ready
equal "the sockets" "$line" ready

# What must go on, whatever others do; a file is copied under each number.
round=0
good() {
	round=$((round + 1))
	equal "calls of the good one, with $1" "$(LIMIT=300 bento run good -- sh -c '
		echo "$1" | qrexec-client-vm dst test.Echo || echo "status $?"
		echo "$1" | qrexec-client-vm dst test.Sock || echo "status $?"
		echo "$1" | qrexec-client-vm dom0 test.Here || echo "status $?"
		echo "echo $1" | qrexec-client-vm @dispvm qubes.VMShell ||
			echo "status $?"
		seq "$1" 20000 >"f$1" && qvm-copy-to-vm dst "f$1" && echo copied' \
		sh "$round" 2>&1)" "$round
<test.Sock+ good>$round
$round
$round
copied"
	equal "the copy, with $1" "$(bento run dst -- sh -c \
		'cd ~/QubesIncoming/good && seq "$1" 20000 | cmp - "f$1"' sh \
		"$round" 2>&1)" ""
}

# All of a qube's memory, and its kernel's own, in MiB.  It is asked of the kernel: a
# program would take its turn among a hundred that an attack has started there.
memory_of() { # QUBE
	bento ls --raw-data -O mem "$1"
}

# An attack begins, and goes on until it is told to end.
declare -A pid go said
begin() { # NAME COMMAND...
	local name=$1 fd line script
	shift
	script=$(cat "$TOP/tests/system/hostile.py")
	mkfifo "$name.go" "$name.said"
	LIMIT=400 "$@" python3 -u -c "$script" "$name" \
		<"$name.go" >"$name.said" 2>"$name.err" &
	pid[$name]=$!
	exec {fd}>"$name.go"
	go[$name]=$fd
	exec {fd}<"$name.said"
	said[$name]=$fd
	read -r line <&"$fd" || :
	[ "$line" = ready ] || {
		cat "$name.err" >&2
		fail "$name: $line"
	}
}
finish() { # NAME
	local fd=${go[$1]}
	echo >&"$fd"
	exec {fd}>&-
	fd=${said[$1]}
	equal "$1" "$(
		cat <&"$fd"
		tail -3 "$1.err"
	)" ok
	wait "${pid[$1]}" || fail "$1"
}

good "nobody"
for name in lengths names many slow errors ends early idents rights disposables \
	dom0 reports; do
	begin "$name" bento run bad --
	good "$name"
	[ "$(memory_of dst)" -lt 200 ] || fail "$name: $(memory_of dst) MiB in dst"
	finish "$name"
done
begin swap bento run dst --
begin copies bento run bad --
good "copies and links that change under them"
finish copies
finish swap
begin policy env
good policy
finish policy

# What a qube says of itself has an end.
[ "$(bento features bad | wc -l)" -le 256 ] || fail "too many features"

# Who answers without end has not answered the prompt, nor who answers too much.
for script in 'exec yes allow:dst' 'printf "allow:dst\0\n"' \
	'printf "allow:dst\nallow:dst\n"' 'printf "allow:\033[2Jdst\n"'; do
	printf '#!/bin/sh\n%s\n' "$script" >prompt
	chmod 755 prompt
	mv prompt "$config/policy-prompt"
	status 126 bento run good -- qrexec-client-vm dst test.Ask
done

# A hostile target: what it answers to a copy, and says of it, is put up with.
bento run --user root evil -- sh -s <<'END' || fail "hostile services cannot be made"
set -e
mkdir -p /usr/local/etc/qubes-rpc
cd /usr/local/etc/qubes-rpc
cat >qubes.Filecopy <<"E"
#!/usr/bin/python3
import os
import struct


def result(error, crc, name, size=None):
    size = len(name) if size is None else size
    return struct.pack("<IIQI", error, 0, crc, size) + name


how = open("/tmp/how").read().strip()
if how == "garbage":
    os.write(1, os.urandom(100000))
elif how == "early":
    os.write(1, result(0, 0, b""))
elif how == "escape":
    os.write(1, result(17, 0, b"\x1b[2J\x1b]0;x\x07\n\xc2\x9b" * 50))
elif how == "endless":
    os.write(1, result(17, 0, b"x" * 100000, 0xFFFFFFFF))
elif how == "error":
    os.write(1, result(0xFFFFFFFF, 0, b"x"))
elif how == "sum":
    os.read(0, 65536)
    os.write(1, result(0, 7, b""))
elif how == "never":
    open("/tmp/never", "w").close()
    while True:
        if not os.read(0, 65536):
            os.system("sleep 600")
E
chmod 755 qubes.Filecopy
END
bento run good -- sh -c 'head -c 3000000 /dev/urandom >~/big'
echo mine >mine
for how in garbage early escape endless error sum nothing; do
	bento run --user root evil -- sh -c 'echo "$1" >/tmp/how' sh "$how"
	status 1 bento run good -- qvm-copy-to-vm evil /home/user/big
	equal "what is shown of $how" "$(tr -d '\n -~' <status.err)" ""
	status 1 bento copy --to evil mine
	equal "what bento shows of $how" "$(tr -d '\n -~' <status.err)" ""
done
bento run --user root evil -- sh -c 'echo never >/tmp/how'
bento run good -- qvm-copy-to-vm evil /home/user/big 2>never.err &
never=$!
until bento run evil -- test -e /tmp/never; do :; done
good "a target that never ends"
bento kill evil
wait "$never" && fail "a copy to a qube that was killed is well"
[ -s never.err ] || fail "nothing is said of it"
good "all behind it"
