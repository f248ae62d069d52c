# SPDX-License-Identifier: Apache-2.0
"""The other side of the gateway, written from the description of the protocol
and of nothing of ours: messages, channels, a daemon, an agent, the manager."""
import array
import os
import socket
import struct
import threading
import time

STDIN, STDOUT, STDERR, EXIT = 0x190, 0x191, 0x192, 0x193
EXEC, JUST, CONNECT, REFUSED = 0x200, 0x201, 0x202, 0x203
ENDED, TRIGGER3, TRIGGER4, HELLO = 0x211, 0x212, 0x213, 0x300
LIMIT = 30


class Link:
    """Messages on a connected socket."""

    def __init__(self, sock, version=3):
        self.sock = sock
        sock.settimeout(LIMIT)
        if version is not None:
            self.send(HELLO, struct.pack("<I", version))

    def send(self, kind, body=b""):
        self.raw(struct.pack("<II", kind, len(body)) + body)

    def raw(self, data):
        self.sock.sendall(data)

    def take(self, size):
        got = b""
        while len(got) < size:
            more = self.sock.recv(size - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def next(self):
        kind, size = struct.unpack("<II", self.take(8))
        return kind, self.take(size)

    def hello(self):
        kind, body = self.next()
        assert kind == HELLO and len(body) == 4, (kind, body)
        return struct.unpack("<I", body)[0]

    def ends(self):
        """True when the other side closes, whatever it sends before."""
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.sock.close()


def name(folder, server, client, port):
    return os.path.join(folder, f"vchan.{server}.{client}.{port}.sock")


def listen(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen()
    sock.settimeout(LIMIT)
    return sock


def connect(path):
    """A client waits until its server is there."""
    end = time.monotonic() + LIMIT
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
            return sock
        except (FileNotFoundError, ConnectionRefusedError):
            sock.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def accept(listener):
    sock, _ = listener.accept()
    return sock


def ports(domain, port, text=None):
    body = struct.pack("<II", domain, port)
    return body if text is None else body + text + b"\0"


def trigger(target, ident, service):
    return (target.ljust(64, b"\0") + ident.ljust(32, b"\0") + service
            + b"\0")


def collect(link):
    """What a service says: output, errors, exit code."""
    said = {STDOUT: b"", STDERR: b""}
    while True:
        kind, body = link.next()
        if kind == EXIT:
            return said[STDOUT], said[STDERR], struct.unpack("<I", body)[0]
        said[kind] += body


class Server(threading.Thread):
    """Answers each connection by `answer`, one after the other."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = listen(path)
        self.listener.settimeout(None)
        self.asked = []
        self.start()

    def run(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with conn:
                try:
                    self.answer(conn)
                except OSError:
                    pass  # whoever asked has gone


class Manager(Server):
    """Answers bento.Call with streams, and lets `serve` be the service."""

    def __init__(self, path, serve):
        self.serve = serve
        super().__init__(path)

    def answer(self, conn):
        head, _, payload = read_all(conn).partition(b"\0")
        self.asked.append((head, payload))
        if not self.serve:
            conn.sendall(b"2\0QubesException\0\0no\0")
            return
        pairs = [socket.socketpair() for _ in range(4)]
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        message = struct.pack("<I6Q", 74, *[0] * 6)
        self.rights(ours, message, [near for near, _ in pairs])
        ours.close()
        self.rights(conn, b"0\0", [theirs])
        theirs.close()
        for near, _ in pairs:
            near.close()
        threading.Thread(target=self.run_service, daemon=True,
                         args=[[far for _, far in pairs]]).start()

    def run_service(self, streams):
        try:
            self.serve(*streams)
        except OSError:
            pass  # the other side has gone
        for s in streams:
            s.close()

    @staticmethod
    def rights(sock, data, socks):
        fds = array.array("i", [s.fileno() for s in socks])
        sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])


class Policy(Server):
    """Answers each question with the same lines."""

    def __init__(self, path, lines):
        self.lines = lines
        super().__init__(path)

    def answer(self, conn):
        question = b""
        while not question.endswith(b"\n\n"):
            more = conn.recv(65536)
            if not more:
                return
            question += more
        self.asked.append(dict(
            line.split(b"=", 1)
            for line in question.strip().split(b"\n")))
        conn.sendall(self.lines)


def read_all(sock):
    got = b""
    while True:
        more = sock.recv(65536)
        if not more:
            return got
        got += more


def upper(stdin, stdout, stderr, status, code=5):
    """A service: what it reads in upper case, while it reads."""
    while True:
        got = stdin.recv(65536)
        if not got:
            break
        stdout.sendall(got.upper())
    stderr.sendall(b"done")
    stdout.close()
    stderr.close()
    status.sendall(struct.pack("<I", code))
    status.close()
