# SPDX-License-Identifier: Apache-2.0
# Programs and services run as any account of the qube's own /etc/passwd, as the
# property default_user says, or as asked.
own_manager
bento create work

bento run --user root work -- sh -c '
	printf "alice:x:1234:1235:A,,:/home/alice:/bin/sh\n" >>/etc/passwd
	printf "homeless:x:1236:1235::/nonexistent:\n" >>/etc/passwd
	printf "alices:x:1235:\nmore:x:1240:bob,alice\n" >>/etc/group
	mkdir /home/alice && chown alice:alices /home/alice &&
		chmod 700 /home/alice' || fail "no account was made"
cat >ask <<'END'
id -u; id -g; id -G; pwd; echo "$HOME $USER $LOGNAME $SHELL"
END
ask() { # [OPTION...]
	bento run "$@" work -- sh -c "$(cat ask)"
}
alice="1234
1235
1235 1240
/home/alice
/home/alice alice alice /bin/sh"

equal "an account of its own" "$(ask --user alice)" "$alice"
equal "that of services, which has no home" "$(ask --user homeless)" \
	"1236
1235
1235
/
/nonexistent homeless homeless /bin/sh"
equal "variables that were asked for stay" \
	"$(ask --user alice --env HOME=/tmp --env USER=x --cwd /usr | tail -2)" \
	"/usr
/tmp x alice /bin/sh"
equal "as qvm-run does it" "$(bento exec -p -u alice work 'id -un')" alice
status 125 bento run --user mallory work -- true
grep -q "no such user in the qube: mallory" status.err ||
	fail "not named: $(cat status.err)"
status 125 bento exec -p --user mallory work true
grep -q mallory status.err || fail "not named: $(cat status.err)"

# Whom programs and services run as when nobody says.
bento run --user root work -- sh -c 'mkdir -p /usr/local/etc/qubes-rpc
	printf "#!/bin/sh\nid -un\n" >/usr/local/etc/qubes-rpc/test.Who
	chmod 755 /usr/local/etc/qubes-rpc/test.Who'
equal "the usual one" "$(ask | sed -n 1p) $(bento call work test.Who)" "1000 user"
bento prefs work default_user alice
equal "the default" "$(ask)" "$alice"
equal "a service" "$(bento call work test.Who)" alice
equal "a service as told" "$(bento call --user root work test.Who)" root
equal "another, for once" "$(ask --user user | sed -n 1p)" 1000
bento prefs work default_user mallory
status 125 bento run work -- true
grep -q mallory status.err || fail "not named: $(cat status.err)"
for wrong in "" "a b" "a/b" "$(printf 'a%.0s' {1..64})"; do
	status 1 bento prefs work default_user "$wrong"
done

# root can come in and mend it.
bento run --user root work -- sh -c 'rm /etc/passwd'
equal "without the file" "$(bento run --user root work -- id -u)" 0

# In a disposable one.
equal "the machine's own" "$(bento run --user daemon -- sh -c 'id -u; pwd')" "1
/usr/sbin"
status 125 bento run --user mallory -- true
grep -q "no such user in the qube: mallory" status.err ||
	fail "not named: $(cat status.err)"
status 125 bento run --user "" -- true
