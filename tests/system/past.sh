# SPDX-License-Identifier: Apache-2.0
# A volume's limit holds for what programs write through shared mappings, too.
# shellcheck shell=bash
need python3
own_manager
bento create work
bento volume resize --force work:private 64M
held() { du -sk "$HOME/.local/share/bento/volumes" | cut -f1; }

# As Linux on a full disk, where that would be SIGBUS: the program is killed.
fill='
import mmap, sys, time
f = open(sys.argv[1], "w+b")
f.truncate(8 << 30)
m = mmap.mmap(f.fileno(), 8 << 30)
f.close()
piece = b"x" * (1 << 20)
for at in range(0, int(sys.argv[2]) << 20, len(piece)):
    m[at:at + len(piece)] = piece
    time.sleep(0.005)
print("all of it")'
equal "within the limit" "$(bento run work -- python3 -c "$fill" small 16)" "all of it"
status 137 bento run work -- python3 -c "$fill" large 8192
[ "$(held)" -lt 4000000 ] || fail "the host's disk has $(held) KiB"
equal "the qube goes on" "$(bento run work -- sh -c 'rm large; echo still here')" \
	"still here"
# What is let go of can be used again.
until bento run work -- sh -c 'head -c 30M /dev/zero >again'; do
	bento run work -- test ! -e large || fail "it is still there"
done
bento shutdown --wait work
bento volume check work:private
