#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""qrexec-agent, qrexec-daemon and qrexec-client against peers that are not ours.

    gateway.py FOLDER-OF-PROGRAMS BENTO-GUEST
"""
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

from peers import (CONNECT, ENDED, EXEC, EXIT, HELLO, JUST, LIMIT, REFUSED,
                   STDERR, STDIN, STDOUT, TRIGGER3, Link, Manager, Policy,
                   accept, collect, connect, listen, name, ports, read_all,
                   trigger, upper)

PROGRAMS = os.path.abspath(sys.argv.pop(1))
GUEST = os.path.abspath(sys.argv.pop(1))
ALLOW = (b"result=allow\nuser=user\ntarget=work\ntarget_uuid=x\n"
         b"autostart=True\nrequested_target=work\n")


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.folder = holder.name
        self.addCleanup(holder.cleanup)
        self.manager = self.policy = None

    def path(self, what):
        return os.path.join(self.folder, what)

    def start(self, program, *words, **more):
        env = {**os.environ, "VCHAN_SOCKET_DIR": self.folder,
               "XDG_RUNTIME_DIR": self.folder}
        child = subprocess.Popen([os.path.join(PROGRAMS, program), *words],
                                 env=env, **more)
        self.addCleanup(self.stop, child)
        return child

    @staticmethod
    def stop(child):
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait(LIMIT)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                pipe.close()

    def manage(self, serve):
        self.manager = Manager(self.path("manager"), serve)
        self.addCleanup(self.manager.listener.close)


class Agent(Case):
    """We stand for a qube; the daemon is not ours."""

    def agent(self, serve=upper, version=3):
        self.manage(serve)
        self.start("qrexec-agent", "--manager=" + self.path("manager"),
                   "--local=local", "7", "work")
        return self.daemon(version)

    def daemon(self, version=3):
        link = Link(connect(name(self.folder, 7, 0, 512)), version)
        self.addCleanup(link.close)
        self.assertEqual(link.hello(), 4)
        return link

    def data(self, port, domain=0):
        """The channel that the agent, told of it, connects to."""
        listener = listen(name(self.folder, domain, 7, port))
        self.addCleanup(listener.close)
        return listener

    def meet(self, listener, version=3):
        link = Link(accept(listener), version)
        self.addCleanup(link.close)
        link.hello()
        return link

    def test_a_service_is_called_and_its_streams_come(self):
        link = self.agent()
        listener = self.data(513)
        link.send(EXEC, ports(0, 513, b"user:QUBESRPC test.S+a vault"))
        data = self.meet(listener)
        data.send(STDIN, b"abc")
        self.assertEqual(data.next(), (STDOUT, b"ABC"))
        data.send(STDIN)
        self.assertEqual(collect(data), (b"", b"done", 5))
        self.assertEqual(link.next(), (ENDED, ports(0, 513)))
        head, payload = self.manager.asked[0]
        self.assertEqual(head, b"bento.Call+ dom0 name work")
        self.assertEqual(payload,
                         b"service=test.S+a\nuser=user\nsource=vault\n")

    def test_a_command_goes_to_a_shell(self):
        link = self.agent()
        listener = self.data(514)
        link.send(EXEC, ports(0, 514, b"DEFAULT:echo a b"))
        data = self.meet(listener)
        data.send(STDIN)
        collect(data)
        self.assertEqual(self.manager.asked[0][1],
                         b"service=qubes.VMExec+-2Fbin-2Fsh+--c+echo-20a-20b\n"
                         b"source=dom0\n")

    def test_just_exec_ends_when_it_is_started(self):
        link = self.agent()
        listener = self.data(513)
        link.send(JUST, ports(0, 513, b"user:true"))
        self.assertEqual(collect(self.meet(listener)), (b"", b"", 0))
        self.assertEqual(link.next(), (ENDED, ports(0, 513)))

    def test_what_cannot_be_run_has_a_code(self):
        link = self.agent(serve=None)
        listener = self.data(513)
        link.send(EXEC, ports(0, 513, b"user:QUBESRPC a b"))
        self.assertEqual(collect(self.meet(listener))[2], 125)
        listener = self.data(514)
        link.send(EXEC, ports(0, 514, b"user:QUBESRPC a$b c"))
        self.assertEqual(collect(self.meet(listener))[2], 127)

    def test_ten_megabytes_go_each_way(self):
        link = self.agent()
        listener = self.data(513)
        link.send(EXEC, ports(0, 513, b"user:QUBESRPC a b"))
        data = self.meet(listener)
        sent = os.urandom(1 << 19).hex().encode() * 10

        def feed():
            for at in range(0, len(sent), 65536):
                data.send(STDIN, sent[at:at + 65536])
            data.send(STDIN)
        feeder = threading.Thread(target=feed)
        feeder.start()
        out, _, code = collect(data)
        feeder.join()
        self.assertTrue(out == sent.upper())
        self.assertEqual(code, 5)

    def test_an_old_peer_gets_small_chunks(self):
        def serve(stdin, stdout, stderr, status):
            stdout.sendall(b"x" * 10000)
            upper(stdin, stdout, stderr, status)
        link = self.agent(serve, version=2)
        listener = self.data(513)
        link.send(EXEC, ports(0, 513, b"user:QUBESRPC a b"))
        data = self.meet(listener, version=2)
        data.send(STDIN)
        size = 0
        while True:
            kind, body = data.next()
            if kind == EXIT:
                break
            self.assertLessEqual(len(body), 4096)
            size += len(body) if kind == STDOUT else 0
        self.assertEqual(size, 10000)

    def test_early_ends_reach_the_service(self):
        seen = threading.Event()

        def serve(stdin, _out, _err, _status):
            read_all(stdin)
            seen.set()
        link = self.agent(serve)
        listener = self.data(513)
        link.send(EXEC, ports(0, 513, b"user:QUBESRPC a b"))
        self.meet(listener).close()
        self.assertEqual(link.next(), (ENDED, ports(0, 513)))
        self.assertTrue(seen.wait(LIMIT))

    def test_hostile_data_ends_its_call_alone(self):
        hostile = [
            struct.pack("<II", STDIN, 65537) + b"x" * 65537,
            struct.pack("<II", STDIN, 0xFFFFFFFF),
            struct.pack("<II", STDOUT, 1) + b"x",
            struct.pack("<III", EXIT, 4, 0),
            struct.pack("<II", STDIN, 0) + struct.pack("<II", STDIN, 1) + b"x",
            struct.pack("<III", HELLO, 4, 3),
            struct.pack("<II", 0x999, 0),
            struct.pack("<II", EXEC, 10) + ports(0, 1, b"a"),
        ]
        link = self.agent()
        quiet = self.data(600)
        link.send(EXEC, ports(0, 600, b"user:QUBESRPC a b"))
        other = self.meet(quiet)
        for i, wire in enumerate(hostile):
            listener = self.data(513 + i)
            link.send(EXEC, ports(0, 513 + i, b"user:QUBESRPC a b"))
            data = self.meet(listener)
            try:
                data.raw(wire)
            except OSError:
                pass  # it closed before all of it was sent
            self.assertTrue(data.ends())
            self.assertEqual(link.next(), (ENDED, ports(0, 513 + i)), i)
        other.send(STDIN, b"still")
        self.assertEqual(other.next(), (STDOUT, b"STILL"))

    def test_hostile_daemons_lose_the_connection(self):
        link = self.agent()
        hostile = [
            struct.pack("<II", EXEC, 0xFFFFFFFF),
            struct.pack("<II", EXEC, 65544),
            struct.pack("<II", EXEC, 9) + ports(0, 513, b""),
            struct.pack("<II", EXEC, 10) + ports(0, 512, b"a"),
            struct.pack("<II", EXEC, 10) + ports(0, 513) + b"a\0"[::-1],
            struct.pack("<II", REFUSED, 32) + b"a" * 32,
            struct.pack("<II", ENDED, 7) + b"x" * 7,
            struct.pack("<II", HELLO, 4) + b"\3\0\0\0",
            b"\xff" * 4096,
        ]
        for wire in hostile:
            link.raw(wire)
            self.assertTrue(link.ends())
            link = self.daemon()
        link.close()
        old = Link(connect(name(self.folder, 7, 0, 512)), version=1)
        self.assertTrue(old.ends())
        old.close()

    def test_more_calls_than_there_may_be_are_ended(self):
        link = self.agent()
        listeners = [self.data(513 + i) for i in range(257)]
        for i in range(257):
            link.send(EXEC, ports(0, 513 + i, b"user:QUBESRPC a b"))
        self.assertEqual(link.next(), (ENDED, ports(0, 513 + 256)))
        first = self.meet(listeners[0])
        first.send(STDIN)
        self.assertEqual(collect(first)[2], 5)

    def guest(self, *words, **more):
        link = self.path("qrexec-client-vm")
        os.symlink(GUEST, link)
        return self.start_guest([link, "--agent-socket=" +
                                 self.path("local"), *words], **more)

    def start_guest(self, words, **more):
        child = subprocess.Popen(words, **more)
        self.addCleanup(self.stop, child)
        return child

    def test_a_local_program_calls_the_other_side(self):
        link = self.agent()
        child = self.guest("vault", "test.S+x", stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
        kind, body = link.next()
        self.assertEqual((kind, body[:64].rstrip(b"\0"), body[96:]),
                         (TRIGGER3, b"vault", b"test.S+x\0"))
        link.send(CONNECT, ports(3, 520, body[64:96].rstrip(b"\0")))
        data = Link(connect(name(self.folder, 7, 3, 520)))
        data.hello()
        child.stdin.write(b"question")
        child.stdin.close()
        self.assertEqual(data.next(), (STDIN, b"question"))
        self.assertEqual(data.next(), (STDIN, b""))
        data.send(STDOUT, b"answer")
        data.send(STDOUT)
        data.send(STDERR)
        data.send(EXIT, struct.pack("<I", 9))
        self.assertEqual(child.stdout.read(), b"answer")
        self.assertEqual(child.wait(LIMIT), 9)
        self.assertEqual(link.next(), (ENDED, ports(3, 520)))
        data.close()

    def test_a_refused_program_ends_with_126(self):
        link = self.agent()
        child = self.guest("vault", "test.S", stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        _, body = link.next()
        # An ident that nobody has is nobody's.
        link.send(REFUSED, b"SOCKET99".ljust(32, b"\0"))
        link.send(REFUSED, body[64:96])
        self.assertEqual(child.wait(LIMIT), 126)


class Daemon(Case):
    """The machine and its agent are not ours."""

    def daemon(self, verdict=ALLOW, serve=upper, user=None):
        self.manage(serve)
        self.policy = Policy(self.path("policy"), verdict)
        self.addCleanup(self.policy.listener.close)
        listener = listen(name(self.folder, 9, 0, 512))
        self.addCleanup(listener.close)
        self.child = self.start("qrexec-daemon",
                                "--manager=" + self.path("manager"),
                                "--policy=" + self.path("policy"), "9", "far",
                                *([user] if user else []))
        link = Link(accept(listener))
        self.addCleanup(link.close)
        link.hello()
        return link

    def client(self, *words, **more):
        return self.start("qrexec-client", "-d", "far", *words,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more)

    def data(self, link, want, kind=EXEC):
        """As the agent does: takes the command, connects, says hello."""
        got, body = link.next()
        self.assertEqual(got, kind)
        domain, port = struct.unpack("<II", body[:8])
        self.assertEqual((domain, body[8:]), (0, want + b"\0"))
        data = Link(connect(name(self.folder, 0, 9, port)))
        self.addCleanup(data.close)
        data.hello()
        return data, port

    def test_a_command_runs_there(self):
        link = self.daemon(user="bob")
        child = self.client("-t", "DEFAULT:QUBESRPC a+b dom0")
        data, port = self.data(link, b"bob:QUBESRPC a+b dom0")
        self.assertEqual(port, 513)
        child.stdin.write(b"in")
        child.stdin.close()
        self.assertEqual(data.next(), (STDIN, b"in"))
        self.assertEqual(data.next(), (STDIN, b""))
        data.send(STDOUT, b"out\x1b[1m")
        data.send(STDERR, b"err")
        data.send(STDOUT)
        data.send(STDERR)
        data.send(EXIT, struct.pack("<I", 6))
        self.assertEqual((child.stdout.read(), child.stderr.read()),
                         (b"out_[1m", b"err"))
        self.assertEqual(child.wait(LIMIT), 6)
        link.send(ENDED, ports(0, port))

    def test_ports_are_given_anew_when_they_are_free(self):
        link = self.daemon()
        self.client("-e", "user:one")
        data, first = self.data(link, b"user:one", JUST)
        self.client("-e", "user:two")
        _, second = self.data(link, b"user:two", JUST)
        self.assertEqual((first, second), (513, 514))
        data.send(EXIT, struct.pack("<I", 0))
        link.send(ENDED, ports(0, first))
        # Told in order: a trigger's answer proves that it was read.
        self.policy.lines = b"result=deny\n"
        link.send(TRIGGER3, trigger(b"x", b"SOCKET1", b"s"))
        self.assertEqual(link.next()[0], REFUSED)
        self.client("-e", "user:three")
        self.assertEqual(self.data(link, b"user:three", JUST)[1], first)

    def test_a_local_program_is_the_other_end(self):
        link = self.daemon()
        child = self.client("-l", "read x; echo got $x; exit 3", "user:cmd")
        data, _ = self.data(link, b"user:cmd")
        data.send(STDOUT, b"word\n")
        self.assertEqual(data.next(), (STDIN, b"got word\n"))
        self.assertEqual(data.next(), (STDIN, b""))
        data.send(EXIT, struct.pack("<I", 8))
        self.assertEqual(child.wait(LIMIT), 8)

    def test_a_lost_channel_is_125(self):
        link = self.daemon()
        child = self.client("user:cmd")
        data, _ = self.data(link, b"user:cmd")
        data.close()
        self.assertEqual(child.wait(LIMIT), 125)

    def test_a_client_is_not_commanded_by_the_machine(self):
        for wire in (struct.pack("<II", STDIN, 1) + b"x",
                     struct.pack("<II", STDOUT, 1 << 20),
                     struct.pack("<II", EXEC, 10) + ports(0, 1, b"a")):
            with self.subTest(wire[:8]):
                self.setUp()
                link = self.daemon()
                child = self.client("user:cmd")
                data, _ = self.data(link, b"user:cmd")
                data.raw(wire)
                self.assertEqual(child.wait(LIMIT), 125)

    def test_an_allowed_call_reaches_our_qube(self):
        link = self.daemon()
        link.send(TRIGGER3, trigger(b"work", b"SOCKET5", b"test.S+a"))
        kind, body = link.next()
        domain, port = struct.unpack("<II", body[:8])
        self.assertEqual((kind, domain, body[8:]), (CONNECT, 0, b"SOCKET5\0"))
        listener = listen(name(self.folder, 9, 0, port))
        self.addCleanup(listener.close)
        data = Link(accept(listener))
        self.addCleanup(data.close)
        data.hello()
        data.send(STDIN, b"abc")
        data.send(STDIN)
        self.assertEqual(collect(data), (b"ABC", b"done", 5))
        self.assertEqual(self.policy.asked[0], {
            b"domain_id": b"9", b"source": b"far", b"intended_target": b"work",
            b"service_and_arg": b"test.S+a", b"process_ident": b"SOCKET5"})
        self.assertEqual(self.manager.asked[0], (
            b"bento.Call+ dom0 name work",
            b"service=test.S+a\nuser=user\nsource=far\n"))

    def test_a_disposable_is_asked_for_as_one(self):
        link = self.daemon(ALLOW.replace(b"target=work\nt",
                                         b"target=@dispvm:dvm\nt", 1))
        link.send(TRIGGER3, trigger(b"@dispvm", b"SOCKET5", b"s"))
        _, body = link.next()
        listener = listen(name(self.folder, 9, 0,
                               struct.unpack("<II", body[:8])[1]))
        self.addCleanup(listener.close)
        data = Link(accept(listener))
        self.addCleanup(data.close)
        self.assertEqual(self.manager.asked[0][0],
                         b"bento.Call+dispvm dom0 name dvm")

    def test_what_is_not_allowed_is_refused(self):
        link = self.daemon(b"result=deny\n")
        for answer in (b"result=deny\n", b"", b"result=allow\n",
                       b"result=allow\ntarget=" + b"x" * 64 + b"\n"):
            self.policy.lines = answer
            link.send(TRIGGER3, trigger(b"work", b"SOCKET5", b"s"))
            self.assertEqual(link.next(),
                             (REFUSED, b"SOCKET5".ljust(32, b"\0")))
        self.assertEqual(self.manager.asked, [])

    def test_hostile_agents_lose_the_connection(self):
        for wire in (
                struct.pack("<II", TRIGGER3, 0xFFFFFFFF),
                struct.pack("<II", TRIGGER3, 96 + 65002),
                struct.pack("<II", TRIGGER3, 100) + b"x" * 100,
                struct.pack("<II", TRIGGER3, 98)
                + trigger(b"a/b", b"SOCKET1", b"s"),
                struct.pack("<II", TRIGGER3, 98)
                + trigger(b"a", b"SOCKET\n", b"s"),
                struct.pack("<II", TRIGGER3, 98) + trigger(b"a", b"S", b"+"),
                struct.pack("<II", ENDED, 9) + b"x" * 9,
                struct.pack("<II", EXEC, 10) + ports(0, 513, b"a"),
                b"\xff" * 100):
            with self.subTest(wire[:8]):
                self.setUp()
                link = self.daemon()
                link.raw(wire)
                self.assertTrue(link.ends())
                self.assertEqual(self.child.wait(LIMIT), 125)
                self.assertEqual(self.policy.asked, [])

    def test_the_daemon_ends_with_its_agent(self):
        link = self.daemon()
        link.close()
        self.assertEqual(self.child.wait(LIMIT), 0)


class Client(Case):
    """The daemons are not ours."""

    def test_calls_between_two_machines_are_joined(self):
        target = listen(self.path("qrexec.far"))
        source = listen(self.path("qrexec.4"))
        child = self.start("qrexec-client", "-d", "far", "-c", "SOCKET7,src,4",
                           "user:QUBESRPC a src")
        to = Link(accept(target))
        to.hello()
        self.assertEqual(to.next(),
                         (EXEC, ports(4, 0, b"user:QUBESRPC a src")))
        to.send(EXEC, ports(9, 515))
        back = Link(accept(source))
        back.hello()
        self.assertEqual(back.next(), (CONNECT, ports(9, 515, b"SOCKET7")))
        self.assertEqual(child.wait(LIMIT), 0)
        for link in (to, back, target, source):
            link.close()

    def test_no_daemon_is_125(self):
        child = self.start("qrexec-client", "-d", "none", "user:x",
                           stderr=subprocess.DEVNULL)
        self.assertEqual(child.wait(LIMIT), 125)

    def test_what_is_not_a_command_line_is_125(self):
        for words in ([], ["-d", "x"], ["-d", "a/b", "c"], ["-d", "x", ""],
                      ["-d", "x", "-c", "a,b", "c"]):
            child = self.start("qrexec-client", *words,
                               stderr=subprocess.DEVNULL)
            self.assertEqual(child.wait(LIMIT), 125, words)


if __name__ == "__main__":
    unittest.main()
