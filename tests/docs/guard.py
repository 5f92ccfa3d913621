#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The guards of docs/guard say yes only when everything is known that their page asks for.

    guard.py BUILD CC [FLAGS...]

Compiled with an installed libmandate, run against a daemon; then with a feed from which one thing at a time was taken away.
Prints "ok   name" or "FAIL name" a test.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD, CC, FLAGS = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
BIN = os.path.join(BUILD, "bin")
GUARD = os.path.join(ROOT, "docs", "guard")
ISSUER = "https://mandates.example"
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good and why:
        print("       " + str(why).strip().replace("\n", "\n       "), flush=True)


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], text=True, capture_output=True, **more)


def compiled(folder):
    prefix = os.path.join(folder, "usr")
    done = run("cmake", "--install", BUILD, "--component", "library", "--prefix", prefix)
    found = [d for d, _, files in os.walk(prefix) if "mandate.pc" in files]
    if done.returncode or not found:
        sys.exit("libmandate does not install:\n" + done.stderr)
    flags = run("pkg-config", "--cflags", "--libs", "mandate", "jansson", env=dict(os.environ, PKG_CONFIG_PATH=found[0]))
    out = os.path.join(folder, "guard")
    done = run(CC, "-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *FLAGS, GUARD + "/guard.c", "-o", out, *flags.stdout.split())
    report("guard.c compiles with pkg-config alone", done.returncode == 0, done.stderr + flags.stderr)
    return out, os.path.dirname(found[0])


def claims(ident, agent, **more):
    return json.dumps({"id": ident, "grantor": "user:a", "agent": agent, "purpose": "an example", "audience": ["gate"],
                       "scope": {"actions": ["pay.*"], "resources": ["account/*"]}, "expires_at": "2099-01-01T00:00:00Z", **more})


class World:
    def __init__(self, folder, lib):
        self.folder = folder
        self.env = dict(os.environ, PATH=BIN + os.pathsep + os.environ["PATH"], LD_LIBRARY_PATH=lib, NO_COLOR="1",
                        MANDATED_SOCKET=os.path.join(folder, "data", "mandated.sock"))
        open(os.path.join(folder, "mandated.yaml"), "w").write(
            "issuer: %s\ndata_dir: data\nkafka: {embedded: true, embedded_port_file: kafka}\nrevocations: {heartbeat: 200ms}\n" % ISSUER)
        self.log = open(os.path.join(folder, "log"), "w")
        self.daemon = subprocess.Popen([BIN + "/mandated", "--config", "mandated.yaml"], cwd=folder, env=self.env, stderr=self.log)
        self.wait(lambda: self.ctl("mandate", "list").returncode == 0)
        self.env["MANDATED_BOOTSTRAP"] = open(os.path.join(folder, "kafka")).read().strip()

    def wait(self, holds):
        deadline = time.monotonic() + 60
        while not holds():
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                sys.exit("it does not come about:\n" + open(os.path.join(self.folder, "log")).read())
            time.sleep(0.1)

    def ctl(self, *argv, **more):
        return run("mandatectl", *argv, env=self.env, cwd=self.folder, **more)

    def feed(self, mandates=2):
        """All of the topic, once all mandates are on it and its heartbeats cover that."""
        lines = []

        def covered():
            lines[:] = [json.loads(l) for l in self.ctl("topic", "tail", "--json", "--from-beginning", "--exit-at-end").stdout.splitlines()]
            told = {r["value"]["mandate"]: r for r in lines if "mandate" in r["value"]}
            marks = {r["partition"]: r["value"]["watermark"]["seq"] for r in lines if "watermark" in r["value"]}
            return len(told) == mandates and all(marks.get(r["partition"], -1) >= r["value"]["seq"] for r in told.values())

        self.wait(covered)
        return lines


def main():
    with tempfile.TemporaryDirectory(prefix="mandated-guard-") as folder:
        program, lib = compiled(folder)
        w = World(folder, lib)
        try:
            guards(w, program)
        finally:
            w.daemon.terminate()
            w.daemon.wait(60)
    return failed != 0


def guards(w, program):
    for text in (claims("root", "agent:a", max_depth=1), claims("leaf", "agent:b", parent="root", max_depth=0)):
        done = w.ctl("mandate", "issue", "-", input=text)
        if done.returncode:
            sys.exit(done.stderr)
    open(w.folder + "/jwks.json", "w").write(w.ctl("key", "show", "data/signing-key.pem").stdout)
    open(w.folder + "/other.json", "w").write(w.ctl("key", "new", "other.pem").stdout)
    chain = w.ctl("mandate", "token", "leaf").stdout
    open(w.folder + "/chain.txt", "w").write(chain)
    open(w.folder + "/leaf.txt", "w").write(chain.split()[1])
    programs = [("guard.c", [program]), ("guard.py", [sys.executable, GUARD + "/guard.py"])]
    if shutil.which("node"):
        programs.append(("guard.mjs", ["node", GUARD + "/guard.mjs"]))
    else:
        print("skip guard.mjs: no node")

    def ask(argv, lines, jwks="jwks.json", chain="chain.txt", action="pay.small", audience="gate", cut=""):
        text = "".join(l if isinstance(l, str) else json.dumps(l) + "\n" for l in lines) + cut
        return run(*argv, jwks, ISSUER, audience, chain, action, "account/7", input=text, env=w.env, cwd=w.folder)

    def judge(what, wanted, done, word=""):
        report(what, done.returncode == wanted and (done.stdout.splitlines() or ["?"])[-1].startswith(
            "permitted" if wanted == 0 else "denied: ") and word in done.stdout, "%d %s%s" % (done.returncode, done.stdout, done.stderr))

    for name, argv in programs:
        lines = w.feed()
        heartbeat = [r for r in lines if "watermark" in r["value"]]
        told = [r for r in lines if "mandate" in r["value"]]
        other = dict(heartbeat[0], value=dict(heartbeat[0]["value"], issuer="https://other.example"))
        judge(name + ": an active chain is permitted", 0, ask(argv, lines))
        judge(name + ": another action is denied", 3, ask(argv, lines, action="sign.all"))
        judge(name + ": another audience is denied", 3, ask(argv, lines, audience="elsewhere"))
        judge(name + ": another key is denied", 3, ask(argv, lines, jwks="other.json"))
        judge(name + ": a chain without its root is denied", 3, ask(argv, lines, chain="leaf.txt"))
        judge(name + ": without heartbeats it is denied", 3, ask(argv, told), "heartbeat")
        late = [dict(r, value=dict(r["value"], watermark=dict(r["value"]["watermark"], complete_up_to="2026-01-01T00:00:00Z")))
                for r in heartbeat]
        judge(name + ": with old heartbeats it is denied", 3, ask(argv, told + late), "heartbeat")
        judge(name + ": an ancestor that was not heard of denies", 3,
              ask(argv, [r for r in lines if r["value"].get("mandate") != "root"]), "root has not been heard of")
        judge(name + ": a record that cannot be read denies", 3, ask(argv, lines + ["{\n"]), "cannot read")
        judge(name + ": a feed that breaks off within a record denies", 3, ask(argv, lines, cut='{"value"'), "cannot read")
        # Read anew, as for the first: the heartbeats of a while ago are old on a busy machine.
        judge(name + ": another issuer's word does not count", 0, ask(argv, [other] + w.feed()))
        root = next(r for r in told if r["value"]["mandate"] == "root")

        def said(version, state, root=root):
            return dict(root, value=dict(root["value"], version=version, state=state))
        judge(name + ": a state that it does not know denies", 3, ask(argv, lines + [said(8, "asleep")]), "not active")
        amended = dict(root, value=dict(root["value"], version=9, reason="amended", claims_version=9))
        judge(name + ": a token older than an amendment is denied", 3, ask(argv, lines + [amended]), "amended")
        judge(name + ": also when something else was told since", 3, ask(argv, lines + [dict(amended, value=dict(
            amended["value"], version=11, reason="suspension_over"))]), "amended")
        judge(name + ": a record that does not say the version of the claims denies", 3, ask(argv, lines + [dict(root, value={
            k: v for k, v in root["value"].items() if k != "claims_version"})]), "cannot read")
        judge(name + ": an older version changes nothing", 3, ask(argv, lines + [said(8, "revoked"), said(7, "active")]), "not active")

    required(w, programs, judge)
    restricted(w, programs, judge)
    status_list(w, program, judge)
    live = [(name, *follow(w, argv)) for name, argv in programs]
    for name, tail, guard in live:
        first = next(l for l in guard.stdout if l.startswith("permitted"))
        report(name + ": it comes to permit from the topic itself", first == "permitted\n")
    w.ctl("mandate", "revoke", "root")
    for name, tail, guard in live:
        line = guard.stdout.readline()
        report(name + ": the end of an ancestor denies while it runs", line.startswith("denied: ") and "not active" in line, line)
        tail.terminate()
        tail.wait(20)
        code = guard.wait(20)
        report(name + ": its exit code says so", code == 3, code)
        tail.stdout.close()
        guard.stdout.close()


def required(w, programs, judge):
    """A mandate that requires values of what is asked, and limits a number."""
    scope = {"actions": ["pay.*"], "resources": ["account/*"], "limits": {"eur": 10},
             "require": {"action.soft": [True], "resource.region": ["eu", "us"], "context.channel": ["web"]}}
    done = w.ctl("mandate", "issue", "-", input=claims("strict", "agent:s", scope=scope))
    if done.returncode:
        sys.exit(done.stderr)
    open(w.folder + "/strict.txt", "w").write(w.ctl("mandate", "token", "strict").stdout)
    good = {"properties": {"soft": True, "eur": 9}, "resource_properties": {"region": "us"}, "context": {"channel": "web"}}
    for name, argv in programs:
        def ask(**said):
            said = ["%s=%s" % (k, json.dumps(v)) for k, v in dict(good, **said).items() if v is not None]
            return run(*argv, "jwks.json", ISSUER, "gate", "strict.txt", "pay.small", "account/7", *said, env=w.env, cwd=w.folder,
                       input="".join(json.dumps(r) + "\n" for r in w.feed(3)))
        judge(name + ": what is said as it is required is permitted", 0, ask())
        judge(name + ": another value is denied", 3, ask(properties={"soft": False, "eur": 9}), "action.soft")
        judge(name + ": another region is denied", 3, ask(resource_properties={"region": "cn"}), '"resource.region" is "cn"')
        judge(name + ": what is not said is denied", 3, ask(context=None), "context.channel")
        judge(name + ": more than the limit is denied", 3, ask(properties={"soft": True, "eur": 11}), "more than the mandate allows")


def restricted(w, programs, judge):
    """A mandate that restricts its resources to another gate, and one that does not hide what decides."""
    for ident, rules in (("quiet", {"purpose": {}}), ("hidden", {"scope.resources": {"audiences": ["other"]}})):
        done = w.ctl("mandate", "issue", "-", input=claims(ident, "agent:q", disclosure=rules))
        if done.returncode:
            sys.exit(done.stderr)
        open("%s/%s.txt" % (w.folder, ident), "w").write(w.ctl("mandate", "token", ident, "--audience", "gate").stdout)

    def lines():
        text = ""
        while not all('"mandate":"%s"' % i in text for i in ("quiet", "hidden")):
            text = w.ctl("topic", "tail", "--json", "--from-beginning", "--exit-at-end").stdout
        return text

    for name, argv in programs:
        ask = lambda chain: run(*argv, "jwks.json", ISSUER, "gate", chain, "pay.small", "account/7", input=lines(), env=w.env, cwd=w.folder)
        w.wait(lambda: ask("quiet.txt").returncode == 0)
        judge(name + ": what is restricted and decides nothing is no hindrance", 0, ask("quiet.txt"))
        judge(name + ": what decides and is not disclosed is denied", 3, ask("hidden.txt"), "not within what is disclosed")


def status_list(w, program, judge):
    def ask():
        lines = [r for r in w.feed(5) if r["value"].get("state") != "suspended"]  # what the topic says is not what is looked at here
        return run(program, "jwks.json", ISSUER, "gate", "quiet.txt", "pay.small", "account/7", "status.jwt", env=w.env, cwd=w.folder,
                   input="".join(json.dumps(r) + "\n" for r in lines))

    def fetched(code):
        done = run("curl", "--fail", "--silent", "--unix-socket", w.env["MANDATED_SOCKET"], "http://localhost/status/0", "-o", "status.jwt",
                   cwd=w.folder)
        return done.returncode == 0 and ask().returncode == code

    judge("guard.c: without the status list that it is given it denies", 3, ask(), "cannot be read")
    w.wait(lambda: fetched(0))
    judge("guard.c: with one that says valid it permits", 0, ask())
    w.ctl("mandate", "suspend", "quiet")
    w.wait(lambda: fetched(3))
    judge("guard.c: one that says suspended denies", 3, ask(), "by the status list")
    w.ctl("mandate", "resume", "quiet")
    w.wait(lambda: fetched(0))


def follow(w, argv):
    tail = subprocess.Popen(["mandatectl", "topic", "tail", "--json", "--from-beginning"], stdout=subprocess.PIPE, env=w.env)
    guard = subprocess.Popen([*argv, "jwks.json", ISSUER, "gate", "chain.txt", "pay.small", "account/7"], stdin=tail.stdout,
                             stdout=subprocess.PIPE, text=True, env=w.env, cwd=w.folder)
    return tail, guard


if __name__ == "__main__":
    sys.exit(main())
