# SPDX-License-Identifier: Apache-2.0
# The small tools: what they say is what they say outside.
same 'mkdir d; echo x >d/f; cp -r d e; mv e/f e/g; ln e/g e/h; ln -s g e/l
ls -AF e; stat -c "%n %s %h %F" e/*; readlink e/l; rm -r d e; ls -A'
same 'seq 10 | shuf --random-source=/dev/zero | sort -n | head -3
seq 10 | tac | tail -2; seq 4 | paste -sd, ; printf "b\na\na\n" | sort | uniq -c'
same 'printf "a:b:c\n" | cut -d: -f2; echo abc | tr a-c A-C; echo hello | rev
echo one | sha256sum; echo one | md5sum; echo one | cksum; printf "\1\2" | od -c'
same 'seq 100 >f; split -l 30 f p.; ls p.*; wc -l p.*; cat p.* | cmp - f
csplit -s f 50; wc -l xx*; comm -12 <(cat f) f 2>&1 | head -2' bash
same 'dd if=/dev/zero of=z bs=4k count=100 status=none; stat -c %s z
truncate -s 1M z; stat -c %s z; dd if=z bs=1 count=3 skip=5 status=none | wc -c'
same 'touch -d "2001-02-03 04:05:06 UTC" f; stat -c %Y f; date -u -r f +%F
date -u -d @1000000000; TZ=Europe/Berlin date -d @1000000000 +%H'
same 'echo text | tee a b >c; cmp a b && cmp b c && echo same; nl a; fold -w2 a
expand a; basename /x/y.c .c; dirname /x/y; realpath -m /x/../y'
same 'timeout 0.05 sleep 10; echo $?; timeout 5 true; echo $?
env -i A=b env; nohup true; nice -n 5 true; printenv NOPE; echo $?'
same 'umask 022; touch m; chmod u+x,g-r m
stat -c %A m; chmod 1777 .; stat -c %A .; install -m 751 m i; stat -c %a i'
same 'mktemp -u XXXXXX | wc -c; tsort <<E
a b
b c
E
factor 1234567; numfmt --to=iec 123456; expr 3 + 4; test 3 -lt 4; echo $?'
same 'mkdir -p a/b/c; rmdir -p a/b/c; ls; rmdir none; cat none; ls /none'
same 'head -c 1000000 /dev/zero | base64 | md5sum; yes x | head -c 100 | wc -l'
same 'ln -s loop loop; cat loop; ls -l loop | cut -c1; rm loop; sync; true'
same 'echo x >log; (tail -n +1 -F log --pid=$$ & echo $! >pid) | head -1; kill $(cat pid) 2>/dev/null; :'
equal id "$(inside 'id -un; id -u')" "user
1000"
equal root "$(qube --user root -- id -u)" 0
equal df "$(inside 'df -P /tmp | tail -n +2 | wc -l; du -s . | cut -f2')" "1
."
equal uptime "$(inside 'uptime >/dev/null; nproc >/dev/null; uname -sm
hostname >/dev/null; who; tty')" "Linux x86_64
not a tty"
