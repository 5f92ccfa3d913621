# SPDX-License-Identifier: Apache-2.0
"""Three brokers under load, and one fault after another: restarts in turn, brokers that stop answering, brokers killed, one for
good, all of them at once, mandated killed in between. Afterwards the topics are read with another client and judged:

  nothing lost     every record of the topic is in the journal once, in order; the graph is what the last records say
  nothing twice    each mandate ended once: one version 2, and if it was sent again, the same bytes

SOAK=1 (./dev test --soak) lets brokers stay silent for 45 s and goes through the faults twice; SEED=N repeats the choices.
"""
import collections
import json
import os
import random
import subprocess
import threading
import time
import unittest

from tests.e2e import shared
from tests.e2e.shared import Daemon
from tests.real.cluster import Cluster

SOAK = bool(os.environ.get("SOAK"))
SILENT_S = 45 if SOAK else 8  # longer than a broker's session (2 s), so leaders move
CASES = 120
TOPIC, OUT, DEAD = "cluster-in", "cluster-out", "cluster-dead"
ENTITIES = "types:\n  f.case:\n    attributes: {status: string, n: int}\n"
CONNECTOR = """connector: cases
topics: [%s]
decode: {format: json}
on_error: fail_closed
max_silence: 10m
entities:
  - type: f.case
    id: value.id
    attributes: {status: value.status, n: value.n}
""" % TOPIC


class Load(threading.Thread):
    """Writes records all the time, by a client that is not ours, until stopped: about 200 a second. kcat gives up when all brokers
    are away; then another one goes on. What became of the records is what the topic says."""

    def __init__(self, servers, rng):
        super().__init__(daemon=True)
        self.servers, self.rng, self.ending, self.count = servers, rng, threading.Event(), 0
        self.kcat = None

    def _open(self):
        return subprocess.Popen(["kcat", "-q", "-P", "-b", self.servers, "-t", TOPIC, "-K", "\t", "-X", "acks=all", "-X",
                                 "message.timeout.ms=0", "-X", "max.in.flight=1", "-X", "linger.ms=5"],
                                stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def record(self, status, name=None):
        name = name or "k%d" % self.rng.randrange(CASES)
        self.count += 1
        return ("%s\t%s\n" % (name, json.dumps({"id": name, "status": status, "n": self.count}))).encode()

    def run(self):
        while not self.ending.is_set():
            try:
                if self.kcat is None or self.kcat.poll() is not None:
                    self.kcat = self._open()
                self.kcat.stdin.write(self.record("done" if self.rng.random() < 0.004 else "open"))
                self.kcat.stdin.flush()
            except OSError:
                self.kcat = None
                time.sleep(0.2)
            time.sleep(0.005)

    def finish(self):
        self.ending.set()
        self.join(60)
        if self.kcat is not None:
            self.kcat.stdin.close()
            self.kcat.wait(120)


class Brokers(unittest.TestCase):
    def test_faults__twenty_of_them_under_load_lose_nothing_and_do_nothing_twice(self):
        self.seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
        self.rng = random.Random(self.seed)
        self.cluster = Cluster(shared.folder("cluster"))
        self.addCleanup(self.cluster.stop)
        self.cluster.start()
        self.cluster.create({TOPIC: 3, OUT: 3, DEAD: 1})
        self.cluster.in_step([TOPIC, OUT, DEAD], 3)
        self.d = Daemon("cluster", {"cases": CONNECTOR}, ENTITIES, servers=self.cluster.servers, revocations=OUT, dead_letter=DEAD)
        self.addCleanup(self.d.kill)
        self.d.start()
        for i in range(CASES):
            code, body = self.d.issue("m%d" % i, until='f.case["k%d"].status == "done"' % i)
            self.assertEqual(code, 201, body)
        self.load = Load(self.cluster.servers, self.rng)
        self.load.start()
        self.faults = []
        for _ in range(2 if SOAK else 1):
            self.rolling_restart()
            self.silent_brokers()
            self.killed_brokers()
            self.too_few_brokers()
            self.all_brokers()
            self.mandated_too()
        self.one_for_good()
        self.assertGreaterEqual(len(self.faults), 20)
        self.load.finish()
        self.judge()

    # --- faults ------------------------------------------------------------------------------------------------------
    def fault(self, what, broker=None):
        self.faults.append(what)
        print("     seed %d: %s%s" % (self.seed, what, " %d" % broker.node if broker else ""), flush=True)

    def settle(self):
        """Both directions work again: what was written is read, what was ended is published."""
        self.cluster.in_step([TOPIC, OUT, DEAD], len(self.cluster.running()))
        before = self.d.metric("mandated_inputs_total") or 0
        self.d.wait("new records", lambda: (self.d.metric("mandated_inputs_total") or 0) > before + 20, 90)

    def any_broker(self):
        return self.rng.choice(self.cluster.running())

    def rolling_restart(self):
        for b in self.cluster.brokers:
            self.fault("restart of broker", b)
            b.stop()
            time.sleep(0.5)
            self.cluster.again(b)
            self.settle()

    def silent_brokers(self):
        for _ in range(2):
            b = self.any_broker()
            self.fault("%d s of silence from broker" % SILENT_S, b)
            self.cluster.pause(b)
            time.sleep(SILENT_S)
            self.cluster.resume(b)
            self.settle()

    def killed_brokers(self):
        for _ in range(3):
            b = self.any_broker()
            self.fault("kill -9 of broker", b)
            b.kill()
            time.sleep(self.rng.random() * 3)
            self.cluster.again(b)
            self.settle()

    def too_few_brokers(self):
        for _ in range(2):
            a, b = self.rng.sample(self.cluster.brokers, 2)
            self.fault("kill -9 of two brokers, no majority", a)
            a.kill()
            b.kill()
            time.sleep(3)
            self.d.process.check_alive()
            self.cluster.again(a)
            self.cluster.again(b)
            self.settle()

    def all_brokers(self):
        self.fault("4 s of silence from all brokers")
        for b in self.cluster.brokers:
            self.cluster.pause(b)
        time.sleep(4)
        for b in self.cluster.brokers:
            self.cluster.resume(b)
        self.settle()
        self.fault("kill -9 of all brokers")
        for b in self.cluster.brokers:
            b.kill()
        time.sleep(1)
        self.d.process.check_alive()
        for b in self.cluster.brokers:
            self.cluster.again(b)
        self.settle()

    def reborn(self, ready=True):
        self.d.start(ready=False)
        self.d.wait("its API", lambda: self.d.status("/healthz") == 200)
        if ready:
            self.settle()

    def mandated_too(self):
        for _ in range(3):
            self.fault("kill -9 of mandated")
            self.d.kill()
            self.reborn()
        self.fault("kill -9 of mandated, restart with a silent broker")
        b = self.any_broker()
        self.cluster.pause(b)
        self.d.kill()
        self.reborn(ready=False)
        time.sleep(3)
        self.cluster.resume(b)
        self.settle()
        self.fault("kill -9 of mandated and a broker at once", b)
        b.kill()
        self.d.kill()
        self.cluster.again(b)
        self.reborn()
        self.fault("restart of mandated while a broker is down")
        b = self.any_broker()
        b.kill()
        self.d.stop()
        self.reborn(ready=False)
        time.sleep(2)
        self.cluster.again(b)
        self.settle()
        self.fault("3 s of silence from mandated")
        pid = self.d.process.child.pid
        os.kill(pid, 19)
        time.sleep(3)
        os.kill(pid, 18)
        self.settle()

    def one_for_good(self):
        b = self.any_broker()
        self.fault("kill -9 for good of broker", b)
        b.kill()
        before = self.d.metric("mandated_inputs_total")
        self.d.wait("new records", lambda: self.d.metric("mandated_inputs_total") > before + 100, 90)

    # --- judgement ---------------------------------------------------------------------------------------------------
    def judge(self):
        done = {json.loads(r.value)["id"] for r in self.cluster.read(TOPIC) if json.loads(r.value)["status"] == "done"}
        left = b"".join(self.load.record("done", "k%d" % i) for i in range(CASES) if "k%d" % i not in done)
        self.cluster.write(TOPIC, left)
        records = self.cluster.read(TOPIC)
        ends = collections.Counter()
        for r in records:
            ends[r.partition] = max(ends[r.partition], r.offset + 1)
        self.d.wait("all to be read", lambda: {p["partition"]: p["offset"] for p in self.connector()["partitions"]} == dict(ends), 90)
        self.d.wait("all to be published", lambda: self.d.metric("mandated_outbox_pending") == 0, 90)
        c = self.connector()
        self.assertEqual((c["state"], c["positions_lost"], c["records"]["dead_lettered"]), ("live", 0, 0), c)
        last = {}
        for r in sorted(records, key=lambda r: (r.partition, r.offset)):
            last[json.loads(r.value)["id"]] = json.loads(r.value)
        for name, value in last.items():
            self.assertEqual(self.d.value("f.case", name, "n"), value["n"], name)
        for i in range(CASES):
            m = self.d.get("/v1/mandates/m%d" % i)
            self.assertEqual((m["state"], m["version"]), ("completed", 2), m)
        code, _ = self.d.stop()
        self.assertEqual(code, 0)
        self.judge_journal(records)
        repeated = self.judge_ends()
        shared.note("%d faults, %d records, %d ends, %d sent again with the same bytes" % (len(self.faults), len(records), CASES,
                                                                                           repeated))

    def connector(self):
        return self.d.get("/v1/connectors")["connectors"][0]

    def judge_journal(self, records):
        """Every offset that holds a record is there exactly once, in the order of its partition."""
        seen = collections.defaultdict(list)
        for entry in self.d.journal():
            if entry["kind"] == "record":
                seen[entry["origin"]["partition"]].append(entry["origin"]["offset"])
        there = collections.defaultdict(list)
        for r in sorted(records, key=lambda r: (r.partition, r.offset)):
            there[r.partition].append(r.offset)
        self.assertEqual(dict(seen), dict(there))

    def judge_ends(self):
        bytes_of, count = {}, 0
        for r in self.cluster.read(OUT):
            if "heartbeat" in (r.header("ce_type") or ""):
                continue
            v = json.loads(r.value)
            count += 1
            self.assertEqual(bytes_of.setdefault((v["mandate"], v["version"]), r.value), r.value, "one version, two contents")
        expected = {("m%d" % i, v) for i in range(CASES) for v in (1, 2)}
        self.assertEqual(set(bytes_of), expected)
        return count - len(bytes_of)


if __name__ == "__main__":
    unittest.main()
