# SPDX-License-Identifier: Apache-2.0
"""The policy socket and the calls policy.*: what they say and refuse."""
import fcntl
import hashlib
import json
import os
import socket

from adminapi import RUNTIME, TOP, Events, Manager, ask, equal, refused

CONFIG = os.path.join(TOP, ".config", "bento")
POLICY = os.path.join(CONFIG, "policy.d")
PROMPT = os.path.join(CONFIG, "policy-prompt")


def question(source, target, service, *more):
    return "".join(line + "\n" for line in (
        "domain_id=1", f"source={source}", f"intended_target={target}",
        f"service_and_arg={service}", "process_ident=1", *more, "")).encode()


def send(data):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(os.path.join(RUNTIME, "policy.sock"))
    s.sendall(data)
    return s


def receive(s):
    answer = b""
    with s:
        while True:
            try:
                got = s.recv(4096)
            except ConnectionResetError:
                return None
            if not got:
                return answer.decode()
            answer += got


def verdict(*args):
    """deny, or the target and the user."""
    answer = dict(line.split("=", 1)
                  for line in receive(send(question(*args))).splitlines())
    if answer == {"result": "deny"}:
        return "deny"
    equal(answer["result"], "allow")
    equal(set(answer), {"result", "user", "target", "target_uuid",
                        "autostart", "requested_target"})
    return f"{answer['target']} {answer['user']}"


def write(name, text):
    os.makedirs(POLICY, exist_ok=True)
    with open(os.path.join(POLICY, name), "w") as f:
        f.write(text)


def prompt(script):
    os.makedirs(CONFIG, exist_ok=True)
    new = PROMPT + ".new"
    with open(new, "w") as f:
        f.write("#!/bin/sh\n" + script)
    os.chmod(new, 0o755)
    os.rename(new, PROMPT)


def system():
    qubes = json.loads(ask("bento.policy.System"))["domains"]
    equal(set(qubes), {"dom0", "work", "mail", "vault"})
    equal(qubes["dom0"]["type"], "AdminVM")
    equal(qubes["work"]["icon"], "blue")
    equal(qubes["work"]["tags"], ["a"])
    equal(qubes["work"]["internal"], False)
    equal(qubes["vault"]["internal"], True)
    equal(qubes["work"]["power_state"], "Halted")


def verdicts():
    equal(verdict("work", "mail", "qubes.VMShell"), "deny")
    equal(verdict("work", "@default", "qubes.GetDate"), "dom0 DEFAULT")
    equal(verdict("work", "nobody", "qubes.GetDate"), "dom0 DEFAULT")
    equal(verdict("nobody", "dom0", "qubes.GetDate"), "deny")
    write("30-user.policy", "qubes.VMShell * @tag:a mail allow user=root\n")
    equal(verdict("work", "mail", "qubes.VMShell"), "mail root")
    equal(verdict("mail", "work", "qubes.VMShell"), "deny")
    write("30-user.policy", "qubes.VMShell * @tag:a mail\n")
    equal(verdict("work", "@default", "qubes.GetDate"), "deny")
    os.remove(os.path.join(POLICY, "30-user.policy"))
    equal(verdict("work", "@default", "qubes.GetDate"), "dom0 DEFAULT")


def not_questions():
    good = question("work", "mail", "s")
    for bad in (b"\n", b"x\n\n", good[:-1] + b"x=y\n\n", good + b"more",
                good.replace(b"source=", b"source=\x1b[2J"),
                b"domain_id=1\n" + good, b"a" * 70001):
        equal(receive(send(bad)) or "", "")
    s = send(good[:-1])
    s.shutdown(socket.SHUT_WR)
    equal(receive(s), "")


def prompts():
    # Without a program nobody is asked.
    equal(verdict("work", "mail", "qubes.Filecopy"), "deny")
    equal(verdict("work", "mail", "qubes.Filecopy", "just_evaluate=yes"),
          "deny")
    equal(verdict("work", "mail", "qubes.Filecopy", "assume_yes_for_ask=yes"),
          "mail DEFAULT")
    prompt(f"cat >{TOP}/asked; echo allow:mail\n")
    equal(verdict("work", "mail", "qubes.Filecopy+x"), "mail DEFAULT")
    with open(f"{TOP}/asked") as f:
        asked = json.load(f)
    equal(asked, {"source": "work", "service": "qubes.Filecopy",
                  "argument": "+x", "requested_target": "mail",
                  "targets": ["mail"], "default_target": "",
                  "icons": {"work": "blue", "mail": "red"}})
    for script in ("echo deny", "exit 0", "echo allow:vault", "kill -9 $$",
                   "echo allow:mail; exit 1", "yes | head -c 100000"):
        prompt(script + "\n")
        equal(verdict("work", "mail", "qubes.Filecopy"), "deny")


def waiting():
    """Many wait for the user; others are answered, and none is lost."""
    gate = open(os.path.join(TOP, "gate"), "w")
    fcntl.flock(gate, fcntl.LOCK_EX)
    prompt(f"exec flock -s {TOP}/gate echo allow:mail\n")
    open_ones = [send(question("work", "mail", "qubes.Filecopy"))
                 for _ in range(40)]
    gone = [send(question("work", "mail", "qubes.Filecopy"))
            for _ in range(20)]
    equal(verdict("work", "@default", "qubes.GetDate"), "dom0 DEFAULT")
    for s in gone + open_ones[:2]:
        s.close()
    # The policy that comes later does not change what was asked before.
    write("30-user.policy", "* * * * deny\n")
    equal(verdict("work", "@default", "qubes.GetDate"), "deny")
    gate.close()
    for s in open_ones[2:]:
        equal(receive(s).splitlines()[0], "result=allow")
    os.remove(os.path.join(POLICY, "30-user.policy"))


def told():
    """The user is told where a rule says so, and of every denial."""
    write("10-told.policy", "s +loud vault mail allow notify=yes\n"
                            "s +quiet vault mail allow\n")
    events = Events()
    equal(verdict("vault", "mail", "s+quiet"), "mail DEFAULT")
    equal(verdict("vault", "mail", "s+what", "just_evaluate=yes"), "deny")
    equal(verdict("vault", "mail", "s+loud"), "mail DEFAULT")
    equal(verdict("vault", "mail", "s+other"), "deny")
    call = {"service": "s", "requested_target": "mail", "left_out": "0"}
    seen = []
    while len(seen) < 2:
        source, name, words = events.next()
        if name == "call":
            equal(source, "vault")
            seen.append({key: words[key] for key in
                         (*call, "result", "argument", "target")})
    equal(seen, [
        {**call, "result": "allow", "argument": "+loud", "target": "mail"},
        {**call, "result": "deny", "argument": "+other", "target": ""}])
    os.remove(os.path.join(POLICY, "10-told.policy"))


def token(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def calls():
    equal(ask("policy.List"), "90-default\n")
    text = "s * work mail allow\n"
    equal(ask("policy.Replace", argument="50-x", payload="new\n" + text), "")
    equal(ask("policy.Get", argument="50-x"), token(text) + "\n" + text)
    equal(verdict("work", "mail", "s"), "mail DEFAULT")
    equal(refused("policy.Replace", argument="50-x", payload="new\n"),
          "PolicyAdminTokenException")
    equal(refused("policy.Replace", argument="50-x", payload="any\nbad\n"),
          "PolicyAdminSyntaxException")
    equal(refused("policy.Get", argument="nothing"),
          "PolicyAdminFileNotFoundException")
    equal(ask("policy.include.Replace", argument="f", payload="any\n" + text),
          "")
    equal(ask("policy.include.List"), "f\n")
    equal(ask("policy.include.Remove", argument="f", payload=token(text)), "")
    equal(ask("policy.Remove", argument="50-x", payload=token(text)), "")
    equal(verdict("work", "mail", "s"), "deny")


def main():
    with Manager() as manager:
        for name, label in (("work", "blue"), ("mail", "red"),
                            ("vault", "black")):
            ask("admin.vm.Create.AppVM",
                payload=f"name={name} label={label}")
        ask("admin.vm.tag.Set", "work", "a")
        ask("admin.vm.feature.Set", "vault", "internal", "1")
        system()
        verdicts()
        not_questions()
        prompts()
        waiting()
        told()
        calls()
        manager.stop()


main()
