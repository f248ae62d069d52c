# SPDX-License-Identifier: Apache-2.0
# Template images: a small root of the host's own files becomes one, programs
# run on it, what is changed in it is found.
need tar setfattr

export XDG_DATA_HOME=$PWD/data XDG_STATE_HOME=$PWD/state XDG_RUNTIME_DIR=$PWD/run
mkdir -m 700 run

small_root root sh cat chmod setpriv ls id stat sha256sum head dd readlink getfattr python3
seq 100000 >root/usr/long
printf 12345 >root/usr/short
echo 'only for root' >root/etc/secret
chmod 600 root/etc/secret
echo 'behind a door' >root/root/inside
chmod 700 root/root
ln root/usr/long root/usr/other
mkfifo root/usr/pipe
# Owners and attributes that nobody here need have.
tar -C root --owner=0 --group=0 --numeric-owner --format=pax -cf root.tar .
tar -C root --owner=0 --group=8 --numeric-owner --format=pax -rf root.tar \
	./var/mail
if [ -x /usr/bin/python3 ]; then
	/usr/bin/python3 - root.tar <<'EOF'
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "a", format=tarfile.PAX_FORMAT)
e = tarfile.TarInfo("usr/marked")
e.mode, e.uid, e.gid = 0o4755, 123456, 65533
e.pax_headers = {"SCHILY.xattr.user.colour": "blue",
                 "SCHILY.xattr.security.capability":
                 "\x01\x00\x00\x02\x00\x04\x00\x00" + 12 * "\x00"}
t.addfile(e)
e = tarfile.TarInfo("usr/binder")
e.mode = 0o755
e.pax_headers = {"SCHILY.xattr.security.capability":
                 "\x01\x00\x00\x02\x00\x04\x00\x00" + 12 * "\x00"}
content = open("root/bin/cat", "rb").read()
e.size = len(content)
t.addfile(e, io.BytesIO(content))
e = tarfile.TarInfo("usr/listed")
e.mode = 0o640
e.pax_headers = {"SCHILY.acl.access":
                 "user::rw-,user:1000:r--,group::---,mask::r--,other::---"}
t.addfile(e)
e = tarfile.TarInfo("usr/device")
e.type, e.devmajor, e.devminor, e.mode = tarfile.CHRTYPE, 1, 3, 0o666
t.addfile(e)
e = tarfile.TarInfo("../outside")
t.addfile(e)
t.close()
EOF
fi

"$BENTO" template create small --from tar:root.tar 2>said
[ ! -x /usr/bin/python3 ] || grep -q '^.*left out: \.\./outside' said ||
	fail "$(cat said)"
"$BENTO" template verify small || fail "not as it was made"
equal "version" "$("$BENTO" template info small | grep -c '^version   1$')" 1

on() { # [OPTION...] -- CMD...
	qube --template small "$@"
}
equal "contents" "$(on -- sha256sum /usr/long /bin/sh | cut -d' ' -f1)" \
	"$(sha256sum root/usr/long "root$(command -v sh)" | cut -d' ' -f1)"
equal "host's programs" "$(on -- sh -c 'ls /usr/bin/gcc /usr/share 2>&1' |
	grep -c 'No such')" 2
equal "user" "$(on -- id -u)" 1000
equal "accounts" "$(on -- cat /etc/passwd | cut -d: -f1 | tr '\n' ' ')" \
	"root mail user "
equal "hard link" "$(on -- stat -c '%h %s' /usr/other)" "2 588895"
equal "owner" "$(on -- stat -c '%g %F' /var/mail)" "8 directory"
equal "pipe" "$(on -- stat -c %F /usr/pipe)" fifo
status 1 on -- cat /etc/secret
status 1 on -- cat /root/inside
equal "root reads" "$(on --user root -- cat /etc/secret /root/inside)" \
	"only for root
behind a door"
equal "changes" "$(on --user root -- sh -c 'echo more >>/usr/short
	cat /usr/short; ls /usr >/dev/null; echo own >/usr/new; cat /usr/new')" \
	"12345more
own"
equal "next" "$(on -- sh -c 'cat /usr/short; cat /usr/new 2>/dev/null')" 12345
if [ -x /usr/bin/python3 ]; then
	equal "attributes" "$(on -- stat -c '%u %g %a' /usr/marked)" \
		"123456 65533 4755"
	equal "capability" "$(on -- /usr/binder /proc/self/status |
		grep CapEff)" "CapEff:	0000000000000400"
	equal "list" "$(on -- cat /usr/listed; on -- stat -c %a /usr/listed
		on -- sh -c '! echo x 2>/dev/null >>/usr/listed && echo no')" \
		"640
no"
	# It goes with the file when that is written to.
	equal "changed list" "$(on --user root -- sh -c \
		'echo x >/usr/listed; chmod 600 /usr/listed; stat -c %a /usr/listed
		cat /usr/listed; exec setpriv --reuid 1000 cat /usr/listed' 2>&1 |
		tr '\n' ' ')" "600 x cat: /usr/listed: Permission denied "
	equal "device" "$(on --user root -- stat -c '%t %T' /usr/device)" "1 3"
fi
[ -z "$(command -v getfattr)" ] || [ ! -x /usr/bin/python3 ] ||
	equal "colour" "$(on -- getfattr --only-values -n user.colour \
		/usr/marked 2>/dev/null)" blue

# A mapping that is made larger shows no other file's bytes.
cat >grow.c <<'EOF'
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void bus(int s)
{
	(void)s;
	_exit(write(1, "nothing\n", 8) != 8);
}

int main(int argc, char **argv)
{
	int fd = open(argv[argc - 1], O_RDONLY);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), *q;

	munmap(p, 4096);
	/* Where a file was, other memory grows as ever. */
	q = mmap(p, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	q = mremap(q, 4096, 1 << 20, MREMAP_MAYMOVE);
	if (q == MAP_FAILED || q[1 << 19])
		return puts("anonymous memory does not grow"), 1;
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	q = mmap(NULL, 1 << 20, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, q);
	if (p != q || p[0] != '1')
		return puts("it does not move"), 1;
	p = mremap(p, 4096, 16384, MREMAP_MAYMOVE);
	signal(SIGBUS, bus);
	if (p == MAP_FAILED)
		return puts("nothing"), 0;
	return printf("byte %d\n", p[4096]), 1;
}
EOF
if cc -static -O1 -o root/usr/bin/grow grow.c 2>/dev/null; then
	equal "on the host" "$(root/usr/bin/grow root/usr/short)" nothing
	tar -C root --owner=0 --group=0 --format=pax -cf grow.tar .
	"$BENTO" template create grow --from tar:grow.tar
	equal "beyond the end" "$(qube --template grow -- /usr/bin/grow \
		/usr/short)" nothing
	"$BENTO" template remove grow
	rm root/usr/bin/grow
fi

# A new version does not disturb who uses the old one.
mkfifo gate
on -- sh -c 'cat; cat /usr/short' <gate >old &
exec 7>gate
versions() {
	ls data/bento/templates/small | grep -c '\.tree$'
}
until [ -n "$(ls /proc/[0-9]*/fd -l 2>/dev/null | grep small/1.tree)" ]; do :; done
printf fr3sh >root/usr/short
tar -C root --owner=0 --group=0 --format=pax -cf root.tar .
"$BENTO" template create small --from tar:root.tar
equal "new one" "$(on -- cat /usr/short)" fr3sh
equal "both are there" "$(versions)" 2
status 1 "$BENTO" template remove small
exec 7>&-
wait
equal "old one" "$(cat old)" 12345
"$BENTO" template create small --from tar:root.tar
equal "old ones went" "$(versions)" 1

# A flipped byte is an error for its file, told by name, and for no other.
store=data/bento/templates/small
version=$(readlink $store/current)
flip() { # FILE TEXT
	local at
	at=$(grep -obaF -m1 -- "$2" "$1" | head -1 | cut -d: -f1)
	chmod 600 "$1"
	printf X | dd of="$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
}
cp -r $store whole
flip "$store/$version.data" fr3sh
status 1 on -- cat /usr/short
on -- cat /usr/short 2>said || :
grep -q '/usr/short: its contents are damaged' said || fail "$(cat said)"
equal "others" "$(on -- head -1 /usr/long)" 1
equal "found" "$("$BENTO" template verify small 2>/dev/null || :)" \
	"/usr/short: its contents are damaged"
status 1 "$BENTO" template verify small
# So is one in names, and a tree that somebody else signed is not used at all.
flip "$store/$version.erofs" sha256sum
status 1 "$BENTO" template verify small
! on -- sha256sum /usr/long >said 2>&1 || fail "$(cat said)"
rm -rf $store
cp -r whole $store
printf X | { chmod 600 $store/*.tree
	dd of="$store/$version.tree" bs=1 seek=60 conv=notrunc 2>/dev/null; }
status 125 on -- cat /usr/short
status 1 "$BENTO" template verify small

# What is no archive leaves nothing behind.
rm -rf $store
head -c 100000 /dev/urandom >noise
status 1 "$BENTO" template create other --from tar:noise
equal "nothing is left" "$(ls data/bento/templates)" ""

# The host's programs, of a small host: what everybody may read, and no secrets.
echo secret >root/etc/shadow
echo host >root/etc/issue
mkdir -p root/usr/closed root/home/me
echo inside >root/usr/closed/file
ln -s ../nowhere root/usr/dangling
setfattr -n user.colour -v green root/usr/long
chmod 700 root/usr/closed
chmod 644 root/etc/shadow
"$(dirname "$BENTO")/bento-import" host root >host.tar
tar -tf host.tar | sort >names
for name in etc/passwd etc/issue usr/dangling usr/short bin; do
	grep -q -x "$name" names || fail "no $name"
done
! grep -e shadow -e closed -e secret -e home names || fail "that is not for all"
"$BENTO" template create host --from tar:host.tar
equal "like the host" "$(qube --template host -- sh -c 'cat /etc/issue
	readlink /usr/dangling; getfattr --only-values -n user.colour /usr/long
	stat -c %h /usr/other')" "host
../nowhere
green2"
"$BENTO" template remove host

# An OCI image: a second layer hides what is in the first.
need gzip python3
mkdir -p oci/blobs/sha256 layer/usr
echo new >layer/usr/added
: >layer/usr/.wh.short
blob() { # FILE: moves it to where its hash says, and tells that
	local hash
	hash=$(sha256sum <"$1" | cut -d' ' -f1)
	mv "$1" "oci/blobs/sha256/$hash"
	echo "sha256:$hash"
}
gzip -1 <root.tar >one.gz
tar -C layer --owner=0 --group=0 -czf two.gz usr
one=$(blob one.gz) two=$(blob two.gz)
echo "{\"schemaVersion\": 2, \"layers\": [{\"digest\": \"$one\"},
	{\"digest\": \"$two\"}]}" >manifest
echo "{\"manifests\": [{\"digest\": \"$(blob manifest)\", \"annotations\":
	{\"org.opencontainers.image.ref.name\": \"v1\"}}]}" >oci/index.json
"$BENTO" template create oci --from oci:oci:v1
equal "layers" "$(qube --template oci -- sh -c 'cat /usr/added /usr/short 2>&1
	head -1 /usr/long')" "new
cat: /usr/short: No such file or directory
1"
status 1 "$BENTO" template create other --from oci:oci:v2
echo >>"oci/blobs/sha256/${two#sha256:}"
status 1 "$BENTO" template create other --from oci:oci:v1
"$BENTO" template remove oci
equal "all gone" "$(ls data/bento/templates)" ""
