# SPDX-License-Identifier: Apache-2.0
# OpenSSH: a server that gives up its rights, a log-in with and without a
# terminal, a file copied.
need ssh ssh-keygen scp
[ -x /usr/sbin/sshd ] || skip "sshd is not installed"
got=$(inside 'useradd -r -d /run/sshd -s /usr/sbin/nologin sshd
useradd -m guest; passwd -d guest >/dev/null
mkdir -p /run/sshd /etc/ssh ~guest/.ssh
ssh-keygen -q -t ed25519 -N "" -f key; ssh-keygen -q -t ed25519 -N "" -f host
cp key.pub ~guest/.ssh/authorized_keys; chown -R guest ~guest
echo "Subsystem sftp internal-sftp" >conf
options="-i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=known"
/usr/sbin/sshd -f conf -h "$PWD/host" -p 2222 -o UsePAM=no -E "$PWD/log" || exit
ssh -q -p 2222 $options guest@127.0.0.1 "id -un; tty; exit 3"; echo $?
ssh -q -tt -p 2222 $options guest@127.0.0.1 "tty; stty size" </dev/null | tr -d "\r"
echo copied >f
scp -q -P 2222 $options f guest@127.0.0.1:g && cat ~guest/g
ssh -q -p 2222 $options root@127.0.0.1 true; echo $?
kill "$(cat /run/sshd.pid)"; grep -c "Accepted publickey for guest" log' --user root)
equal "ssh" "$got" "guest
not a tty
3
/dev/pts/0
0 0
copied
255
3"
