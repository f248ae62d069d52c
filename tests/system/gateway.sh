# SPDX-License-Identifier: Apache-2.0
# The gateway with a real manager: our qrexec-daemon and qrexec-agent on either
# side of one control channel, which tests/unit/gateway tries with others' peers.
# shellcheck shell=bash
own_manager
if [ -d /etc/bento/policy.d ]; then skip "this machine has a policy of its own"; fi
bin=$(dirname "$BENTO")
VCHAN_SOCKET_DIR=$PWD/vchan
XDG_CONFIG_HOME=$PWD/config
export VCHAN_SOCKET_DIR XDG_CONFIG_HOME
mkdir -p "$VCHAN_SOCKET_DIR" "$XDG_CONFIG_HOME/bento/policy.d"
cat >"$XDG_CONFIG_HOME/bento/policy.d/30-test.policy" <<'EOF'
test.Who * far dst allow
EOF
bento create dst
bento create --class RemoteVM far # what the policy knows of the machine
bento run --user root dst -- sh -c 'mkdir -p /usr/local/etc/qubes-rpc
	cd /usr/local/etc/qubes-rpc
	cat >test.Who <<"EOF"
#!/bin/sh
cat
echo "$1 $QREXEC_REMOTE_DOMAIN $(hostname)"
exit 4
EOF
	chmod 755 test.Who'

"$bin/qrexec-agent" --local=local 7 dst &
agent=$!
"$bin/qrexec-daemon" 7 far user &
daemon=$!
# Both are there as soon as one of their clients is answered.
until [ -S vchan/qrexec.far ]; do kill -0 $daemon || fail "no daemon"; done
far() {
	timeout -k 5 60 "$bin/qrexec-client" -d far "$@"
}
equal "command" "$(far 'DEFAULT:hostname; id -un')" "dst
user"
equal "service" "$(echo in | far 'user:QUBESRPC test.Who+a vault' ||
	echo "status $?")" "in
a vault dst
status 4"
status 127 far 'user:QUBESRPC test.None vault'
equal "program" "$(far -l 'echo question; head -n 1 >&2' \
	'user:QUBESRPC test.Who dom0' 2>&1 || echo "status $?")" "question
status 4"
head -c 10000000 /dev/urandom >big
far 'user:cat' <big | cmp - big || fail "not the same"

# The machine asks: its own policy is ours.
ln -s "$bin/guest/usr/lib/qubes/bento-guest" qrexec-client-vm
asks() {
	timeout -k 5 60 ./qrexec-client-vm --agent-socket=vchan/local "$@"
}
equal "asked" "$(echo in | asks dst test.Who+b || echo "status $?")" "in
b far dst
status 4"
status 126 asks dst test.Other
status 126 asks none test.Who

kill $agent
wait $daemon || fail "the daemon did not end with its agent"
