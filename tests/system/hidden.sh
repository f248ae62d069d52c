# SPDX-License-Identifier: Apache-2.0
# What a qube sees of the host, and what it must not.
# Whatever the host keeps there, none of it can be read inside, even by root.
for secret in shadow gshadow shadow- machine-id hostname hosts resolv.conf \
	ssh/ssh_host_rsa_key ssl/private sudoers; do
	theirs=$(qube --user root -- sh -c "cat /etc/$secret/* /etc/$secret 2>&1" || :)
	while read -r line; do
		[ ${#line} -lt 8 ] || case $line in
		'#'* | 127.0.0.1* | ::1* | nameserver*) ;;
		*) ! grep -qxF -- "$line" <<<"$theirs" ||
			fail "/etc/$secret of the host: $line" ;;
		esac
	done < <(cat "/etc/$secret" 2>/dev/null || :)
done
[ "$(qube -- cat /proc/sys/kernel/random/boot_id)" != "$(cat /proc/sys/kernel/random/boot_id)" ] ||
	fail "the host's boot id"
[ "$(qube -- hostname)" != "$(hostname)" ] || fail "the host's name"
for name in $(qube -- ls /); do
	case $name in
	bin | boot | dev | etc | home | lib | lib32 | lib64 | libx32 | media | \
		mnt | opt | proc | root | run | sbin | srv | sys | tmp | usr | var) ;;
	*) fail "/$name is there" ;;
	esac
done
equal "homes" "$(qube -- ls /home)" user
equal "tmp" "$(qube -- ls -A /tmp)" ""
echo mine >"/tmp/bento-hidden.$$"
status 2 qube --user root -- ls "/tmp/bento-hidden.$$"
rm "/tmp/bento-hidden.$$"
equal "processes" "$(qube -- ps -e -o pid=,comm= | awk '{ print $2 }' | sort | tr '\n' ' ')" "init ps "
[ "$(qube -- cut -d' ' -f1,3- /proc/1/stat)" ] || fail "no process 1"
status 1 qube -- kill -0 $$
status 1 qube --user root -- sh -c "kill -9 $PPID"
equal "program files" "$(qube -- sha256sum /usr/bin/env /etc/debian_version)" \
	"$(sha256sum /usr/bin/env /etc/debian_version)"
# Root inside may change everything, and it is gone with the qube.
equal "own changes" "$(qube --user root -- sh -c 'rm /usr/bin/env && echo x >/etc/passwd && ls /usr/bin/env 2>&1 | grep -c "No such"; cat /etc/passwd')" "1
x"
[ -x /usr/bin/env ] || fail "the host's file is gone"
equal "ordinary" "$(qube -- sh -c 'rm -f /usr/bin/env; echo x >/etc/passwd' 2>&1 | grep -c 'Permission denied')" 2
equal "devices" "$(qube -- sh -c 'ls /dev | tr "\n" " "')" \
	"console fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "
status 1 qube --user root -- sh -c 'mknod /tmp/sda b 8 0 && cat /tmp/sda'
# No way out by network: only loopback is there.
status 1 qube -- bash -c 'exec 3<>/dev/tcp/192.0.2.1/80'
[ -z "$(qube -- sh -c 'ls /sys/class/net 2>/dev/null | grep -v "^lo$"')" ] || fail "a network device"
equal "mounts" "$(qube -- sh -c 'grep -c . /proc/mounts >/dev/null && awk "\$2 == \"/proc\" { print \$3 }" /proc/mounts')" proc
