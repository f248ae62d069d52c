# SPDX-License-Identifier: Apache-2.0
# Services of one qube as another's programs call them: executables, sockets,
# links to /dev/tcp, how they are started and end.
need python3
own_manager
HOME=$PWD/home
export HOME
unset XDG_CONFIG_HOME
policy=$HOME/.config/bento/policy.d
mkdir -p "$policy"
cat >"$policy/10-test.policy" <<'END'
*         * good dst allow
*         * bad  dst deny
END
for qube in good bad dst; do bento create "$qube" --label red; done

bento run --user root dst -- sh -s <<'END' || fail "services cannot be made"
set -e
mkdir -p /run/qubes/rpc-config /usr/local/etc/qubes-rpc
cd /run/qubes-rpc 2>/dev/null || { mkdir /run/qubes-rpc; cd /run/qubes-rpc; }
cat >test.Tell <<"E"
#!/bin/sh
echo "$# '$1' $(id -un) $PWD $HOME"
env | grep ^QREXEC | sort
echo "to errors" >&2
exec cat
E
printf '#!/bin/sh\nexit $1\n' >test.Exit
printf '#!/bin/sh\nkill -9 $$\n' >test.Killed
printf '#!/bin/sh\necho this+one\n' >test.Exit+7
printf '#!/bin/sh\nexec cat\n' >test.Echo
printf '#!/bin/sh\nexec head -c 300000000 /dev/zero\n' >test.Much
cp test.Tell test.AsRoot
cp test.Tell test.Bad
printf '#!/bin/sh\necho session >/run/session; chmod 666 /run/session\n' \
	>qubes.WaitForSession
printf '#!/bin/sh\ncat /run/session\n' >test.Session
echo "text" >test.NotExecutable
echo "#!/bin/sh" >/usr/local/etc/qubes-rpc/test.Echo
chmod 755 test.[!N]* qubes.* /usr/local/etc/qubes-rpc/test.Echo
echo "force-user = 'root'  # always" >/run/qubes/rpc-config/test.AsRoot
printf '# both\nwait-for-session = 1\nforce-user = "root"\n' \
	>/run/qubes/rpc-config/test.Bad
printf "wait-for-session = true\nforce-user = 'root'\n" \
	>/run/qubes/rpc-config/test.Session
echo 'skip-service-descriptor = true' >/run/qubes/rpc-config/test.Bare
echo 'exit-on-service-eof = true' >/run/qubes/rpc-config/test.Once
ln -s /dev/tcp/127.0.0.1/7001 test.Tcp
ln -s /dev/tcp/localhost test.Port
ln -s /dev/tcp/192.0.2.1/80 test.Away
END
mkfifo ready
LIMIT=300 bento run --user root dst -- python3 -u -c "$(cat "$TOP/tests/system/services.py")" \
	>ready &
server=$!
read -r line <ready
equal "the sockets" "$line" ready

call() { # QUBE SCRIPT
	bento run "$1" -- sh -c "$2"
}
good() {
	call good "$1"
}

# Executables.
equal "what a service finds" "$(good 'echo hello | qrexec-client-vm dst test.Tell+a-b_c 2>/dev/null')" \
"1 'a-b_c' user /home/user /home/user
QREXEC_REMOTE_DOMAIN=good
QREXEC_SERVICE_ARGUMENT=a-b_c
QREXEC_SERVICE_FULL_NAME=test.Tell+a-b_c
hello"
equal "its errors" "$(good 'qrexec-client-vm dst test.Tell </dev/null 2>&1 >/dev/null')" "to errors"
equal "no argument, another user" \
	"$(good 'qrexec-client-vm dst test.AsRoot </dev/null 2>/dev/null' | head -1)" \
	"0 '' root /root /root"
equal "the argument in the name" "$(good 'qrexec-client-vm dst test.Exit+7 </dev/null')" "this+one"
equal "the first folder counts" "$(good 'echo first | qrexec-client-vm dst test.Echo')" "first"
equal "a session first" "$(good 'qrexec-client-vm dst test.Session </dev/null')" session

# How they end.
status 9 good 'qrexec-client-vm dst test.Exit+9 </dev/null'
status 0 good 'qrexec-client-vm dst test.Exit+0 </dev/null'
status 137 good 'qrexec-client-vm dst test.Killed </dev/null'
status 127 good 'qrexec-client-vm dst test.None </dev/null'
status 127 good 'qrexec-client-vm dst test.None+arg </dev/null'
status 126 good 'qrexec-client-vm nobody test.Echo </dev/null'
status 126 call bad 'qrexec-client-vm dst test.Echo </dev/null'
status 126 call bad 'qrexec-client-vm dst test.None </dev/null'
status 125 good 'qrexec-client-vm dst test.Bad </dev/null'
status 125 good 'qrexec-client-vm dst test.Away </dev/null'
bento log dst >log
grep -q '^call of good: test.Away+: Network is unreachable$' log ||
	fail "the log does not say why: $(cat log)"
bento run -- sh -c 'qrexec-client-vm dst test.Echo </dev/null' && fail "a qube without a name calls"

# Sockets, and ports of the qube's own.
equal "a socket" "$(good 'echo hello | qrexec-client-vm dst test.Sock+x')" "<test.Sock+x good>hello"
equal "without a beginning" "$(good 'echo hello | qrexec-client-vm dst test.Bare')" "<>hello"
equal "a port" "$(good 'echo hello | qrexec-client-vm dst test.Tcp')" "<>hello"
equal "a port as argument" "$(good 'echo hello | qrexec-client-vm dst test.Port+7001')" "<>hello"
status 0 good 'echo hello | qrexec-client-vm dst test.Sock'
status 125 good 'echo hello | qrexec-client-vm dst test.Port+7002'
# A service that has said all ends the call, if its configuration says so.
equal "once" "$(good 'mkfifo in || exit
	sleep 600 >in &
	qrexec-client-vm dst test.Once <in
	echo $?
	kill $!')" "<test.Once+ good>0"

# Large streams, both ways at once.
equal "much of it" "$(good 'qrexec-client-vm dst test.Much </dev/null | wc -c')" 300000000
for service in test.Echo test.Sock; do
	equal "$service, both ways" "$(good 'head -c 50000000 /dev/zero | tr "\0" x |
		qrexec-client-vm dst '$service' | tr -d "\n<>.+a-wyz A-Z" | wc -c')" 50000000
done
# Who reads no more ends the service.
status 0 good 'qrexec-client-vm dst test.Much </dev/null | head -c 1000 >/dev/null'
good 'qrexec-client-vm dst test.Sock </dev/zero | head -c 1000 >/dev/null'
for _ in $(seq 100); do
	left=$(bento run dst -- pgrep -c head) && continue
	break
done
equal "services that nobody hears" "$left" 0

kill "$server" || :
wait "$server" || :
