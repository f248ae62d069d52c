# SPDX-License-Identifier: Apache-2.0
# What a hostile qube does, for tests/system/hostile.sh: each attack is begun,
# goes on from `ready` until a line comes, and says `ok` if it was borne well.
import errno
import os
import resource
import signal
import socket
import struct
import subprocess
import sys

AGENT = "/run/qubes/qrexec-agent"
TRIGGER3, TRIGGER4 = 0x212, 0x213
REFUSED, ALLOWED = 0x203, 0x7B000001


def enter(path=AGENT):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s


def request(service, target=b"dst", ident=b"SOCKET1", source=None, nul=b"\0"):
    body = target.ljust(64, b"\0") + ident.ljust(32, b"\0") + service + nul
    if source is not None:
        body = source.ljust(64, b"\0") + body
    kind = TRIGGER3 if source is None else TRIGGER4
    return struct.pack("<II", kind, len(body)) + body


def put(s, data):
    """Sends what is taken."""
    try:
        s.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def answer(s):
    """Its kind and its descriptors; (None, []) for the end alone."""
    try:
        got, fds, _, _ = socket.recv_fds(s, 40, 8)
    except ConnectionResetError:
        return None, []
    return struct.unpack("<I", got[:4])[0] if got else None, fds


def call(service, target=b"dst"):
    """The four descriptors of a call that is allowed."""
    s = enter()
    s.sendall(request(service, target))
    kind, fds = answer(s)
    s.close()
    assert kind == ALLOWED, (service, kind)
    return fds


def close(fds):
    for fd in fds:
        os.close(fd)


def hold():
    print("ready")
    sys.stdin.readline()


def again_and_again(once):
    """Once for sure, then in a process of its own for as long as it lasts."""
    once()
    child = os.fork()
    if child == 0:
        while True:
            once()
    hold()
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it failed"


def unanswered(wires):
    for wire in wires:
        s = enter()
        put(s, wire)
        assert answer(s)[0] is None, wire[:40]
        s.close()


def lengths():
    good = request(b"test.Slow")
    wires = [struct.pack("<II", TRIGGER3, size) + b"x" * 1000
             for size in (0, 1, 96, 97, 65098, 1 << 31, 0xFFFFFFFF)]
    wires += [struct.pack("<II", kind, 100) + b"x" * 100
              for kind in (0, 0x190, 0x200, 0x201, 0x300, 0xFFFFFFFF)]
    wires += [os.urandom(65536), good[:20] + b"\xff" + good[21:],
              request(b"test.Slow", nul=b""), request(b"a\0b"),
              request(b"test.Slow", target=b"d" * 64)]

    def once():
        unanswered(w for w in wires if w != wires[-3])
        # A size that never comes, and the end in the middle of everything.
        for size in range(0, len(good), 7):
            s = enter()
            put(s, good[:size])
            s.close()
    again_and_again(once)


def names():
    """As long as may be, longer, and without end."""
    waiting = []
    for _ in range(100):
        s = enter()
        s.setblocking(False)
        try:
            s.send(struct.pack("<II", TRIGGER3, 65096) + b"x" * 60000)
        except BlockingIOError:
            pass
        waiting.append(s)

    def once():
        unanswered([request(b"x" * 65001), request(b"+x"), request(b""),
                    struct.pack("<II", TRIGGER3, 1 << 30) + b"x" * 200000])
        for name in (b"x" * 64999, b"+".join([b"x"] * 30000),
                     b"\x1b[2J\x1b]0;x\x07\n" * 1000):
            s = enter()
            put(s, request(name))
            assert answer(s)[0] == REFUSED, name[:10]
            s.close()
    again_and_again(once)


def many():
    """10,000 at once: denied ones, and those whose service is there and waits."""
    waiting, fds, count = [], [], 0
    for i in range(10000):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        try:
            s.connect(AGENT)
            s.send(request(b"test.No%d" % i if i % 16 else b"test.Slow"))
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            s.close()
            continue
        waiting.append(s)
    assert len(waiting) > 1000, len(waiting)
    for s in waiting:
        s.setblocking(True)
        kind, got = answer(s)
        assert kind in (None, REFUSED, ALLOWED), kind
        count += kind == ALLOWED
        fds += got
    assert count > 0
    hold()


def fill(fd):
    """Until it takes no more; False when nobody is there (any more), or it is
    the end of a pipe that only reads."""
    os.set_blocking(fd, False)
    try:
        while os.write(fd, b"x" * 65536):
            pass
    except BlockingIOError:
        return True
    except OSError as e:
        if e.errno not in (errno.EPIPE, errno.EBADF):
            raise
        return False


def slow():
    """Services whose output nobody reads, and callers who are not read."""
    fds, full = [], 0
    for _ in range(50):
        fds += call(b"test.Much")
        fds += call(b"test.Sock")
        full += fill(fds[-4])
    assert full > 0
    hold()


def errors():
    """Errors without end, read by nobody; of the caller's own, to a service."""
    fds = []
    for target, service in ((b"dst", b"test.Errors"), (b"dom0", b"test.Fail")):
        for _ in range(50):
            fds += call(service, target)
    # That of the output is a socket, an end like the others: nobody hears this.
    for fd in fds:
        fill(fd)
    hold()
    close(fds)


def ends():
    """Calls that are over as soon as they are served: status after status."""
    def once():
        kept = []
        for i in range(200):
            fds = call((b"test.None", b"test.Once")[i % 2])
            if i % 3:
                close(fds)
            else:
                kept.append(fds)
        for fds in kept:
            fill(fds[3])
            close(fds)
    again_and_again(once)


def early():
    def once():
        good = request(b"test.Much")
        for _ in range(100):
            s = enter()
            s.sendall(good)
            s.close()
        for ends in ([0], [1], [2], [3], [0, 1], [1, 3], [0, 1, 2, 3]):
            fds = call(b"test.Much")
            for i in ends:
                os.close(fds[i])
            close(fds[i] for i in range(4) if i not in ends)
            fds = call(b"test.Sock")
            fill(fds[0])
            close(fds)
    again_and_again(once)


def idents():
    """In another's name, and under idents that others have."""
    def once():
        for source in (b"good", b"dom0", b"@adminvm", b"dst", b"bad+", b"x"):
            s = enter()
            s.sendall(request(b"test.Echo", source=source))
            assert answer(s)[0] in (None, REFUSED), source
            s.close()
        unanswered(request(b"test.Slow", ident=i) for i in
                   (b"../../etc", b"a/b", b"\x1b[2J", b"x" * 32))
        for i in range(0, 400, 40):
            socks = [enter() for _ in range(40)]
            for n, s in enumerate(socks):
                s.sendall(request(b"test.No", ident=b"SOCKET%d" % (i + n)))
            for s in socks:
                assert answer(s)[0] == REFUSED
                s.close()
    again_and_again(once)


def rights():
    """Descriptors nobody asked for: the connection itself among them."""
    def send(s, wire, fds):
        try:
            socket.send_fds(s, [wire], fds)
        except OSError:
            s.sendall(wire)  # more are on their way than may be

    def once():
        for fault in (False, True):
            s = enter()
            a, b = socket.socketpair()
            fds = [s.fileno(), a.fileno(), b.fileno(), 0] * 60
            wire = request(b"+x" if fault else b"test.No")
            for i in range(0, len(wire), 16):
                send(s, wire[i:i + 16], fds)
            assert answer(s)[0] in (None, REFUSED)
            for one in (s, a, b):
                one.close()
        for _ in range(20):
            s = enter()
            send(s, b"x", [s.fileno()] * 250)
            s.close()
    again_and_again(once)


def header(name, mode, size=0):
    return struct.pack("<IIQIIII", len(name) + 1, mode, size,
                       0, 0, 0, 0) + name + b"\0"


def copies():
    """Trees sent over and over, with links that lead out as soon as may be."""
    tree = b"".join((
        header(b"d", 0o40755), header(b"d/s", 0o40755),
        header(b"d/s/f", 0o100644, 4), b"evil",
        header(b"d/s/l", 0o120777, 4), b"../s",
        header(b"d/s/l/g", 0o100644, 4), b"evil"))

    def once():
        for wire in (tree, tree + header(b"d/s/l/../../x", 0o100644),
                     tree[:-60], header(b"d", 0o120777, 2) + b"..",
                     header(b"d/s/up", 0o120777, 8) + b"../../.."):
            got = subprocess.run(["qrexec-client-vm", "dst", "qubes.Filecopy"],
                                 input=wire, capture_output=True, check=False)
            assert got.returncode != 0, wire[:60]
    again_and_again(once)


def swap():
    """In the target: what is copied to becomes a link out, and back."""
    home = os.path.expanduser("~")
    os.chdir(home)
    os.makedirs("outside/s", exist_ok=True)
    os.makedirs("QubesIncoming/bad/d/s", exist_ok=True)
    os.chdir("QubesIncoming/bad")

    def once():
        for name, aim in (("d", "../../outside"), ("d/s", "../../../outside/s")):
            try:
                os.rename(name, name + "-")
                os.symlink(aim, name)
                os.unlink(name)
                os.rename(name + "-", name)
            except OSError:
                pass  # the other made something of that name
    again_and_again(once)
    left = [f for _, _, files in os.walk(home + "/outside") for f in files]
    assert not left, left


def disposables():
    """One for each of many calls, at once; more than are given."""
    socks = [enter() for _ in range(100)]
    for s in socks:
        s.sendall(request(b"qubes.VMShell", target=b"@dispvm"))
    got = [answer(s) for s in socks]
    kinds = [kind for kind, _ in got]
    assert kinds.count(ALLOWED) == 64, kinds.count(ALLOWED)
    assert kinds.count(REFUSED) == 36
    hold()


def dom0():
    """Programs of the user's session that do not end."""
    # The last is told in its status that there is no place.
    fds = [call(b"test.Hang", b"dom0") for _ in range(300)]
    assert os.read(fds[-1][3], 4) == struct.pack("<I", 125)
    hold()


def reports():
    """Features without end, and texts that are none."""
    def tell(service, payload):
        got = subprocess.run(["qrexec-client-vm", "dom0", service],
                             input=payload, capture_output=True, check=False)
        return got.stdout[:1]
    for i in range(4):
        lines = (b"supported-feature.%d-%d=1" % (i, n) for n in range(500))
        assert tell("qubes.FeaturesRequest", b"\n".join(lines)) == b"0"
    for service, bad in (
            ("qubes.FeaturesRequest", b"os=\x1b[2J"),
            ("qubes.FeaturesRequest", b"os=" + b"x" * 1000),
            ("qubes.FeaturesRequest", b"x"),
            ("qubes.FeaturesRequest", b"../x=1"),
            ("qubes.SyncAppMenus", b"\x1b[2J.desktop:Name=x"),
            ("qubes.SyncAppMenus", b"\n".join(b"a%d.desktop:N=x" % i
                                              for i in range(2000))),
            ("qubes.NotifyUpdates", b"-1"), ("qubes.NotifyUpdates", b"")):
        assert tell(service, bad) != b"0", bad
    tell("qubes.NotifyUpdates", b"9" * 70000)
    hold()


def policy():
    """On the host: clients of the policy socket that do not keep to it."""
    path = os.path.join(os.environ["XDG_RUNTIME_DIR"], "bento", "policy.sock")
    silent = [enter(path) for _ in range(300)]
    for s in silent:
        s.send(b"source=good\nintended_target=")

    def once():
        for wire in (b"\n", b"x" * 100000, b"source=" + b"\x1b" * 9 + b"\n\n",
                     b"source=a\nsource=a\n\n", os.urandom(5000) + b"\n\n",
                     b"domain_id=0\nsource=good\nintended_target=dst\n"
                     b"service_and_arg=test.Echo+\nprocess_ident=1\n\nmore"):
            s = enter(path)
            put(s, wire)
            try:
                s.shutdown(socket.SHUT_WR)
                assert b"allow" not in s.recv(4096), wire[:40]
            except OSError:
                pass  # it has hung up
            s.close()
    again_and_again(once)


if os.path.exists(AGENT):  # in a qube
    resource.setrlimit(resource.RLIMIT_NOFILE, (50000, 50000))
globals()[sys.argv[1]]()
print("ok")
