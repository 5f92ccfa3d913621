#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of mandates over the API of a running daemon: several clients at once, and kill -9 in the middle of everything.

    life.py BIN

Histories are checked, not outcomes guessed: every accepted spend says what the root's budget was drawn down to, so the accepted ones
have one total order, which must add up to the unit and respect real time; versions of a mandate respect real time; what was
acknowledged is there after a kill, what was not is there once or not at all. Prints "ok   name" or "FAIL name" a test.
"""
import base64
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib

BIN = os.path.abspath(sys.argv[1])
SEED = int(os.environ.get("LIFE_SEED", "1"))
FAR = "2099-01-01T00:00:00Z"
failed = 0


def report(name, good, why=""):
    global failed
    failed += not good
    print("%s %s" % ("ok  " if good else "FAIL", name), flush=True)
    if not good:
        print("       seed %d: %s" % (SEED, str(why)[:2000]), flush=True)


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class Daemon:
    def __init__(self, folder):
        self.folder, self.socket, self.process = folder, os.path.join(folder, "data", "mandated.sock"), None
        open(os.path.join(folder, "mandated.yaml"), "w").write(
            "issuer: https://mandates.example\ndata_dir: %s/data\nkafka: {embedded: true}\n" % folder)

    def start(self):
        log = open(os.path.join(self.folder, "log"), "a")
        self.process = subprocess.Popen([os.path.join(BIN, "mandated"), "--config", os.path.join(self.folder, "mandated.yaml")],
                                        cwd=self.folder, stderr=log)
        deadline = time.monotonic() + 60
        while self.call("GET", "/v1/mandates?limit=1")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit("the daemon does not serve:\n" + open(os.path.join(self.folder, "log")).read()[-3000:])
            time.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def call(self, method, path, body=None, who=None):
        """(0, None) when nobody answered: whether it was done is not known."""
        try:
            c = Unix(self.socket)
            headers = {"X-Mandate-Principal": who} if who else {}
            c.request(method, path, json.dumps(body) if body is not None else None, headers)
            r = c.getresponse()
            text = r.read()
            c.close()
            return r.status, json.loads(text)
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None

    def issue(self, name, parent=None, budget=None, **more):
        claims = {"id": name, "grantor": "user:g", "agent": "agent:a", "purpose": "p", "expires_at": FAR,
                  "scope": {"actions": ["*"], "resources": ["*"]}}
        if budget:
            claims["scope"]["budgets"] = {"eur": budget}
        if parent:
            claims["parent"] = parent
        return self.call("POST", "/v1/mandates", dict(claims, **more))

    def act(self, name, verb, who=None, /, **body):
        return self.call("POST", "/v1/mandates/%s/%s" % (name, verb), body, who)

    def permits(self, name):
        return self.call("POST", "/access/v1/evaluation", {
            "subject": {"type": "agent", "id": "agent:a"}, "action": {"name": "x"}, "resource": {"type": "t", "id": "1"},
            "context": {"mandate": name}})[1]["decision"]


class Event:
    def __init__(self, op, name, ask, begun, ended, code, answer):
        self.op, self.name, self.ask, self.begun, self.ended, self.code, self.answer = op, name, ask, begun, ended, code, answer


def record(history, d, op, name, who=None, /, **body):
    begun = time.monotonic()
    code, answer = d.act(name, op, who, **body)
    history.append(Event(op, name, body, begun, time.monotonic(), code, answer))
    return code, answer


def together(*threads):
    running = [threading.Thread(target=t) for t in threads]
    for t in running:
        t.start()
    for t in running:
        t.join()


# --- several clients at once ---------------------------------------------------------------------------------------------
def root_spent(e):
    return next(int(b["spent"]) for b in e.answer["budgets"] if b["mandate"].startswith("root"))


def check_spends(history, most, name):
    """Only spends: the root's budget orders them all."""
    spends = [e for e in history if e.op == "spend"]
    done = sorted((e for e in spends if e.code == 200 and not e.answer["repeated"]), key=root_spent)
    before, latest = 0, 0.0
    wrong = []
    for e in done:
        if root_spent(e) != before + e.ask["amount"]:
            wrong.append("%d is not %d + %d" % (root_spent(e), before, e.ask["amount"]))
        before = root_spent(e)
        if e.ended < latest:
            wrong.append("one that had ended before another began comes after it")
        latest = max(latest, e.begun)
    report(name + ": the accepted spends are one total order that adds up", not wrong and len(done) > 50, wrong[:3] or len(done))
    report(name + ": never more than there is", before <= most, before)
    refused = [e for e in spends if e.code == 409 and '"root' in e.answer["error"]["message"]]
    early = [e for e in refused
             if e.ask["amount"] + sum(o.ask["amount"] for o in done if o.begun < e.ended) <= most]
    report(name + ": nobody is refused while there is enough for all who had begun", not early and refused, len(refused))


def check_versions(history):
    """What of a mandate was seen later in real time is not older."""
    wrong = []
    for name in {e.name for e in history}:
        seen = [e for e in history if e.name == name and e.code == 200 and "version" in e.answer]
        for a in seen:
            wrong += [(name, a.op, b.op) for b in seen if a.ended < b.begun and a.answer["version"] > b.answer["version"]]
    report("versions of a mandate respect real time", not wrong, wrong[:3])


def check_ends(history, d):
    """After a revocation was answered nothing under it is granted."""
    wrong, ends = [], {e.name: e.ended for e in history if e.op == "revoke" and e.code == 200}
    for e in history:
        if e.op in ("spend", "delegate") and e.code in (200, 201) and e.name in ends and e.begun > ends[e.name] and \
                not e.answer.get("repeated"):
            wrong.append((e.op, e.name))
    still = [name for name in ends if d.permits(name)]
    report("after a revocation was answered nothing is granted under it", ends and not wrong and not still, (wrong[:3], still))


def spender(d, history, names, seed, count):
    r = random.Random(seed)

    def run():
        for i in range(count):
            name, key = r.choice(names), "k-%d-%d" % (seed, i if r.random() < 0.9 or not i else i - 1)
            record(history, d, "spend", name, name="eur", amount=r.randint(1, 9), key=key)
    return run


def many_spenders(d):
    history = []
    d.issue("root-1", budget=1500)
    for i in range(4):
        d.issue("kid-%d" % i, parent="root-1", budget=600)
        d.issue("grandkid-%d" % i, parent="kid-%d" % i)
    names = ["root-1"] + ["kid-%d" % i for i in range(4)] + ["grandkid-%d" % i for i in range(4)]
    together(*(spender(d, history, names, SEED * 100 + t, 70) for t in range(6)))
    check_spends(history, 1500, "six clients spend")


def everything(d):
    """Delegate, spend, suspend, amend and revoke at once, on the same few mandates."""
    history = []
    d.issue("root-2", budget=3000)
    names = ["n-%d" % i for i in range(6)]
    for name in names:
        d.issue(name, parent="root-2", budget=800)

    def mixed(seed):
        r = random.Random(seed)

        def run():
            for i in range(60):
                name = r.choice(names)
                what = r.choice(["spend"] * 5 + ["delegate", "suspend", "resume", "amend"] + ["revoke"] * (i > 40))
                if what == "spend":
                    record(history, d, what, name, name="eur", amount=r.randint(1, 9), key="m-%d-%d" % (seed, i))
                elif what == "delegate":
                    record(history, d, what, name, agent="agent:b", id="c-%d-%d" % (seed, i), scope={"budgets": {"eur": 5}})
                elif what == "amend":
                    record(history, d, what, name, change={"scope": {"limits": {"n": r.randint(1, 500)}}}, cascade=True)
                else:
                    record(history, d, what, name)
        return run
    together(*(mixed(SEED * 1000 + t) for t in range(5)))
    done = sum(e.ask["amount"] for e in history if e.op == "spend" and e.code == 200 and not e.answer["repeated"])
    last = d.act("root-2", "spend", name="eur", amount=1, key="last")[1]
    report("what was accepted is what was drawn", int(last["budgets"][0]["spent"]) == done + 1 <= 3000, (last, done))
    check_versions(history)
    check_ends(history, d)
    codes = {e.code for e in history}
    report("nothing but yes, no and not now was answered", codes <= {200, 201, 403, 404, 409}, codes)


def successors(d):
    """One takes the place of another, over and over, while others ask: never both, never neither."""
    wrong, over = [], threading.Event()
    current = ["s-0"]
    d.issue("s-0")

    def renew():
        for i in range(1, 60):
            d.issue("s-%d" % i, supersedes="s-%d" % (i - 1))
            current[0] = "s-%d" % i
        over.set()

    def ask():
        while not over.is_set():
            n = int(current[0][2:])
            old, new = "s-%d" % n, "s-%d" % (n + 1)
            # One more than was answered may be in effect: with n + 1 answered at the end, n + 3 was not begun.
            if not d.permits(old) and not d.permits(new) and not d.permits("s-%d" % (n + 2)) and int(current[0][2:]) <= n + 1:
                wrong.append(("neither", n))
            if d.permits(new) and d.permits(old):
                wrong.append(("both", n))
    together(renew, ask, ask)
    states = [m["state"] for m in d.call("GET", "/v1/mandates?limit=1000")[1]["mandates"] if m["id"].startswith("s-")]
    report("a successor takes the place: never both, never neither", not wrong and states.count("active") == 1, wrong[:3])


# --- status lists ----------------------------------------------------------------------------------------------------------
def unpack(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def place(d, name):
    """(uri, idx) of a mandate's own token."""
    answer = d.call("GET", "/v1/mandates/%s/token" % name)[1]
    entry = unpack(answer["token"])["status"]["status_list"]
    return entry["uri"], entry["idx"]


def verifies(d, chain):
    """As a receiver does it: the keys, the chain, and the list of now."""
    keys, listed = os.path.join(d.folder, "keys.json"), os.path.join(d.folder, "list.jwt")
    open(keys, "w").write(json.dumps(d.call("GET", "/.well-known/jwks.json")[1]))
    c = Unix(d.socket)
    c.request("GET", "/status/0")
    open(listed, "wb").write(c.getresponse().read())
    c.close()
    return subprocess.run([os.path.join(BIN, "mandatectl"), "mandate", "verify", "--jwks", keys, "--issuer", "https://mandates.example",
                           "--status-list", listed], input="\n".join(chain), text=True, capture_output=True).returncode


def stands(d, uri, idx):
    """As a receiver reads it, without a login."""
    c = Unix(d.socket)
    c.request("GET", "/status/" + uri.rsplit("/", 1)[1])
    r = c.getresponse()
    token = r.read().decode()
    c.close()
    assert r.status == 200 and r.getheader("Content-Type") == "application/statuslist+jwt", (r.status, token)
    assert r.getheader("Cache-Control") == "max-age=5", r.getheader("Cache-Control")
    said = unpack(token)
    assert said["sub"] == uri and said["iat"] < said["exp"] and said["status_list"]["bits"] == 2, said
    lst = said["status_list"]["lst"]
    return zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))[idx // 4] >> idx % 4 * 2 & 3


def comes_to(d, at, expected):
    """A list is made anew a moment after a commit."""
    deadline = time.monotonic() + 30
    while [stands(d, *p) for p in at] != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return [stands(d, *p) for p in at]


def status_lists(d):
    for name, parent in (("l-0", None), ("l-1", "l-0"), ("l-2", "l-1"), ("l-3", None)):
        d.issue(name, parent)
    at, seen = [place(d, "l-%d" % i) for i in range(4)], []
    chains, codes = [d.call("GET", "/v1/mandates/l-%d/token" % i)[1]["chain"] for i in (2, 3)], []
    for verb, name, expected in (("", "", [0, 0, 0, 0]), ("suspend", "l-0", [2, 2, 2, 0]), ("resume", "l-0", [0, 0, 0, 0]),
                                 ("suspend", "l-2", [0, 0, 2, 0]), ("revoke", "l-1", [0, 1, 1, 0])):
        if verb:
            d.act(name, verb)
        seen.append(comes_to(d, at, expected) == expected)
        codes.append([verifies(d, chain) for chain in chains])
    report("a status list says how mandates and their descendants stand", all(seen) and len(set(at)) == 4, (seen, at))
    report("mandatectl believes a chain that its status list says is valid", codes == [[0, 0], [3, 0], [0, 0], [3, 0], [3, 0]], codes)
    d.kill()
    d.start()
    again = [place(d, name) for name in ("l-0", "l-3")]
    got = comes_to(d, at, [0, 1, 1, 0])
    report("and says the same in the same places after kill -9", again == [at[0], at[3]] and got == [0, 1, 1, 0], (again, at, got))


# --- kill -9 -----------------------------------------------------------------------------------------------------------------
def kill_while(d, work, delay, begun):
    """`delay` after something was answered, however long that takes."""
    deadline = time.monotonic() + 60

    def kill():
        while not begun() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(delay)
        d.kill()
    together(work, kill)
    d.start()


def killed_spenders(d):
    """Whatever is not known to have happened is said again with its key: in the end each was drawn exactly once."""
    d.issue("root-k", budget=100000)
    d.issue("killed-kid", parent="root-k", budget=50000)
    asked, lost, r = [], [], random.Random(SEED)
    for round_number in range(4):
        history = []

        def work(seed):
            def run():
                for i in range(200):
                    body = {"name": "eur", "amount": 1 + (seed * 7 + i) % 9, "key": "x-%d-%d" % (seed, i)}
                    asked.append((seed % 2, body))
                    if record(history, d, "spend", ("root-k", "killed-kid")[seed % 2], **body)[0] == 0:
                        return
            return run
        threads = [work(round_number * 10 + t) for t in range(3)]
        kill_while(d, lambda: together(*threads), 0.1 + r.random() * 0.3, lambda: history)
        lost += [e.ask for e in [e for e in history if e.code == 200][-60:]
                 if not d.act(e.name, "spend", **e.ask)[1].get("repeated")]
        for which, body in asked[-40:]:
            d.act(("root-k", "killed-kid")[which], "spend", **body)
    total = int(d.act("root-k", "spend", name="eur", amount=1, key="total")[1]["budgets"][0]["spent"]) - 1
    kid = int(d.act("killed-kid", "spend", name="eur", amount=1, key="total")[1]["budgets"][0]["spent"]) - 1
    acked = sum(b["amount"] for _, b in {(w, json.dumps(b, sort_keys=True)): (w, b) for w, b in asked}.values())
    report("killed in the middle of spending: what was answered is there", not lost, lost[:3])
    report("killed in the middle of spending: each spend was drawn once", total == acked and kid < total, (total, acked, kid))


def killed_commands(d):
    """Each command in flight when the kill comes; afterwards it happened or it did not, and what was answered did."""
    r = random.Random(SEED + 7)
    verbs = {"amend": {"change": {"scope": {"limits": {"n": 5}}}}, "suspend": {"until": "2098-01-01T00:00:00Z"}, "revoke": {},
             "return": {}, "delegate": {"agent": "agent:b"}, "resume": {}, "supersede": {}}
    for verb, body in verbs.items():
        names = ["%s-%d" % (verb, i) for i in range(40)]
        for name in names:
            d.issue(name)
            if verb == "resume":
                d.act(name, "suspend")
        before = {n: d.call("GET", "/v1/mandates/" + n)[1] for n in names}
        answers = {}

        def work():
            for n in names:
                if verb == "supersede":
                    answers[n] = d.issue(n + "-new", supersedes=n)
                elif verb == "delegate":
                    answers[n] = d.act(n, verb, id=n + "-kid", **body)
                else:
                    answers[n] = d.act(n, verb, "agent:a" if verb == "return" else None, **body)
                if answers[n][0] == 0:
                    return
        kill_while(d, work, r.random() * 0.15, lambda: answers)
        wrong = []
        for n in names:
            now = d.call("GET", "/v1/mandates/" + n)[1]
            answered = answers.get(n, (0, None))[0] in (200, 201)
            other = {"supersede": n + "-new", "delegate": n + "-kid"}.get(verb)
            there = other and d.call("GET", "/v1/mandates/" + other)[0] == 200
            happened = there if verb == "delegate" else now["version"] == before[n]["version"] + 1
            if not happened and (answered or (verb != "delegate" and now != before[n])):
                wrong.append((n, "answered" if answered else "half done"))
            if verb == "supersede" and there != (now["state"] == "superseded"):
                wrong.append((n, "both or neither"))
            if happened and n not in answers:
                wrong.append((n, "was never asked for"))
            if happened and verb != "delegate" and now["transition"]["version"] != now["version"]:
                wrong.append((n, "its last transition is another"))
        report("killed in the middle of %s: it happened or it did not" % verb, not wrong, wrong[:3])


def killed_makers(d):
    """The same of what makes something: a mandate is whole or not there, a spend is given back once or not, a question is open or was
    never asked."""
    r = random.Random(SEED + 11)
    for i in range(40):
        d.issue("back-%d" % i, budget=10)
        d.act("back-%d" % i, "spend", name="eur", amount=3, key="k")
        for side, action in (("x", "left"), ("y", "right")):
            d.issue("esc-%d-%s" % (i, side), scope={"actions": [action], "resources": ["*"]})

    def escalate(i):
        code, answer = d.call("POST", "/access/v1/evaluation", {
            "subject": {"type": "agent", "id": "agent:a"}, "action": {"name": "left"}, "resource": {"type": "t", "id": str(i)},
            "context": {"mandates": ["esc-%d-x" % i, "esc-%d-y" % i]}})
        return code, code and answer["context"]["escalation"]
    work = {"issue": lambda i: d.issue("made-%d" % i, budget=5), "unspend": lambda i: d.act("back-%d" % i, "unspend", key="k"),
            "escalate": escalate}
    for verb, one in work.items():
        answers, wrong = {}, []

        def run():
            for i in range(40):
                answers[i] = one(i)
                if answers[i][0] == 0:
                    return
        kill_while(d, run, r.random() * 0.15, lambda: answers)
        if verb == "escalate":
            there = {e["resource"]: e for e in d.call("GET", "/v1/decisions?limit=1000")[1]["decisions"]}
        for i in range(40):
            asked, answered = i in answers, answers.get(i, (0, None))[0] in (200, 201)
            if verb == "issue":
                code, now = d.call("GET", "/v1/mandates/made-%d" % i)
                happened = code == 200
                whole = not happened or (now["version"] == 1 and now["transition"]["reason"] == "issued" and
                                         d.act("made-%d" % i, "spend", name="eur", amount=5, key="all")[0] == 200)
            elif verb == "unspend":
                left = int(d.act("back-%d" % i, "spend", name="eur", amount=1, key="look")[1]["budgets"][0]["left"])
                happened, whole = left == 9, left in (6, 9)
            else:
                found = there.get("t/%d" % i)
                happened = found is not None
                whole = not happened or (found["state"] == "open" and (not answered or found["id"] == answers[i][1]["id"]))
            if not whole or happened and not asked or answered and not happened:
                wrong.append((i, answers.get(i), happened, whole))
        report("killed in the middle of %s: it happened or it did not" % verb, not wrong and any(a[0] for a in answers.values()),
               wrong[:3] or len(answers))


def all_signed(d):
    """Until a checkpoint covers every entry."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        audit = (d.call("GET", "/readyz")[1] or {}).get("audit", {})
        if "entries" in audit and audit["entries"] == audit["signed"]:
            return
        time.sleep(0.02)


def the_record_agrees(d):
    """Whatever was killed: the log is whole, and ends every mandate that has ended, once."""
    ctl = lambda *args: subprocess.run([os.path.join(BIN, "mandatectl")] + list(args), text=True, capture_output=True,
                                       env=dict(os.environ, MANDATED_SOCKET=d.socket))
    key, out = os.path.join(d.folder, "audit.key"), os.path.join(d.folder, "record")
    open(key, "w").write(ctl("audit", "key").stdout)
    all_signed(d)
    exported, verified = ctl("audit", "export", out), ctl("audit", "verify", out, "--key", key)
    report("after all kills the audit log verifies", exported.returncode == 0 and verified.returncode == 0,
           exported.stderr + verified.stdout + verified.stderr)
    entries = [json.loads(line) for line in ctl("audit", "export", "--format", "jsonl").stdout.splitlines()]
    ends = [e["mandate"] for e in entries if e["event"] == "ended"]
    mandates, after = [], ""
    while after is not None:
        page = d.call("GET", "/v1/mandates?limit=1000" + ("&after=" + after if after else ""))[1]
        mandates += page["mandates"]
        after = page["next"]
    over = [m["id"] for m in mandates if m["state"] not in ("active", "suspended")]
    report("and says of each that has ended that it has, once", sorted(over) == sorted(ends) and len(over) > 50,
           sorted(set(over) ^ set(ends))[:5] or (len(over), len(ends)))


def main():
    folder = tempfile.mkdtemp(prefix="mandated-life-")
    d = Daemon(folder)
    d.start()
    try:
        many_spenders(d)
        everything(d)
        successors(d)
        status_lists(d)
        killed_spenders(d)
        killed_commands(d)
        killed_makers(d)
        the_record_agrees(d)
        d.stop()
    finally:
        if d.process.poll() is None:
            d.process.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
