# SPDX-License-Identifier: Apache-2.0
"""A small client of the Admin API, and a manager to talk to."""
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time

TOP = os.environ["TMPDIR"]
RUNTIME = os.path.join(TOP, "run", "bento")
DATA = os.path.join(TOP, "data", "bento")
PROGRAMS = os.path.dirname(os.environ["BENTO"])


class Refused(Exception):
    """An exception of the Admin API: its type, then its message."""


def environment(**more):
    os.makedirs(os.path.join(TOP, "run"), mode=0o700, exist_ok=True)
    env = {
        "HOME": TOP,
        "PATH": os.environ["PATH"],
        "XDG_RUNTIME_DIR": os.path.join(TOP, "run"),
        "XDG_DATA_HOME": os.path.join(TOP, "data"),
        "XDG_STATE_HOME": os.path.join(TOP, "state"),
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
    }
    env.update(more)
    return env


class Manager:
    """A manager in a process group of its own."""

    def __init__(self, **env):
        self.process = subprocess.Popen(
            [os.path.join(PROGRAMS, "bento-manager")],
            env=environment(**env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, start_new_session=True)
        said = self.process.stdout.readline()
        if said != b"ready\n":
            raise SystemExit(f"the manager said {said!r}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        if self.process.wait() != 0:
            raise SystemExit("the manager failed at its end")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.join(RUNTIME, "manager.sock"))
    return s


def raw(request, half_close=True):
    """Sends bytes; returns all that comes back."""
    with connect() as s:
        try:
            s.sendall(request)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            return b""
        answer = b""
        while True:
            try:
                got = s.recv(65536)
            except ConnectionResetError:
                return answer
            if not got:
                return answer
            answer += got


def judge(answer):
    kind, _, rest = answer.partition(b"\0")
    if kind == b"0":
        return rest.decode()
    if kind == b"2":
        name, _, message = rest.split(b"\0")[:3]
        raise Refused(name.decode(), message.decode())
    raise SystemExit(f"not an answer: {answer!r}")


def ask(method, target="dom0", argument="", payload=""):
    return judge(raw(f"{method}+{argument} dom0 name {target}\0{payload}"
                     .encode()))


def refused(*args, **how):
    """The type of the exception a call ends with."""
    try:
        got = ask(*args, **how)
    except Refused as e:
        return e.args[0]
    raise SystemExit(f"{args} {how} was not refused: {got!r}")


class Events:
    """A stream of events."""

    def __init__(self, target="dom0", method="admin.Events"):
        self.socket = connect()
        self.socket.sendall(f"{method}+ dom0 name {target}\0".encode())
        self.socket.shutdown(socket.SHUT_WR)
        self.buffer = b""
        first = self.next()
        equal(first[:2], ("", "connection-established"))

    def next(self, patience=30):
        while True:
            event = re.match(rb"1\0([^\0]*)\0([^\0]*)\0"
                             rb"((?:[^\0]+\0[^\0]*\0)*)\0", self.buffer)
            if event:
                self.buffer = self.buffer[event.end():]
                words = event[3].decode().split("\0")
                return (event[1].decode(), event[2].decode(),
                        dict(zip(words[::2], words[1::2])))
            if not select.select([self.socket], [], [], patience)[0]:
                raise SystemExit("an event did not come")
            got = self.socket.recv(65536)
            if not got:
                raise SystemExit("the stream of events ended")
            self.buffer += got

    def names(self, count):
        return [self.next()[:2] for _ in range(count)]


def qubes():
    """Name to state and uuid, without dom0."""
    lines = [line.split() for line in ask("admin.vm.List").splitlines()]
    return {w[0]: dict(x.split("=") for x in w[1:])
            for w in lines if w[0] != "dom0"}


def equal(got, want):
    if got != want:
        raise SystemExit(f"got    {got!r}\nwanted {want!r}")
