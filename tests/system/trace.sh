# SPDX-License-Identifier: Apache-2.0
# bento run --trace: what the program called, in the manner of strace.
qube --trace -- cat /etc/debian_version 2>trace | cat >out
equal "output" "$(cat out)" "$(cat /etc/debian_version)"
grep -q 'openat(.*"/etc/debian_version".*) = [0-9]' trace || { cat trace >&2; fail "no openat"; }
grep -q 'write(1, ' trace || fail "no write"
grep -q 'exit_group(0' trace || fail "no exit"
qube --trace=openat -- cat /none 2>trace || :
grep -q 'openat(.*"/none".*) = -1 ENOENT' trace || { cat trace >&2; fail "no error name"; }
! grep -q 'read(' trace || fail "calls that were not asked for"
# What is unsupported is told once, whatever else is told.
need perl
qube --verbose -- perl -e 'syscall(321, 0, 0, 0); syscall(321, 0, 0, 0); syscall(323, 0)' 2>trace
equal "unsupported" "$(grep -o 'unsupported: .*' trace)" "unsupported: call 321
unsupported: call 323"
