# SPDX-License-Identifier: Apache-2.0
"""
The manager is killed before every single change it makes to the file system,
while a qube is made, cloned, renamed and removed.  Afterwards all of the change
is there, or nothing; and no folder without a qube.
"""
import os
import sys

from adminapi import DATA, Manager, TOP, ask, equal, qubes

ARMED = os.path.join(TOP, "armed")
DIEAT = sys.argv[1]
STEPS_MAX = 2000

# What is done, and the two outcomes that may be.
CHANGES = {
    "create": (("admin.vm.Create.AppVM", "dom0", "",
                "name=new label=blue"), {"old"}, {"old", "new"}),
    "template": (("admin.vm.Create.TemplateVM", "dom0", "",
                  "name=new label=blue"), {"old"}, {"old", "new"}),
    "clone": (("bento.Clone", "old", "", "name=new"),
              {"old"}, {"old", "new"}),
    "rename": (("admin.vm.property.Set", "old", "name", "new"),
               {"old"}, {"new"}),
    "remove": (("admin.vm.Remove", "old", "", ""), {"old"}, set()),
}


def setup():
    with Manager() as m:
        for name in qubes():
            ask("admin.vm.Remove", name)
        ask("admin.vm.Create.AppVM", payload="name=old label=red")
        ask("admin.vm.tag.Set", "old", "kept")
        m.stop()


def survived(change):
    """Does the change come through if we die before step N?"""
    for n in range(1, STEPS_MAX):
        setup()
        with Manager(LD_PRELOAD=DIEAT, DIEAT=str(n), DIEAT_ARMED=ARMED) as m:
            with open(ARMED, "w"):
                pass
            try:
                ask(*CHANGES[change][0])
                done = True
            except (SystemExit, OSError):
                done = False
            os.unlink(ARMED)
            dead = m.process.poll() is not None or not done
            if dead:
                m.process.wait()
        yield n, dead, done


def check(change, n, done):
    _, before, after = CHANGES[change]
    with Manager() as m:
        there = qubes()
        if done:
            equal((change, n, set(there)), (change, n, after))
        if set(there) not in (before, after):
            raise SystemExit(f"{change}, step {n}: {set(there)}")
        for name in there:
            tags = ask("admin.vm.tag.List", name)
            wanted = "" if change in ("create", "template") and \
                name == "new" else "kept\n"
            equal((change, n, name, tags), (change, n, name, wanted))
        folders = set(os.listdir(os.path.join(DATA, "volumes")))
        equal((change, n, folders),
              (change, n, {q["uuid"] for q in there.values()}))
        m.stop()


def passed():
    """What disposables have left when the machine went down is removed."""
    volumes = os.path.join(DATA, "volumes")
    left = "01234567-89ab-8def-8123-456789abcdef"
    other = "01234567-89ab-4def-8123-456789abcdef"
    for name in (left, other):
        os.makedirs(os.path.join(volumes, name, "private"))
    with Manager() as m:
        equal(os.path.exists(os.path.join(volumes, left)), False)
        equal(os.path.exists(os.path.join(volumes, other)), True)
        m.stop()


def main():
    for change in CHANGES:
        steps = 0
        for n, dead, done in survived(change):
            check(change, n, done)
            steps = n
            if not dead:
                break
        if steps < 3 or steps == STEPS_MAX - 1:
            raise SystemExit(f"{change}: {steps} steps cannot be right")
        print(f"{change}: {steps - 1} steps")
    passed()


main()
