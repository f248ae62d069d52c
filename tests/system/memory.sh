# SPDX-License-Identifier: Apache-2.0
# A qube sees its own limit and its own use, not the machine's.
need python3
equal "its limit" "$(qube --memory 300M -- sed -n 's/^MemTotal: *//p' \
	/proc/meminfo)" "307200 kB"
cat >look.py <<'END'
import os


def rows():
    with open("/proc/meminfo") as f:
        return {name: int(rest.split()[0]) for name, rest in
                (r.split(":") for r in f)}


before = rows()
held = bytearray(os.urandom(1) * (64 << 20))
after = rows()
for name, sign in (("MemFree", -1), ("MemAvailable", -1), ("AnonPages", 1)):
    if sign * (after[name] - before[name]) < 60 << 10:
        raise SystemExit(f"{name}: {before[name]}, then {after[name]}")
used = after["MemTotal"] - after["MemFree"] - after["Cached"]
if not 64 << 10 <= used < 200 << 10:
    raise SystemExit(f"{used} KiB used")
print("seen")
END
equal "its use" "$(qube --memory 300M --ro look.py:/look.py -- python3 /look.py)" seen
