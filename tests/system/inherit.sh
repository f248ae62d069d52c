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

# Snapshots of a home, back to one, and a copy of another's.
bento volume snapshot work:private
bento run work -- sh -c 'rm ~/kept'
bento shutdown --wait work
bento volume check work:private
bento volume revert work:private
equal "reverted" "$(bento run work -- sh -c 'cat ~/kept')" mine
bento shutdown --wait work
bento clone work again
equal "cloned" "$(bento run again -- sh -c 'cat ~/kept')" mine
bento run again -- sh -c 'echo theirs >~/kept'
bento shutdown --wait again
bento volume resize work:private 3G
python3 - <<'END'
import os
import sys
sys.path.insert(0, os.path.join(os.environ["TOP"], "tests/system"))
sys.dont_write_bytecode = True
from adminapi import ask, equal, refused
token = ask("admin.vm.volume.CloneFrom", "again", "private")
ask("admin.vm.volume.CloneTo", "work", "private", token)
equal(refused("admin.vm.volume.CloneTo", "work", "private", "x/private"),
      "PermissionDenied")
equal(refused("admin.vm.volume.Info", "work", "kernel"),
      "QubesVolumeNotFoundError")
equal(refused("admin.vm.volume.Revert", "work", "root"),
      "StoragePoolException")
END
equal "copied" "$(bento run work -- sh -c 'cat ~/kept')" theirs
bento shutdown --wait work
bento volume clear again:private
equal "cleared" "$(bento run again -- sh -c 'ls ~/kept 2>&1 >/dev/null |
	wc -l')" 1
bento shutdown --wait again
bento remove -f again

# A template with an image of its own.
if busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1; then
	mkdir -p image/bin image/etc
	cp "$busybox" image/bin/busybox
	ln -s busybox image/bin/sh
	ln -s busybox image/bin/cat
	echo "of the image" >image/etc/marker
	tar -C image -cf image.tar .
	bento template create small --from tar:image.tar >/dev/null
	bento create --class TemplateVM small --label black 2>/dev/null || :
	bento create onsmall --template small --label red
	equal "from the image" "$(bento run onsmall -- /bin/cat /etc/marker)" \
		"of the image"
	bento shutdown --wait onsmall
	bento run --user root small -- /bin/sh -c 'echo changed >/etc/marker'
	bento shutdown --wait small
	equal "changed over the image" \
		"$(bento run onsmall -- /bin/cat /etc/marker)" changed
	bento shutdown --wait onsmall
	bento remove -f onsmall
	bento remove -f small
fi
bento remove -f work
bento remove -f tpl
equal "nothing is left" "$(find data/bento/volumes -mindepth 1)" ""
