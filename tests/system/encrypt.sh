# SPDX-License-Identifier: Apache-2.0
# Encrypted volumes: made, unlocked, copied, changed; a wrong key is told, and
# nothing of what is inside or of a passphrase is found outside.
own_manager
mkdir bin
printf '#!/bin/sh\necho "$1" >>%s/asked\nhead -1 %s/words\nsed -i 1d %s/words\n' \
	"$PWD" "$PWD" "$PWD" >bin/ask
chmod 755 bin/ask
# The words that whoever is asked will say.
says() {
	printf '%s\n' "$@" >words
	: >asked
}
data=$HOME/.local/share/bento
export BENTO_ASKPASS=$PWD/bin/ask
secret='correct horse 9174'
again() { # as behind a login: nobody has keys
	bento kill --all 2>/dev/null || :
	bento quit
}

says "$secret" "$secret"
bento create vault --encrypt
equal "asked twice" "$(grep -c . asked)" 2
equal "what is on" "$(bento volume info vault:private encryption) $(
	bento volume info vault:private locked)" "passphrase True"

# The first start asks, the next one does not.
says "$secret"
equal "first" "$(bento run vault -- sh -c 'echo PLAIN-TEXT-77 >~/note; cat ~/note')" \
	PLAIN-TEXT-77
equal "asked for" "$(cat asked)" "Passphrase of vault:private"
bento shutdown --wait vault
equal "unlocked" "$(bento run vault -- cat note)" PLAIN-TEXT-77
bento shutdown --wait vault
! grep -r -q -e PLAIN-TEXT-77 -e "$secret" "$data" "$HOME/.local/state" run ||
	fail "it is written somewhere"

# Wrong ones, and none.
again
says wrong
status 1 bento start vault
grep -q 'wrong passphrase' status.err || fail "$(cat status.err)"
unset BENTO_ASKPASS
status 1 setsid -w "$BENTO" start vault </dev/null
grep -q 'vault:private is locked.*volume unlock' status.err ||
	fail "$(cat status.err)"
export BENTO_ASKPASS=$PWD/bin/ask

# Where nobody can be asked (tests/system/unlock.sh has the other cases), the call
# that wants it is refused, and the user is told why.
again
policy=$HOME/.config/bento/policy.d
mkdir -p "$policy"
echo 'test.Call * caller vault allow' >"$policy/30-test.policy"
bento create caller
bento prefs vault autostart True
bento quit
says
bento start caller
mkfifo seen
"$BENTO" events --json >seen &
watcher=$!
exec 6<seen
line=
until [ "$line" ]; do # until it is connected, and sees something
	bento tags caller add seen
	bento tags caller del seen
	read -r -t 1 line <&6 || :
done
status 126 bento run caller -- qrexec-client-vm vault test.Call
until grep -q '"call"' <<<"$line"; do
	read -r -t 30 line <&6 || fail "no event of the call"
done
grep -q '"fail".*vault:private is locked: its passphrase is wanted' <<<"$line" ||
	fail "it is not said why: $line"
exec 6<&-
kill $watcher
equal "nobody asked" "$(cat asked)" ""
[ "$(grep -c 'start vault: vault:private is locked' \
	"$HOME/.local/state/bento/log/manager.log")" -ge 1 ] ||
	fail "autostart says nothing: $(cat "$HOME/.local/state/bento/log/manager.log")"
bento prefs vault autostart False
bento kill caller

# What needs the key asks for it; what does not, does not.
says "$secret"
bento volume export vault:private vault.tar
tar -xOf vault.tar home/user/note | grep -q PLAIN-TEXT-77 || fail "export"
again
says
bento volume snapshot vault:private >revision
bento clone vault copy
equal "nobody asked" "$(cat asked)" ""
says "$secret"
equal "copy" "$(bento run copy -- cat note)" PLAIN-TEXT-77
bento shutdown --wait copy
# It has the same key: unlocked with it.
says
equal "same key" "$(bento run vault -- sh -c 'cat note; echo changed >note')" \
	PLAIN-TEXT-77
bento shutdown --wait vault
bento volume revert vault:private
equal "reverted" "$(bento run vault -- cat note)" PLAIN-TEXT-77
bento shutdown --wait vault

# Another passphrase, for revisions, too; the old one opens nothing.
says "$secret" new-words new-words
bento volume passphrase vault:private
bento volume lock vault:private
says "$secret"
status 1 bento start vault
bento volume revert vault:private
says "$secret"
status 1 bento start vault
says new-words
equal "new one" "$(bento run vault -- cat note)" PLAIN-TEXT-77
bento shutdown --wait vault
bento volume import vault:private vault.tar
bento volume resize vault:private 3G
bento volume check vault:private
bento volume clear vault:private
bento volume import vault:private vault.tar
equal "imported" "$(bento run vault -- cat note)" PLAIN-TEXT-77
bento shutdown --wait vault

# A key file.
head -c 64 /dev/urandom >key
bento create filed --key-file key
again
says
status 1 bento start filed
grep -q 'key file is wanted' status.err || fail "$(cat status.err)"
head -c 64 /dev/urandom >other
status 1 bento volume unlock filed:private --key-file other
grep -q 'wrong key file' status.err || fail "$(cat status.err)"
bento volume unlock filed:private --key-file key
bento run filed -- sh -c 'echo FILED-88 >~/note'
bento shutdown --wait filed
# And no encryption any more, and again.
bento volume decrypt filed:private
equal "plain" "$(bento volume info filed:private encryption)" none
equal "kept" "$(bento run filed -- cat note)" FILED-88
bento shutdown --wait filed
grep -r -q FILED-88 "$data/volumes" || fail "is it not plain?"
bento volume encrypt filed:private --key-file key
! grep -r -q FILED-88 "$data/volumes" || fail "the plain one is still there"
bento volume unlock filed:private --key-file key
equal "kept, too" "$(bento run filed -- cat note)" FILED-88
bento shutdown --wait filed

# A template's root: who uses it wants its key.
says "$secret" "$secret"
bento create base --class TemplateVM --encrypt
bento create app --template base
says "$secret" "$secret"
bento run --user root base -- sh -c 'echo from-base >/usr/of-base'
bento shutdown --wait base
again
says "$secret"
equal "in the app" "$(bento run app -- cat /usr/of-base)" from-base
equal "for the template" "$(cat asked)" "Passphrase of base:root"
bento shutdown --wait app

bento remove -f app filed copy
