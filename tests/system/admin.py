# SPDX-License-Identifier: Apache-2.0
"""The manager's socket: what it takes, what it refuses, what it survives."""
import os
import select
import socket
import subprocess
import threading

from adminapi import (Events, Manager, PROGRAMS, ask, connect, environment,
                      equal, qubes, raw, refused)


def formats():
    """What is no request closes its connection, and nothing else."""
    other = connect()
    for bad in (b"", b"\0", b"garbage", b"admin.vm.List\0",
                b"admin.vm.List+ dom0 uuid dom0\0",
                b"admin.vm.List+ dom0 name \0", b"x" * 2000,
                b"admin.no.Such+ dom0 name dom0\0",
                b"admin.vm.List+\n dom0 name dom0\0",
                b"admin.vm.List+ dom0 name dom0 more\0"):
        equal((bad, raw(bad)), (bad, b""))
    other.sendall(b"admin.vm.List+ dom0 keyword adminvm\0")
    other.shutdown(1)
    equal(other.recv(100)[:8], b"0\0dom0 c")
    # The whole may have 65536 bytes, no more.
    head = b"admin.vm.notes.Set+ dom0 name nobody\0"
    equal(raw(head + b"n" * (65536 - len(head)))[:24],
          b"2\0QubesVMNotFoundError\0\0")
    equal(raw(head + b"n" * (65537 - len(head))), b"")
    # A plus is not needed; whoever says nothing is not waited for.
    silent = connect()
    equal(raw(b"admin.label.Get+red dom0 name dom0\0"), b"0\x000xcc0000")
    silent.close()
    # Asked for somebody else.
    equal(raw(b"admin.vm.List+ work name dom0\0")[:19],
          b"2\0PermissionDenied\0")


class Console:
    """A terminal of a qube, on a connection to the manager."""

    def __init__(self, target):
        self.socket = connect()
        self.socket.settimeout(60)
        self.socket.sendall(f"admin.vm.Console+ dom0 name {target}\0".encode())
        equal(self.socket.recv(2), b"0\0")

    def types(self, line, wanted):
        """Types a line, and waits for what is to be seen then."""
        self.socket.sendall(line.encode() + b"\n")
        seen = ""
        while wanted not in seen:
            got = self.socket.recv(65536)
            if not got:
                raise SystemExit(f"no {wanted!r} but the end: {seen!r}")
            seen += got.decode()

    def ends(self):
        while self.socket.recv(65536):
            pass


def consoles(manager):
    """Shells of root on the caller's connection, not the manager's."""
    equal(refused("admin.vm.Console", "dom0"), "PermissionDenied")
    equal(refused("admin.vm.Console", "work"), "QubesVMNotRunningError")
    ask("admin.vm.Start", "work")
    one, other = Console("work"), Console("work")
    one.types("echo $((6 * 7)) $(id -un) $(stty size)", "42 root 24 80\r\n")
    other.types("tty", "/dev/pts/1\r\n")
    # Whoever hangs up takes the shell along, and no other.
    one.types("echo $$ >/tmp/shell; echo r''dy", "rdy\r\n")
    one.socket.close()
    other.types("while kill -0 $(cat /tmp/shell) 2>/dev/null; do "
                "sleep 0.01; done; echo g''one", "gone\r\n")
    manager.kill()
    other.types("echo a''gain", "again\r\n")
    with Manager() as after:
        other.types("exit", "")
        other.ends()
        ask("admin.vm.Kill", "work")
        after.stop()


def lifecycle():
    events = Events()
    ask("admin.vm.Create.AppVM", payload="name=work label=blue")
    equal(events.names(2), [("", "domain-add"),
                            ("work", "domain-create-on-disk")])
    equal(qubes()["work"]["class"], "AppVM")
    equal(refused("admin.vm.Create.AppVM", payload="name=work label=red"),
          "QubesValueError")
    equal(refused("admin.vm.Create.AppVM", payload="name=x label=pink"),
          "QubesLabelNotFoundError")
    for name in ("dom0", "1st", "a/b", "x" * 32, "none", "work-dm"):
        equal(refused("admin.vm.Create.AppVM", payload=f"name={name}"),
              "QubesValueError")
    equal(refused("admin.vm.Create.AppVM", argument="nobody",
                  payload="name=x"), "QubesVMNotFoundError")
    equal(refused("admin.vm.Create.Spaceship", payload="name=x"),
          "QubesValueError")

    own = Events("work")
    for wanted, method in (
            ("domain-pre-start domain-spawn domain-start", "Start"),
            ("domain-paused", "Pause"), ("domain-unpaused", "Unpause")):
        ask("admin.vm." + method, "work")
        for name in wanted.split():
            equal(own.next()[:2], ("work", name))
            equal(events.next()[:2], ("work", name))
    state = dict(w.split("=") for w in
                 ask("admin.vm.CurrentState", "work").split())
    equal(state["power_state"], "Running")
    if int(state["mem"]) <= 0:
        raise SystemExit("a running qube uses memory")
    # The same of all that run, at once.
    name, *words = ask("bento.States").split()
    equal((name, words[-1]), ("work", "power_state=Running"))
    if int(words[0].partition("=")[2]) <= 0:
        raise SystemExit("a running qube uses memory")
    equal(refused("admin.vm.Remove", "work"), "QubesVMNotHaltedError")
    equal(refused("admin.vm.Unpause", "work"), "QubesVMNotPausedError")
    ask("admin.vm.Start", "work")  # it does: nothing happens
    ask("admin.vm.Shutdown", "work", "wait")
    equal(own.names(3), [("work", "domain-pre-shutdown"),
                         ("work", "domain-stopped"),
                         ("work", "domain-shutdown")])
    equal(ask("admin.vm.CurrentState", "work"),
          "mem=0 mem_static_max=0 cputime=0 power_state=Halted")
    equal(ask("bento.States"), "")
    # One that ends before it has answered is not waited for.
    for _ in range(10):
        ask("admin.vm.Start", "work")
        with connect() as s:
            s.sendall(b"bento.States+ dom0 name dom0\0")
            s.shutdown(socket.SHUT_WR)
            ask("admin.vm.Kill", "work")
            s.settimeout(30)
            equal(s.recv(2), b"0\0")
    for method, why in (("Shutdown", "Started"), ("Kill", "Started"),
                        ("Pause", "Running")):
        equal(refused("admin.vm." + method, "work"), f"QubesVMNot{why}Error")
    ask("admin.vm.Start", "work")
    ask("admin.vm.Kill", "work")
    equal(qubes()["work"]["state"], "Halted")
    ask("admin.vm.Create.AppVM", payload="name=net label=red")
    ask("admin.vm.property.Set", "net", "provides_network", "True")
    ask("admin.vm.property.Set", "work", "netvm", "net")
    ask("admin.vm.Start", "net")
    ask("admin.vm.Start", "work")
    equal(refused("admin.vm.Shutdown", "net"), "QubesVMInUseError")
    ask("admin.vm.Shutdown", "work", "wait")
    ask("admin.vm.Shutdown", "net", "wait")
    ask("admin.vm.property.Reset", "work", "netvm")
    ask("admin.vm.Remove", "net")
    ask("admin.vm.feature.Set", "work", "prohibit-start", "broken")
    equal(refused("admin.vm.Start", "work"), "QubesException")
    ask("admin.vm.feature.Remove", "work", "prohibit-start")


def settings():
    ask("admin.vm.Create.AppVM", payload="name=p label=red")
    events = Events("p")

    def get(name):
        return ask("admin.vm.property.Get", "p", name)

    equal(get("memory"), "default=True type=int 400")
    ask("admin.vm.property.Set", "p", "memory", "300")
    equal(get("memory"), "default=False type=int 300")
    equal(get("maxmem")[:22], "default=True type=int ")
    equal(events.next(), ("p", "property-pre-set:memory", {
        "name": "memory", "newvalue": "300", "oldvalue": "400"}))
    equal(events.next()[1], "property-set:memory")
    ask("admin.vm.property.Reset", "p", "memory")
    equal(events.names(2), [("p", "property-pre-reset:memory"),
                            ("p", "property-reset:memory")])
    for name, value, why in (
            ("memory", "lots", "QubesValueError"),
            ("memory", "1", "QubesValueError"),
            ("autostart", "maybe", "QubesValueError"),
            ("label", "pink", "QubesLabelNotFoundError"),
            ("netvm", "nobody", "QubesVMNotFoundError"),
            ("netvm", "p", "QubesValueError"),
            ("template", "p", "QubesValueError"),
            ("qid", "7", "QubesPropertyAccessError"),
            ("colour", "7", "QubesNoSuchPropertyError")):
        equal((name, refused("admin.vm.property.Set", "p", name, value)),
              (name, why))
    ask("admin.property.Set", argument="default_shutdown_timeout",
        payload="5")
    equal(get("shutdown_timeout"), "default=True type=int 5")
    ask("admin.property.Reset", argument="default_shutdown_timeout")

    ask("admin.vm.tag.Set", "p", "t1")
    equal(ask("admin.vm.tag.List", "p"), "t1\n")
    equal(ask("admin.vm.tag.Get", "p", "t1"), "1")
    ask("admin.vm.tag.Remove", "p", "t1")
    equal(ask("admin.vm.tag.Get", "p", "t1"), "0")
    equal(refused("admin.vm.tag.Remove", "p", "t1"), "QubesTagNotFoundError")
    equal(events.names(2), [("p", "domain-tag-add:t1"),
                            ("p", "domain-tag-delete:t1")])

    equal(refused("admin.vm.feature.Get", "p", "f"),
          "QubesFeatureNotFoundError")
    ask("admin.vm.feature.Set", "dom0", "f", "of dom0")
    equal(ask("admin.vm.feature.CheckWithAdminVM", "p", "f"), "of dom0")
    ask("admin.vm.feature.Set", "p", "f", "own")
    equal(ask("admin.vm.feature.CheckWithAdminVM", "p", "f"), "own")
    equal(ask("admin.vm.feature.List", "p"), "f\n")
    equal(events.names(2), [("p", "domain-feature-pre-set:f"),
                            ("p", "domain-feature-set:f")])

    ask("admin.label.Create", argument="pink", payload="0xff69b4")
    ask("admin.vm.property.Set", "p", "label", "pink")
    equal(refused("admin.label.Remove", argument="pink"),
          "QubesLabelInUseError")
    equal(ask("admin.label.Index", argument="pink"), "9")
    ask("admin.vm.property.Set", "p", "label", "red")
    ask("admin.label.Remove", argument="pink")

    equal(ask("admin.vm.firewall.Get", "p"), "action=accept\n")
    ask("admin.vm.firewall.Set", "p", payload="action=accept proto=tcp "
        "dst4=10.0.0.0/8 dstports=80-81 comment=a b\naction=drop\n")
    equal(refused("admin.vm.firewall.Set", "p", payload="action=maybe\n"),
          "QubesValueError")
    ask("admin.vm.notes.Set", "p", payload="two\nlines")
    equal(ask("admin.vm.notes.Get", "p"), "two\nlines")
    equal(ask("admin.vm.device.block.Attached", "p"), "")

    uuid = qubes()["p"]["uuid"]
    ask("admin.vm.property.Set", "p", "name", "q")
    equal(ask("admin.vm.notes.Get", "uuid:" + uuid), "two\nlines")
    equal("p" in qubes(), False)
    ask("admin.vm.Remove", "q")


def disposables():
    ask("admin.vm.Create.AppVM", payload="name=dvm label=red")
    equal(refused("admin.vm.CreateDisposable", "dvm"), "QubesValueError")
    ask("admin.vm.property.Set", "dvm", "template_for_dispvms", "True")
    name = ask("admin.vm.CreateDisposable", "dvm")
    equal(name, "disp0")
    equal(refused("admin.vm.Remove", "dvm"), "QubesVMInUseError")
    ask("admin.vm.Start", name)
    events = Events()
    ask("admin.vm.Kill", name)
    equal(events.names(4), [(name, "domain-stopped"),
                            (name, "domain-shutdown"),
                            ("", "domain-pre-delete"),
                            ("", "domain-delete")])
    equal(name in qubes(), False)
    ask("admin.vm.Create.DispVM", argument="dvm", payload="name=named")
    ask("admin.vm.Start", "named")
    ask("admin.vm.Kill", "named")
    equal(qubes()["named"]["state"], "Halted")
    ask("admin.vm.Remove", "named")
    ask("admin.vm.Remove", "dvm")


def many_at_once():
    """Clients that ask at the same time are all answered right."""
    wrong = []

    def one(number):
        try:
            name = f"many{number}"
            ask("admin.vm.Create.AppVM", payload=f"name={name} label=red")
            ask("admin.vm.Start", name)
            equal(qubes()[name]["state"], "Running")
            ask("admin.vm.Kill", name)
            ask("admin.vm.Remove", name)
        except BaseException as e:  # a SystemExit would go unnoticed
            wrong.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(wrong, [])


def killed(manager):
    """A qube goes on without a manager, and the next one finds it."""
    ask("admin.vm.Start", "work")
    ask("admin.vm.Create.AppVM", payload="name=wound label=red")
    ask("admin.vm.property.Set", "dom0", "keyboard_layout", "de++")
    manager.kill()
    with Manager() as again:
        equal(qubes()["work"]["state"], "Running")
        equal(qubes()["wound"]["state"], "Halted")
        ask("admin.vm.Pause", "work")
        again.kill()
    with Manager() as again:
        events = Events("work")
        equal(qubes()["work"]["state"] in ("Running", "Paused"), True)
        if qubes()["work"]["state"] == "Running":
            equal(events.next()[1], "domain-paused")
        ask("admin.vm.Unpause", "work")
        ask("admin.vm.Shutdown", "work", "wait")
        again.stop()
    with Manager():
        equal(qubes()["work"]["state"], "Halted")
        ask("admin.vm.property.Set", "work", "autostart", "True")
    with Manager():
        events = Events("work")
        if qubes()["work"]["state"] != "Running":
            equal(events.next()[1], "domain-start")
        ask("admin.vm.Kill", "work")
        ask("admin.vm.Remove", "work")
        ask("admin.vm.Remove", "wound")


def managers():
    """The managers of this test's folders."""
    pids = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                ours = environment()["XDG_RUNTIME_DIR"].encode() in f.read()
            with open(f"/proc/{pid}/comm") as f:
                if ours and f.read().strip() == "bento-manager":
                    pids.add(int(pid))
        except OSError:
            pass
    return pids


def one_ends(pids):
    """Waits half a minute until one of the processes has ended."""
    held = []
    try:
        for pid in pids:
            try:
                held.append(os.pidfd_open(pid))
            except ProcessLookupError:
                return True
        return select.select(held, [], [], 30)[0]
    finally:
        for fd in held:
            os.close(fd)


def first_commands():
    """Commands that find no manager start one, whatever their number."""
    commands = [subprocess.Popen([os.path.join(PROGRAMS, "bento"), "ls", "--raw-list"],
                                 env=environment(), stdout=subprocess.PIPE)
                for _ in range(8)]
    for c in commands:
        out = c.communicate()[0]
        equal((c.returncode, b"dom0" in out), (0, True))
    # Those that found another listening are on their way out.
    while len(pids := managers()) > 1:
        equal(bool(one_ends(pids)), True)
    equal(len(pids), 1)
    os.kill(pids.pop(), 15)


def main():
    with Manager() as manager:
        formats()
        lifecycle()
        settings()
        disposables()
        many_at_once()
        killed(manager)
    with Manager() as manager:
        ask("admin.vm.Create.AppVM", payload="name=work label=red")
        consoles(manager)
    first_commands()


main()
