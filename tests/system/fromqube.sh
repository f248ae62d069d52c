# SPDX-License-Identifier: Apache-2.0
# A template qube's root becomes a new version of its image; what others lie
# over stays what it was.
need tar setfattr getfattr

own_manager
small_root root sh cat ls stat head mkdir rm rmdir ln mv chmod chown mknod \
	mkfifo setfattr getfattr touch find sort
mkdir -p root/usr/tree/below root/usr/gone root/opt
echo below >root/usr/tree/below/file
echo old >root/usr/gone/file
echo 12345 >root/usr/short
ln root/usr/short root/opt/linked
echo secret >root/etc/secret
chmod 600 root/etc/secret
chmod 4755 root/usr/bin/head
tar -C root --owner=0 --group=0 --numeric-owner --format=pax -cf root.tar .

bento template create deb --from tar:root.tar
bento create deb --class TemplateVM --label black
bento create app --template deb --label red
bento create maker --class StandaloneVM --label gray

inside_root() { # QUBE SCRIPT
	bento run --user root "$1" -- sh -c "$2"
}
equal "the image" "$(bento run app -- cat /usr/short)" 12345

# All that an image can hold, and all ways to hide what is below.
inside_root deb 'set -e
	cd /usr
	rm -r gone && mkdir gone && echo new >gone/other
	rm short
	echo added >added && ln added again && ln added /opt/third
	chown 123456:65533 added && chmod 2710 added
	touch -d "2001-02-03 04:05:06" again
	mknod device c 1 3 && mkfifo pipe && ln -s nowhere link
	setfattr -n user.colour -v blue added
	setfattr -n security.capability \
		-v 0x0100000200040000000000000000000000000000 bin/ls
	mv tree moved
	echo more >>/etc/secret'
what='cd /usr; ls gone; ls -d short tree 2>&1; cat moved/below/file
	stat -c "%n %h %u:%g %a %Y" added /opt/third
	stat -c "%n %F %t %T" device pipe link; stat -c %a /opt/linked
	getfattr --only-values -n user.colour added; echo
	getfattr -e hex -n security.capability bin/ls
	stat -c %a bin/head; cat /etc/secret; find . -path ./local -prune -o -print | sort'
inside_root deb "$what" >before 2>&1
equal "some of it" "$(grep -c -e 123456:65533 -e blue -e 0x01000002 <before)" 4
status 1 bento template create deb --from qube:deb
grep -q 'shut it down' status.err || fail "$(cat status.err)"
bento shutdown --wait deb
bento shutdown --wait app

bento template create deb --from qube:deb
equal "version" "$(bento template info deb | grep -c '^version   2$')" 1
bento template verify deb
# Nothing of the changes lies over it any more.
root=$(bento volume info deb:root vid)
equal "root is empty" \
	"$(find "$HOME/.local/share/bento/volumes/$root/live/objects" -type f |
	wc -l)" 0
equal "image alone" "$(qube --template deb --user root -- sh -c "$what" 2>&1)" \
	"$(cat before)"
equal "the same" "$(inside_root deb "$what" 2>&1)" "$(cat before)"
equal "in apps" "$(inside_root app "$what" 2>&1)" "$(cat before)"

# Another new version: an app that runs keeps the old one, the next start has
# the new one, and nothing of the old root shows through it.
inside_root deb 'echo mine >/usr/mine; rm /usr/added'
bento shutdown --wait deb
echo 67890 >root/usr/short
tar -C root --owner=0 --group=0 --numeric-owner --format=pax -cf root.tar .
bento template create deb --from tar:root.tar
equal "it goes on" "$(inside_root app 'cat /usr/added /usr/gone/other')" \
	"added
new"
equal "new root" "$(inside_root deb 'cat /usr/short; ls /usr/gone /usr/mine 2>&1')" \
	"67890
ls: cannot access '/usr/mine': No such file or directory
/usr/gone:
file"
bento shutdown --wait deb
bento shutdown --wait app
equal "new app" "$(bento run app -- cat /usr/short)" 67890
bento shutdown --wait app
# What it was can be had again, with what it lay over.
bento volume revert deb:root
equal "reverted" "$(inside_root deb 'cat /usr/mine; ls /usr/added 2>&1
	cat /usr/gone/other')" \
	"mine
ls: cannot access '/usr/added': No such file or directory
new"
bento shutdown --wait deb
equal "apps, too" "$(bento run app -- cat /usr/mine)" mine
bento shutdown --wait app

# A copy lies over what its original does, under any name.
bento volume clear deb:root
bento clone deb copy
bento template remove deb
equal "copy" "$(bento run copy -- cat /usr/short)" 67890
bento shutdown --wait copy

# Who is no template has no root, and a name of nobody is told.
status 1 bento template create other --from qube:app
status 1 bento template create other --from qube:nobody
grep -q nobody status.err || fail "$(cat status.err)"
equal "nothing is left" "$(ls "$HOME/.local/share/bento/templates")" ""

# An export that cannot go on says why.
inside_root copy 'echo contents >/usr/some'
bento shutdown --wait copy
vid=$(bento volume info copy:root vid)
for object in "$HOME/.local/share/bento/volumes/$vid"/live/objects/*; do
	rm "$object"
done
status 1 bento volume export copy:root copy.tar
grep -q 'usr/some' status.err || fail "$(cat status.err)"
bento remove -f app deb copy maker
