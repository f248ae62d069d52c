#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""File copy against a sender and a receiver of its own.

Both are written from the description of the protocol, in another language, and
share nothing with src/filecopy: what they and our programs agree on is what
others understand, too.

    oracle.py BENTO-GUEST
"""
import os
import random
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib

GUEST = os.path.abspath(sys.argv.pop(1))
REG, DIR, LNK = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK
EEXIST, EINVAL, ENOTDIR, EFBIG, ENAMETOOLONG = 17, 22, 20, 27, 36
ENOENT, EILSEQ, ENOLINK = 2, 84, 67


class Sender:
    """Speaks the sending side on a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.crc = 0

    def raw(self, data):
        self.crc = zlib.crc32(data, self.crc)
        self.sock.sendall(data)

    def header(self, name, mode, size=0, times=(1, 2, 3, 4), nul=b"\0",
               length=None):
        name += nul
        length = len(name) if length is None else length
        self.raw(struct.pack("<IIQIIII", length, mode, size, *times) + name)

    def file(self, name, data, mode=REG | 0o644, **more):
        self.header(name, mode, len(data), **more)
        self.raw(data)

    def tree(self, path, name):
        st = os.lstat(path)
        times = (int(st.st_atime), st.st_atime_ns % 10**9,
                 int(st.st_mtime), st.st_mtime_ns % 10**9)
        if stat.S_ISDIR(st.st_mode):
            self.header(name, st.st_mode, times=times)
            for sub in os.listdir(path):
                self.tree(os.path.join(path, sub), name + b"/" + sub)
            self.header(name, st.st_mode, times=times)
        elif stat.S_ISLNK(st.st_mode):
            self.file(name, os.readlink(path), st.st_mode, times=times)
        else:
            with open(path, "rb") as f:
                self.file(name, f.read(), st.st_mode, times=times)

    def end(self):
        self.raw(bytes(32))

    def result(self):
        """(error, sum, name) as the receiver says."""
        got = take(self.sock, 20)
        error, pad, crc, size = struct.unpack("<IIQI", got)
        assert pad == 0, got
        return error, crc, take(self.sock, size)


def take(sock, size):
    got = b""
    while len(got) < size:
        more = sock.recv(min(size - len(got), 1 << 20))
        if not more:
            raise EOFError(got)
        got += more
    return got


class Receiver:
    """Speaks the receiving side: what it got is in `files`."""

    def __init__(self, sock):
        self.sock = sock
        self.crc = 0
        self.files = []  # (name, mode, times, data)

    def take(self, size):
        got = take(self.sock, size)
        self.crc = zlib.crc32(got, self.crc)
        return got

    def all(self):
        while True:
            length, mode, size, *times = struct.unpack("<IIQIIII",
                                                       self.take(32))
            if length == 0:
                return
            name = self.take(length)
            assert name.endswith(b"\0") and b"\0" not in name[:-1], name
            data = self.take(size)
            self.files.append((name[:-1], mode, tuple(times), data))

    def answer(self, error=0, name=b"x", crc=None):
        crc = self.crc if crc is None else crc
        self.sock.sendall(struct.pack("<IIQI", error, 0, crc, len(name)) +
                          name)


class FileCopy(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="bento-oracle.")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.home])
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+w", self.home])
        self.inbox = os.path.join(self.home, "QubesIncoming", "work").encode()
        self.running = []

    def start(self, words, cwd=None, **env):
        """A program of ours with a socket as its streams: our end."""
        mine, theirs = socket.socketpair()
        mine.settimeout(60)
        self.addCleanup(mine.close)
        self.process = subprocess.Popen(
            [GUEST] + words, stdin=theirs, stdout=theirs,
            stderr=subprocess.PIPE, cwd=cwd or self.home,
            env={"HOME": self.home, "QREXEC_REMOTE_DOMAIN": "work", **env})
        theirs.close()
        return mine

    def finish(self):
        """(status, what it said)"""
        said = self.process.communicate(timeout=60)[1]
        return self.process.returncode, said.decode()

    def receive(self, send, *arguments):
        """What the receiver says to a stream; and how it ended."""
        sock = self.start(["qubes.Filecopy", *arguments])
        sender = Sender(sock)
        try:
            send(sender)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = sender.result()
        finally:
            sock.close()
        status, self.said = self.finish()
        self.assertEqual(status == 0, answer[0] == 0, self.said)
        if answer[0] == 0:
            self.assertEqual(answer[1], sender.crc)
        return answer[0]

    def send(self, paths, answer=None, cwd=None, options=()):
        """What our sender sends; `answer` speaks in the receiver's place."""
        sock = self.start(["qfile-agent", *options, "--", *paths], cwd)
        receiver = Receiver(sock)
        if answer:
            answer(receiver)
        else:
            receiver.all()
            receiver.answer()
        sock.close()
        return receiver.files

    def read(self, name):
        with open(os.path.join(self.inbox, name), "rb") as f:
            return f.read()

    # The receiver.

    def test_files_arrive(self):
        big = random.Random(1).randbytes(3 << 20)

        def send(s):
            s.file(b"plain", b"text", times=(1000000000, 5, 1100000000, 6))
            s.file(b"empty", b"")
            s.file(b"big", big, REG | 0o751)
            s.header(b"d", DIR | 0o550)
            s.file(b"d/x", b"y")
            s.file(b"d/l", b"x", LNK | 0o777)
            s.header(b"d", DIR | 0o550, times=(1, 0, 1200000000, 0))
            s.end()

        self.assertEqual(self.receive(send), 0)
        st = os.stat(os.path.join(self.inbox, b"plain"))
        self.assertEqual(st.st_mtime_ns, 1100000000 * 10**9 + 6)
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o644)
        self.assertEqual(self.read(b"plain"), b"text")
        self.assertEqual(self.read(b"empty"), b"")
        self.assertEqual(self.read(b"big"), big)
        self.assertEqual(os.readlink(os.path.join(self.inbox, b"d/l")), b"x")
        st = os.stat(os.path.join(self.inbox, b"d"))
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o550)
        self.assertEqual(st.st_mtime, 1200000000)
        self.assertEqual(
            stat.S_IMODE(os.stat(os.path.dirname(self.inbox)).st_mode), 0o700)

    def test_a_byte_at_a_time(self):
        wire = []

        class Collect:
            def sendall(self, data):
                wire.append(data)

        s = Sender(Collect())
        s.header(b"d", DIR | 0o755)
        s.file(b"d/" + b"n" * 200, bytes(5000) + b"end")
        s.header(b"d", DIR | 0o755)
        s.end()
        data = b"".join(wire)

        def send(s):
            for i in range(len(data)):
                s.raw(data[i:i + 1])

        self.assertEqual(self.receive(send), 0)
        self.assertEqual(self.read(b"d/" + b"n" * 200), bytes(5000) + b"end")

    def test_what_no_receiver_takes(self):
        os.makedirs(self.inbox)
        os.symlink("/tmp", os.path.join(self.inbox, b"out"))
        with open(os.path.join(self.inbox, b"old"), "wb") as f:
            f.write(b"old")
        cases = [
            (EINVAL, lambda s: s.file(b"../x", b"")),
            (EINVAL, lambda s: s.file(b"/tmp/x", b"")),
            (EINVAL, lambda s: s.file(b"a/./x", b"")),
            (EINVAL, lambda s: s.file(b"a//x", b"")),
            (EINVAL, lambda s: s.file(b"x/", b"")),
            (EINVAL, lambda s: s.file(b"", b"")),
            (EINVAL, lambda s: s.file(b"a\0b", b"")),
            (EINVAL, lambda s: s.file(b"ab", b"", nul=b"c")),
            (EINVAL, lambda s: s.file(b"x", b"", times=(0, 10**9, 0, 0))),
            (EINVAL, lambda s: s.header(b"p", stat.S_IFIFO)),
            (EINVAL, lambda s: s.header(b"c", stat.S_IFCHR)),
            (EINVAL, lambda s: s.header(b"d", DIR, 1)),
            (EILSEQ, lambda s: s.file(b"\x1b[2J", b"")),
            (EILSEQ, lambda s: s.file("a\u202eb".encode(), b"")),
            (EILSEQ, lambda s: s.file(b"\xff", b"")),
            (ENAMETOOLONG,
             lambda s: s.file(b"x" * 20000, b"")),
            (ENAMETOOLONG,
             lambda s: s.header(b"x", REG, length=0xFFFFFFFF)),
            (EFBIG, lambda s: s.header(b"x", REG, 1 << 63)),
            (ENOLINK, lambda s: s.file(b"l", b"x", LNK)),
            (ENOLINK, lambda s: (s.header(b"e", DIR),
                                 s.file(b"e/l", b"../x", LNK))),
            (ENOLINK, lambda s: s.file(b"e/l", b"/etc", LNK)),
            (ENOLINK, lambda s: s.file(b"e/l", b"x/../../y", LNK)),
            (ENAMETOOLONG, lambda s: s.header(b"e/l", LNK, 20000)),
            (ENOTDIR, lambda s: s.file(b"out/x", b"")),
            (ENOTDIR, lambda s: s.file(b"old/x", b"")),
            (ENOENT, lambda s: s.file(b"none/x", b"")),
            (EEXIST, lambda s: s.file(b"old", b"new")),
            (EEXIST, lambda s: s.file(b"old", bytes(1 << 20))),
            (EEXIST, lambda s: s.header(b"old", DIR)),
            (EEXIST, lambda s: s.header(b"out", DIR)),
            (EEXIST, lambda s: s.file(b"out", b"")),
        ]
        for number, (want, send) in enumerate(cases):
            got = self.receive(lambda s: (send(s), s.end()))
            self.assertEqual(got, want, f"case {number}")
        self.assertEqual(self.read(b"old"), b"old")
        self.assertEqual(sorted(os.listdir(self.inbox)),
                         [b"e", b"old", b"out"])
        self.assertEqual(os.listdir(os.path.join(self.inbox, b"e")), [])

    def test_all_names(self):
        name = b"a\nb\x1b\xff"
        self.assertEqual(
            self.receive(lambda s: (s.file(name, b"x"), s.end()),
                         "allow-all-names"), 0)
        self.assertEqual(self.read(name), b"x")
        # Even then no name leads elsewhere.
        for bad in b"../x", b"a/../../x", b"/x":
            self.assertEqual(
                self.receive(lambda s: (s.file(bad, b"x"), s.end()),
                             "allow-all-names"), EINVAL)

    def test_an_answer_in_the_middle(self):
        """The result comes while we still send, and while we do not."""
        def send(s):
            s.file(b"x", b"1")
            s.file(b"x", b"2")
            while True:
                s.raw(bytes(1 << 16))

        self.assertEqual(self.receive(send), EEXIST)
        self.assertEqual(self.read(b"x"), b"1")

        sock = self.start(["qubes.Filecopy"])
        s = Sender(sock)
        s.file(b"x", b"2")
        self.assertEqual(s.result()[0], EEXIST)
        self.assertEqual(s.result.__self__.sock.recv(1), b"")
        self.finish()

    def test_killed_in_the_middle(self):
        sock = self.start(["qubes.Filecopy"])
        s = Sender(sock)
        s.file(b"whole", b"text")
        s.header(b"part", REG | 0o644, 1 << 30)
        s.raw(bytes(range(256)) * 40000)
        self.process.kill()
        self.finish()
        # What was complete is there, and nothing by the other name.
        names = os.listdir(self.inbox)
        self.assertNotIn(b"part", names)
        if b"whole" in names:
            self.assertEqual(self.read(b"whole"), b"text")

    def test_gone_in_the_middle(self):
        sock = self.start(["qubes.Filecopy"])
        s = Sender(sock)
        s.file(b"whole", b"text")
        s.header(b"part", REG | 0o644, 1 << 62)
        s.raw(b"x" * 100000)
        sock.close()
        status, said = self.finish()
        self.assertNotEqual(status, 0)
        self.assertIn("went away", said)
        self.assertEqual(os.listdir(self.inbox), [b"whole"])

    def test_a_folder_swapped_for_a_link(self):
        """As often as it can be done while files arrive."""
        outside = os.path.join(self.home, "outside")
        os.mkdir(outside)
        sock = self.start(["qubes.Filecopy"])
        s = Sender(sock)
        s.header(b"d", DIR | 0o755)
        s.file(b"d/first", b"")
        there = os.path.join(self.inbox, b"d")
        done = threading.Event()

        def swap():
            moved = there + b".moved"
            while not done.is_set():
                try:
                    os.rename(there, moved)
                    os.symlink(outside, there)
                    os.unlink(there)
                    os.rename(moved, there)
                except OSError:
                    pass

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            for i in range(2000):
                # Elsewhere in between, so that it has to look again.
                s.file(b"d/%d" % i, b"x")
                s.file(b"e%d" % i, b"x")
            s.header(b"d", DIR | 0o755)
            s.end()
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            done.set()
            thread.join()
        s.result()
        self.finish()
        self.assertEqual(os.listdir(outside), [])

    def test_who_sends_must_be_known(self):
        for source in "", "..", "a/b", ".x":
            self.start(["qubes.Filecopy"], QREXEC_REMOTE_DOMAIN=source)
            self.assertNotEqual(self.finish()[0], 0)
        self.assertNotIn("QubesIncoming", os.listdir(self.home))

    def test_the_inbox_is_no_link(self):
        os.mkdir(os.path.join(self.home, "elsewhere"))
        os.symlink("elsewhere", os.path.join(self.home, "QubesIncoming"))
        self.start(["qubes.Filecopy"])
        self.assertNotEqual(self.finish()[0], 0)
        self.assertEqual(os.listdir(os.path.join(self.home, "elsewhere")), [])

    # The sender.

    def make(self):
        top = os.path.join(self.home, "from")
        os.makedirs(os.path.join(top, "d", "sub"))
        for name, data in (("one", b"1"), ("empty", b""),
                           ("big", random.Random(2).randbytes(1 << 20)),
                           ("d/x", b"x"), ("d/sub/y", b"y")):
            with open(os.path.join(top, name), "wb") as f:
                f.write(data)
        os.symlink("../x", os.path.join(top, "d/sub/l"))
        os.utime(os.path.join(top, "one"), ns=(7 * 10**9 + 8, 9 * 10**9 + 10))
        os.utime(os.path.join(top, "empty"), (-5, -5))
        os.chmod(os.path.join(top, "d/x"), 0o600)
        return top

    def test_files_are_sent(self):
        top = self.make()
        files = self.send(["one", "./empty", "d/", top + "/big"], cwd=top)
        self.assertEqual(self.finish(), (0, ""))
        self.assertEqual(
            [f[0] for f in files],
            [b"one", b"empty", b"d", b"d/sub", b"d/sub/l", b"d/sub/y",
             b"d/sub", b"d/x", b"d", b"big"])
        by_name = {f[0]: f for f in files}
        self.assertEqual(by_name[b"one"][2], (7, 8, 9, 10))
        self.assertEqual(by_name[b"empty"][2][::2], (0, 0))  # before 1970
        self.assertEqual(by_name[b"d/x"][1], REG | 0o600)
        self.assertEqual(by_name[b"d/sub/l"][3], b"../x")
        self.assertTrue(stat.S_ISLNK(by_name[b"d/sub/l"][1]))
        with open(os.path.join(top, "big"), "rb") as f:
            self.assertEqual(by_name[b"big"][3], f.read())

    def test_both_ends_of_ours(self):
        """A copy through our two programs is what it was."""
        top = self.make()
        mine, theirs = socket.socketpair()
        env = {"HOME": self.home, "QREXEC_REMOTE_DOMAIN": "work"}
        other = subprocess.Popen([GUEST, "qubes.Filecopy"], stdin=theirs,
                                 stdout=theirs, env=env)
        theirs.close()
        subprocess.run([GUEST, "qfile-agent", top], stdin=mine, stdout=mine,
                       env=env, check=True, timeout=60)
        mine.close()
        self.assertEqual(other.wait(timeout=60), 0)
        subprocess.run(["diff", "-r", "--no-dereference", top,
                        os.path.join(self.inbox.decode(), "from")], check=True)

    def test_a_move_removes_what_was_sent(self):
        top = self.make()

        def answer(r):
            r.all()
            # Comes while the receiver still thinks about it.
            with open(os.path.join(top, "d/new"), "wb") as f:
                f.write(b"new")
            r.answer()

        self.send(["d", "one"], answer, top, ["--move"])
        status, said = self.finish()
        self.assertEqual(status, 1)
        self.assertIn("d: Directory not empty", said)
        self.assertEqual(sorted(os.listdir(top)), ["big", "d", "empty"])
        self.assertEqual(os.listdir(os.path.join(top, "d")), ["new"])

    def test_a_move_that_fails_removes_nothing(self):
        top = self.make()
        for answer in (lambda r: (r.all(), r.answer(28)),
                       lambda r: (r.all(), r.answer(0, crc=1)),
                       lambda r: r.all(),
                       lambda r: r.answer(0)):
            self.send(["d", "one", "big"], answer, top, ["--move"])
            self.assertEqual(self.finish()[0], 1)
            self.assertEqual(sorted(os.listdir(top)),
                             ["big", "d", "empty", "one"])
            self.assertEqual(sorted(os.listdir(os.path.join(top, "d"))),
                             ["sub", "x"])

    def test_what_receivers_say_is_explained(self):
        top = self.make()
        for error, words in ((EEXIST, "is there already"),
                             (ENOLINK, "--ignore-symlinks"),
                             (EILSEQ, "--allow-all-names"),
                             (28, "room"), (5, "Input/output error"),
                             (0xFFFFFFFF, "no reason")):
            self.send(["one"],
                      lambda r: (r.all(), r.answer(error, b"the\x1b[2Jname")),
                      top)
            status, said = self.finish()
            self.assertEqual(status, 1)
            self.assertIn(words, said)
            self.assertIn("the_[2Jname", said)
            self.assertNotIn("\x1b", said)

    def test_a_file_that_becomes_shorter(self):
        top = self.make()
        path = os.path.join(top, "long")
        with open(path, "wb") as f:
            f.write(random.Random(3).randbytes(8 << 20))

        def answer(r):
            # It stands in the middle: nobody takes more than this.
            r.take(1 << 20)
            os.truncate(path, 100)
            try:
                while True:
                    r.take(1 << 16)
            except EOFError:
                pass

        self.send(["long"], answer, top)
        status, said = self.finish()
        self.assertEqual(status, 1)
        self.assertIn("became shorter", said)

    def test_links_can_be_left_out(self):
        top = self.make()
        files = self.send(["d"], None, top, ["--ignore-symlinks"])
        status, said = self.finish()
        self.assertEqual(status, 0)
        self.assertIn("d/sub/l is left out", said)
        self.assertNotIn(b"d/sub/l", [f[0] for f in files])


unittest.main(verbosity=0)
