# SPDX-License-Identifier: Apache-2.0
# A call, and autostart, have the user asked for the passphrase of a locked volume:
# by the prompt program, and on the terminal of bento prompt.
# shellcheck shell=bash
own_manager
secret='correct horse 9174'
config=$HOME/.config/bento
data=$HOME/.local/share/bento
mkdir -p "$config/policy.d"
echo 'test.Call * caller vault allow' >"$config/policy.d/30-test.policy"

printf '#!/bin/sh\nprintf "%%s\\n" "%s"\n' "$secret" >askpass
chmod 755 askpass
BENTO_ASKPASS=$PWD/askpass bento create vault --encrypt
bento create caller
BENTO_ASKPASS=$PWD/askpass bento run --user root vault -- sh -c '
	mkdir -p /usr/local/etc/qubes-rpc
	printf "#!/bin/sh\necho it is open\n" >/usr/local/etc/qubes-rpc/test.Call
	chmod 755 /usr/local/etc/qubes-rpc/test.Call'

state() { bento ls --raw-data --fields STATE vault; }
again() { # nobody has keys, and vault does not run
	bento kill vault 2>/dev/null || :
	bento volume lock vault:private
}

# A prompt program that notes the question and does this.
prompt() { # SCRIPT
	printf '#!/bin/sh\ncat >>%s/asked\n%s\n' "$PWD" "$1" >prompt.new
	chmod 755 prompt.new
	mv prompt.new "$config/policy-prompt"
	: >asked
}
# ... and says these words, one each time.
says() {
	printf '%s\n' "$@" >words
	prompt "head -1 $PWD/words; sed -i 1d $PWD/words"
}
call() { # STATUS TEXT
	equal "the call" "$(timeout 60 "$BENTO" run caller -- sh -c \
		'qrexec-client-vm vault test.Call 2>/dev/null; echo "= $?"')" \
		"${2:+$2
}= $1"
}

again
says "passphrase:$secret"
call 0 'it is open'
equal "the question" "$(cat asked)" \
	'{"passphrase": "vault:private", "qube": "vault", "source": "caller", "wrong": false}'
# The key is there now.
bento shutdown --wait vault
call 0 'it is open'
equal "asked once" "$(grep -c . asked)" 1

# Wrong ones, and at most three.
again
says passphrase:wrong passphrase:no "passphrase:$secret"
call 0 'it is open'
equal "asked on" "$(grep -o '"wrong.*' asked)" '"wrong": false}
"wrong": true}
"wrong": true}'
again
says passphrase:1 passphrase:2 passphrase:3 "passphrase:$secret"
call 126
equal "three times" "$(grep -c . asked)" 3

# What is no answer is a denial, at once; another's answer is none, either.
for script in 'echo deny' 'exit 1' ':' "echo '$secret'" 'echo passphrase:' \
	"echo 'passphrase:$secret'; exit 1" "echo 'passphrase:$secret'; kill -9 \$\$" \
	"echo 'passphrase:$secret'; yes" 'echo allow:vault'; do
	prompt "$script"
	call 126
	equal "asked once: $script" "$(grep -c . asked)" 1
	equal "halted" "$(state)" Halted
done
rm "$config/policy-prompt"
call 126

# A terminal: it does not show what is typed.
: >shown
terminal sh -c '"$1" prompt --once 2>&1 | tee shown' sh "$BENTO" <<'END' &
expect qube +vault\r\n.*volume +vault:private\r\n.*for call of +caller\r\n
expect Enter to deny: 
send wrong\r
expect \A \r\nGiven
status 0
END
prompt=$!
until_shown 'appear here' 1
call 126
wait $prompt || fail "$(cat shown)"

# Ended while it asks, it leaves the terminal as it was.
: >shown
terminal sh -c 'trap : INT; "$1" prompt 2>&1 | tee -i shown; stty -a' sh "$BENTO" \
	<<'END' &
expect Enter to deny:
send \x03
expect isig icanon.* echo 
status 0
END
prompt=$!
until_shown 'appear here' 1
call 126
wait $prompt || fail "$(cat shown)"

# The rest without one.
open_prompt
until_shown 'appear here' 1
call 0 'it is open' 7>&- &
asked=$!
until_shown Passphrase, 1
echo wrong >&7
until_shown Passphrase, 2
grep -q 'That was wrong' shown || fail "$(cat shown)"
echo "$secret" >&7
wait $asked || fail "not with a terminal: $(cat shown)"

# The key comes by another way: the question is taken back.
again
call 0 'it is open' 7>&- &
asked=$!
until_shown Passphrase, 3
status 1 setsid -w "$BENTO" start vault </dev/null # a command asks by itself
BENTO_ASKPASS=$PWD/askpass bento volume unlock vault:private
wait $asked || fail "unlocked, and no answer"
until grep -q '^Nobody waits' shown; do :; done

# Who called is gone; or the qube is not to start after all.
again
bento run caller -- qrexec-client-vm vault test.Call >/dev/null 2>&1 7>&- &
until_shown Passphrase, 4
bento kill caller
wait $! || :
until [ "$(grep -c '^Nobody waits' shown)" = 2 ]; do :; done
until_is Halted state
call 126 7>&- &
asked=$!
until_shown Passphrase, 5
bento kill vault
wait $asked || fail "killed, and no answer"

# A terminal that ends denies.
call 126 7>&- &
asked=$!
until_shown Passphrase, 6
exec 7>&-
wait $asked || fail "the terminal has ended"
wait $prompt || :

# Autostart.
bento prefs vault autostart True
bento kill --all
bento quit
says "passphrase:$secret"
bento ls >/dev/null
until_is Running state
equal "nobody's call" "$(grep -o '"source.*' asked)" '"source": "", "wrong": false}'
bento kill --all
bento quit
says deny
bento ls >/dev/null
until [ -s asked ]; do :; done
until_is Halted state
grep -q 'start vault: vault:private is locked' \
	"$HOME/.local/state/bento/log/manager.log" || fail "it is not said why"

! grep -r -q -e "$secret" "$data" "$HOME/.local/state" run shown asked ||
	fail "the passphrase is written somewhere"
