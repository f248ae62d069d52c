# SPDX-License-Identifier: Apache-2.0
# What commands and the manager start has the user's own limit of descriptors,
# whatever we have given ourselves.
# shellcheck shell=bash
ulimit -Sn 300
own_manager
config=$HOME/.config/bento
mkdir -p "$config/policy.d" "$config/rpc"
cat >"$config/policy.d/10-test.policy" <<'END'
test.Limit * work  dom0 allow notify=yes
test.Ask   * work  dom0 ask
test.Hello * @anyvm work allow
END
notes() { # PROGRAM NAME
	printf '#!/bin/sh\nulimit -Sn >%s/%s\ncat >/dev/null\n' "$PWD" "$2" >"$1"
	chmod 755 "$1"
}
notes "$config/rpc/test.Limit" service
notes "$config/policy-prompt" prompt
notes "$config/policy-notify" notify
notes editor editor
notes command command

bento create work
bento run --user root work -- sh -c 'mkdir -p /usr/local/etc/qubes-rpc
	printf "#!/bin/sh\necho hello\n" >/usr/local/etc/qubes-rpc/test.Hello
	chmod 755 /usr/local/etc/qubes-rpc/test.Hello'
bento run work -- qrexec-client-vm dom0 test.Limit </dev/null
status 126 bento run work -- qrexec-client-vm dom0 test.Ask
bento call work test.Hello "$PWD/command"
EDITOR=$PWD/editor bento policy edit 10-test.policy </dev/null
for name in service prompt editor command; do
	equal "$name" "$(cat $name)" 300
done
until_is 300 cat notify # nobody waits for that one
