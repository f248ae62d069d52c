# SPDX-License-Identifier: Apache-2.0
# perl: processes, files, sockets.
need perl
same 'perl -e "print join(q(,), map { \$_ ** 2 } 1 .. 5), qq(\n)"; perl -v | grep -c Larry
printf "b 2\na 1\n" | perl -lane "print \$F[1]"; perl -pe "s/a/b/" </etc/hostname >/dev/null; echo $?'
same 'perl -e "my \$p = fork; if (!\$p) { exit 3 } waitpid \$p, 0; print \$? >> 8, qq(\n);
open my \$f, q(-|), q(echo piped) or die; print <\$f>; \$SIG{ALRM} = sub { print qq(alarm\n) };
use Time::HiRes; Time::HiRes::ualarm 1000; sleep 10; print -d q(.) ? 1 : 0, qq(\n);
use Socket; socketpair my \$a, my \$b, AF_UNIX, SOCK_STREAM, 0; syswrite \$a, q(x); sysread \$b, my \$c, 1; print qq(\$c\n)"'
same 'perl -MFile::Temp=tempdir -MFile::Find -MPOSIX -e "my \$d = tempdir(CLEANUP => 1);
open my \$o, q(>), qq(\$d/f); print \$o 1; close \$o; find(sub { print qq(\$_\n) }, \$d . q(/f)); print strftime(q(%Y), gmtime 0), qq(\n)"'
