# SPDX-License-Identifier: Apache-2.0
# What tests/system/services.sh runs in qubes: services that are sockets, and a
# caller that means harm.
import os
import resource
import socket
import struct
import sys
import threading

AGENT = "/run/qubes/qrexec-agent"


def serve(connection, head):
    data = b""
    while head and b"\0" not in data:
        data += connection.recv(1)
    connection.sendall(b"<" + data.rstrip(b"\0") + b">")
    if b"Once" in data:
        connection.close()
        return
    try:
        while data := connection.recv(65536):
            connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the caller reads no more
    # listen() has it, too, up to its next one: a call whose service ended
    # without this would wait for that.
    connection.close()


def listen(listener, head):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, head)).start()


def services():
    for name, head in ("Sock", True), ("Bare", False), ("Once", True):
        path = "/run/qubes-rpc/test." + name
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(2)
        threading.Thread(target=listen, args=(listener, head)).start()
    port = socket.socket()
    port.bind(("127.0.0.1", 7001))
    port.listen(2)
    threading.Thread(target=listen, args=(port, False)).start()
    print("ready")


def enter():
    s = socket.socket(socket.AF_UNIX)
    s.connect(AGENT)
    return s


def request(service, kind=0x212, target=b"dst", ident=b"SOCKET1"):
    body = target.ljust(64, b"\0") + ident.ljust(32, b"\0") + service + b"\0"
    return struct.pack("<II", kind, len(body)) + body


def ends(s):
    """No answer but the end."""
    try:
        return s.recv(100) == b""
    except ConnectionResetError:
        return True


def garbage():
    good = request(b"test.Slow")
    for bad in (
        struct.pack("<II", 0x212, 0xFFFFFFFF) + b"x" * 1000,
        struct.pack("<II", 0x212, 0) + b"x" * 1000,
        struct.pack("<II", 0x200, 100) + b"x" * 100,
        os.urandom(65536),
        request(b"+x"),
        request(b"a\0b"),
        request(b"x" * 65001),
        request(b"test.Slow", ident=b"../../etc"),
        request(b"test.Slow", target=b"../dst"),
        request(b"test.Slow", target=b"d" * 64),
        good[:20] + b"\xff" + good[21:],
    ):
        s = enter()
        try:
            s.sendall(bad)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert ends(s), bad[:40]
        s.close()


def early_ends():
    good = request(b"test.Slow")
    for size in range(len(good)):
        s = enter()
        s.sendall(good[:size])
        s.close()
    for _ in range(500):
        s = enter()
        s.sendall(good)
        s.close()


def many():
    """10,000 at once: some wait, none is answered but by yes, no, or the end."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (50000, 50000))
    open_ones = []
    for i in range(10000):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        try:
            s.connect(AGENT)
            # Denied ones, and those whose service is there and waits.
            s.send(request(b"test.Slow" if i % 50 == 0 else b"test.No%d" % i))
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            s.close()
            continue
        open_ones.append(s)
    assert len(open_ones) > 1000, len(open_ones)
    for s in open_ones:
        s.setblocking(True)
        s.settimeout(60)
        try:
            answer = s.recv(8)
        except (ConnectionResetError, BlockingIOError):
            answer = b""
        if answer:
            kind = struct.unpack("<II", answer)[0]
            assert kind in (0x203, 0x7B000001), kind
        s.close()
    print("refused")


if sys.argv[1] == "serve":
    services()
else:
    garbage()
    early_ends()
    many()
