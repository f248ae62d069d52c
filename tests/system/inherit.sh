# SPDX-License-Identifier: Apache-2.0
# What is changed in a template shows in its AppVMs, home stays, and the rest of
# / is as it was; disposables begin as their template's home was.
# shellcheck shell=bash
export XDG_RUNTIME_DIR="$TMPDIR/run" XDG_DATA_HOME="$TMPDIR/data" \
	XDG_STATE_HOME="$TMPDIR/state"
export BENTO TOP
need python3
mkdir -m 700 run
bento() {
	timeout -k 5 60 "$BENTO" "$@"
}
end() {
	for q in work tpl disp0; do
		bento kill $q || :
	done >/dev/null 2>&1
	pid=$(our_manager)
	[ -z "$pid" ] || kill "$pid"
}
# The manager whose runtime folder is ours.
our_manager() {
	local p
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = bento-manager ] &&
			{ tr "\0" "\n" <"$p/environ"; } 2>/dev/null |
			grep -qx "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" &&
			echo "${p#/proc/}" && return
	done
	:
}
trap end EXIT

bento create work --label blue
bento run work -- sh -c 'echo mine >~/kept'
bento run --user root work -- sh -c 'echo gone >/etc/gone'
bento shutdown --wait work
equal "home stays" "$(bento run work -- sh -c 'cat ~/kept')" mine
equal "/ does not" "$(bento run work -- sh -c 'ls /etc/gone 2>&1 >/dev/null |
	wc -l')" 1
bento shutdown --wait work

bento create --class TemplateVM tpl --label black
bento run --user root tpl -- sh -c 'mkdir /opt/new && echo 1 >/opt/new/file'
bento shutdown --wait tpl
equal "a template's root stays" \
	"$(bento run tpl -- cat /opt/new/file)" 1
bento prefs work template tpl
# It runs: what it had when it last ended counts.
bento run --user root tpl -- sh -c 'echo 2 >/opt/new/file'
equal "not what it has now" "$(bento run work -- cat /opt/new/file)" 1
bento run --user root work -- sh -c 'echo 3 >/opt/new/file'
bento shutdown --wait work
bento shutdown --wait tpl
equal "the template's, again" "$(bento run work -- cat /opt/new/file)" 2
equal "and home" "$(bento run work -- sh -c 'cat ~/kept')" mine
bento shutdown --wait work

bento prefs work template_for_dispvms True
python3 - <<'END'
import sys, os
sys.path.insert(0, os.path.join(os.environ["TOP"], "tests/system"))
sys.dont_write_bytecode = True
from adminapi import ask, equal
equal(ask("admin.vm.CreateDisposable", "work"), "disp0")
END
equal "a disposable's home" "$(bento run disp0 -- sh -c 'cat ~/kept')" mine
bento run disp0 -- sh -c 'echo other >~/kept'
bento kill disp0
equal "which was its own" "$(bento run work -- sh -c 'cat ~/kept')" mine
bento shutdown --wait work
bento remove -f work
bento remove -f tpl
equal "nothing is left" "$(find data/bento/volumes -mindepth 1)" ""
