# SPDX-License-Identifier: Apache-2.0
# Who has a file of the template open sees what others write into it, however
# often it was read before.
need python3
cat >reader.py <<'P'
import os
fd = os.open("/etc/debian_version", os.O_RDONLY)
for _ in range(5):
    os.pread(fd, 100, 0)
pid = os.fork()
if pid == 0:
    out = os.open("/etc/debian_version", os.O_WRONLY)
    os._exit(os.pwrite(out, b"new!", 0) - 4)
assert os.waitpid(pid, 0)[1] == 0
for _ in range(5):
    print(os.pread(fd, 4, 0).decode())
P
equal "read after a write" "$(qube --user root --ro .:/t -- python3 /t/reader.py | sort | uniq -c)" \
	"      5 new!"
