# SPDX-License-Identifier: Apache-2.0
# Services that are sockets, as services.sh and hostile.sh have them in a qube.
import socket
import threading


def talk(connection, head):
    data = b""
    while head and b"\0" not in data:
        data += connection.recv(1)
    connection.sendall(b"<" + data.rstrip(b"\0") + b">")
    if b"Once" in data:
        return
    while data := connection.recv(65536):
        connection.sendall(data)


def serve(connection, head):
    # listen() has it, too, up to its next one: a call whose service ended
    # without closing it would wait for that.
    with connection:
        try:
            talk(connection, head)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the caller reads no more


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


services()
