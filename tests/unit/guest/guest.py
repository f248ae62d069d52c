#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bento-guest on this machine, with an agent of our own.

The agent is written from src/channel/agent.h: it takes a request and answers as
the test says. Services that live in a qube are run as programs.

    guest.py BENTO-GUEST
"""
import array
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

GUEST = os.path.abspath(sys.argv.pop(1))
TRIGGER3, TRIGGER4, REFUSED, ALLOWED = 0x212, 0x213, 0x203, 0x7B000001


def take(sock, size):
    got = b""
    while len(got) < size:
        more = sock.recv(size - len(got))
        if not more:
            raise EOFError
        got += more
    return got


class Agent:
    """One request; `serve` gets it and the four far ends of the streams."""

    def __init__(self, folder, serve, refuse=False, silent=False):
        self.path = os.path.join(folder, "agent")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.serve, self.refuse, self.silent = serve, refuse, silent
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        conn, _ = self.listener.accept()
        with conn:
            self.take_request(conn)

    def take_request(self, conn):
        kind, size = struct.unpack("<II", take(conn, 8))
        body = take(conn, size)
        self.source = None
        if kind == TRIGGER4:
            self.source, body = body[:64].rstrip(b"\0"), body[64:]
        self.target = body[:64].rstrip(b"\0")
        ident, self.service = body[64:96], body[96:].rstrip(b"\0")
        if self.silent:
            return
        if self.refuse:
            conn.sendall(struct.pack("<II", REFUSED, 32) + ident)
            return
        pairs = [socket.socketpair() for _ in range(4)]
        fds = array.array("i", [near.fileno() for near, _ in pairs])
        answer = struct.pack("<II", ALLOWED, 32) + ident
        # The first byte brings them; the rest may come later.
        conn.sendmsg([answer[:1]],
                     [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        conn.sendall(answer[1:])
        for near, _ in pairs:
            near.close()
        try:
            self.serve(*[far for _, far in pairs])
        except BrokenPipeError:
            pass  # the other side does not want to know
        finally:
            for _, far in pairs:
                far.close()

    def end(self):
        self.thread.join()
        self.listener.close()


def read_all(sock):
    got = b""
    while True:
        more = sock.recv(65536)
        if not more:
            return got
        got += more


def answer(out=b"", errors=b"", status=0, seen=None):
    """A service that reads all, then says this."""
    def serve(stdin, stdout, stderr, end):
        got = read_all(stdin)
        if seen is not None:
            seen.append(got)
        stdout.sendall(out)
        stdout.close()
        stderr.sendall(errors)
        stderr.close()
        if status is not None:
            end.sendall(struct.pack("<I", status))
        end.close()
    return serve


def upper(stdin, stdout, stderr, end):
    """A service that answers while it is still being written to."""
    while True:
        got = stdin.recv(65536)
        if not got:
            break
        stdout.sendall(got.upper())
    stdout.close()
    stderr.close()
    end.sendall(struct.pack("<I", 0))
    end.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def name(self, applet):
        path = os.path.join(self.folder.name, applet)
        if not os.path.islink(path):
            os.symlink(GUEST, path)
        return path

    def call(self, agent, *words, stdin=b"", **more):
        got = subprocess.run(
            [self.name("qrexec-client-vm"), "--agent-socket=" + agent.path,
             *words], input=stdin, capture_output=True, timeout=60, **more)
        agent.end()
        return got

    def run_applet(self, applet, *words, stdin=b"", env=None):
        return subprocess.run([self.name(applet), *words], input=stdin,
                              capture_output=True, timeout=60,
                              env={**os.environ, **(env or {})})


class Calls(Case):
    def test_streams_and_status_are_the_services(self):
        seen = []
        a = Agent(self.folder.name, answer(b"out\x1b[1m", b"err", 7, seen))
        got = self.call(a, "work", "test.S+a", stdin=b"in")
        self.assertEqual((got.returncode, got.stdout, got.stderr),
                         (7, b"out\x1b[1m", b"err"))
        self.assertEqual(seen, [b"in"])
        self.assertEqual((a.source, a.target, a.service),
                         (None, b"work", b"test.S+a"))

    def test_a_refusal_is_126(self):
        a = Agent(self.folder.name, None, refuse=True)
        got = self.call(a, "work", "test.S")
        self.assertEqual(got.returncode, 126)
        self.assertIn(b"refused", got.stderr)

    def test_no_answer_is_125(self):
        a = Agent(self.folder.name, None, silent=True)
        self.assertEqual(self.call(a, "work", "test.S").returncode, 125)

    def test_no_agent_is_125(self):
        got = self.run_applet("qrexec-client-vm", "--agent-socket=/none",
                              "work", "test.S")
        self.assertEqual(got.returncode, 125)

    def test_no_status_is_125(self):
        a = Agent(self.folder.name, answer(b"x", status=None))
        self.assertEqual(self.call(a, "work", "test.S").returncode, 125)

    def test_names_that_cannot_be_are_125(self):
        for words in (["work"], ["w" * 64, "s"], ["work", ""],
                      ["work", "s" * 65001], ["--buffer-size=x", "w", "s"]):
            got = self.run_applet("qrexec-client-vm", *words)
            self.assertEqual(got.returncode, 125, words[0][:20])

    def test_a_service_is_cleaned(self):
        a = Agent(self.folder.name, answer())
        self.call(a, "@dispvm", "test.S+a b/$(c)", "true")
        self.assertEqual((a.target, a.service),
                         (b"@dispvm", b"test.S+a_b___c_"))

    def test_options_say_for_whom_and_what_comes_first(self):
        seen = []
        a = Agent(self.folder.name, answer(seen=seen))
        got = self.call(a, "--source-qube=src", "--prefix-data=first ",
                        "--buffer-size=65536", "work", "s", stdin=b"then")
        self.assertEqual(got.returncode, 0)
        self.assertEqual((a.source, seen), (b"src", [b"first then"]))

    def test_output_is_filtered_when_asked(self):
        a = Agent(self.folder.name,
                  answer(b"a\x1b[2Jb\n\xc3\xa4\0", b"\x1b]0;x\x07"))
        got = self.call(a, "-t", "-T", "work", "s")
        self.assertEqual((got.stdout, got.stderr),
                         (b"a_[2Jb\n___", b"_]0;x\x07"))

    def test_output_is_filtered_on_a_terminal(self):
        for flag, want in (None, b"a_[2Jb"), (
                "--no-filter-escape-chars-stdout", b"a\x1b[2Jb"):
            a = Agent(self.folder.name, answer(b"a\x1b[2Jb"))
            ours, theirs = os.openpty()
            words = [flag] if flag else []
            subprocess.run([self.name("qrexec-client-vm"),
                            "--agent-socket=" + a.path, *words, "w", "s"],
                           stdin=subprocess.DEVNULL, stdout=theirs,
                           timeout=60, check=True)
            a.end()
            self.assertEqual(os.read(ours, 100), want)
            os.close(ours)
            os.close(theirs)
            os.unlink(a.path)

    def test_a_program_talks_to_the_service(self):
        seen = []
        a = Agent(self.folder.name, answer(b"answer", status=3, seen=seen))
        got = self.call(a, "work", "s", "sh", "-c",
                        "echo question; exec >&-; cat >&$SAVED_FD_1; exit 5",
                        stdin=b"ours")
        self.assertEqual((got.returncode, got.stdout), (3, b"answer"))
        self.assertEqual(seen, [b"question\n"])

    def test_a_program_that_is_not_there_ends_the_call(self):
        seen = []
        a = Agent(self.folder.name, answer(status=0, seen=seen))
        got = self.call(a, "work", "s", "/no/such/program")
        self.assertIn(b"/no/such/program", got.stderr)
        self.assertEqual(seen, [b""])

    def test_ten_megabytes_go_each_way_at_once(self):
        data = os.urandom(1 << 20).hex().encode() * 5
        a = Agent(self.folder.name, upper)
        got = self.call(a, "work", "s", stdin=data)
        self.assertEqual(got.returncode, 0)
        self.assertTrue(got.stdout == data.upper())

    def test_a_service_that_ends_is_not_waited_for(self):
        def serve(stdin, stdout, stderr, end):
            for sock in (stdin, stdout, stderr):
                sock.close()
            end.sendall(struct.pack("<I", 9))
            end.close()
        a = Agent(self.folder.name, serve)
        reader, writer = os.pipe()  # never ends
        got = subprocess.run([self.name("qrexec-client-vm"),
                              "--agent-socket=" + a.path, "w", "s"],
                             stdin=reader, timeout=60, check=False)
        a.end()
        os.close(reader)
        os.close(writer)
        self.assertEqual(got.returncode, 9)

    def test_one_socket_serves_both_ways(self):
        ours, theirs = socket.socketpair()
        a = Agent(self.folder.name, upper)
        child = subprocess.Popen([self.name("qrexec-client-vm"),
                                  "--agent-socket=" + a.path,
                                  "--use-stdin-socket", "w", "s"],
                                 stdin=theirs, stdout=subprocess.DEVNULL)
        theirs.close()
        ours.sendall(b"abc")
        ours.shutdown(socket.SHUT_WR)
        self.assertEqual(read_all(ours), b"ABC")
        ours.close()
        self.assertEqual(child.wait(60), 0)
        a.end()


class Services(Case):
    def test_a_command_is_run_without_a_shell(self):
        got = self.run_applet("qubes.VMExec", "printf+-25s-0A+a-20b-24HOME+")
        self.assertEqual(got.stdout, b"a b$HOME\n\n")

    def test_statuses_of_commands(self):
        for argument, want in (("sh+--c+exit-207", 7), ("-2Fnone", 127),
                               ("-2Fetc-2Fpasswd", 126), ("a-2", 1)):
            got = self.run_applet("qubes.VMExecGUI", argument)
            self.assertEqual(got.returncode, want, argument)

    def test_the_shell_leaves_what_follows_the_line(self):
        got = self.run_applet("qubes.VMShell", stdin=b"cat; exit 4\nrest\n")
        self.assertEqual((got.returncode, got.stdout), (4, b"rest\n"))

    def test_the_date_is_of_now(self):
        got = self.run_applet("qubes.GetDate").stdout.decode().strip()
        date = subprocess.run(["date", "-d", got, "+%s"],
                              capture_output=True, check=True).stdout
        self.assertRegex(got, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
        self.assertLess(abs(int(date) - int(subprocess.check_output(
            ["date", "+%s"]))), 120)

    def opener(self, script):
        path = os.path.join(self.folder.name, "opener")
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
        return {"BENTO_OPEN": path}

    def open_file(self, field, content, script):
        return self.run_applet("qubes.OpenInVM",
                               stdin=field.ljust(256, b"\0") + content,
                               env=self.opener(script))

    def test_a_changed_file_comes_back(self):
        got = self.open_file(b"a b.txt", b"old", 'echo new >>"$1"; echo said')
        self.assertEqual((got.returncode, got.stdout), (0, b"oldnew\n"))
        self.assertIn(b"said", got.stderr)

    def test_an_unchanged_file_does_not(self):
        got = self.open_file(b"a.txt", b"old", 'basename "$1" >&2; exit 3')
        self.assertEqual((got.returncode, got.stdout, got.stderr),
                         (3, b"", b"a.txt\n"))

    def test_a_replaced_file_comes_back(self):
        got = self.open_file(b"a", b"old", 'echo new >"$1.x"; mv "$1.x" "$1"')
        self.assertEqual(got.stdout, b"new\n")

    def test_a_file_to_be_shown_is_not_taken_back(self):
        got = self.open_file(b"view-only://a", b"old",
                             'stat -c %a "$1" >&2; chmod u+w "$1"; '
                             'echo new >"$1"')
        self.assertEqual((got.stdout, got.stderr), (b"", b"400\n"))

    def test_nothing_stays_of_a_file(self):
        got = self.open_file(b"a", b"x", 'dirname "$1" >&2')
        self.assertFalse(os.path.exists(got.stderr.decode().strip()))

    def test_names_are_cleaned_and_paths_refused(self):
        got = self.open_file(b"a;$(b) '.pdf", b"", 'basename "$1" >&2')
        self.assertEqual(got.stderr, b"a___b___.pdf\n")
        for field in (b"", b"..", b"a/b", b"/etc/passwd", b"x" * 256):
            got = self.open_file(field, b"", "echo opened >&2")
            self.assertEqual(got.returncode, 1, field)
            self.assertNotIn(b"opened", got.stderr)

    def test_addresses_are_checked(self):
        env = self.opener('printf %s "$1" >&2')
        got = self.run_applet("qubes.OpenURL", env=env,
                              stdin=b"https://example.org/?q=a&b\n")
        self.assertEqual((got.returncode, got.stderr),
                         (0, b"https://example.org/?q=a&b"))
        for url in (b"", b"file:///etc/passwd\n", b"-x\n", b"https://\n",
                    b"https://a b\n", b"https://\x1b\n",
                    b"https://" + b"a" * 3000 + b"\n"):
            got = self.run_applet("qubes.OpenURL", stdin=url, env=env)
            self.assertEqual(got.returncode, 1, url)
            self.assertNotIn(b"://", got.stderr)

    def test_applications_are_found_by_their_entry(self):
        place = os.path.join(self.folder.name, "applications", "sub")
        os.makedirs(place)
        with open(os.path.join(place, "x.desktop"), "w",
                  encoding="ascii") as f:
            f.write('[Other]\nExec=false\n[Desktop Entry]\nPath=/\n'
                    'Exec=printf "%%s|" "a b" %U "" c"d\\\\e"  50%%\n')
        env = {"XDG_DATA_DIRS": self.folder.name}
        got = self.run_applet("qubes.StartApp", "sub-x", env=env)
        self.assertEqual((got.returncode, got.stdout), (0, b"a b||cd\\e|50%|"))
        for name in ("none", "../sub/x", ".x", ""):
            got = self.run_applet("qubes.StartApp", name, env=env)
            self.assertEqual(got.returncode, 127, name)


if __name__ == "__main__":
    unittest.main()
