# SPDX-License-Identifier: Apache-2.0
"""Calls between qubes: what is allowed, asked, redirected, started, made."""
import fcntl
import json
import os
import socket
import subprocess
import threading

from adminapi import (TOP, Events, Manager, ask, environment, equal, qubes,
                      refused)

BENTO = os.environ["BENTO"]
CONFIG = os.path.join(TOP, ".config", "bento")
POLICY = os.path.join(CONFIG, "policy.d")

# Asks for many calls at once and counts the answers, by their kind.
MANY = r"""
import collections, select, socket, struct, sys
count, target, service = int(sys.argv[1]), sys.argv[2], sys.argv[3]
body = struct.pack("64s32s", target.encode(), b"x") + service.encode() + b"\0"
wire = struct.pack("<II", 0x212, len(body)) + body
poll = select.epoll()
socks = {}
for i in range(count):
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/qubes/qrexec-agent")
    s.sendall(wire)
    poll.register(s, select.EPOLLIN)
    socks[s.fileno()] = s
print("asked", flush=True)
kinds = collections.Counter()
while socks:
    for fd, _ in poll.poll():
        s = socks.pop(fd)
        got, fds, _, _ = socket.recv_fds(s, 40, 4)
        kinds[hex(struct.unpack("<I", got[:4])[0]) if got else "lost"] += 1
        poll.unregister(fd)
        s.close()
        for fd in fds:
            import os
            os.close(fd)
print(" ".join(f"{k}={v}" for k, v in sorted(kinds.items())))
"""


def start(*words):
    return subprocess.Popen([BENTO, *words], env=environment(),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def finish(process, data=b""):
    out, err = process.communicate(data, timeout=120)
    return process.returncode, out, err


def run(qube, *words, data=b"", user="user"):
    return finish(start("run", "--user", user, qube, "--", *words), data)


def call(source, target, service, data=b""):
    return run(source, "qrexec-client-vm", target, service, data=data)


def offer(qube, name, script):
    """Puts a service into what a qube keeps."""
    where = "/usr/local/etc/qubes-rpc"
    equal(run(qube, "sh", "-c", f"mkdir -p {where} && cat >{where}/{name} &&"
              f" chmod 755 {where}/{name}",
              data=b"#!/bin/sh\n" + script.encode(), user="root"),
          (0, b"", b""))


def policy(text):
    os.makedirs(POLICY, exist_ok=True)
    path = os.path.join(POLICY, "30-user.policy")
    with open(path + ".new", "w") as f:
        f.write(text)
    os.rename(path + ".new", path)


def program(path, script):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as f:
        f.write("#!/bin/sh\n" + script)
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)


def prompt(script):
    program(os.path.join(CONFIG, "policy-prompt"), script)


def allowed_and_denied():
    policy("test.Cat * work mail allow\n"
           "test.Not * work mail allow\n")
    equal(call("work", "mail", "test.Cat+a", b"hello"),
          (7, b"from work arg a\nhello", b"err\n"))
    # There is no such service; and what follows is refused, all alike.
    equal(call("work", "mail", "test.Not")[0], 127)
    want = call("work", "mail", "test.Other")
    equal(want[0], 126)
    for target in ("nobody", "work", "late", "@dispvm:nobody", "dom0", ""):
        equal(call("work", target, "test.Other"), want)
    equal(call("mail", "work", "test.Cat"), want)
    # The policy that is there when a call is made holds.
    policy("test.Cat * work mail deny\n")
    equal(call("work", "mail", "test.Cat", b"hello"), want)
    policy("test.Cat * work mail allow nonsense\n")
    equal(call("work", "mail", "test.Cat", b"hello"), want)


# Says all it has to say by shutdown(2), and goes on.
HALF = r'''
exec python3 -c '
import socket, sys
s = socket.socket(fileno=1)
assert (s.family, s.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
s.sendall(b"said\n")
s.shutdown(socket.SHUT_WR)
sys.exit(3 if sys.stdin.read() == "heard said\n" else 4)
'
'''


def half_closed():
    policy("test.Half * work mail allow\n")
    offer("mail", "test.Half", HALF)
    equal(run("work", "qrexec-client-vm", "mail", "test.Half", "sh", "-c",
              'all=$(cat); echo "heard $all"'), (3, b"", b""))


# Waits for all of a message whose rest is sent once its beginning has been taken;
# then for one that is more than lies between two qubes.
WHOLE = r'''
exec python3 -c '
import fcntl, os, socket, termios, threading
s = socket.socket(fileno=0)
got = []
def take(size):
    got.append(s.recv(size, socket.MSG_WAITALL))
assert s.recv(1, socket.MSG_PEEK | socket.MSG_WAITALL) == b"h"
taker = threading.Thread(target=take, args=(11,))
taker.start()
left = bytearray(b"....")
while any(left):
    os.sched_yield()
    fcntl.ioctl(0, termios.FIONREAD, left)
os.write(1, b"taken\n")
taker.join()
assert got == [b"hello world"], got
take(3000000)
assert got[1] == b"x" * 3000000, len(got[1])
take(5)
assert got[2] == b"end", got
'
'''


def whole():
    policy("test.Whole * work mail allow\n")
    offer("mail", "test.Whole", WHOLE)
    equal(run("work", "qrexec-client-vm", "mail", "test.Whole", "sh", "-c",
              'printf hello; read taken; printf " world"; '
              'head -c 3000000 /dev/zero | tr "\\0" x; printf end'),
          (0, b"", b""))


def asked():
    policy("test.Cat * work @anyvm ask\n")
    os.path.exists(f"{CONFIG}/policy-prompt") and os.remove(
        f"{CONFIG}/policy-prompt")
    equal(call("work", "mail", "test.Cat")[0], 126)
    for script, status in (("cat >/dev/null; echo allow:mail\n", 7),
                           ("echo deny\n", 126), ("kill -9 $$\n", 126),
                           ("echo allow:nobody\n", 126), ("exit 0\n", 126)):
        prompt(script)
        equal(call("work", "mail", "test.Cat")[0], status)


def redirected():
    policy("test.Cat * work @default allow target=mail\n"
           "test.Who * work mail allow user=root\n")
    equal(call("work", "", "test.Cat+b")[:2], (7, b"from work arg b\n"))
    equal(call("work", "@default", "test.Cat+c")[0], 7)
    equal(call("work", "nobody", "test.Cat+d")[0], 7)
    equal(call("work", "mail", "test.Who"), (0, b"root\n", b""))


def started():
    policy("test.Cat * work late allow autostart=no\n")
    equal(qubes()["late"]["state"], "Halted")
    equal(call("work", "late", "test.Cat")[0], 126)
    equal(qubes()["late"]["state"], "Halted")
    policy("test.Cat * work late allow\n")
    equal(call("work", "late", "test.Cat+e", b"x"),
          (7, b"from work arg e\nx", b"err\n"))
    equal(qubes()["late"]["state"], "Running")
    ask("admin.vm.Pause", "late")
    equal(call("work", "late", "test.Cat")[0], 126)
    ask("admin.vm.Unpause", "late")
    equal(call("work", "late", "test.Cat")[0], 7)


def wait_gone(events):
    while events.next()[1] != "domain-delete":
        pass
    equal([n for n in qubes() if n.startswith("disp")], [])


def of_the_user():
    """Nobody is asked about what the user calls."""
    def bento(*words, data=b""):
        return finish(start(*words), data)
    policy("* * @anyvm @anyvm deny\n")
    events = Events()
    equal(bento("call", "mail", "test.Cat+x", data=b"hi"),
          (7, b"from dom0 arg x\nhi", b"err\n"))
    equal(bento("call", "-u", "root", "mail", "test.Who")[:2], (0, b"root\n"))
    equal(bento("call", "mail", "test.Nothing")[0], 127)
    equal(bento("call", "nobody", "test.Cat")[0], 125)
    equal(bento("call", "solo", "-n", "test.Cat")[0], 125)
    equal(bento("call", "--dispvm=dvm", "qubes.VMShell", data=b"exit 9\n")[0],
          9)
    wait_gone(events)
    equal(bento("call", "mail", "test.Echo", "--", "sh", "-c",
                "echo ping; exec >&-; cat >&2"), (0, b"", b"ping\n"))
    equal(bento("exec", "-p", "--service", "mail", "test.Cat+y", data=b"z"),
          (7, b"from dom0 arg y\nz", b"err\n"))
    equal(bento("exec", "--service", "mail", "test.Cat", data=b"z"),
          (7, b"", b""))
    equal(bento("exec", "--localcmd", "echo ping; exec >&-; cat >&2", "mail",
                "cat; exit 3"), (3, b"", b"ping\n"))
    equal(bento("exec", "--service", "--localcmd",
                "echo ping; exec >&-; cat >&2", "mail", "test.Echo"),
          (0, b"", b"ping\n"))


def disposables():
    policy("test.Cat * work @dispvm allow\n"
           "qubes.VMShell * work @dispvm:dvm allow\n")
    events = Events()
    # The default policy has VMShell allowed there.
    for target in ("@dispvm", "@dispvm:dvm"):
        equal(call("work", target, "qubes.VMShell+", b"echo in $((6 * 7))\n"),
              (0, b"in 42\n", b""))
        wait_gone(events)
    equal(call("work", "@dispvm:mail", "qubes.VMShell")[0], 126)
    equal(call("work", "@dispvm", "test.Cat")[0], 127)
    wait_gone(events)
    waiting_ones(events)


def waiting_one(events):
    """The name of the next qube that has started."""
    while True:
        subject, name, _ = events.next()
        if name == "domain-start":
            return subject


def successor(events, old):
    """The name of the one that starts in its place, once it has ended."""
    started = ended = None
    while not (started and ended):
        subject, name, _ = events.next()
        if name == "domain-start":
            started = subject
        ended = ended or (subject, name) == (old, "domain-shutdown")
    return started


def wait_for(events, *wanted):
    """Until each of these (subject, name) has come."""
    missing = set(wanted)
    while missing:
        missing.discard(events.next()[:2])


def waiting_ones(events):
    """Disposables that are there before they are wanted."""
    ask("admin.vm.feature.Set", "dvm", "preload-dispvm-delay", "0")
    ask("admin.vm.feature.Set", "dvm", "preload-dispvm-max", "1")
    # One is used, and another made.
    first = waiting_one(events)
    equal(call("work", "@dispvm", "qubes.VMShell", b"hostname\n"),
          (0, first.encode() + b"\n", b""))
    second = waiting_one(events)
    # The same for CreateDisposable; that one stays, whatever it serves.
    equal(ask("admin.vm.CreateDisposable", "dvm"), second)
    equal(qubes()[second]["state"], "Running")
    third = waiting_one(events)
    for _ in range(2):
        equal(finish(start("call", second, "qubes.VMShell"), b"hostname\n"),
              (0, second.encode() + b"\n", b""))
    ask("admin.vm.Kill", second)
    wait_for(events, (second, "domain-shutdown"))
    # `run --dispvm` is CreateDisposable, too.
    equal(finish(start("exec", "-p", "--dispvm=dvm", "hostname")),
          (0, third.encode() + b"\n", b""))
    fourth = waiting_one(events)
    # What its template is, it is no more: another takes its place.
    ask("admin.vm.property.Set", "dvm", "vcpus", "1")
    fourth = successor(events, fourth)
    # The same for what it inherits from the whole installation.
    ask("admin.property.Set", "dom0", "default_shutdown_timeout", "61")
    fifth = successor(events, fourth)
    equal(run("dvm", "sh", "-c", "echo changed >/home/user/.mark")[0], 0)
    ask("admin.vm.Shutdown", "dvm", "wait")
    wait_for(events, (fifth, "domain-shutdown"))
    equal(call("work", "@dispvm", "qubes.VMShell", b"cat ~/.mark\n"),
          (0, b"changed\n", b""))
    ask("admin.vm.feature.Remove", "dvm", "preload-dispvm-max")
    while any(n.startswith("disp") for n in qubes()):
        events.next()
    # A template goes with those that wait, but not with those in use.
    events = Events()
    ask("admin.vm.Create.AppVM", "dom0", payload="name=dvm2 label=red")
    ask("admin.vm.property.Set", "dvm2", "template_for_dispvms", "True")
    ask("admin.vm.feature.Set", "dvm2", "preload-dispvm-delay", "0")
    ask("admin.vm.feature.Set", "dvm2", "preload-dispvm-max", "2")
    used = waiting_one(events)
    # No machine has as much memory as that: only the other has one.
    ask("admin.vm.feature.Set", "dvm", "preload-dispvm-threshold", "1000000")
    ask("admin.vm.feature.Set", "dvm", "preload-dispvm-max", "1")
    waiting_one(events)
    equal([n for n in qubes() if n.startswith("disp") and
           ask("admin.vm.property.Get", n, "template").endswith(" dvm")], [])
    ask("admin.vm.feature.Set", "dvm", "preload-dispvm-threshold", "1")
    held = waiting_one(events)
    ask("admin.vm.feature.Remove", "dvm", "preload-dispvm-max")
    while held in qubes():
        events.next()
    equal(ask("admin.vm.CreateDisposable", "dvm2"), used)
    equal(refused("admin.vm.Remove", "dvm2"), "QubesVMInUseError")
    ask("admin.vm.Kill", used)
    ask("admin.vm.Remove", "dvm2")
    equal([n for n in qubes() if n.startswith("disp") or n == "dvm2"], [])


def remote():
    """A qube of another machine, whose calls go through a relay."""
    def back(qube, source, service="test.Back"):
        return run(qube, "qrexec-client-vm", f"--source-qube={source}",
                   "work", service)
    offer("mail", "test.Relay", 'echo "$1 of $QREXEC_REMOTE_DOMAIN"; cat\n')
    offer("work", "test.Back", 'echo "$QREXEC_REMOTE_DOMAIN is here"\n')
    ask("admin.vm.Create.RemoteVM", payload="name=far label=gray")
    equal(qubes()["far"], {"class": "RemoteVM", "state": "NA",
                           "uuid": qubes()["far"]["uuid"]})
    policy("test.Cat * work far allow\n"
           "test.Cat * mail far allow\n"
           "test.Back * far work allow\n"
           "* * @anyvm @anyvm deny\n")
    # It leads nowhere yet, and nobody speaks for it.
    equal(call("work", "far", "test.Cat")[0], 126)
    equal(back("mail", "far")[0], 126)
    for name, value, why in (
            ("relayvm", "dom0", "QubesValueError"),
            ("relayvm", "far", "QubesValueError"),
            ("relayvm", "nobody", "QubesVMNotFoundError"),
            ("transport_rpc", "a+b", "QubesValueError"),
            ("transport_rpc", "", "QubesValueError"),
            ("remote_name", "a b", "QubesValueError"),
            ("memory", "400", "QubesNoSuchPropertyError")):
        equal(refused("admin.vm.property.Set", "far", name, value), why)
    ask("admin.vm.property.Set", "far", "relayvm", "mail")
    ask("admin.vm.property.Set", "far", "transport_rpc", "test.Relay")
    equal(call("work", "far", "test.Cat+x", b"in"),
          (0, b"far+test.Cat+x of work\nin", b""))
    ask("admin.vm.property.Set", "far", "remote_name", "there")
    equal(call("work", "far", "test.Cat", b""),
          (0, b"there+test.Cat+ of work\n", b""))
    equal(finish(start("call", "far", "test.Any")),
          (0, b"there+test.Any+ of dom0\n", b""))
    # The policy is asked about it, not about its relay; which has no relay.
    equal(call("work", "mail", "test.Relay")[0], 126)
    equal(call("mail", "far", "test.Cat")[0], 126)
    # The other way: the relay speaks for it, and for nobody else.
    equal(back("mail", "far"), (0, b"far is here\n", b""))
    equal(back("mail", "mail")[0], 126)
    equal(back("mail", "late")[0], 126)
    equal(back("late", "far")[0], 126)
    equal(back("mail", "far", "test.Cat")[0], 126)
    # It is nothing that we could start, and its relay is in use.
    equal(refused("admin.vm.Start", "far"), "QubesException")
    equal(ask("admin.vm.volume.List", "far"), "")
    equal(ask("admin.vm.CurrentState", "far").split()[-1], "power_state=NA")
    equal(refused("admin.vm.Create.RemoteVM", argument="x",
                  payload="name=far2 label=gray"), "QubesValueError")
    ask("bento.Clone", "far", payload="name=farther")
    equal(ask("admin.vm.property.Get", "farther", "relayvm"),
          "default=False type=vm mail")
    ask("admin.vm.Remove", "farther")
    ask("admin.vm.Remove", "far")
    equal(call("work", "far", "test.Cat")[0], 126)


def echo(listener, head):
    """Serves one after the other: what it was told first, and all else."""
    while True:
        connection, _ = listener.accept()
        with connection:
            told = b""
            while head and not told.endswith(b"\0"):
                told += connection.recv(1)
            connection.sendall(b"<" + told.rstrip(b"\0") + b">")
            if b"Once" in told:
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)
            while data := connection.recv(65536):
                connection.sendall(data)


def listen(family, name, head):
    listener = socket.socket(family)
    listener.bind(name)
    listener.listen(8)
    threading.Thread(target=echo, args=(listener, head), daemon=True).start()
    return listener


def sockets_of_dom0():
    rpc = os.path.join(CONFIG, "rpc")
    for name in ("Sock", "Bare", "Once", "Odd"):
        listen(socket.AF_UNIX, f"{rpc}/test.{name}", name != "Bare")
    socket.socket(socket.AF_UNIX).bind(f"{rpc}/test.Dead")
    port = listen(socket.AF_INET, ("127.0.0.1", 0), False).getsockname()[1]
    os.symlink(f"/dev/tcp/127.0.0.1/{port}", f"{rpc}/test.Tcp")
    os.symlink("/dev/tcp/127.0.0.1", f"{rpc}/test.Port")
    os.mkdir(f"{rpc}-config")
    for name, line in (("Bare", "skip-service-descriptor = true"),
                       ("Once", "exit-on-service-eof = true"),
                       ("Odd", "exit-on-service-eof = maybe")):
        with open(f"{rpc}-config/test.{name}", "w") as f:
            f.write(line + "\n")
    policy("* * work @adminvm allow\n* * work @default allow target=dom0\n")
    for target, service, told in (
            ("dom0", "test.Sock+a+b", b"<test.Sock+a+b work name dom0>"),
            ("", "test.Sock", b"<test.Sock+ work keyword default>"),
            ("dom0", "test.Bare", b"<>"), ("dom0", "test.Tcp", b"<>"),
            ("dom0", f"test.Port+{port}", b"<>")):
        equal(call("work", target, service, b"data"), (0, told + b"data", b""))
    big = os.urandom(3000000)
    equal(call("work", "dom0", "test.Bare", big), (0, b"<>" + big, b""))
    # The caller has not said all, and need not.
    equal(run("work", "sh", "-c", "mkfifo ~/in && exec 3<>~/in && "
              "exec qrexec-client-vm dom0 test.Once <&3")[:2],
          (0, b"<test.Once+ work name dom0>"))
    for service in ("test.Dead", "test.Odd", "test.Port", "test.Port+x"):
        equal(call("work", "dom0", service)[0], 125)
    policy("")


def to_dom0():
    program(os.path.join(CONFIG, "rpc", "test.Here"),
            'env | grep ^QREXEC | sort; echo "$1"; cat; exit 5\n')
    program(os.path.join(CONFIG, "rpc", "test.Here+special"), "echo special\n")
    policy("test.Here * work @adminvm allow\n"
           "test.Here * work @default allow target=dom0\n"
           "admin.vm.List * work @adminvm allow\n"
           "admin.vm.CurrentState * work mail allow target=dom0\n"
           "bento.Connect * * * allow target=dom0\n"
           "qubes.NotifyUpdates * work @adminvm deny\n")
    status, out, _ = call("work", "dom0", "test.Here+a+b", b"data")
    equal((status, out.decode()), (5, "\n".join((
        "QREXEC_REMOTE_DOMAIN=work", "QREXEC_REQUESTED_TARGET=dom0",
        "QREXEC_REQUESTED_TARGET_TYPE=name", "QREXEC_SERVICE_ARGUMENT=a+b",
        "QREXEC_SERVICE_FULL_NAME=test.Here+a+b", "a+b", "data"))))
    equal(call("work", "dom0", "test.Here+special"), (0, b"special\n", b""))
    equal(b"REQUESTED_TARGET_KEYWORD=default" in
          call("work", "", "test.Here")[1], True)
    equal(call("work", "dom0", "qubes.GetDate")[0], 0)
    # The Admin API, as far as the policy goes.
    status, out, _ = call("work", "dom0", "admin.vm.List")
    equal(status, 0)
    equal(out[:2], b"0\0")
    equal(b"mail class=AppVM" in out, True)
    status, out, _ = call("work", "mail", "admin.vm.CurrentState")
    equal(b"power_state=Running" in out, True)
    equal(call("work", "dom0", "admin.vm.Shutdown")[0], 126)
    equal(call("mail", "dom0", "admin.vm.List")[0], 126)
    # What hands out descriptors is not for qubes, whatever a rule says.
    equal(call("work", "mail", "bento.Connect")[0], 127)
    # What a qube may say of itself.
    equal(call("work", "dom0", "qubes.NotifyUpdates", b"3\n")[0], 126)
    policy("")
    equal(call("solo", "dom0", "qubes.NotifyUpdates", b"3\n"),
          (0, b"0\0", b""))
    equal(ask("admin.vm.feature.Get", "solo", "updates-available"), "1")
    equal(call("solo", "dom0", "qubes.NotifyUpdates", b"0\n")[0], 0)
    equal(refused("admin.vm.feature.Get", target="solo",
                  argument="updates-available"), "QubesFeatureNotFoundError")
    call("solo", "dom0", "qubes.FeaturesRequest",
         b"os=Linux\nqrexec=1\ninternal=1\npreload-dispvm-max=9\n")
    equal(ask("admin.vm.feature.List", "solo"), "os\nqrexec\n")
    _, out, _ = call("solo", "dom0", "qubes.FeaturesRequest", b"os=\x1b[2J\n")
    equal(out[:2], b"2\0")


def told():
    """Where a rule says notify, and nowhere else."""
    os.mkfifo(f"{TOP}/told")
    program(os.path.join(CONFIG, "policy-notify"), f"exec cat >{TOP}/told\n")
    policy("test.Cat * late mail allow notify=yes\n"
           "test.Quiet * late mail deny notify=no\n")
    events = Events()
    equal(call("late", "mail", "test.Quiet")[0], 126)
    equal(call("late", "mail", "test.Cat+x")[0], 7)
    subject, name, more = events.next()
    equal((subject, name), ("late", "call"))
    with open(f"{TOP}/told") as f:
        equal(json.load(f), {**more, "source": "late", "left_out": 0})
    equal(more, {"result": "allow", "service": "test.Cat", "argument": "+x",
                 "requested_target": "mail", "target": "mail", "why": "",
                 "left_out": "0"})
    os.remove(os.path.join(CONFIG, "policy-notify"))


def waiting():
    """2,000 wait for the user, and none is lost; others go on meanwhile."""
    with open(os.path.join(TOP, "gate"), "w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        prompt(f"exec flock -s {TOP}/gate echo deny\n")
        policy("test.Cat * work mail ask\ntest.Who * mail late allow\n")
        many = start("run", "work", "--", "sh", "-c",
                     'ulimit -n 4096; exec python3 -c "$@"', "sh", MANY,
                     "2000", "mail", "test.Cat+")
        equal(many.stdout.readline(), b"asked\n")
        equal(call("mail", "late", "test.Who")[:2], (0, b"user\n"))
    equal(many.communicate(timeout=200)[0], b"0x203=2000\n")


def killed(manager):
    """What is joined goes on; what waits is asked for again."""
    policy("test.Echo * work mail allow\ntest.Cat * work mail ask\n")
    running = start("run", "work", "--", "qrexec-client-vm", "mail",
                    "test.Echo")
    running.stdin.write(b"one\n")
    running.stdin.flush()
    equal(running.stdout.readline(), b"one\n")
    gate = open(os.path.join(TOP, "gate"), "w")
    fcntl.flock(gate, fcntl.LOCK_EX)
    os.mkfifo(f"{TOP}/prompted")
    prompt(f"echo asked >{TOP}/prompted\n"
           f"exec flock -s {TOP}/gate echo allow:mail\n")
    waits = start("run", "work", "--", "qrexec-client-vm", "mail", "test.Cat+z")
    with open(f"{TOP}/prompted") as f:
        equal(f.read(), "asked\n")
    manager.kill()
    gate.close()
    running.stdin.write(b"two\n")
    running.stdin.flush()
    equal(running.stdout.readline(), b"two\n")
    prompt("echo allow:mail\n")
    with Manager() as another:
        equal(finish(waits)[:2], (7, b"from work arg z\n"))
        equal(finish(running, b"three\n"), (0, b"three\n", b""))
        for name in ("work", "mail", "late", "solo"):
            ask("admin.vm.Kill", name)
        another.stop()


def tour():
    with Manager() as manager:
        for name in ("work", "mail", "late", "dvm"):
            ask("admin.vm.Create.AppVM", payload=f"name={name} label=red")
        ask("admin.vm.Create.StandaloneVM", payload="name=solo label=red")
        ask("admin.vm.property.Set", "dvm", "template_for_dispvms", "True")
        ask("admin.vm.property.Set", "work", "default_dispvm", "dvm")
        for name in ("mail", "late"):
            offer(name, "test.Cat", 'echo "from $QREXEC_REMOTE_DOMAIN '
                  'arg $1"; echo err >&2; cat; exit 7\n')
            offer(name, "test.Who", "id -un\n")
        offer("mail", "test.Echo", "exec cat\n")
        ask("admin.vm.Shutdown", "late", "wait")
        allowed_and_denied()
        half_closed()
        whole()
        asked()
        redirected()
        started()
        of_the_user()
        disposables()
        remote()
        to_dom0()
        sockets_of_dom0()
        told()
        waiting()
        killed(manager)



def main():
    try:
        tour()
    finally:
        for words in (["kill", "--all"], ["quit"]):
            subprocess.run([BENTO, *words], env=environment(), timeout=60,
                           check=False)


main()
