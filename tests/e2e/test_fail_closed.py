# SPDX-License-Identifier: Apache-2.0
"""Faults x operations: never a yes that the committed state does not prove. The table is fail_closed.py; each cell is a daemon of its own.

A cell: a daemon with mandates, a fault (fault.c, preloaded, or a signal, or no broker), one operation, its answer compared with the
table's. Then kill -9, a start without the fault, and what is stored is compared with everything that was answered: what was
granted is there, what was refused is not, what was not answered is there whole or not at all, and whoever got a yes had a mandate that
is active in that version. Counters in fault.c say that the fault was met.
"""
import base64
import errno
import http.client
import json
import mmap
import os
import signal
import struct
import subprocess
import time
import unittest
import zlib
from datetime import datetime, timedelta, timezone

from tests.e2e import shared
from tests.e2e.fail_closed import COMMANDS, READS, ROWS
from tests.real.parts import Process, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
ENTITIES = "types:\n  shop.item:\n    attributes: {open: bool}\n"
SOURCE = """connector: shop
topics: [shop.items]
decode: {format: json}
entities:
  - {type: shop.item, id: value.id, attributes: {open: value.open}}
heartbeat: shop.beats
max_silence: 3s
"""
LEANS = 'shop.item["a"].open'
HOUR_US = 3600 * 1000000
NO_ANSWER = (OSError, http.client.HTTPException)

_library = None


def library():
    global _library
    if _library is None:
        _library = os.path.join(shared.folder("fault"), "fault.so")
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O1", "-shared", "-fPIC", "-o", _library,
                        os.path.join(HERE, "fault.c"), "-ldl"], check=True)
    return _library


class Control:
    """The numbers that fault.c maps, in its order."""
    FIELDS = ("data_errno", "file_errno", "stall", "wall_shift_us", "memory_from", "sign_fails", "clock_unsync", "data_hits", "file_hits",
              "stall_hits", "memory_hits", "sign_hits")

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.truncate(8 * len(self.FIELDS))
            self.map = mmap.mmap(f.fileno(), 0)

    def put(self, **fields):
        for name, value in fields.items():
            at = 8 * self.FIELDS.index(name)
            self.map[at:at + 8] = struct.pack("<q", value)

    def get(self, name):
        at = 8 * self.FIELDS.index(name)
        return struct.unpack("<q", self.map[at:at + 8])[0]

    def clear(self):
        self.put(**{n: 0 for n in self.FIELDS})


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def soon(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def scope(amount):
    return {"actions": ["x", "f"], "resources": ["*"], "limits": {"amount": amount}, "budgets": {"eur": "100"}}


# Whom a mandate was given to: so that a search finds it, or nothing.
AGENTS = {"short": "agent-s", "leans": "agent-l"}
KINDS = "kinds: [{actions: [f], reversibility: reversible_write, mode: feed, max_staleness: 2s}]\n"


class World:
    """A daemon with mandates: `m` holds, `short` expires, `leans` needs a source. What was answered is kept for the proof."""

    def __init__(self, name, servers=None, connectors=None, short_s=600, config="", max_unsigned="3s"):
        self.daemon = d = shared.Daemon(name, connectors or {}, ENTITIES, servers=servers or "127.0.0.1:%d" % free_port(), config="""
check: {max_staleness: 2s, kinds: kinds.yaml}
audit: {interval: 20ms, max_unsigned: %s}
""" % max_unsigned + config)
        d.write("kinds.yaml", KINDS)
        self.control = Control(os.path.join(d.folder, "control"))
        real = os.path.realpath(d.folder)
        d.process.env = dict(os.environ, LD_PRELOAD=library(), FAULT_CONTROL=os.path.join(d.folder, "control"),
                             FAULT_DATA=os.path.join(real, "data"), FAULT_FILE=os.path.join(real, "data.checkpoint"))
        self.short_s, self.answers, self.yes = short_s, [], []
        self.short_ends = 0

    def start(self):
        d = self.daemon.start(ready=False)
        d.wait("/healthz", lambda: d.status("/healthz") == 200)

    def fill(self, test, leans=False):
        d = self.daemon
        test.assertEqual(d.issue("m", scope=scope(100), max_depth=3)[0], 201)
        test.assertEqual(d.issue("short", agent=AGENTS["short"], scope=scope(100), max_depth=3, expires_at=soon(self.short_s))[0], 201)
        self.short_ends = time.time() + self.short_s  # at the latest
        self.expected = {"m": ("active", 100, None), "short": ("active", 100, None)}
        self.places = {name: self.place(name) for name in ("m", "short")}
        if leans:
            test.assertEqual(d.issue("leans", agent=AGENTS["leans"], scope=scope(100), max_depth=3, on_unknown="suspend",
                                     **{"while": LEANS})[0], 201)
            d.wait_state("leans", "active")
            self.expected["leans"] = (None, 100, None)
            self.places["leans"] = self.place("leans")
        test.assertIs(self.check("m"), True)

    # --- operations: each returns what the table calls it --------------------------------------------------------------
    def post(self, path, body, timeout=40):
        return self.daemon.call("POST", path, body, timeout=timeout)

    def place(self, mandate):
        """Number of its list, and index in it, as its token says."""
        payload = self.daemon.get("/v1/mandates/%s/token" % mandate)["token"].split(".")[1]
        entry = json.loads(base64.urlsafe_b64decode(payload + "=="))["status"]["status_list"]
        return entry["uri"].rsplit("/", 1)[1], entry["idx"]

    def agent(self, mandate):
        return AGENTS.get(mandate, "a")

    def feed(self, mandate):
        """A check of an action that is checked on the feed; a yes says until when it may be relied on, and not beyond the end."""
        got = self.check(mandate, "f")
        if got is True:
            context = self.yes[-1][1]["context"]
            assert moment(context["valid_until"]) <= moment(context["expires_at"]), context
        return got

    def search(self, mandate):
        """Both searches that can say an amount, which agree: True when its agent and its resources are found."""
        agent = {"type": "agent", "id": self.agent(mandate)}
        whom, what, on = agent, {"name": "x", "properties": {"amount": 10}}, {"type": "t", "id": "1"}
        found = []
        try:
            for kind, body in (("subject", {"subject": {"type": "agent"}, "action": what, "resource": on}),
                               ("resource", {"subject": whom, "action": what, "resource": {"type": "t"}})):
                code, answer = self.post("/access/v1/search/" + kind, body)
                results = answer["results"] if code == 200 else []
                found.append(agent in results if kind == "subject" else bool(results))
        except NO_ANSWER:
            return None
        assert len(set(found)) == 1, found
        return found[0] or "nothing found"

    def status_list(self, mandate):
        """What a receiver reads of it. What has ended a moment ago may still be listed as valid: its token has expired."""
        number, index = self.places[mandate]
        deadline = time.monotonic() + 20
        while True:
            try:
                code, token = self.daemon.call("GET", "/status/" + number)
            except NO_ANSWER:
                return None
            if code == 503 and self.awaits_end and time.monotonic() < deadline:
                time.sleep(0.05)  # the engine has not stepped yet since it was stopped
                continue
            if code != 200:
                return str(code)
            lst = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["status_list"]["lst"]
            says = zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))[index // 4] >> index % 4 * 2 & 3
            if says or not self.awaits_end or time.monotonic() > deadline:
                return (True, "ended", "suspended")[says]
            time.sleep(0.05)

    awaits_end = False

    def check(self, mandate, action="x"):
        """True, a reason, or None: nobody answers."""
        try:
            code, body = self.post("/access/v1/evaluation", {
                "subject": {"type": "agent", "id": self.agent(mandate)}, "action": {"name": action, "properties": {"amount": 10}},
                "resource": {"type": "t", "id": "1"}, "context": {"mandate": mandate}})
        except NO_ANSWER:
            return None
        if code == 200 and body["decision"] is True:
            self.yes.append((mandate, body))
            return True
        return body["context"]["reason"] if code == 200 else code

    def command(self, mandate, kind, child, path, body, amount):
        """A command that makes or changes `child`, with `amount` as its limit when it is done."""
        try:
            code, answer = self.post(path, body)
        except NO_ANSWER as e:
            code, answer = None, repr(e)
        self.answers.append((kind, mandate, child, amount, code, answer))
        return code

    def operation(self, kind, mandate, serial=""):
        self.asked = mandate
        if kind in READS:
            return getattr(self, kind)(mandate)
        if kind == "spend":
            return self.command(mandate, kind, mandate, "/v1/mandates/%s/spend" % mandate,
                                {"name": "eur", "amount": "1", "key": "key" + serial}, "key" + serial)
        if kind == "issue":
            name = "new" + serial
            body = {"id": name, "grantor": "g", "agent": "a", "purpose": "p", "scope": scope(7), "expires_at": self.new_expiry}
            body.update(self.new_claims)
            return self.command(None, kind, name, "/v1/mandates", body, 7)
        if kind == "delegate":
            return self.command(mandate, kind, "child" + serial, "/v1/mandates/%s/delegate" % mandate,
                                {"id": "child" + serial, "agent": "b", "scope": scope(9)}, 9)
        return self.command(mandate, kind, mandate, "/v1/mandates/%s/amend" % mandate, {"change": {"scope": scope(50)}}, 50)

    new_expiry, new_claims = "2099-01-01T00:00:00Z", {}

    def done(self):
        """The fault is over, where the proof cannot come otherwise."""

    # --- the proof -------------------------------------------------------------------------------------------------------
    def stored(self, mandate):
        """As mandatectl reads it, once in a proof."""
        if mandate in self.read:
            return self.read[mandate]
        done = shared.mandatectl("mandate", "get", mandate, "--json", "--socket", self.daemon.socket)
        self.read[mandate] = json.loads(done.stdout) if done.returncode == 0 else None
        return self.read[mandate]

    def prove(self, test):
        d = self.daemon
        d.kill()
        self.control.clear()
        self.start()
        self.read = {}
        for mandate, (state, amount, _) in self.expected.items():
            m = self.stored(mandate)
            test.assertIsNotNone(m, "%s is lost" % mandate)
            if state and not self.ended(mandate):
                test.assertEqual(m["state"], state, mandate)
            changed = [a for a in self.answers if a[0] == "amend" and a[2] == mandate]
            if not changed:
                test.assertEqual(limit(m), amount, mandate)
        for kind, parent, child, amount, code, answer in self.answers:
            if kind == "spend":
                self.prove_spend(test, child, amount, code, answer)
                continue
            m = self.stored(child)
            before = self.expected.get(child, (None, None, None))[1]
            if code in (200, 201) or "it was done" in str(answer):
                test.assertIsNotNone(m, "%s was answered %s and is lost" % (kind, code))
                test.assertEqual(limit(m), amount, kind)
            elif code is None or "not known" in str(answer):  # whole, or not at all
                test.assertIn(limit(m) if m else None, (before, amount), kind)
            else:
                test.assertEqual(limit(m) if m else None, before, "%s was answered %s %s, and was done" % (kind, code, answer))
            if m and kind == "delegate":
                test.assertEqual(m["mandate"]["parent"], parent)
                test.assertEqual(m["mandate"]["agent"], "b")
        for mandate, body in self.yes:
            m = self.stored(mandate)
            if not self.ended(mandate):
                test.assertEqual(m["state"], "active", "a yes for what is %s" % m["state"])
            test.assertLess(body["context"]["as_of"], m["mandate"]["expires_at"].replace("Z", ".0Z"), "a yes after the end")

    def prove_spend(self, test, mandate, key, code, answer):
        """Said again: repeated when it was done, and only then."""
        again, body = self.post("/v1/mandates/%s/spend" % mandate, {"name": "eur", "amount": "1", "key": key})
        done = again == 200 and body["repeated"]
        if code == 200:
            test.assertTrue(done, "a spend was answered and is lost: %s" % body)
        elif code is not None and "not known" not in str(answer):
            test.assertFalse(done, "a spend was answered %s %s, and was done" % (code, answer))

    def ended(self, mandate):
        return mandate == "short" or mandate == "leans"


def limit(m):
    return m["mandate"]["scope"]["limits"]["amount"]


class FailClosed(unittest.TestCase):
    maxDiff = None

    def world(self, name, operation, **more):
        w = World("%s-%s" % (name.replace(" ", "-"), operation), **more)
        self.addCleanup(w.daemon.kill)
        return w

    def named(self, got, w):
        """What the table calls an answer to a command or a check."""
        if got is None:
            w.daemon.process.child.wait(20)
            return "ends: %d" % w.daemon.process.child.returncode
        if got is True:
            return "yes"
        if isinstance(got, str):
            return "no: " + got
        if got in (200, 201):
            return "done, suspended" if w.answers[-1][5].get("state") == "suspended" else "done"
        if "it was done" in str(w.answers[-1][5]):
            return "done, unsigned: %d" % got
        return "%s: %d" % ("open" if "not known" in str(w.answers[-1][5]) else "refused", got)

    def row(self, fault, cell):
        """`cell(operation)` -> (answer by name, world)."""
        row = next(r for r in ROWS if r.fault == fault)
        for operation in ("check",) + COMMANDS:
            with self.subTest("%s x %s" % (fault, operation)):
                got, w = cell(operation)
                self.assertEqual(got, getattr(row, operation), "%s\n%s" % (w.answers, w.daemon.log(8)))
                w.awaits_end = row.status_list == "no: ended"
                for read in READS[1:] if operation == "check" else ():
                    said = got if got.startswith("down") else self.named(w.operation(read, w.asked), w)
                    self.assertEqual(said, getattr(row, read), "%s\n%s" % (read, w.daemon.log(8)))
                w.done()
                w.prove(self)
                w.daemon.kill()

    # --- rows ---------------------------------------------------------------------------------------------------------------
    def test_fail_closed__kafka_away(self):
        def cell(operation):
            w = self.world("kafka", operation)
            w.start()
            w.fill(self)
            return self.named(w.operation(operation, "m"), w), w
        self.row("Kafka away", cell)

    def test_fail_closed__a_source_that_is_silent(self):
        source = shared.Daemon("source", {"shop": SOURCE}, ENTITIES, servers="away")
        with open(source.config) as f:
            text = f.read()
        source.write("mandated.yaml", text.replace('bootstrap_servers: "away"', "embedded: true, embedded_port_file: address"))
        self.addCleanup(source.kill)
        source.start(ready=False)
        source.wait("/healthz", lambda: source.status("/healthz") == 200)
        with open(os.path.join(source.folder, "address")) as f:
            address = f.read().strip()

        def cell(operation):
            w = self.world("silent", operation, servers=address, connectors={"shop": SOURCE})
            w.start()
            w.daemon.wait("/readyz", w.daemon.is_ready)
            sent = shared.mandatectl("topic", "send", "shop.items", "--key", "a", "--bootstrap", address,
                                     stdin='{"id": "a", "open": true}')
            self.assertEqual(sent.returncode, 0, sent.stderr)
            w.daemon.wait("the entity", lambda: w.daemon.value("shop.item", "a", "open") is True)
            w.fill(self, leans=True)
            self.assertIs(w.check("leans"), True)
            w.daemon.wait_state("leans", "suspended")
            w.new_claims = {"while": LEANS, "on_unknown": "suspend"}
            got = self.named(w.operation(operation, "leans"), w)
            for mandate in [a[2] for a in w.answers if a[4] in (200, 201)]:
                self.assertEqual(w.check(mandate), "mandate_inactive")
            return got, w
        self.row("source silent", cell)

    def storage(self, fault, code):
        def cell(operation):
            w = self.world(fault, operation)
            w.start()
            w.fill(self)
            w.control.put(data_errno=code)
            got = w.operation(operation, "m")
            while operation == "check" and got is not None:
                time.sleep(0.01)
                got = w.operation(operation, "m")
            self.assertGreater(w.control.get("data_hits"), 0)
            return self.named(got, w), w
        self.row(fault, cell)

    def test_fail_closed__a_database_that_is_read_only(self):
        self.storage("database read-only", errno.EROFS)

    def test_fail_closed__a_full_disk(self):
        self.storage("disk full", errno.ENOSPC)

    def test_fail_closed__a_full_disk_at_the_start(self):
        self.down("disk full at the start", lambda w: w.control.put(data_errno=errno.ENOSPC), lambda w: None)

    def test_fail_closed__a_signing_key_that_cannot_be_read(self):
        def path(w):
            return os.path.join(w.daemon.folder, "data", "signing-key.pem")

        def spoil(w):
            os.chmod(path(w), 0o644)
        self.down("signing key unreadable", spoil, lambda w: os.chmod(path(w), 0o600))

    def down(self, fault, spoil, mend):
        def cell(operation):
            w = self.world(fault, operation)
            w.start()
            w.fill(self)
            w.daemon.kill()
            spoil(w)
            w.daemon.process.start()
            while w.daemon.process.running():  # whatever it would answer meanwhile is looked at, too
                self.assertIsNone(w.operation(operation, "m"))
                time.sleep(0.02)
            mend(w)
            return "down: %d" % w.daemon.process.child.returncode, w
        self.row(fault, cell)

    def unsigned(self, fault, hits, **field):
        def cell(operation):
            w = self.world(fault, operation)
            w.start()
            w.fill(self)
            d = w.daemon
            w.control.put(**field)
            self.assertEqual(d.call("POST", "/v1/mandates/short/suspend", {"reason": "an entry for the log"})[0], 200)
            d.wait("nothing to be granted", lambda: d.metric("mandated_audit_granting") == 0)
            got = w.operation(operation, "m")
            self.assertGreater(w.control.get(hits), 0)
            self.assertEqual(d.status("/readyz"), 503)
            # What takes power away is still done.
            self.assertEqual(d.call("POST", "/v1/mandates/short/revoke", {"reason": "an end"})[0], 200)
            return self.named(got, w), w
        self.row(fault, cell)

    def test_fail_closed__an_audit_log_that_cannot_be_written(self):
        self.unsigned("audit not writable", "file_hits", file_errno=errno.EROFS)

    def test_fail_closed__a_permit_of_a_human_is_no_way_past_it(self):
        w = self.world("permit", "check")
        w.start()
        w.fill(self)
        d = w.daemon
        for side, action in (("l", "left"), ("r", "right")):
            self.assertEqual(d.issue("side-" + side, scope={"actions": [action], "resources": ["*"]})[0], 201)

        def ask():
            return w.post("/access/v1/evaluation", {
                "subject": {"type": "agent", "id": "a"}, "action": {"name": "left"}, "resource": {"type": "t", "id": "1"},
                "context": {"mandates": ["side-l", "side-r"]}})[1]
        question = ask()["context"]["escalation"]["id"]
        code, answer = d.call("POST", "/v1/decisions/%s/permit" % question, {}, headers={"X-Mandate-Principal": "user:boss"})
        self.assertEqual(code, 200, answer)
        self.assertIs(ask()["decision"], True)
        w.control.put(sign_fails=1)
        self.assertEqual(d.call("POST", "/v1/mandates/short/suspend", {"reason": "an entry for the log"})[0], 200)
        d.wait("nothing to be granted", lambda: d.metric("mandated_audit_granting") == 0)
        denied = ask()
        self.assertEqual((denied["decision"], denied["context"]["reason"]), (False, "audit_unavailable"))
        w.control.put(sign_fails=0)
        d.wait("grants again", lambda: d.metric("mandated_audit_granting") == 1)
        self.assertIs(ask()["decision"], True)

    def test_fail_closed__a_signer_that_is_away(self):
        self.unsigned("signer away", "sign_hits", sign_fails=1)

    def test_fail_closed__a_key_that_does_not_sign_from_now_on(self):
        def cell(operation):
            w = self.world("signing-fails", operation, max_unsigned="60s")
            w.start()
            w.fill(self)
            w.control.put(sign_fails=1)
            got = self.named(w.operation(operation, "m"), w)
            if operation not in ("check", "spend"):  # those take no signature
                self.assertGreater(w.control.get("sign_hits"), 0)
            return got, w
        self.row("signing fails", cell)

    def test_fail_closed__a_signer_process_that_is_away(self):
        def cell(operation):
            w = self.world("signer-process", operation, config="signing: {signer: signer.sock}\n")
            key, path = os.path.join(w.daemon.folder, "key.pem"), os.path.join(w.daemon.folder, "signer.sock")
            made = shared.mandatectl("key", "new", key)
            self.assertEqual(made.returncode, 0, made.stderr)
            signer = Process("signer", [os.path.join(shared.BIN, "mandate-signer"), "--key", key, "--socket", path], w.daemon.folder)
            self.addCleanup(signer.kill)
            signer.start()
            signer.wait_ready("its socket", lambda: os.path.exists(path))
            w.start()
            w.fill(self)
            signer.kill()
            got = self.named(w.operation(operation, "m"), w)
            self.assertEqual(w.daemon.call("POST", "/v1/mandates/short/suspend", {"reason": "power is taken away"})[0], 200)

            def back():
                os.unlink(path)
                signer.start()  # it is back for the proof
                signer.wait_ready("its socket", lambda: os.path.exists(path))
            w.expected.pop("short")
            w.done = back
            return got, w
        self.row("signer process away", cell)

    def test_fail_closed__the_signer_of_the_log_that_is_away(self):
        def cell(operation):
            w = self.world("log-signer", operation, config="signing: {algorithm: EdDSA}\n")
            d = w.daemon
            key, path = os.path.join(d.folder, "log.pem"), os.path.join(d.folder, "signer.sock")
            with open(d.config) as f:
                text = f.read()
            d.write("mandated.yaml", text.replace("audit: {", "audit: {signer: signer.sock, "))
            made = shared.mandatectl("key", "new", key)
            self.assertEqual(made.returncode, 0, made.stderr)
            signer = Process("signer", [os.path.join(shared.BIN, "mandate-signer"), "--audit-key", key, "--socket", path], d.folder)
            self.addCleanup(signer.kill)
            signer.start()
            signer.wait_ready("its socket", lambda: os.path.exists(path))
            w.start()
            w.fill(self)
            self.assertFalse(os.path.exists(os.path.join(d.folder, "data", "audit-key.pem")))
            signer.kill()
            self.assertEqual(d.call("POST", "/v1/mandates/short/suspend", {"reason": "an entry for the log"})[0], 200)
            d.wait("nothing to be granted", lambda: d.metric("mandated_audit_granting") == 0)
            w.expected.pop("short")
            got = self.named(w.operation(operation, "m"), w)

            def back():
                os.unlink(path)
                signer.start()
                d.wait("grants again", lambda: d.metric("mandated_audit_granting") == 1)
                self.assertIs(w.check("m"), True)
            w.done = back
            return got, w
        self.row("log's signer away", cell)

    def test_fail_closed__a_clock_that_is_not_synchronised(self):
        def cell(operation):
            w = self.world("unsync", operation, config="clock: {require_synchronised: true}\n")
            w.start()
            w.fill(self)
            w.control.put(clock_unsync=1)
            w.daemon.wait("it to be noticed", lambda: w.daemon.call("GET", "/readyz")[1]["clock"]["trusted"] is False)
            got = self.named(w.operation(operation, "m"), w)
            self.assertEqual(w.daemon.call("POST", "/v1/mandates/short/suspend", {"reason": "power is taken away"})[0], 200)
            w.expected.pop("short")
            return got, w
        self.row("clock unsynchronised", cell)

    def test_fail_closed__steps_of_the_clock_both_ways_permit_nothing_at_or_after_its_end(self):
        second, day, century = 1000000, 24 * HOUR_US, 36525 * 24 * HOUR_US
        w = self.world("steps", "all")
        w.start()
        d, ends = w.daemon, {}
        for name, seconds in (("s", 60), ("h", 1800), ("d", 43200), ("c", 50 * 365 * 86400), ("never", 150 * 365 * 86400)):
            ends[name] = soon(seconds)
            AGENTS[name] = "agent-" + name
            self.assertEqual(d.issue(name, agent=AGENTS[name], scope=scope(100), expires_at=ends[name])[0], 201)
            w.places = dict(getattr(w, "places", {}), **{name: w.place(name)})
        self.assertEqual([w.check(n) for n in ends], [True] * 5)
        dead = set()

        def look(shift_us):
            w.control.put(wall_shift_us=shift_us)
            for name, end in ends.items():
                # By the clock that was set, before it is asked: a yes is wrong when the end had come by then.
                at = datetime.now(timezone.utc) + timedelta(microseconds=shift_us)
                if at >= datetime.strptime(end, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc):
                    dead.add(name)
                for answer in (w.check(name), w.feed(name), w.search(name)):
                    self.assertEqual(answer is True, name not in dead, (name, shift_us, answer))
        for shift in (0, second, -second, HOUR_US, -HOUR_US, day, -day, 0, century, -century, 0):
            look(shift)
        self.assertEqual(dead, {"s", "h", "d", "c"})
        w.awaits_end = True
        self.assertEqual([w.status_list(n) for n in "shdc"], ["ended"] * 4)
        for name in "shdc":
            d.wait("its end to be committed", lambda: d.get("/v1/mandates/" + name)["transition"]["state"] == "expired")
        d.kill()  # and a start does not begin before the last commit
        w.control.put(wall_shift_us=-day)
        w.start()
        look(-day)

    def clock(self, fault, turn, short_s):
        def cell(operation):
            w = self.world(fault, operation, short_s=short_s)
            w.start()
            w.fill(self)
            w.new_expiry = soon(60)
            turn(w)
            return self.named(w.operation(operation, "short"), w), w
        self.row(fault, cell)

    def test_fail_closed__a_clock_set_forward(self):
        self.clock("clock set forward", lambda w: w.control.put(wall_shift_us=HOUR_US), 600)

    def test_fail_closed__a_clock_set_back(self):
        def turn(w):
            w.control.put(wall_shift_us=-HOUR_US)
            time.sleep(max(0, w.short_ends - time.time()) + 0.2)
        self.clock("clock set back", turn, 3)

    def test_fail_closed__a_process_that_was_stopped(self):
        def turn(w):
            w.daemon.wait("all entries to be signed", lambda: (lambda a: a["entries"] == a["signed"])(
                w.daemon.call("GET", "/readyz")[1]["audit"]))
            time.sleep(max(0, w.short_ends - time.time() - 1.3))
            w.daemon.process.child.send_signal(signal.SIGSTOP)
            time.sleep(max(0, w.short_ends - time.time()) + 0.2)
            w.daemon.process.child.send_signal(signal.SIGCONT)
        self.clock("process stopped", turn, 3)

    def test_fail_closed__an_engine_that_lags(self):
        def cell(operation):
            w = self.world("lag", operation)
            w.start()
            w.fill(self)
            w.control.put(stall=1)
            w.daemon.wait("a commit to hang", lambda: w.control.get("stall_hits") > 0)
            if operation == "check":
                w.daemon.wait("a no", lambda: w.check("m") is not True)
            got = w.operation(operation, "m")
            w.done = lambda: w.control.put(stall=0)
            if operation != "check":
                w.done()
            return self.named(got, w), w
        self.row("engine lagging", cell)

    def memory(self, fault, size):
        def cell(operation):
            w = self.world(fault, operation)
            w.start()
            w.fill(self)
            w.control.put(memory_from=size)
            got, serial = w.operation(operation, "m"), 0
            while got is not None:  # whatever it answers until it ends is looked at by the proof
                time.sleep(0.01)
                serial += 1
                got = w.operation(operation, "m", "-%d" % serial)
            name = self.named(got, w)
            self.assertGreater(w.control.get("memory_hits"), 0)
            self.assertIn("out of memory", w.daemon.log(5))
            return name, w
        self.row(fault, cell)

    def test_fail_closed__memory_that_is_exhausted(self):
        self.memory("memory exhausted", 1)

    def test_fail_closed__memory_that_is_exhausted_for_what_is_large(self):
        self.memory("memory exhausted for what is large", 16 << 10)

    def test_fail_closed__every_row_of_the_table_has_a_test(self):
        with open(os.path.abspath(__file__)) as f:
            text = f.read()
        self.assertEqual([r.fault for r in ROWS if '"%s"' % r.fault not in text], [])


if __name__ == "__main__":
    unittest.main()
