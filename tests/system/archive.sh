# SPDX-License-Identifier: Apache-2.0
# tar and the compressors, with kinds, modes and times of files.
need tar gzip bzip2 xz
same 'mkdir -p t/d; seq 10000 >t/a; echo x >t/d/b; ln -s a t/l; ln t/a t/h
mkfifo t/p; chmod 750 t/d; touch -d @1000000000 t/d/b
for z in "" z j J; do
	tar c${z}f x.tar t; mkdir o; tar x${z}pf x.tar -C o
	diff -r t/d o/t/d && cmp t/a o/t/a && readlink o/t/l
	stat -c "%n %a %h %F" o/t/* o/t/d/b; stat -c %Y o/t/d/b
	rm -r o
done; tar tf x.tar | sort'
same 'seq 100000 >f; md5sum <f; for c in gzip bzip2 xz; do
	$c -c f | $c -dc | cmp - f && echo $c fine; $c -k f; done; ls f*
gzip -l f.gz | tail -1 | cut -c1-40; echo bad | gzip -dc; echo $?'
same 'head -c 3000000 /usr/bin/bash | xz -T2 -c | xz -dc | md5sum'
same 'tar c -C /usr/share/doc/bash . | tar t | sort | md5sum'
# Out of a shared folder and into one.
mkdir share
seq 1000 >share/numbers
qube --rw "$PWD/share:/s" -- sh -c 'cd /s && tar czf all.tgz numbers && mkdir o && tar xzf all.tgz -C o'
cmp share/numbers share/o/numbers || fail "the archive came back different"
[ "$(stat -c %u share/o/numbers)" = "$(id -u)" ] || fail "not our file"
